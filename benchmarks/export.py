"""Exports of a dataset version of many rows: megabytes a second and the largest resident memory.

    python benchmarks/export.py CONVERSATIONS.jsonl --rows 10000 100000 --formats openai trl atif [--peer PYTHON]

CONVERSATIONS has lines with `messages` and `tools` of the Chat Completions API; rows repeat them under their own ids.
Each figure is of a process of its own that writes to /dev/null, because a million rows are 25 GB; the version's
Parquet file is on disk. CPU seconds are what to compare on a machine that others use too. `--peer`: a Python with
`datasets` and `polars`, which write the same Parquet file as JSON lines without converting it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset.export import published_of
from gem_tasks.dataset.row import SCHEMA
from gem_tasks.distill import files
from gem_tasks.distill.formats import Conversation
from gem_tasks.files import json_line
from gem_tasks.store.local import LocalStore

KEY = "datasets/v/train-00000.parquet"
PEAK = "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
"""Not `ru_maxrss`, which a process inherits from the one that started it."""
PEERS = {
    "datasets": "import datasets; datasets.disable_progress_bars();"
    "datasets.load_dataset('parquet', data_files={path!r}, split='train', cache_dir={cache!r}).to_json('/dev/null')",
    "polars": "import polars; polars.scan_parquet({path!r}).sink_ndjson('/dev/null')",
}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def prepare(conversations, count, path):
    """Writes a version's file as publication does, in row groups of 500."""
    made = [(compact(each["messages"]), compact(each["tools"])) for each in conversations]
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
        for start in range(0, count, 500):
            rows = []
            for number in range(start, min(count, start + 500)):
                messages, tools = made[number % len(made)]
                about = {"trajectory_id": f"{number:020x}", "segment_id": f"s{number}", "plan": None, "teacher": {}}
                rows.append({**about, "messages": messages, "tools": tools, "metadata": compact(about)})
            writer.write_table(pa.Table.from_pylist([{k: row.get(k) for k in SCHEMA.names} for row in rows], SCHEMA))


def workspace(folder):
    """What an export asks a workspace for; the lineage's part is one query for each version."""
    store = LocalStore(Path(folder))
    ledger = SimpleNamespace(versions=SimpleNamespace(withdrawn_trajectories=lambda version: set()))

    def download(key, path):
        with path.open("wb") as file:
            file.writelines(store.chunks(key))

    return SimpleNamespace(ledger=lambda: nullcontext(ledger), download=download)


def export(folder, name):
    """Converts and writes all rows."""
    rows = published_of(workspace(folder), "v")
    if name == "openai":
        with Path(os.devnull).open("w", encoding="utf-8") as file:
            file.writelines(json_line(row) for row in rows)
        return
    converted = (Conversation(row["messages"], row["tools"], row["metadata"]) for row in rows)
    write = files._parquet if name == "verl" else files._jsonl
    write(files._Counted(converted, name, planned=True), Path(os.devnull))


def measured(command):
    """Seconds, CPU seconds and peak megabytes of a process, which prints `PEAK` last."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, int(said.split()[-2]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("conversations", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--formats", nargs="+", default=["openai", "trl", "atif"])
    parser.add_argument("--messages", type=int, help="of each conversation only the first, for more rows in less time")
    parser.add_argument("--peer", help="a Python with datasets and polars")
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "FORMAT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        export(*options.child)
        exec(PEAK)
        return
    conversations = [json.loads(line) for line in options.conversations.read_text(encoding="utf-8").splitlines()]
    conversations = [{**each, "messages": each["messages"][: options.messages]} for each in conversations]
    for count in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, KEY)
            path.parent.mkdir(parents=True)
            prepare(conversations, count, path)
            size = sum(len(compact(each["messages"])) + len(compact(each["tools"])) for each in conversations)
            megabytes = size / len(conversations) * count / 1e6
            commands = {
                name: [sys.executable, __file__, str(options.conversations), "--child", folder, name]
                for name in options.formats
            }
            for name, code in PEERS.items() if options.peer else ():
                commands[name] = [
                    options.peer,
                    "-c",
                    f"{code}\n{PEAK}".format(path=str(path), cache=str(Path(folder, "cache"))),
                ]
            for name, command in commands.items():
                seconds, cpu, peak = measured(command)
                found = {"rows": count, "as": name, "MB": round(megabytes), "MB/s": round(megabytes / seconds, 1)}
                found |= {"MB/s of CPU": round(megabytes / cpu, 1), "peak MB": round(peak)}
                print(json.dumps({**found, "load": round(os.getloadavg()[0], 1)}), flush=True)


if __name__ == "__main__":
    main()
