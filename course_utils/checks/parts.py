"""Take results apart: which of their parts are wrong, and as what numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.comparison import (
    NO_TOLERANCES,
    close,
    close_numbers,
    shown,
    type_difference,
    value_difference,
)

MISSING = object()
TOO_MANY = "a key too many"  # the name of a part that is not asked for
NO_SIZES: Mapping[str, int] = MappingProxyType({})
MOST_SHOWN = 100  # numbers of a tensor; of a larger one the shape counts
ENOUGH = 3  # different wrong values that a statement has to hold for, so that it is no chance


@dataclass(frozen=True)
class Part:
    """
    A part of a result, beside the expected one.

    ``names`` are the keys and places that lead to it; ``sizes`` are numbers of the call by name.
    """

    names: tuple[str, ...]
    yours: Any
    expected: Any
    sizes: Mapping[str, int] = field(default_factory=dict)

    def numbers(self) -> "Numbers | None":
        """Return both sides as tensors, or None if they are no numbers."""
        yours, expected = as_tensor(self.yours), as_tensor(self.expected)
        if yours is None or expected is None or yours.dtype != expected.dtype:
            return None
        precision = expected.dtype if expected.dtype is torch.float32 else torch.float64
        if isinstance(self.expected, float | list | tuple):
            precision = torch.float32  # what Python's floats were computed in is not known
        table = not isinstance(self.expected, Tensor | np.ndarray)
        return Numbers(self.names, yours.double(), expected.double(), precision, self.sizes, table)


@dataclass(frozen=True)
class Numbers:
    """
    A part that is made of numbers, in float64, and the precision they are compared in.

    A ``table`` is made of Python's tuples and lists.
    """

    names: tuple[str, ...]
    yours: Tensor
    expected: Tensor
    precision: torch.dtype
    sizes: Mapping[str, int] = field(default_factory=dict)
    table: bool = False

    def same(self, other: Tensor) -> bool:
        """Return whether your numbers are these."""
        return other.shape == self.yours.shape and bool(
            close(self.yours, other, self.precision).all()
        )

    @cached_property
    def alike(self) -> bool:
        """Whether your shape is the right one."""
        return self.yours.shape == self.expected.shape

    @cached_property
    def wrong(self) -> Tensor:
        """Where numbers are wrong; everywhere if the shape is."""
        if not self.alike:
            return torch.ones_like(self.yours, dtype=torch.bool)
        return ~close(self.yours, self.expected, self.precision)

    @cached_property
    def pairs(self) -> set[tuple[float, float]]:
        """The different pairs of your number and the right one, of those that are wrong."""
        yours = self.yours[self.wrong].tolist()
        expected = self.expected[self.wrong].tolist() if self.alike else yours
        return set(zip(yours, expected, strict=True))


def slug(text: str) -> str:
    """Return text in kebab case, as names of relations are written."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def as_tensor(value: Any) -> Tensor | None:
    """Return a tensor, an array, a number or a table of numbers as a tensor, else None."""
    if isinstance(value, Tensor):
        return None if value.is_complex() else value
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if _is_number(value):
        return torch.tensor(float(value), dtype=torch.float64)
    if type(value) in (list, tuple) and value:
        if all(map(_is_number, value)):
            return torch.tensor([float(item) for item in value], dtype=torch.float64)
        rows = [as_tensor(item) for item in value if type(item) in (list, tuple)]
        shapes = {None if row is None else row.shape for row in rows}
        if len(rows) == len(value) and len(shapes) == 1 and rows[0] is not None:
            return torch.stack([row for row in rows if row is not None])
    return None


def _is_number(value: Any) -> bool:
    """Whether a float can hold it: a whole number may have thousands of digits."""
    return type(value) is float or (type(value) is int and value.bit_length() < 1024)


def wrong_parts(
    value: Any,
    expected: Any,
    tolerances: Mapping[str, float] = NO_TOLERANCES,
    sizes: Mapping[str, int] = NO_SIZES,
) -> list[Part]:
    """Return the parts of a result that are wrong."""
    return [
        Part(names, yours, wanted, sizes)
        for names, yours, wanted in _parts(value, expected)
        if _differs(names, yours, wanted, tolerances)
    ]


def count_different(parts: Sequence[Part]) -> int:
    """
    Return how many different wrong values there are, if they are not enough.

    A text is as telling as enough of them.
    """
    found: set[Any] = set()
    for part in parts:
        if len(found) >= ENOUGH:
            break
        numbers = part.numbers()
        if numbers is not None:
            found |= numbers.pairs
        elif type(part.yours) is str:
            return ENOUGH
        elif type(part.yours) is Tensor and part.yours.numel() <= MOST_SHOWN:
            found.add(str(part.yours.tolist()))
        else:
            found.add(shown(part.yours))
    return len(found)


def telling_names(value: Any, expected: Any) -> set[tuple[str, ...]]:
    """Return the names of all parts of a result, but for those that are only true or false."""
    found = _parts(value, expected)
    return {names for names, _, wanted in found if type(wanted) is not bool}


def _parts(
    value: Any, expected: Any, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield names and both sides of every part; what is not alike in form is one part."""
    if isinstance(value, dict) and isinstance(expected, dict):
        for key in expected:
            yield from _parts(value.get(key, MISSING), expected[key], (*names, str(key)))
        for key in value:
            if key not in expected:
                yield (*names, TOO_MANY), value[key], MISSING
    elif _is_row_of_parts(expected) and type(value) is type(expected):
        if len(value) == len(expected):
            for place, pair in enumerate(zip(value, expected, strict=True)):
                yield from _parts(*pair, (*names, f"result {place}"))
        else:
            yield names, value, expected
    else:
        yield names, value, expected


def _is_row_of_parts(expected: Any) -> bool:
    return type(expected) in (tuple, list) and as_tensor(expected) is None


def _differs(
    names: Sequence[str], value: Any, expected: Any, tolerances: Mapping[str, float]
) -> bool:
    if value is MISSING or expected is MISSING or type_difference(value, expected):
        return True
    if names and names[-1] in tolerances:
        return not close_numbers(value, expected, tolerances[names[-1]])
    return value_difference(value, expected) is not None
