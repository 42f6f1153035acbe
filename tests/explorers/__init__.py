"""What each explorer must compute, by PyTorch: a module for each, named as its file is."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from course_utils.explorers.showing import names


class Case(NamedTuple):
    """A call of a function that an explorer exports, and what it must give."""

    function: str
    arguments: list[Any]
    expected: Any
    tolerance: float = 1e-9  # of the largest expected number


def cases(name: str) -> list[Case]:
    """Return the cases of an explorer: ``cases()`` in its module here."""
    return list(import_module(f"explorers.{name.replace('-', '_')}").cases())


def all_cases() -> Iterator[tuple[str, Case]]:
    """Yield every case with its explorer."""
    for name in names():
        for case in cases(name):
            yield name, case
