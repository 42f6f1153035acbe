"""Compare a result with the expected one, and say in one sentence how they differ."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.outcomes import Failure, Foreign, Outcome

RELATIVE_TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}


@dataclass(frozen=True)
class Refusal:
    """The expected result of a call that must raise ValueError, and why it must."""

    reason: str


@dataclass(frozen=True)
class Difference:
    """A reason code and a sentence for the student."""

    code: str
    sentence: str


def difference(outcome: Outcome, expected: Any) -> Difference | None:
    """Return how an outcome misses what is expected, or None if it does not."""
    value = outcome.value
    if isinstance(value, Failure):
        if isinstance(expected, Refusal) and value.refuses:
            return None
        return _failed(value, expected)
    if isinstance(expected, Refusal):
        shown = describe(value)
        if isinstance(value, Foreign) and value.type_name.endswith("Error"):
            shown += "; raise it instead of returning it"
        elif value is None and outcome.printed.strip():
            shown += " and printed something"
        return Difference(
            "accepted", f"it must raise ValueError, since {expected.reason}; yours returned {shown}"
        )
    found = type_difference(value, expected, outcome.printed) or value_difference(value, expected)
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
            f"it must raise ValueError, since {expected.reason}; yours stopped with {failure}",
        )
    return Difference("exception", f"it stopped with {failure}")


def type_difference(value: Any, expected: Any, printed: str = "") -> Difference | None:
    """Return a difference if the value has another type than the expected one."""
    if type(value) is type(expected):
        if isinstance(expected, tuple):
            if len(value) != len(expected):
                return Difference(
                    "type", f"it returned {len(value)} values; return {len(expected)}"
                )
            for position, (part, wanted) in enumerate(zip(value, expected, strict=True)):
                if type(part) is not type(wanted):
                    return Difference(
                        "type",
                        f"item {position} of the result is {describe(part)}; it has to be "
                        f"{_TYPE_NAMES.get(type(wanted), type(wanted).__name__)}"
                        f"{_advice(part, wanted)}",
                    )
        return None
    wanted = _TYPE_NAMES.get(type(expected), type(expected).__name__)
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


def _advice(value: Any, expected: Any) -> str:
    """Return how one type becomes the other, where one call does it."""
    foreign = value.type_name if isinstance(value, Foreign) else ""
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
    if type(expected) is tuple:
        if isinstance(value, list):
            return ": `tuple(result)` makes one"
        if isinstance(value, Tensor) or foreign == "numpy.ndarray":
            return ": `tuple(result.tolist())` makes one"
    return ""


def value_difference(value: Any, expected: Any) -> Difference | None:
    """Return how a value of the right type misses the expected one, or None."""
    if isinstance(expected, Tensor):
        return _tensor_difference(value, expected)
    if isinstance(expected, tuple) and any(isinstance(part, Tensor) for part in expected):
        for position, (part, wanted) in enumerate(zip(value, expected, strict=True)):
            found = value_difference(part, wanted)
            if found:
                return Difference(found.code, f"in result {position}, {found.sentence}")
        return None
    if value != expected:
        return Difference("value", f"expected {expected}, yours is {value}")
    return None


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
    return f"the {type(value).__name__} {str(value)[:60]}"


_TYPE_NAMES = {
    Tensor: "a plain torch.Tensor",
    int: "a Python int",
    float: "a Python float",
    tuple: "a tuple",
    list: "a list",
    dict: "a dict",
}
