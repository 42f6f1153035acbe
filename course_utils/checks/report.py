"""What a check found, as data, as text, and as a picture."""

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from course_utils.checks.comparison import close
from course_utils.checks.exercise import Misconception

WIDTH = 88  # columns: a notebook's output and nbgrader's feedback cut off longer lines


@dataclass(frozen=True)
class CaseResult:
    """One case: what is wrong with the result, if anything."""

    group: str
    code: str = "right"
    sentence: str = ""
    drawn: bool = False

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return self.code == "right"


@dataclass(frozen=True)
class Report:
    """
    The verdict on an answer.

    Attributes
    ----------
    name : str
        Name of the exercise.
    points, max_points : float
        Points earned, and to be had.
    code : str
        "right", "unstarted", "forbidden", "uncallable", or the code of the first wrong case.
    message : str
        What the student is told.
    misconception : str or None
        Name of the misconception, relation or fault of form that explains the wrong results.
    groups : mapping of str to tuple
        Points earned and to be had, by group of cases.
    cases : tuple of CaseResult
        What happened, call by call.
    picture : str
        HTML table of expected, yours and difference for the first wrong result, or "".
    """

    name: str
    points: float
    max_points: float
    code: str
    message: str
    misconception: str | None = None
    groups: Mapping[str, tuple[float, float]] | None = None
    cases: tuple[CaseResult, ...] = ()
    picture: str = ""

    def text(self) -> str:
        """Return the report, a line for each thing that it says."""
        lines = [f"{self.name}: {self.points:g} of {self.max_points:g} points"]
        for group, (points, maximum) in (self.groups or {}).items():
            mark = "✓" if points == maximum else "✗"
            lines.append(f"  {mark} {group}: {points:g}/{maximum:g}")
        return "\n".join([*lines, *self.message.splitlines()])

    def show(self) -> None:
        """Print the report, and draw its picture where a notebook can show one."""
        print(folded(self.text()))
        if self.picture:
            _display(self.picture)


def folded(text: str) -> str:
    """Return text whose lines fit a notebook."""
    lines = text.splitlines()
    fold = partial(textwrap.fill, width=WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if len(line) <= WIDTH else fold(line) for line in lines)


def _display(picture: str) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import HTML, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(HTML(picture))


def explain_misconception(misconception: Misconception, phrase: str) -> str:
    """Return what a student is told; the phrase says which calls it is about, if not about all."""
    return f"{phrase}{misconception.message} Read {misconception.place}."


def comparison_picture(value: Any, expected: Any) -> str:
    """
    Return an HTML table of expected, yours and difference for small image-like tensors, else "".

    Of a tensor with more than two dimensions the last two are shown, at the first wrong place; of
    a tuple or a dict the first wrong tensor.
    """
    for part, wanted in _matching_parts(value, expected):
        if picture := comparison_picture(part, wanted):
            return picture
    if not (isinstance(value, Tensor) and isinstance(expected, Tensor)):
        return ""
    if value.shape != expected.shape or value.dtype != expected.dtype or expected.dim() < 2:
        return ""
    if max(expected.shape[-2:]) > 12:
        return ""
    wrong = ~close(value, expected)
    if not wrong.any():
        return ""
    first = wrong.nonzero()[0].tolist()[:-2]
    where = f" at [{', '.join(map(str, first))}]" if first else ""
    index = tuple(first)
    tables = [
        _table(f"expected{where}", expected[index], wrong[index], mark=False),
        _table(f"yours{where}", value[index], wrong[index], mark=True),
        _table("difference", value[index] - expected[index], wrong[index], mark=True),
    ]
    return f'<div style="display:flex;gap:1.5em;flex-wrap:wrap">{"".join(tables)}</div>'


def _matching_parts(value: Any, expected: Any) -> list[tuple[Any, Any]]:
    """Return what stands at the same places of two tuples or dicts."""
    if isinstance(value, dict) and isinstance(expected, dict):
        return [(value[key], expected[key]) for key in expected if key in value]
    if isinstance(value, tuple) and isinstance(expected, tuple):
        return list(zip(value, expected, strict=False))
    return []


def _table(title: str, values: Tensor, wrong: Tensor, *, mark: bool) -> str:
    """Return one grid of numbers; wrong ones are framed and bold, so colour is not the only sign."""
    rows = []
    for numbers, flags in zip(values.tolist(), wrong.tolist(), strict=True):
        cells = []
        for number, flag in zip(numbers, flags, strict=True):
            marked = "background:#ffd9d9;font-weight:bold;border:2px solid #b00020"
            style = marked if mark and flag else "background:#fff;border:1px solid #999"
            cells.append(
                f'<td style="{style};color:#111;padding:2px 6px;text-align:right">{number:.4g}</td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    caption = f'<caption style="caption-side:top">{html.escape(title)}</caption>'
    return f'<table style="border-collapse:collapse">{caption}{"".join(rows)}</table>'
