"""Refuses profile keys that make the training load code or read another file of this machine.

The training also runs confined (`gem_tasks.confine`); this is the first line of defence.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.distill.profiles import Profile
from gem_tasks.errors import UserError

_LOADS_CODE = re.compile(
    r"trust|remote_code|callback|custom_generate|code_revision|auto_map|(?:^|_)kernels?(?:$|_config)|import|backend_plugin"
    r"|^hub_|push_to_hub|^resume_from_checkpoint$|^(?:pickle|torch)_|reward_func|_class_path$|^loss_func|megatron|dynamo"
)
"""Refused keys at any depth, as TRL, Transformers and PEFT name them."""
_HARMLESS = frozenset(
    {"torch_dtype", "torch_compile", "torch_compile_mode", "torch_empty_cache_steps", "use_liger_kernel"}
)
_UNPICKLES = frozenset({"weights_only", "use_safetensors"})
"""Keys that are refused with any value, because even `false` loads pickles."""
_ATTENTION = frozenset({"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"})
_PATTERNS = frozenset(
    {"target_modules", "exclude_modules", "modules_to_save", "layers_pattern", "target_parameters", "rank_pattern",
     "alpha_pattern"}
)  # fmt: skip
"""Names of parts of a model, which have dots."""
_PLACE = re.compile(r"^\s*[\[{]|[/\\]|^~|\.\.|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^[\w.]+:[\w.]+$")
"""JSON, which Transformers reads as settings; a path, a repository of the hub, something to import."""
_FIX = "Remove it, or set GEM_TRUST_REMOTE_CODE=1 if this deployment may run such code, confined."


def refuse_code(profile: Profile, trusted: bool) -> None:
    """Refuses a profile with settings that load code, unless the deployment trusts its profiles.

    Raises:
        UserError: names the first such setting, never its value.
    """
    if trusted:
        return
    for section in ("sft", "lora"):
        for path, value in _leaves(section, getattr(profile, section) or {}):
            if _is_code(path, value):
                raise UserError(f"The profile {profile.name} may not set {'.'.join(path)[:120]}: it loads code", _FIX)


def _is_code(path: tuple[str, ...], value: object) -> bool:
    keys = [key.casefold() for key in path[1:]]
    if not _UNPICKLES.isdisjoint(keys):
        return True
    if any(_LOADS_CODE.search(key) and key not in _HARMLESS for key in keys) and value not in (False, None):
        return True
    if not isinstance(value, str) or any(key in _PATTERNS for key in keys):
        return False
    if keys and keys[-1].lstrip("_") == "attn_implementation":
        return value not in _ATTENTION
    return bool(_PLACE.search(value))


def _leaves(key: str, value: object, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Values with their paths of keys; an empty collection is a value."""
    path = (*above, key)
    if isinstance(value, dict) and value:
        for name, each in cast("dict[Any, Any]", value).items():
            yield from _leaves(str(name), each, path)
    elif isinstance(value, list | tuple) and value:
        for number, each in enumerate(cast("list[Any]", value)):
            yield from _leaves(str(number), each, path)
    else:
        yield path, value
