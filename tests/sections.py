"""Sections of the book: what stands under a heading of a chapter or an appendix, and its anchor."""

import re
from functools import cache
from pathlib import Path

import nbformat
from myst_parser.mdit_to_docutils.base import default_slugify

CHAPTERS = Path(__file__).parents[1] / "chapters"
HEADING = re.compile(r"^(#+) (.+?)\s*$")


@cache
def cells(page: str) -> list[tuple[str, str, str]]:
    """Return (id, kind, text) of each cell; outputs belong to their cell's text."""
    path = page_path(page)
    if path.suffix == ".md":
        return [("", "markdown", path.read_text())]
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        outputs = [text_of(output) for output in cell.get("outputs", [])]
        captions = str(cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", ""))
        text = "\n".join([cell.source, *outputs, captions])
        found.append((cell.id, cell.cell_type, text))
    return found


def text_of(output: nbformat.NotebookNode) -> str:
    """Return the text that an output shows."""
    data = output.get("data", {})
    return output.get("text", "") + "".join(data.get(kind, "") for kind in ("text/plain",))


def page_path(page: str) -> Path:
    """Return the file of a page; a chapter that is not written yet has none."""
    for suffix in (".ipynb", ".md"):
        path = CHAPTERS / f"{page}{suffix}"
        if path.exists():
            return path
    raise FileNotFoundError(f"chapters hold no page {page}")


def is_written(page: str) -> bool:
    """Say whether a page of this name is there."""
    return any((CHAPTERS / f"{page}{suffix}").exists() for suffix in (".ipynb", ".md"))


@cache
def sections(page: str) -> dict[str, str]:
    """Return what stands under each heading, the deeper headings below it included."""
    open_headings: list[tuple[int, str]] = []
    found: dict[str, list[str]] = {}
    for _, kind, text in cells(page):
        fenced = False
        for line in text.splitlines():
            fenced ^= kind == "markdown" and line.lstrip().startswith("```")
            match = HEADING.match(line) if kind == "markdown" and not fenced else None
            if match:
                level = len(match[1])
                open_headings = [pair for pair in open_headings if pair[0] < level]
                open_headings.append((level, match[2]))
                found.setdefault(match[2], [])
            for _, heading in open_headings:
                found[heading].append(line)
    return {heading: "\n".join(lines) for heading, lines in found.items()}


def anchor(page: str, heading: str) -> str:
    """Return the link target of a heading, as MyST makes it and a page of the book writes it."""
    return f"{page_path(page).name}#{default_slugify(heading)}"
