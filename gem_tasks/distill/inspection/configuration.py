"""Settings in a model's JSON files: none may load code, lead to other models or files, or ask for absurd amounts."""

import math
import re
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.distill.inspection.refused import RefusedError

Keys = tuple[str, ...]
_CODE = frozenset({"auto_map", "custom_generate", "custom_pipelines", "trust_remote_code", "code_revision"})
_ELSEWHERE = frozenset(
    {"base_model_name_or_path", "speculators_config", "speculative_config", "draft_model", "assistant_model"}
)
"""Of an adapter or a draft: names another model, which the loader then loads."""
_ATTENTION = frozenset({"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"})
"""Others name a kernel: code that Transformers fetches from the hub."""
_QUANTISED = frozenset({"awq", "bitsandbytes", "compressed-tensors", "fbgemm_fp8", "fp8", "gptq", "modelopt", "mxfp4"})
_PLACE = re.compile(r"^(?:[/\\~]|[A-Za-z]:[/\\]|\w+://)|(?:^|[/\\])\.\.(?:[/\\]|$)")
_PLACE_KEY = re.compile(r"(?:path|file|filename|dir|folder|repo|repo_id|url|uri|checkpoint|weights)s?$")
_AS_ITS_AUTHOR_HAD_IT = frozenset({"_name_or_path", "name_or_path", "special_tokens_map_file"})
"""Notes of where a model came from, which loaders of its folder do not follow."""
_MOST_LAYERS, _MOST_WIDTH = 1024, 1 << 20
_LAYERS = frozenset({"num_hidden_layers", "num_layers", "n_layer", "n_layers", "num_decoder_layers"})
_WIDTHS = frozenset({"hidden_size", "intermediate_size", "n_embd", "d_model", "num_attention_heads", "num_experts"})
_MOST_GENERATED, _MOST_BEAMS = 10_000_000, 64


def check(name: str, data: object, names: frozenset[str], *, trusted: bool = False) -> None:
    """Checks one file's settings.

    Args:
        name: of the file.
        data: its JSON.
        names: of all files of the folder.
        trusted: settings may load code.

    Raises:
        RefusedError: a setting is not permitted.
    """
    if name.rpartition("/")[2] == "adapter_config.json":
        raise RefusedError("it is an adapter, which loads its base from elsewhere", "Merge it into its base first.")
    generation = name.rpartition("/")[2] == "generation_config.json"
    for path, value in leaves(data):
        key = path[-1] if path else ""
        shown = f"{name} sets {'.'.join(path)[:80]}"
        if not trusted:
            _refuse_code(shown, path, value)
        if not _ELSEWHERE.isdisjoint(path) and value not in (None, False):
            raise RefusedError(f"{shown}, which loads another model")
        if key == "quant_method" and value not in _QUANTISED:
            raise RefusedError(f"{shown} to an unknown method: {str(value)[:40]}")
        if isinstance(value, str) and _leads_elsewhere(key, value, names):
            raise RefusedError(f"{shown} to a place outside its folder", "Correct the setting.")
        if isinstance(value, int | float) and not isinstance(value, bool):
            _refuse_amounts(shown, key, value, generation)


def _refuse_code(shown: str, path: Keys, value: object) -> None:
    if not _CODE.isdisjoint(path) and value not in (None, False):
        raise RefusedError(f"{shown}, which loads code", code=True)
    attention = bool(path) and path[-1].lstrip("_").startswith("attn_implementation")
    if attention and isinstance(value, str) and value not in _ATTENTION:
        raise RefusedError(f"{shown} to {value[:40]}, which loads code", code=True)


def _leads_elsewhere(key: str, value: str, names: frozenset[str]) -> bool:
    if key in _AS_ITS_AUTHOR_HAD_IT or not _PLACE_KEY.search(key) or not _PLACE.search(value):
        return False
    return re.split(r"[/\\]", value)[-1] not in names  # a loader takes the folder's own file of that name


def _refuse_amounts(shown: str, key: str, value: float, generation: bool) -> None:
    most = math.inf
    if key in _LAYERS:
        most = _MOST_LAYERS
    elif key in _WIDTHS:
        most = _MOST_WIDTH
    elif generation:
        most = _MOST_BEAMS if key.startswith("num_") else _MOST_GENERATED
    if abs(value) > most or (generation and not math.isfinite(value)):
        raise RefusedError(f"{shown} to {value if abs(value) < 1e15 else 'an absurd number'}; the limit is {most}")


def leaves(data: object) -> Iterator[tuple[Keys, object]]:
    """Values with the keys that lead there; an empty collection is a value. Places in lists are no keys."""
    waiting: list[tuple[Keys, object]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, str(key)), each) for key, each in cast("dict[Any, Any]", value).items()]
        elif isinstance(value, list) and value:
            waiting += [(path, each) for each in cast("list[Any]", value)]
        else:
            yield path, value
