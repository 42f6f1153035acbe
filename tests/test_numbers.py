"""Numbers you can trust: asserted where the page says, met where it says, and all 38 items there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lesson_items import ITEMS
from measured_numbers import MEASURED
from sections import sections
from trusted_numbers import leaves, shown, wrong

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))

import tables  # noqa: E402


@pytest.fixture(scope="module")
def numbers():
    """Return the numbers that the tests guard."""
    return tables.guarded_numbers()


def plain(text):
    """Return a text with its numbers written as Python writes them: 61706, -8."""
    text = text.replace("{,}", ",").replace("−", "-")
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)


def holds(text, number):
    """Say whether a text holds a number as a number of its own."""
    return bool(re.search(rf"(?<![\d.]){re.escape(plain(number))}(?!\d|\.\d)", plain(text)))


def test_every_number_stands_in_the_section_that_the_page_names(numbers):
    assert len(numbers) >= 40
    for number in numbers:
        text = sections(number.chapter)[number.heading]
        for leaf in leaves(number.value):
            short = shown(leaf, number.digits)
            whole = short.rstrip("0").rstrip(".") if "." in short else short
            assert holds(text, short) or holds(text, whole), (number.what, short)


def test_every_measured_number_stands_in_the_section_that_the_page_names():
    for measured in MEASURED:
        assert re.search(r"\d", measured.shown), measured.what
        assert measured.stands_in_its_section(), measured.what


def test_appendix_c_is_what_the_tests_say(numbers):
    assert tables.PAGE.read_text() == tables.numbers_page(numbers), (
        "make it again: python tools/tables.py numbers"
    )


def test_every_exact_number_of_the_lesson_is_guarded(numbers):
    guarded = {number.item for number in numbers}

    assert guarded >= {2, 3, 4, 6, 7, 9, 10, 16, 17, 19, 20, 23, 24, 25, 34, 35, 36}


@pytest.mark.slow
def test_another_number_makes_its_test_fail(numbers):
    files = sorted({number.test.partition("::")[0] for number in numbers})
    variants = sum(len(list(wrong(number.value, number.digits))) for number in numbers)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
    command += ["-m", "number", "--wrong-numbers", *files]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    counts = dict(re.findall(r"(\d+) (\w+)", result.stdout.splitlines()[-1])[::-1])
    assert {word: int(n) for n, word in counts.items() if word != "deselected"} == {
        "failed": variants
    }, result.stdout[-2000:]


@pytest.mark.parametrize(
    ("value", "digits", "copies"),
    [
        (8, None, [9]),
        (0.25, 2, [0.26]),
        ("a", None, ["a?"]),
        ([1, [2]], None, [[2, [2]], [1, [3]]]),
        ({"C1": 1, "C3": 2}, None, [{"C1": 2, "C3": 2}, {"C1": 1, "C3": 3}]),
    ],
)
def test_wrong_copies_differ_in_one_place_each(value, digits, copies):
    assert list(wrong(value, digits)) == copies


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (61706, None, "61,706"),
        (0.253, 4, "0.2530"),
        (1.6552671194076538, None, "1.6552671194076538"),
        ([[5, 7], [3, 3]], None, "[[5, 7], [3, 3]]"),
        ({"C1": 156, "C3": 2416}, None, "C1: 156; C3: 2,416"),
    ],
)
def test_numbers_are_shown_as_a_reader_writes_them(value, digits, text):
    assert shown(value, digits) == text


def test_the_lesson_has_38_items():
    assert [item.number for item in ITEMS] == list(range(1, 39))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item.number))
def test_item_of_the_lesson_has_its_place_and_what_belongs_there(item):
    assert item.places
    for place in item.places:
        text = sections(place.chapter).get(place.heading)
        assert text is not None, f"{place.chapter} has no heading {place.heading}"
        missing = [term for term in place.terms if term not in text]
        assert not missing, (place.heading, missing)
        assert place.terms, f"item {item.number}: what must stand in {place.heading}?"
