"""GEM's LLM plane beside its peers: same server, same calls, alternating, medians.

    python benchmarks/llm_plane/run.py [--calls 5000] [--concurrency 64 256 1024] [--repeats 5] [--peers …] [--quick]

efficiency = calls x mean latency / concurrency / wall time; the server says which latencies it drew. `possible` is what
the best schedule of those very latencies would reach: at the end of a batch there is not enough left to keep all slots
busy. Peers are installed in environments of their own under --cache (PyPI must be reachable once). One that cannot be
installed or fails is a row with the reason.
"""

import argparse
import heapq
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from statistics import median

from bench import database, free_port
from rich.console import Console
from server import MEDIAN_S

from gem_tasks.lineage import Ledger

HERE = Path(__file__).parent
PEERS = {
    "ours": None,
    "aiohttp": "aiohttp",
    "sdk": "openai",
    "sdk_aiohttp": "openai[aiohttp]",
    "datatrove": "datatrove[io] aiofiles aiosqlite httpx pandas pyyaml typer",
    "distilabel": "distilabel[openai] requests",
    "curator": "bespokelabs-curator",
    "data_designer": "data-designer",
}
SCRIPTS = {"sdk_aiohttp": "sdk"}
PATIENCE = 20
"""Times the ideal that a run may take."""
console = Console(stderr=True)


class Bench:
    """The server, the database and the environments."""

    def __init__(self, options, folder, dsn):
        self.options, self.folder, self.dsn = options, folder, dsn
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1{options.faults and '?' + options.faults}"
        command = [sys.executable, HERE / "server.py", "--port", str(self.port), "--sigma", str(options.sigma)]
        self.server = subprocess.Popen([*pinned(1), *command])
        self.wait()

    def wait(self):
        """Until the server answers."""
        for _ in range(100):
            try:
                return self.stats()
            except OSError:
                time.sleep(0.1)
        sys.exit("the server did not start")

    def stats(self):
        """What the server did since last time."""
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats"))

    def python(self, peer):
        """The interpreter of the peer's environment, made if need be."""
        if PEERS[peer] is None:
            return sys.executable
        folder = Path(self.options.cache) / peer
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            console.print(f"installing {peer}")
            run = {"check": True, "capture_output": True, "text": True}
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], **run)
            for packages in (["--upgrade", "pip"], PEERS[peer].split()):
                subprocess.run([python, "-m", "pip", "install", "-q", *packages], **run)
            (folder / "ready").touch()
        return str(python)

    def one(self, peer, concurrency):
        """One run of one peer: figures, or `{"failed": reason}`."""
        output = self.folder / "figures.json"
        output.unlink(missing_ok=True)
        self.stats()
        try:
            python = self.python(peer)
        except subprocess.CalledProcessError as error:
            return {"failed": f"cannot be installed: {last_line(error.stderr)}"}
        if peer == "ours":
            self.empty()
        script = HERE / "ours.py" if peer == "ours" else HERE / "peers" / f"run_{SCRIPTS.get(peer, peer)}.py"
        arguments = ["--base-url", self.url, "--calls", self.options.calls, "--concurrency", concurrency]
        command = [*pinned(0), python, script, *map(str, arguments), "--output", output]
        env = {**os.environ, "PEER": peer, "BENCH_DSN": self.dsn}
        limit_s = 60 + PATIENCE * self.options.calls * MEDIAN_S / concurrency
        try:
            done = subprocess.run(command, env=env, timeout=limit_s, capture_output=True, text=True, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not finished after {limit_s:.0f} s"}
        if done.returncode or not output.exists():
            return {"failed": last_line(done.stderr or done.stdout)}
        return self.figures(json.loads(output.read_text(encoding="utf-8")), concurrency)

    def figures(self, found, concurrency):
        """Ratios."""
        seen = self.stats()
        if found["completed"] < found["calls"]:
            found["lost"] = found["calls"] - found["completed"]
        ideal_s = self.options.calls * seen["mean_latency_s"] / concurrency
        return found | {
            "efficiency": ideal_s / found["wall_s"],
            "cpu_per_1000": found["cpu_s"] / found["calls"] * 1000,
            "requests": seen["requests"],
            "most_in_flight": seen["most_in_flight"],
            "faults": {name: seen[name] for name in seen if name.startswith("rate_") and seen[name]},
        }

    def empty(self):
        """Our lineage, as before the first run."""
        with Ledger(self.dsn) as ledger:
            ledger.pg.execute("TRUNCATE sources, partitions, recipes, prompts CASCADE")


def pinned(core):
    """Server and client on cores of their own, where that can be had."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 and os.name == "posix" else []


def last_line(text):
    """The end of a traceback."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def possible(calls, sigma, concurrency):
    """Efficiency of the best schedule, for latencies as the server draws them."""
    rng = random.Random(7)
    drawn = [rng.lognormvariate(0, sigma) for _ in range(calls)]
    slots = [0.0] * concurrency
    for latency in drawn:
        heapq.heapreplace(slots, slots[0] + latency)
    return sum(drawn) / concurrency / max(slots)


def table(rows, options):
    """Medians as Markdown."""
    faults = f", {options.faults}" if options.faults else ""
    print(f"\n{options.calls} calls, sigma {options.sigma}, {options.repeats} repeats{faults}\n")
    columns = [f"{number} in flight" for number in options.concurrency]
    print(f"| | {' | '.join(columns)} | CPU s / 1,000 calls | peak MB |")
    print("|---" * (len(columns) + 3) + "|")
    bounds = [f"{possible(options.calls, options.sigma, number):.3f}" for number in options.concurrency]
    print(f"| *possible* | {' | '.join(bounds)} | | |")
    for peer in options.peers:
        cells, cpu, peak = [], [], []
        for number in options.concurrency:
            found = rows[peer, number]
            good = [row for row in found if "failed" not in row]
            if not good:
                cells.append(found[0]["failed"] if found else "")
                continue
            lost = max(row.get("lost", 0) for row in good)
            cells.append(f"{median(row['efficiency'] for row in good):.3f}" + (f" ({lost} lost)" if lost else ""))
            cpu.append(f"{median(row['cpu_per_1000'] for row in good):.2f}")
            peak.append(median(row["peak_mb"] for row in good))
        print(f"| {peer} | {' | '.join(cells)} | {' / '.join(cpu)} | {max(peak, default=0):.0f} |")


def main():
    """Runs, and prints the table; every run is a JSON line on stderr's side file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sigma", type=float, default=0.3)
    parser.add_argument("--faults", default="", help='such as "rate_429=0.05&rate_500=0.02&rate_hang=0.01"')
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--cache", default=str(Path.home() / ".cache" / "gem-bench"))
    parser.add_argument("--raw", type=Path, help="append each run to this file as a JSON line")
    parser.add_argument("--quick", action="store_true", help="300 calls, once, 64 in flight")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.repeats, options.concurrency = 300, 1, [64]
    rows = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, database(Path(name)) as dsn:
        bench = Bench(options, Path(name), dsn)
        try:
            for repeat in range(options.repeats):
                for concurrency in options.concurrency:
                    for peer in options.peers:
                        found = bench.one(peer, concurrency)
                        rows[peer, concurrency].append(found)
                        line = {"peer": peer, "concurrency": concurrency, "repeat": repeat, **found}
                        console.print(json.dumps(line), soft_wrap=True, highlight=False)
                        if options.raw:
                            with options.raw.open("a", encoding="utf-8") as file:
                                file.write(json.dumps(line) + "\n")
        finally:
            bench.server.kill()
    table(rows, options)


if __name__ == "__main__":
    main()
