"""Headers of safetensors files, and the index that names them: nothing beyond the file or twice, no other folder."""

import json
import math
import os
import struct
from pathlib import Path
from typing import Any, cast

from gem_tasks.distill.inspection.refused import RefusedError

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64, "F16": 16,
    "BF16": 16, "F32": 32, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    **dict.fromkeys(("F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
}  # fmt: skip
_MOST_HEADER = 64 << 20
_MOST_DIMENSIONS = 16
_BROKEN = "Fetch the file again."


def check_file(name: str, path: Path) -> None:
    """Checks a safetensors file's header against its size.

    Raises:
        RefusedError: it lies.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = struct.unpack("<Q", file.read(8))[0] if size >= 8 else size
        if length > min(_MOST_HEADER, size - 8):
            raise RefusedError(f"the header of {name} is longer than the file, or than {_MOST_HEADER} bytes", _BROKEN)
        try:
            header = json.loads(file.read(length))
            spans = [_span(each) for key, each in header.items() if key != "__metadata__"]
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise RefusedError(f"the header of {name} is not that of safetensors", _BROKEN) from None
    end = 0
    for begin, stop in sorted(spans):
        if begin != end:
            raise RefusedError(f"the tensors of {name} overlap, or leave gaps", _BROKEN)
        end = stop
    if end != size - 8 - length:
        raise RefusedError(f"the tensors of {name} end at byte {end}, but the file has {size - 8 - length}", _BROKEN)


def _span(tensor: dict[str, Any]) -> tuple[int, int]:
    """Where a tensor begins and ends.

    Raises:
        KeyError, TypeError, ValueError: it is not described as safetensors does, or has another size than its shape.
    """
    begin, end = tensor["data_offsets"]
    shape = cast("list[Any]", tensor["shape"])
    numbers = [begin, end, *shape]
    if len(shape) > _MOST_DIMENSIONS or any(type(each) is not int or not 0 <= each < 1 << 63 for each in numbers):
        raise ValueError("not a size")
    if math.prod(shape) * _BITS[tensor["dtype"]] != (end - begin) * 8:
        raise ValueError("another size than its shape")
    return begin, end


def check_index(name: str, data: object, names: frozenset[str]) -> None:
    """Checks that an index names files of its folder.

    Args:
        name: of the index.
        data: its JSON.
        names: of all files that were looked through.

    Raises:
        RefusedError: it names another.
    """
    found = cast("dict[str, Any]", data).get("weight_map") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise RefusedError(f"{name} is not an index of tensors", _BROKEN)
    for each in {str(value) for value in cast("dict[str, Any]", found).values()}:
        if each not in names or not each.endswith(".safetensors"):
            raise RefusedError(f"{name} names {each[:80]}, which is not one of its safetensors files", _BROKEN)
