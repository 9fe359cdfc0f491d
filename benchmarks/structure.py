"""How the code is built: rooms, arrows, cycles, sizes. `python -m benchmarks.structure [checkout]` prints a Markdown table.

A room is a module, an arrow an import between two modules of the same package; a floor is the longest chain of arrows. The import graph
is grimp's, the library under import-linter.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

_PACKAGES = ("pipeline", "checks", "lineage", "stages", "llm", "console", "cli")
_LONG_FILE, _LONG_FUNCTION = 300, 40

Graph = dict[str, set[str]]


def main(root: Path) -> None:
    """Measures the checkout at `root`, whose `gem_tasks` is imported by no one: its files are only read."""
    sys.path.insert(0, str(root))
    graph = grimp.build_graph("gem_tasks", cache_dir=None)
    imports: Graph = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    files = [path for path in sorted((root / "gem_tasks").rglob("*.py")) if "teacher" not in path.relative_to(root).parts[1:2]]
    lengths = {path: len(path.read_text().splitlines()) for path in files}
    functions = [size for path in files for size in _functions(path)]
    rows: list[tuple[str, object]] = [(f"`{name}/`: rooms, arrows, floors", _rooms(imports, f"gem_tasks.{name}")) for name in _PACKAGES]
    rows += [
        ("biggest import cycle, files", _biggest_cycle(imports)),
        ("files, lines of `gem_tasks` without the teacher", f"{len(files)}, {sum(lengths.values()):,}"),
        ("public methods of the ledger's largest part", _largest_class(root / "gem_tasks" / "lineage")),
        (f"files over {_LONG_FILE} lines", sum(size > _LONG_FILE for size in lengths.values())),
        (f"functions over {_LONG_FUNCTION} lines", sum(size > _LONG_FUNCTION for size in functions)),
    ]
    print("| measure | value |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def _rooms(imports: Graph, package: str) -> str:
    inside = {name: {to for to in targets if to.startswith(f"{package}.")} for name, targets in imports.items() if name.startswith(f"{package}.")}
    units = {_unit(name, package) for name in inside}
    arrows = {(_unit(name, package), _unit(to, package)) for name, targets in inside.items() for to in targets}
    arrows = {(start, end) for start, end in arrows if start != end}
    return f"{len(units)}, {len(arrows)}, {_floors(units, arrows)}"


def _unit(module: str, package: str) -> str:
    """A folder below the package counts as one room."""
    return module.removeprefix(f"{package}.").split(".")[0]


def _floors(units: set[str], arrows: set[tuple[str, str]]) -> int | str:
    below = {unit: {end for start, end in arrows if start == unit} for unit in units}
    height: dict[str, int] = {}
    try:
        for unit in TopologicalSorter(below).static_order():
            height[unit] = 1 + max((height[lower] for lower in below[unit]), default=0)
    except CycleError as error:
        return f"cycle {' '.join(error.args[1])}"
    return max(height.values(), default=0)


def _biggest_cycle(imports: Graph) -> int:
    """Size of the largest set of modules that all reach each other; 1 means there is no cycle."""
    reach = {name: _reachable(imports, name) for name in imports}
    return max(sum(name in reach[other] and other in reach[name] for other in reach) or 1 for name in reach)


def _reachable(imports: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(imports[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports.get(name, set())
    return seen


def _functions(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _largest_class(folder: Path) -> str:
    """Public methods, inherited ones of the same folder included."""
    classes = {node.name: node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)}
    sizes = {name: len(_methods(node, classes)) for name, node in classes.items()}
    largest = max(sizes, key=sizes.__getitem__)
    return f"{sizes[largest]} ({largest})"


def _methods(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    own = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_")}
    bases = (classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes)
    return own.union(*(_methods(base, classes) for base in bases))


main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
