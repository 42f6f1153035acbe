"""Chapters are run once from top to bottom, light, in normal form, and honest about numbers."""

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from course_utils.checks.exercise import Place
from course_utils.checks.registry import exercises_by_name

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
ALLOWED_TAGS = {"hide-input", "remove-cell", "raises-exception", "slow"}
NUMBER = re.compile(r"(?<![\w.:/-])\d+\.\d+(?![\w/:]|\.\d)")
SECTIONS = ["Objectives", "Predict first", "Looks right, is wrong", "Self-checks", "Summary"]
SECTIONS += ["Exercises", "References"]

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def markdown(path):
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]


def headings(path):
    text = re.sub(r"```.*?```", "", "\n\n".join(markdown(path)), flags=re.DOTALL)
    return [match[1].strip() for match in re.finditer(r"^#+ (.+)$", text, re.MULTILINE)]


def shown(path):
    """Everything that a chapter computes or sets: its code and its stored text outputs."""
    parts = []
    for cell in code_cells(path):
        parts.append(cell.source)
        for output in cell.outputs:
            parts.append(output.get("text", ""))
            parts += [value for key, value in output.get("data", {}).items() if "text" in key]
    return "\n".join(parts)


@each_chapter
def test_chapter_was_run_once_from_top_to_bottom(path):
    cells = code_cells(path)

    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        raises = "raises-exception" in cell.metadata.get("tags", [])
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert raises or not errors, cell.source
        assert not [output for output in cell.outputs if output.get("name") == "stderr"], (
            cell.source
        )


@each_chapter
def test_chapter_is_stored_in_normal_form(path):
    notebook = read(path)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]

    assert len(set(ids)) == len(ids)
    assert path.stat().st_size < 600_000
    assert dict(notebook.metadata.kernelspec) == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}, cell.id
        assert set(cell.metadata.get("tags", [])) <= ALLOWED_TAGS, cell.id


@each_chapter
def test_chapter_has_no_machine_path_magic_or_pyplot(path):
    text = path.read_text()

    assert not re.search(r"/home/|/root/|/tmp/|/usr/|[A-Z]:\\\\", text)
    for cell in code_cells(path):
        assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE), cell.source
        assert "pyplot" not in cell.source, cell.source
        assert len(cell.source.splitlines()) <= 15, cell.source


@each_chapter
def test_every_figure_has_alt_text_and_a_caption(path):
    for cell in code_cells(path):
        pictures = [out for out in cell.outputs if "image/png" in out.get("data", {})]
        if not pictures:
            continue
        settings = cell.metadata.get("mystnb", {})
        assert len(pictures) == 1, cell.source
        assert len(settings.get("image", {}).get("alt", "")) > 30, cell.source
        assert len(settings.get("figure", {}).get("caption", "")) > 20, cell.source
        assert re.fullmatch(r"[a-z0-9-]+", settings["figure"]["name"]), cell.source


@each_chapter
def test_pictures_hold_no_date_and_no_version(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            png = output.get("data", {}).get("image/png")
            if png:
                image = Image.open(io.BytesIO(base64.b64decode(png)))
                assert set(image.info) <= {"dpi"}, (cell.id, image.info)


@each_chapter
def test_every_decimal_in_prose_is_computed_in_the_same_chapter(path):
    computed = shown(path)
    for source in markdown(path):
        if source.lstrip().startswith("## References"):
            continue
        prose = re.sub(r"\]\([^)]*\)|https?://\S+|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", " ", source)
        for number in NUMBER.findall(prose):
            assert re.search(rf"(?<![\d.]){re.escape(number)}", computed), (number, source[:300])


@each_chapter
def test_chapter_has_the_same_skeleton_as_the_others(path):
    found = headings(path)

    positions = [found.index(section) for section in SECTIONS]
    assert positions == sorted(positions)
    assert any(heading.startswith("Explorer: ") for heading in found)


def places():
    """Every place of the book that a misconception points to."""
    return sorted(
        {
            (misconception.place.chapter, misconception.place.heading)
            for _, exercise in exercises_by_name().values()
            for misconception in exercise.misconceptions
        }
    )


@pytest.mark.parametrize(("chapter", "heading"), places())
def test_messages_of_checks_point_to_a_heading_that_exists(chapter, heading):
    assert heading in headings(ROOT / "chapters" / f"{chapter}.ipynb"), str(Place(chapter, heading))
