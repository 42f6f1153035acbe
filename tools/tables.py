"""
Print the tables that show what the book holds: python tools/tables.py items | numbers | explorers

``items`` prints the 38 items of the lesson with chapter and anchor. ``numbers`` asks pytest which
numbers the tests guard, reads the measured ones from the chapters' outputs, prints both tables, and
writes them to chapters/appendix_c_numbers.md. ``explorers`` prints where each explorer is, with how
many calls it is tried against PyTorch, and its size. Ends with 1 if an item is not where it should be.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from explorers import cases  # noqa: E402
from lesson_items import ITEMS, Item, Place  # noqa: E402
from measured_numbers import MEASURED  # noqa: E402
from sections import anchor, is_written, sections  # noqa: E402
from trusted_numbers import Number  # noqa: E402

from course_utils.explorers import showing  # noqa: E402

PAGE = ROOT / "chapters" / "appendix_c_numbers.md"
BEFORE = """\
# C. Numbers you can trust

A number in a textbook is often right, and sometimes typed.
The numbers of this page are not typed.
Each one is asserted by a test that computes it anew, and test and page take it from the same line, so the two cannot differ.
`.venv/bin/python tools/tables.py numbers` asks the tests and writes this page; another test holds the page to that.
A link such as "2, Nine products" names the chapter and the section.
"""
EXACT = """
## Exact numbers

{n} numbers, or tables of numbers, that come out exactly, or to as many digits as are printed.
"Item" is the number of the lesson's item that they belong to.
`make test` also runs each of these tests with every one of its numbers changed, one at a time, and each of these runs has to fail.
"""
MEASURED_TEXT = """
## Measured numbers

{n} results of training runs and studies.
They are read from the stored output of the named cell, and the chapter is run again, and compared with its outputs, by every `make test`.
They hold for the releases that `requirements.txt` pins; [appendix G](appendix_g_reproducibility.ipynb) says how far they travel.
"""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def guarded_numbers() -> list[Number]:
    """Return the numbers that tests guard, in the order of the chapters; pytest collects them."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "numbers.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        command += ["-m", "number", "--write-numbers", str(target), "tests"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not target.exists():
            raise SystemExit(f"pytest could not collect the tests:\n{result.stdout[-2000:]}")
        found = [Number(**number) for number in json.loads(target.read_text())]
    return sorted(found, key=lambda number: number.chapter)


def link(page: str, heading: str) -> str:
    """Return a link to a section, as a page in chapters/ writes it."""
    chapter = f"{int(page.partition('_')[0])}, " if page[0].isdigit() else ""
    return f"[{chapter}{heading}]({anchor(page, heading)})"


def with_item(what: str, item: int | None) -> str:
    """Return what a number is, and the lesson's item that it belongs to."""
    return f"{what} (item {item})" if item else what


def exact_table(numbers: Iterable[Number]) -> str:
    """Return the table of the numbers that tests assert."""
    rows = []
    for number in numbers:
        place, test = link(number.chapter, number.heading), number.test.removeprefix("tests/")
        rows.append([number.shown, with_item(number.what, number.item), f"{place}<br>`{test}`"])
    return table(["number", "what it is", "read it in, asserted by"], rows)


def measured_table() -> str:
    """Return the table of the numbers that chapters measure."""
    rows = []
    for m in MEASURED:
        place = f"{link(m.chapter, m.heading)}<br>cell `{m.cell}`"
        rows.append([m.shown, with_item(m.what, m.item), place])
    return table(["number", "what it is", "read it in, printed by"], rows)


def numbers_page(numbers: Sequence[Number]) -> str:
    """Return the text of appendix C; its self-checks, which are written by hand, stay."""
    _, heading, questions = PAGE.read_text().partition("## Self-checks\n")
    parts = [BEFORE, EXACT.format(n=len(numbers)), exact_table(numbers)]
    parts += [MEASURED_TEXT.format(n=len(MEASURED)), measured_table(), heading + questions]
    return "\n".join(parts)


def item_row(item: Item) -> list[object]:
    """Return the row of an item: what it is, its lines in the lesson, where the book has it."""
    places = [anchor(place.chapter, place.heading) for place in item.places if has(place)]
    return [item.number, item.what, item.lines, "<br>".join(places)]


def has(place: Place) -> bool:
    """Say whether the book has a place, and what belongs there."""
    text = sections(place.chapter).get(place.heading) if is_written(place.chapter) else None
    return text is not None and all(term in text for term in place.terms)


def print_items() -> int:
    """Print the table of the items; return how many lack a place."""
    sys.stdout.write(table(["item", "what", "lines", "where"], map(item_row, ITEMS)))
    placed = [item for item in ITEMS if all(map(has, item.places))]
    sys.stdout.write(f"\n{len(placed)} of {len(ITEMS)} items stand at their places\n")
    return len(ITEMS) - len(placed)


def print_numbers() -> int:
    """Print the tables of the numbers and write appendix C."""
    page = numbers_page(guarded_numbers())
    PAGE.write_text(page)
    sys.stdout.write(page[page.index("## Exact") :])
    sys.stdout.write(f"\nwritten to {PAGE.relative_to(ROOT)}\n")
    return 0


def print_explorers() -> int:
    """Print the explorers; return how many are in no chapter."""
    rows, homeless = [], 0
    texts = {path.stem: path.read_text("utf-8") for path in (ROOT / "chapters").glob("*.ipynb")}
    for name in showing.names():
        pages = [page for page, text in texts.items() if f'data-explorer=\\"{name}' in text]
        homeless += not pages
        scripts = [showing.classic(name), *map(showing.recorded, showing.records_of(name))]
        size = sum(len(gzip.compress(script.encode())) for script in scripts) / 1000
        rows.append([name, ", ".join(sorted(pages)), len(cases(name)), f"{size:.1f}"])
    header = [
        "explorer",
        "chapter",
        "calls tried against PyTorch",
        "kB compressed, its numbers too",
    ]
    sys.stdout.write(table(header, rows))
    kit = len(gzip.compress(showing.classic("kit").encode())) / 1000
    sys.stdout.write(f"\n{kit:.1f} kB more for what they share. tests/test_explorers.py tries all ")
    sys.stdout.write("of them by keyboard, by pointer, by links, at 320 px and with axe.\n")
    return homeless


def main(arguments: list[str]) -> int:
    """Run the command that is named."""
    commands = {"items": print_items, "numbers": print_numbers, "explorers": print_explorers}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write("Usage: python tools/tables.py items | numbers | explorers\n")
        return 2
    return min(commands[arguments[0]](), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
