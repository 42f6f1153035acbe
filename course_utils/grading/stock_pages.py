"""What nbgrader's own pages show: the feedback of this course, and Markdown that nobody obeys."""

import re
from pathlib import Path
from typing import Any

import bleach
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from course_utils.grading.autograded import writable
from course_utils.grading.by_hand import by_hand
from course_utils.grading.feedback import feedback_page
from course_utils.grading.gradebook import open_gradebook
from course_utils.grading.journal import Journal
from course_utils.grading.release import Release

_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "span", "pre", "code", "del"}
_TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "sub", "sup", *bleach.ALLOWED_TAGS}
_OF_LINKS = {"href", "title"}
_OF_CODE = re.compile(r"highlight|anchor-link|[a-z][a-z0-9]{0,2}")  # what colours code, no button
# TeX by which a formula could be a link, or look like a part of the page
_TEX = re.compile(r"\\(href|url|cssId|class|style|require|bbox|mmlToken|unicode)(?![A-Za-z])")


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]
    """Makes the same page as ``course feedback``; nbgrader's own if there is no verdict."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """Return the page of the submission that a notebook was made from."""
        names, root = resources["nbgrader"], Path.cwd()
        assignment, student = names["assignment"], names["student"]
        path = root / "release" / assignment / f"{assignment}.ipynb"
        verdict = Journal(root, assignment).latest(student)
        if verdict is None or not path.is_file():
            stock: tuple[str, Any] = super().from_filename(filename, resources, **kw)
            return stock
        with open_gradebook(root, names["db_url"]) as book:
            given = by_hand(book, assignment).get(writable(student))
        resources["output_extension"] = self.file_extension
        return feedback_page(Release.read(path, assignment), verdict, given), resources


class _Renderer(IPythonRenderer):  # type: ignore[misc]
    """Renders Markdown, but no picture: it would come from anywhere, or be missing."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture's description."""
        return f"[{text}]"


def safe_markdown(source: str) -> str:
    """Return Markdown as HTML in which nothing runs, nothing loads, and no formula is a link."""
    html = MarkdownWithMath(_Renderer(escape=False)).render(source)
    clean = bleach.clean(html, tags=_TAGS, attributes=_is_allowed, strip=True)
    return _TEX.sub(r"\\text{\1}", clean)


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return _OF_CODE.fullmatch(value) is not None
    return tag == "a" and name in _OF_LINKS
