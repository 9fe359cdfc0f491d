"""The index of benchmark test items that comes with GEM, anew from the packages that `envs/contamination` locks.

`python -m tools.contamination`, which `make lock-envs` runs; needs the package index. Only hashes and names of tools
are kept, no text of the benchmarks.
"""

from gem_tasks.cli.contamination import fetched
from gem_tasks.dataset.contamination import encode
from gem_tasks.resources import shipped

if __name__ == "__main__":
    (shipped("envs") / "contamination" / "index.parquet").write_bytes(encode(fetched()))
