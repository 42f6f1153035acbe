"""Compare a result with the expected one, and say in one sentence how they differ."""

import math
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.outcomes import Failure, Foreign, Outcome, WrongFormError, escaped

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
    """
    A reason code, a sentence for the student, and what of it may be told of a drawn case.

    ``fact`` says nothing that is expected; it is left out where the sentence does not either.
    """

    code: str
    sentence: str
    fact: str = ""

    def inside(self, place: str) -> "Difference":
        """Return the difference with the place where it was found."""
        fact = f"{place} {self.fact}" if self.fact else ""
        return Difference(self.code, f"{place} {self.sentence}", fact)


def _other_value(expected: Any, value: Any) -> Difference:
    yours = f"yours is {shown(value)}"
    return Difference("value", f"expected {shown(expected)}, {yours}", f"{yours}, which is wrong")


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
    if failure.refuses(WrongFormError.__name__):
        return Difference("type", failure.message.replace("\n", " "))
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
                return found.inside(f"in {where},")
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
            return ", dense, on the CPU and of a usual dtype"
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
    return _other_value(expected, value)


def _container_difference(
    value: Any, expected: Any, tolerances: Mapping[str, float]
) -> Difference | None:
    if isinstance(expected, dict):
        if missing := [key for key in expected if key not in value]:
            return Difference("value", f"the key {missing[0]!r} is missing")
        if more := [key for key in value if key not in expected]:
            return Difference("value", f"the key {_brief(more[0])} must not be there")
    elif not any(isinstance(part, Tensor | np.ndarray | dict | tuple | list) for part in expected):
        return _numbers_difference(value, expected)
    parts = expected.values() if isinstance(expected, dict) else expected
    scale = _largest(parts)
    for where, part, wanted in _parts(value, expected):
        if where in tolerances:
            right = close_numbers(part, wanted, tolerances[where])
            found = None if right else _other_value(wanted, part)
        else:
            found = value_difference(part, wanted, tolerances, scale=scale)
        if found:
            place = f"in {where.replace('item', 'result')}," if "item " in where else f"{where}:"
            return found.inside(place)
    return None


def _numbers_difference(value: Any, expected: Any) -> Difference | None:
    """Return how a flat tuple or list misses the expected one: all of it is shown."""
    scale = _largest(expected)
    if all(
        value_difference(part, wanted, scale=scale) is None
        for part, wanted in zip(value, expected, strict=True)
    ):
        return None
    return _other_value(expected, value)


def _largest(parts: Any) -> float:
    """Return the largest finite float among the parts, by size; 0.0 if there is none."""
    floats = (abs(part) for part in parts if isinstance(part, float) and math.isfinite(part))
    return max(floats, default=0.0)


def close_numbers(value: float, expected: float, tolerance: float) -> bool:
    """Return whether two Python numbers agree within a tolerance; nan agrees with nan."""
    try:
        value = float(value)
    except OverflowError:  # a whole number larger than any float
        return False
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
    text = _brief(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


class _Brief(reprlib.Repr):
    """Writes the first items of containers, however many there are; large tensors by their shape."""

    most_numbers = 100

    def __init__(self) -> None:
        super().__init__()
        self.maxtuple = self.maxlist = self.maxdict = 60
        self.maxstring = self.maxlong = self.maxother = 120

    def repr_int(self, value: int, level: int) -> str:
        """Write a whole number; Python refuses to write thousands of digits."""
        if value.bit_length() > 1000:
            return f"a whole number of {value.bit_length()} bits"
        return super().repr_int(value, level)

    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        """Write a dict in its own order."""
        if level <= 0:
            return "{...}"
        first = list(value)[: self.maxdict]
        pairs = [f"{key!r}: {self.repr1(value[key], level - 1)}" for key in first]
        return f"{{{', '.join(pairs)}}}"

    def repr_Tensor(self, value: Tensor, level: int) -> str:  # noqa: N802 - a class's name
        """Write a small tensor as PyTorch does."""
        return repr(value) if value.numel() <= self.most_numbers else f"Tensor{tuple(value.shape)}"

    def repr_ndarray(self, value: np.ndarray[Any, Any], level: int) -> str:
        """Write a small array as NumPy does."""
        return repr(value) if value.size <= self.most_numbers else f"array{value.shape}"


class _Kinds(_Brief):
    """Writes tensors and arrays by their shapes: in few words these say more than many numbers."""

    most_numbers = 4


_brief = _Brief().repr
_kinds = _Kinds().repr


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
        yours = f"the shape is {tuple(value.shape)}"
        return Difference(
            "shape", f"{yours}, expected {tuple(expected.shape)}", f"{yours}, which is wrong"
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
    where, count = f"at {list(first)}", f"{int(wrong.sum())} of {wrong.numel()} values differ"
    if expected.dtype == torch.float64 and close(value, expected, torch.float32).all():
        yours = f"yours is {value[first].item():.12g}"
        why = (
            "the result is float64 but right to about seven digits only, so something on the way "
            "is not; give every tensor that you make the dtype of the input "
            "(`torch.zeros(..., dtype=x.dtype)`)"
        )
        sentence = f"{where} expected {expected[first].item():.12g}, {yours}: {why}"
        return Difference("precision", sentence, f"{where} {yours}: {why}")
    yours = f"yours is {value[first].item():.6g}"
    sentence = f"{where} expected {expected[first].item():.6g}, {yours}; {count}"
    return Difference("value", sentence, f"{where} {yours}, which is wrong; {count}")


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
        return f"a {type(value).__name__} of {len(value)}: {_kinds(value)[:60]}"
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"a numpy.ndarray of shape {value.shape}, {value.dtype}"
    return f"the {type(value).__name__} {escaped(_brief(value)[:60])}"


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
