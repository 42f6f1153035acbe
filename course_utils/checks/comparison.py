"""Compare a result with the expected one, and say in one sentence how they differ."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.outcomes import Failure, Foreign, Outcome

RELATIVE_TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}
NUMBER_TOLERANCE = 1e-5  # of a Python float: what it was computed in is not known
NO_TOLERANCES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Refusal:
    """The expected result of a call that must raise an exception, and why it must."""

    reason: str
    error: str = "ValueError"


@dataclass(frozen=True)
class Difference:
    """A reason code and a sentence for the student."""

    code: str
    sentence: str


def difference(
    outcome: Outcome, expected: Any, tolerances: Mapping[str, float] = NO_TOLERANCES
) -> Difference | None:
    """Return how an outcome misses what is expected, or None if it does not."""
    value = outcome.value
    if isinstance(value, Failure):
        if isinstance(expected, Refusal) and value.refuses(expected.error):
            return None
        return _failed(value, expected)
    if isinstance(expected, Refusal):
        shown = describe(value)
        if isinstance(value, Foreign) and value.type_name.endswith("Error"):
            shown += "; raise it instead of returning it"
        elif value is None and outcome.printed.strip():
            shown += " and printed something"
        return Difference(
            "accepted",
            f"it must raise {expected.error}, since {expected.reason}; yours returned {shown}",
        )
    found = type_difference(value, expected, outcome.printed) or value_difference(
        value, expected, tolerances
    )
    if found is None and outcome.changed:
        return Difference(
            "changed",
            f"the result is right, but `{outcome.changed}` was changed on the way; "
            "work on a copy (`.clone()`), because the caller still needs its data",
        )
    return found


def _failed(failure: Failure, expected: Any) -> Difference:
    if failure.unstarted:
        return Difference("unstarted", "not started yet")
    if isinstance(expected, Refusal):
        return Difference(
            "exception",
            f"it must raise {expected.error}, since {expected.reason}; yours stopped with {failure}",
        )
    return Difference("exception", f"it stopped with {failure}")


def type_difference(value: Any, expected: Any, printed: str = "") -> Difference | None:
    """Return a difference if the value has another type than the expected one."""
    if _is_of_type(value, expected):
        if type(value) in (tuple, list) and len(value) != len(expected):
            what = "values" if type(value) is tuple else "items"
            return Difference(
                "type", f"it returned {len(value)} {what}; return {len(expected)} here"
            )
        for where, part, wanted in _parts(value, expected):
            if not _is_of_type(part, wanted):
                return Difference(
                    "type",
                    f"{where} of the result is {describe(part)}; it has to be "
                    f"{_type_name(wanted)}{_advice(part, wanted)}",
                )
            if found := type_difference(part, wanted):
                return Difference(found.code, f"in {where}, {found.sentence}")
        return None
    wanted = _type_name(expected)
    if value is None:
        if printed.strip():
            return Difference(
                "printed",
                f"it printed `{printed.strip().splitlines()[-1][:60]}` and returned None; "
                f"end it with `return`, so that the result is {wanted}",
            )
        return Difference("none", f"it returned None; end it with `return`, giving {wanted}")
    return Difference(
        "type", f"it returned {describe(value)}; return {wanted}{_advice(value, expected)}"
    )


def _is_of_type(value: Any, expected: Any) -> bool:
    """Return whether a value has the expected type; a whole number does for a float."""
    return type(value) is type(expected) or (type(expected) is float and type(value) is int)


def _parts(value: Any, expected: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield where, part and expected part of two containers, as far as both have it."""
    if isinstance(expected, dict):
        for key in expected:
            if key in value:
                yield str(key), value[key], expected[key]
    elif isinstance(expected, tuple | list):
        for position, (part, wanted) in enumerate(zip(value, expected, strict=False)):
            yield f"item {position}", part, wanted


def _advice(value: Any, expected: Any) -> str:
    """Return how one type becomes the other, where one call does it."""
    foreign = value.type_name if isinstance(value, Foreign) else ""
    if isinstance(value, np.ndarray):
        foreign = "numpy.ndarray"
    if foreign in ("generator", "coroutine"):
        return "; use `return` once, with the whole result, in a plain `def`"
    if isinstance(expected, Tensor):
        if foreign == "numpy.ndarray":
            return ": `torch.from_numpy(result)` makes one, mind the dtype"
        if foreign.endswith("Parameter"):
            return ": `.detach()` makes one of a Parameter"
        if foreign == "Tensor":
            return ", dense and on the CPU"
        if isinstance(value, list):
            return ": `torch.tensor(result, dtype=x.dtype)` makes one"
    if type(expected) is int:
        if isinstance(value, float) and not math.isfinite(value):
            return ""
        if isinstance(value, float | Tensor) or foreign.startswith("numpy."):
            return ": sizes are whole numbers, so divide with `//` or take `int(...)` of the result"
    if type(expected) is float and (isinstance(value, Tensor) or foreign.startswith("numpy.")):
        return ": `.item()` makes one"
    if isinstance(expected, np.ndarray) and isinstance(value, Tensor):
        return ": `.numpy()` makes one"
    if type(expected) is list and isinstance(value, tuple):
        return ": `list(result)` makes one"
    if type(expected) is tuple:
        if isinstance(value, list):
            return ": `tuple(result)` makes one"
        if isinstance(value, Tensor) or foreign == "numpy.ndarray":
            return ": `tuple(result.tolist())` makes one"
    return ""


def value_difference(
    value: Any,
    expected: Any,
    tolerances: Mapping[str, float] = NO_TOLERANCES,
    *,
    scale: float | None = None,
) -> Difference | None:
    """
    Return how a value of the right type misses the expected one, or None.

    ``scale`` is the largest of the floats that a float stands beside; a float may be wrong by a
    small share of it.
    """
    if isinstance(expected, Tensor):
        return _tensor_difference(value, expected)
    if isinstance(expected, np.ndarray):
        return _array_difference(value, expected)
    if isinstance(expected, dict | tuple | list):
        return _container_difference(value, expected, tolerances)
    if isinstance(expected, float):
        largest = abs(expected) if scale is None else scale
        right = close_numbers(value, expected, NUMBER_TOLERANCE * largest)
    else:
        right = value == expected and not isinstance(value, Foreign)
    if right:
        return None
    return Difference("value", f"expected {shown(expected)}, yours is {shown(value)}")


def _container_difference(
    value: Any, expected: Any, tolerances: Mapping[str, float]
) -> Difference | None:
    if isinstance(expected, dict):
        if missing := [key for key in expected if key not in value]:
            return Difference("value", f"the key {missing[0]!r} is missing")
        if more := [key for key in value if key not in expected]:
            return Difference("value", f"the key {more[0]!r} must not be there")
    elif not any(isinstance(part, Tensor | np.ndarray | dict | tuple | list) for part in expected):
        return _numbers_difference(value, expected)
    parts = expected.values() if isinstance(expected, dict) else expected
    scale = _largest(parts)
    for where, part, wanted in _parts(value, expected):
        if where in tolerances:
            right = close_numbers(part, wanted, tolerances[where])
            text = f"expected {shown(wanted)}, yours is {shown(part)}"
            found = None if right else Difference("value", text)
        else:
            found = value_difference(part, wanted, tolerances, scale=scale)
        if found:
            place = f"in {where.replace('item', 'result')}," if "item " in where else f"{where}:"
            return Difference(found.code, f"{place} {found.sentence}")
    return None


def _numbers_difference(value: Any, expected: Any) -> Difference | None:
    """Return how a flat tuple or list misses the expected one: all of it is shown."""
    scale = _largest(expected)
    if all(
        value_difference(part, wanted, scale=scale) is None
        for part, wanted in zip(value, expected, strict=True)
    ):
        return None
    return Difference("value", f"expected {shown(expected)}, yours is {shown(value)}")


def _largest(parts: Any) -> float:
    """Return the largest finite float among the parts, by size; 0.0 if there is none."""
    floats = (abs(part) for part in parts if isinstance(part, float) and math.isfinite(part))
    return max(floats, default=0.0)


def close_numbers(value: float, expected: float, tolerance: float) -> bool:
    """Return whether two Python numbers agree within a tolerance; nan agrees with nan."""
    if math.isnan(expected) or math.isinf(expected):
        return value == expected or (math.isnan(value) and math.isnan(expected))
    return abs(value - expected) <= tolerance


def shown(value: Any) -> str:
    """Return a value as a report writes it: floats with six digits, long things cut."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if type(value) in (tuple, list):
        inside = ", ".join(map(shown, value))
        text = f"[{inside}]" if type(value) is list else f"({inside})"
        return text if len(text) <= 120 else f"{text[:117]}..."
    if isinstance(value, Foreign):
        return str(value)
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _array_difference(value: Any, expected: Any) -> Difference | None:
    """Return how an array misses the expected one, as the tensors that they are."""
    if value.dtype != expected.dtype:
        return Difference("dtype", f"the dtype is {value.dtype}, expected {expected.dtype}")
    return _tensor_difference(torch.from_numpy(value), torch.from_numpy(expected))


def _tensor_difference(value: Tensor, expected: Tensor) -> Difference | None:
    if value.dtype != expected.dtype:
        return Difference(
            "dtype",
            f"the dtype is {value.dtype}, expected {expected.dtype}; keep the dtype of the input "
            "(`torch.zeros(..., dtype=x.dtype)` and `.to(x.dtype)` help)",
        )
    if value.shape != expected.shape:
        return Difference(
            "shape", f"the shape is {tuple(value.shape)}, expected {tuple(expected.shape)}"
        )
    wrong = ~close(value, expected)
    if not wrong.any():
        return None
    if expected.isfinite().all() and not value.isfinite().all():
        first = tuple((~value.isfinite()).nonzero()[0].tolist())
        return Difference(
            "finite", f"at {list(first)} your result is {value[first].item()}, not a finite number"
        )
    first = tuple(wrong.nonzero()[0].tolist())
    if expected.dtype == torch.float64 and close(value, expected, torch.float32).all():
        return Difference(
            "precision",
            f"at {list(first)} expected {expected[first].item():.12g}, yours is "
            f"{value[first].item():.12g}: the result is float64 but right to about seven digits "
            "only, so something on the way is not; give every tensor that you make the dtype of "
            "the input (`torch.zeros(..., dtype=x.dtype)`)",
        )
    return Difference(
        "value",
        f"at {list(first)} expected {expected[first].item():.6g}, yours is "
        f"{value[first].item():.6g}; {int(wrong.sum())} of {wrong.numel()} values differ",
    )


def close(value: Tensor, expected: Tensor, precision: torch.dtype | None = None) -> Tensor:
    """
    Return elementwise whether numbers agree.

    Floats have a tolerance, a share of the largest expected value by the dtype, or by
    ``precision``.
    """
    if expected.dtype not in RELATIVE_TOLERANCE:
        return value == expected
    finite = expected[expected.isfinite()]
    largest = finite.abs().max().item() if finite.numel() else 0.0
    tolerance = RELATIVE_TOLERANCE[precision or expected.dtype] * largest
    both_nan = value.isnan() & expected.isnan()
    return (value == expected) | ((value - expected).abs() <= tolerance) | both_nan


def describe(value: Any) -> str:
    """Return what a value is, in a few words."""
    if isinstance(value, Tensor):
        if value.dim() == 0:
            return f"a tensor without dimensions, {value.item():.6g}"
        return f"a tensor of shape {tuple(value.shape)}, {value.dtype}"
    if isinstance(value, Foreign):
        return f"{'an' if value.type_name[0] in 'aeiou' else 'a'} {value}"
    if isinstance(value, tuple | list | dict):
        return f"a {type(value).__name__} of {len(value)}: {str(value)[:60]}"
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"a numpy.ndarray of shape {value.shape}, {value.dtype}"
    return f"the {type(value).__name__} {str(value)[:60]}"


def _type_name(expected: Any) -> str:
    return _TYPE_NAMES.get(type(expected), type(expected).__name__)


_TYPE_NAMES = {
    Tensor: "a plain torch.Tensor",
    int: "a Python int",
    float: "a Python float",
    str: "a string",
    bool: "True or False",
    np.ndarray: "a NumPy array",
    tuple: "a tuple",
    list: "a list",
    dict: "a dict",
}
