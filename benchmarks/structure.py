"""How the code is built: rooms, arrows, cycles, sizes, as a table. `python -m benchmarks.structure [checkout]`.

A room is a module or folder of a package, an arrow an import between two of them, the floors are the longest chain of
arrows. The import graph is grimp's, the library under import-linter; the checkout's code is read, not run.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

_PACKAGES = ("pipeline", "checks", "corpus", "lineage", "stages", "llm", "console", "cli", "evals", "distill")
_LONG_FILE, _LONG_FUNCTION = 300, 40
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

Graph = dict[str, set[str]]


def main(root: Path) -> None:
    """Measures `gem_tasks` of the checkout at `root`."""
    sys.path.insert(0, str(root))
    graph = grimp.build_graph("gem_tasks", cache_dir=None)
    imports: Graph = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    files = [
        path
        for path in sorted((root / "gem_tasks").rglob("*.py"))
        if not path.is_relative_to(root / "gem_tasks/teacher")
    ]
    texts = [path.read_text(encoding="utf-8") for path in files]
    lengths = [len(text.splitlines()) for text in texts]
    functions = [size for text in texts for size in _functions(text)]
    rows: list[tuple[str, object]] = [
        (f"`{name}/`: rooms, arrows, floors", _rooms(imports, f"gem_tasks.{name}.")) for name in _PACKAGES
    ]
    rows += [
        ("biggest import cycle, files", _biggest_cycle(imports)),
        ("files, lines of `gem_tasks` without the teacher", f"{len(files)}, {sum(lengths):,}"),
        ("public methods of the ledger's largest part", _largest_class(root / "gem_tasks" / "lineage")),
        (f"files over {_LONG_FILE} lines", sum(size > _LONG_FILE for size in lengths)),
        (f"functions over {_LONG_FUNCTION} lines", sum(size > _LONG_FUNCTION for size in functions)),
    ]
    print("| measure | value |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def _rooms(imports: Graph, package: str) -> str:
    pairs = {
        (_room(name, package), _room(to, package))
        for name, targets in imports.items()
        for to in targets
        if name.startswith(package) and to.startswith(package)
    }
    rooms = {_room(name, package) for name in imports if name.startswith(package)}
    arrows = {(start, end) for start, end in pairs if start != end}
    return f"{len(rooms)}, {len(arrows)}, {_floors(rooms, arrows)}"


def _room(module: str, package: str) -> str:
    return module.removeprefix(package).split(".")[0]


def _floors(rooms: set[str], arrows: set[tuple[str, str]]) -> int | str:
    below = {room: {end for start, end in arrows if start == room} for room in rooms}
    height: dict[str, int] = {}
    try:
        for room in TopologicalSorter(below).static_order():
            height[room] = 1 + max((height[lower] for lower in below[room]), default=0)
    except CycleError as error:
        return f"cycle {' '.join(error.args[1])}"
    return max(height.values(), default=0)


def _biggest_cycle(imports: Graph) -> int:
    """Modules that all reach each other; 1 means there is no cycle."""
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


def _functions(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _largest_class(folder: Path) -> str:
    """By public methods, with those inherited within the folder."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    sizes = {name: len(_methods(node, classes)) for name, node in classes.items()}
    largest = max(sizes, key=sizes.__getitem__)
    return f"{sizes[largest]} ({largest})"


def _methods(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    own = {item.name for item in node.body if isinstance(item, _FUNCTIONS) and not item.name.startswith("_")}
    bases = (classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes)
    return own.union(*(_methods(base, classes) for base in bases))


main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
