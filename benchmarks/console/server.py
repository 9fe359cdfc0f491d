"""The pages as Airflow mounts them, on a port; `/token` gives a viewer's token. For the benchmark only."""

import sys

from tests.console import serving

serving.prepare()

import uvicorn

app = serving.airflow_stand_in([])
app.root_path = ""


@app.get("/token")
def token():
    from fastapi.responses import PlainTextResponse

    return PlainTextResponse(serving.token("viewer"))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
