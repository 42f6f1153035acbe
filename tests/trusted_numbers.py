"""
Numbers you can trust: what appendix C prints is what a test asserts.

A test that guards a number says so with a marker, and gets the number back from the fixture
``number``, so the page and the assertion cannot drift apart::

    @pytest.mark.number(61_706, "parameters of LeNet-5", item=17,
                        chapter="08_lenet5", heading="61,706 parameters")
    def test_lenet5_has_61706_parameters(number):
        assert parameter_count(lenet5()) == number

The value is an int, a float (``digits`` says how many decimals are printed, and the test asserts
that many), a text, or a list or dict of them. ``chapter`` and ``heading`` say where a reader meets
it; ``item`` is the item of the lesson, if it is one. No import is needed. `tests/test_numbers.py`
holds that every marked test fails with any other number, and that the place shows it.

``pytest --collect-only -q --write-numbers FILE`` writes the list that `tools/tables.py` prints;
``pytest -m number --wrong-numbers`` hands wrong numbers to the marked tests, which must all fail.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

MARKER = (
    "number(value, what, *, chapter, heading, item=None, digits=None): the test asserts the value, "
    "which the fixture `number` hands to it; appendix C prints it"
)


@dataclass(frozen=True)
class Number:
    """A number of the book: what it is, where a reader meets it, which test asserts it."""

    value: Any
    what: str
    chapter: str
    heading: str
    item: int | None = None
    digits: int | None = None
    test: str = ""

    @property
    def shown(self) -> str:
        """Return the value as the page prints it."""
        return shown(self.value, self.digits)


def shown(value: Any, digits: int | None = None) -> str:
    """Return a value as a reader sees it: 61,706; 0.2530; [[5, 7], [3, 3]]; C1: 156; C3: 2,416."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {shown(part, digits)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(part, digits) for part in value)}]"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and digits is not None:
        return f"{value:.{digits}f}"
    return str(value)


def leaves(value: Any) -> Iterator[Any]:
    """Yield the single values in a list or dict of them."""
    if isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


def wrong(value: Any, digits: int | None = None) -> Iterator[Any]:
    """Yield every copy of a value that differs from it in one place."""
    if isinstance(value, list | tuple | dict):
        places = value.keys() if isinstance(value, dict) else range(len(value))
        for place in places:
            for part in wrong(value[place], digits):
                copy = dict(value) if isinstance(value, dict) else list(value)
                copy[place] = part
                yield copy
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield math.nextafter(value, math.inf) if digits is None else value + 10.0**-digits
    else:
        yield value + "?"


def number_of(item: pytest.Item) -> Number | None:
    """Return the number that a test guards, None if it guards none."""
    mark = item.get_closest_marker("number")
    if mark is None:
        return None
    test = item.nodeid.partition("[")[0]
    return Number(*mark.args, **mark.kwargs, test=test)


@pytest.fixture
def number(request: pytest.FixtureRequest) -> Any:
    """Return the number that the test's marker says, for the test to assert."""
    return number_of(request.node).value


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("numbers you can trust")
    group.addoption("--write-numbers", metavar="FILE", help="write the guarded numbers as JSON")
    group.addoption("--wrong-numbers", action="store_true", help="guarded numbers are wrong")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("number")
    if mark and metafunc.config.getoption("wrong_numbers"):
        metafunc.parametrize("number", list(wrong(mark.args[0], mark.kwargs.get("digits"))))


def pytest_collection_finish(session: pytest.Session) -> None:
    target = session.config.getoption("write_numbers")
    if target:
        found = [number for item in session.items if (number := number_of(item))]
        numbers = {(number.test, number.what): asdict(number) for number in found}
        Path(target).write_text(json.dumps(list(numbers.values())))
