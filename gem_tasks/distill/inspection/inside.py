"""The program that looks through a model's folder, confined; see `require.py`.

It prints what it looks at, one JSON object a line, then `{"done": true}` or why the folder is refused.
"""

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gem_tasks.distill.inspection import configuration, templates, tensors, tokenizer
from gem_tasks.distill.inspection.files import files
from gem_tasks.distill.inspection.refused import RefusedError

_VOCABULARIES = frozenset({"vocab.json", "tekken.json"})
"""Lists of tokens: data without settings."""


def main(cpu_s: str, folder: str, shared: str, trusted: str) -> None:
    """Looks through the folder and prints the verdict. Arguments as a command line has them: empty means no."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s)))
    try:
        look(Path(folder), Path(shared) if shared else None, trusted=bool(trusted), tell=lambda name: _say(at=name))
    except RefusedError as error:
        _say(reason=error.reason, fix=error.fix)
    except OSError as error:
        _say(reason=f"it cannot be read: {error.strerror}", fix="Check the folder and its rights.")
    except (MemoryError, RecursionError):
        _say(reason="its files ask for too much memory", fix="Use another copy of the model.")
    else:
        _say(done=True)


def look(
    folder: Path, shared: Path | None = None, *, trusted: bool = False, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Looks through a model's folder.

    Args:
        folder: of the model.
        shared: the folder to which links may lead.
        trusted: the model may bring code; all else is refused even then.
        tell: told each file.

    Raises:
        RefusedError: it may not be loaded.
    """
    found = files(folder, shared, trusted=trusted)
    names = {path.relative_to(folder).as_posix(): path for path in found}
    for name, path in names.items():
        tell(name)
        if path.suffix.lower() == ".safetensors":
            tensors.check_file(name, path)
        elif path.suffix.lower() == ".jinja":
            templates.check(name, path.read_text(encoding="utf-8", errors="replace"))
        elif path.suffix.lower() == ".json" and path.name not in _VOCABULARIES:
            _check_json(name, path, frozenset(names), trusted)


def _check_json(name: str, path: Path, names: frozenset[str], trusted: bool) -> None:
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise RefusedError(f"{name} is not JSON", "Fetch the file again.") from None
    if path.name == "tokenizer.json":
        tokenizer.check(data)
    elif name.endswith(".safetensors.index.json"):
        tensors.check_index(name, data, names)
    else:
        configuration.check(name, data, names, trusted=trusted)
        for text in templates.texts(data):
            templates.check(name, text)


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - to the process that started this one
