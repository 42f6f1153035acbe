"""Values as bytes, both ways: a frame is JSON and raw arrays, and is checked before it is believed.

A frame is the length of its JSON, the lengths of its arrays, and all of them one after the other.
Nothing is ever unpickled: what comes out of a frame is plain data, whoever wrote it.
"""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.exercise import Case
from course_utils.checks.outcomes import (
    DTYPES,
    MOST_NUMBERS,
    Failure,
    Foreign,
    Outcome,
    escaped,
    readable,
)

NAMES = {dtype: name for name, dtype in DTYPES.items()}
MOST_DIMENSIONS = 32
MOST_JSON = 4 << 20  # bytes of a frame; numbers of arrays are not among them
MOST_SIGNS = 500  # of one text about an answer
MOST_CLASSES = 20  # of an exception
HEAD = struct.Struct(">II")
_JSON = json.JSONEncoder(separators=(",", ":"))


class WireError(Exception):
    """Bytes that are no frame."""


def pack(value: Any) -> bytes:
    """
    Return a value as a frame.

    Raises
    ------
    TypeError
        If it is no plain data.
    """
    buffers: list[bytes] = []
    tree = _JSON.encode(_tree(value, buffers)).encode()
    sizes = struct.pack(f">{len(buffers)}I", *map(len, buffers))
    return b"".join((HEAD.pack(len(tree), len(buffers)), sizes, tree, *buffers))


def unpack(frame: bytes, most_json: int = MOST_JSON) -> Any:
    """
    Return the value of a frame.

    Its JSON may have ``most_json`` bytes; as objects it takes many times that.

    Raises
    ------
    WireError
        If the bytes are no frame.
    """
    try:
        n_tree, n_buffers = HEAD.unpack_from(frame)
        if n_tree > most_json:
            raise WireError("too much text")
        sizes = struct.unpack_from(f">{n_buffers}I", frame, HEAD.size)
        start = HEAD.size + 4 * n_buffers
        buffers, at = [], start + n_tree
        for size in sizes:
            buffers.append(frame[at : at + size])
            at += size
        if at != len(frame):
            raise WireError("lengths do not fit")
        return _value(json.loads(frame[start : start + n_tree]), buffers)
    except WireError:
        raise
    except Exception as error:  # whatever hostile bytes lead to
        raise WireError(f"no frame: {type(error).__name__}") from None


def _tree(value: Any, buffers: list[bytes]) -> Any:
    """Return a value as JSON; what is a list in JSON is [kind, ...]."""
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is str:
        return readable(value)
    if type(value) is Tensor:
        return _tensor_tree(value, buffers)
    if type(value) is np.ndarray:
        content = value if value.flags.c_contiguous else np.ascontiguousarray(value)
        buffers.append(content.tobytes())
        return ["array", value.dtype.str, list(value.shape), len(buffers) - 1]
    if type(value) in (tuple, list):
        return [type(value).__name__, [_tree(part, buffers) for part in value]]
    if type(value) is dict:
        return ["dict", [[_tree(k, buffers), _tree(v, buffers)] for k, v in value.items()]]
    if type(value) is bytes:
        buffers.append(value)
        return ["bytes", len(buffers) - 1]
    if type(value) is torch.dtype:
        return ["dtype", NAMES[value]]
    if type(value) is Foreign:
        return ["foreign", value.type_name, value.detail]
    if type(value) is Failure:
        return ["failure", list(value.type_names), value.message, value.line]
    if type(value) is Outcome:
        return ["outcome", _tree(value.value, buffers), value.printed, value.changed]
    if type(value) is Case:
        parts = [value.group, value.args, dict(value.kwargs), value.refusal, value.error]
        return ["case", [_tree(part, buffers) for part in parts]]
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _tensor_tree(value: Tensor, buffers: list[bytes]) -> Any:
    """Return a tensor with its memory as it lies there, strides and all."""
    value = value.detach()
    if value.is_conj() or value.is_neg():
        value = value.resolve_conj().resolve_neg()
    form: list[int] | None = None
    if value.is_contiguous():
        content = value
    elif 0 in value.shape:
        content = value.contiguous()
    else:
        whole = torch.empty(0, dtype=value.dtype).set_(value.untyped_storage())
        form, content = [int(value.storage_offset()), *value.stride()], whole
    flat = content.reshape(-1).view(torch.uint8) if content.numel() else content.new_empty(0)
    buffers.append(flat.numpy().tobytes() if content.numel() else b"")
    return ["tensor", NAMES[value.dtype], list(value.shape), form, len(buffers) - 1]


def _value(tree: Any, buffers: list[bytes]) -> Any:
    if type(tree) is str:
        return readable(tree)
    if isinstance(tree, dict):
        raise WireError("an object of JSON")
    if not isinstance(tree, list):
        return tree
    kind, *content = tree
    return _READERS[kind](content, buffers)


def _list(content: list[Any], buffers: list[bytes]) -> list[Any]:
    return [_value(part, buffers) for part in content[0]]


def _dict(content: list[Any], buffers: list[bytes]) -> dict[Any, Any]:
    pairs = [(_value(key, buffers), _value(part, buffers)) for key, part in content[0]]
    if not all(type(key) in (str, int) for key, _ in pairs):
        raise WireError("a key is no name")
    return dict(pairs)


def _shape(content: list[Any]) -> tuple[int, ...]:
    shape = tuple(content[1])
    if len(shape) > MOST_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise WireError("no shape")
    if math.prod(shape) > MOST_NUMBERS:
        raise WireError("too many numbers")
    return shape


def _array(content: list[Any], buffers: list[bytes]) -> np.ndarray[Any, Any]:
    dtype = np.dtype(content[0])
    if dtype.kind not in "biuf":
        raise WireError("no array of numbers")
    return np.frombuffer(bytearray(buffers[content[2]]), dtype).reshape(_shape(content))


def _tensor(content: list[Any], buffers: list[bytes]) -> Tensor:
    dtype, shape, form, data = DTYPES[content[0]], _shape(content), content[2], buffers[content[3]]
    if not data:
        if math.prod(shape):
            raise WireError("a tensor without numbers")
        return torch.empty(shape, dtype=dtype)
    flat = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    flat = flat != 0 if dtype == torch.bool else flat.view(dtype)
    if form is None:
        return flat.reshape(shape)
    offset, *strides = form
    if not all(type(n) is int and n >= 0 for n in form) or len(strides) != len(shape):
        raise WireError("no strides")
    return flat.as_strided(shape, strides, offset)


def _texts(content: list[Any]) -> list[str]:
    """Return texts about an answer, cut where they are longer than any worker sends them."""
    if not all(type(part) is str for part in content):
        raise WireError("no text")
    return [escaped(part[:MOST_SIGNS]) for part in content]


def _failure(content: list[Any], _buffers: list[bytes]) -> Failure:
    names, message, line = content
    if not names:
        raise WireError("an exception without a name")
    return Failure(tuple(_texts(names[:MOST_CLASSES])), *_texts([message, line]))


def _outcome(content: list[Any], buffers: list[bytes]) -> Outcome:
    value, *texts = content
    printed, changed = _texts([text or "" for text in texts])
    return Outcome(_value(value, buffers), printed, changed or None)


def _case(content: list[Any], buffers: list[bytes]) -> Case:
    return Case(*(_value(part, buffers) for part in content[0]))


_READERS: Mapping[str, Any] = {
    "list": _list,
    "tuple": lambda content, buffers: tuple(_list(content, buffers)),
    "dict": _dict,
    "array": _array,
    "tensor": _tensor,
    "bytes": lambda content, buffers: buffers[content[0]],
    "dtype": lambda content, _: DTYPES[content[0]],
    "foreign": lambda content, _: Foreign(*_texts(content)),
    "failure": _failure,
    "outcome": _outcome,
    "case": _case,
}
