"""The offline teacher over HTTP.

Started with `python -m offline_teacher --port N`; `--state DIR` is where files and batches survive.
`GEM_TEACHER_API_KEY` makes it demand a key.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp

from aiohttp import web

from offline_teacher.answers import answer
from offline_teacher.server import faults
from offline_teacher.server.app import make_app
from offline_teacher.server.workers import Workers, end_with_parent

_MAX_WORKERS = 4


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=max(1, min(_MAX_WORKERS, (os.cpu_count() or 2) - 1)))
    parser.add_argument("--faults", default="", help='as in "rate_429=0.05&seed=1"; see docs/offline-teacher.md')
    parser.add_argument("--state", type=Path, help="folder of files and batches; a temporary one by default")
    options = parser.parse_args()
    try:
        standing = faults.standing(options.faults)
    except ValueError as error:
        parser.error(f"--faults: {error}")
    # Not forked: the server has threads by the time the first answer is asked for.
    context = get_context("forkserver")
    workers = Workers(
        lambda: ProcessPoolExecutor(options.workers, mp_context=context, initializer=end_with_parent), answer
    )
    app = make_app(
        workers,
        options.state or Path(mkdtemp(prefix="gem-teacher-")),
        os.environ.get("GEM_TEACHER_API_KEY", ""),
        standing,
    )
    web.run_app(app, host=options.host, port=options.port, print=None, access_log=None, shutdown_timeout=2)


if __name__ == "__main__":
    main()
