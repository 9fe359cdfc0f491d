"""Writes the table in docs/llm-plane.md from a run of the conformance tests: `python -m tests.providers_table`."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs/llm-plane.md"
BEGIN, END = "<!-- manners -->\n", "<!-- /manners -->\n"
HEAD = """\
| manner | wasted on learning | other calls without an answer | what `gem dialects` then shows, or you are told |
|---|---|---|---|
"""
TESTS = "every_manner or refuses_everything or moderation"


def rows():
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/integration/test_providers.py", "-k", TESTS]
    run = subprocess.run(command, capture_output=True, text=True, cwd=DOCS.parents[1])
    if run.returncode:
        sys.exit(run.stdout[-3000:])
    return [line for line in run.stdout.splitlines() if line.startswith("| ")]


if __name__ == "__main__":
    found = "\n".join(rows())
    text = DOCS.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    DOCS.write_text(f"{before}{BEGIN}{HEAD}{found}\n{END}{after}", "utf-8")
