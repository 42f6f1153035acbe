"""What each of a student's cells is: the master's own text, set-up and checks, or an answer."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from course_utils.grading.cells import Cell
from course_utils.grading.definitions import Definition, definitions, parse
from course_utils.grading.release import MasterCell, Release

_CHECKED = re.compile(r"\bcheck\(\s*(\w+)")


@dataclass(frozen=True)
class StudentCell:
    """
    A student's cell and what is known of it.

    ``role`` is "text", "setup" or "check" for what the master brings itself, "blank", or "" for
    what the student wrote. ``defined`` are the names that it defines. ``prompt`` is the grade id of
    the master's last text before it, ``next_check`` the exercise of the first check after it, if
    no text comes before that.
    """

    index: int
    cell: Cell
    role: str
    defined: Mapping[str, Definition]
    prompt: str = ""
    next_check: str = ""

    @property
    def bare(self) -> str:
        """The source without white space."""
        return bare(self.cell.source)

    def mark(self, master: MasterCell) -> int:
        """Return 2 if it has a master cell's grade id, 1 for its cell id, else 0."""
        if self.cell.grade_id == master.grade_id:
            return 2
        return int(bool(self.cell.cell_id) and self.cell.cell_id == master.cell_id)


def bare(source: str) -> str:
    """Return a source without white space, which is how sources are compared."""
    return "".join(source.split())


def alike(one: str, other: str) -> float:
    """Return how alike the beginnings of two texts are: from 0.5 to 1, or 0 for less."""
    matcher = SequenceMatcher(None, one[:300], other[:300], autojunk=False)
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < 0.5:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= 0.5 else 0.0


def recognise(cells: Sequence[Cell], release: Release) -> list[StudentCell]:
    """Return the student's cells with what is known of each."""
    known = _Known(release)
    found: list[StudentCell] = []
    prompt = check = ""
    for index, cell in enumerate(cells):
        defined = definitions(cell.source)
        role = known.role(cell, defined)
        prompt = known.text_of(cell) if role == "text" else prompt
        found.append(StudentCell(index, cell, role, defined, prompt))
    for index in reversed(range(len(found))):
        if found[index].role in ("check", "text"):
            checked = _CHECKED.search(cells[index].source)
            check = checked[1] if checked and found[index].role == "check" else ""
        found[index] = replace(found[index], next_check=check)
    return found


class _Known:
    """The cells that the master brings itself."""

    def __init__(self, release: Release) -> None:
        of_kind = {
            kind: [cell for cell in release.cells if cell.kind == kind]
            for kind in ("text", "setup", "check")
        }
        ids = {cell.cell_id: cell.grade_id for cell in release.cells if cell.cell_id}
        self._ids = ids | {cell.grade_id: cell.grade_id for cell in release.cells}
        self._texts = {bare(cell.source): cell.grade_id for cell in of_kind["text"]}
        self._text_by_id = {cell.grade_id: cell.source for cell in of_kind["text"]}
        self._setups = {bare(cell.source) for cell in of_kind["setup"]}
        self._checks = {cell.grade_id for cell in of_kind["check"]}

    def role(self, cell: Cell, defined: Mapping[str, Definition]) -> str:
        """Return what a cell is; a mark alone never hides what a student wrote."""
        source = bare(cell.source)
        if not source:
            return "blank"
        if source in self._texts or (cell.kind != "code" and self._changed_text(cell)):
            return "text"
        if source in self._setups:
            return "setup"
        if cell.kind != "code":
            return ""
        is_check = self._marked(cell) in self._checks and not defined
        return "check" if is_check or _only_checks(cell.source) else ""

    def _marked(self, cell: Cell) -> str:
        """Return the grade id of the master's cell that a cell is marked as, or ""."""
        return self._ids.get(cell.grade_id) or self._ids.get(cell.cell_id, "")

    def _changed_text(self, cell: Cell) -> bool:
        return alike(cell.source, self._text_by_id.get(self._marked(cell), "")) > 0.6

    def text_of(self, cell: Cell) -> str:
        """Return the grade id of the master's text that a cell is."""
        return self._texts.get(bare(cell.source)) or self._marked(cell)


def _only_checks(source: str) -> bool:
    """Whether a cell calls ``check`` and does nothing else."""
    if "check" not in source or len(source) > 1000:
        return False
    tree = parse(source)
    statements = tree.body if tree else []
    calls = [getattr(statement, "value", None) for statement in statements]
    return bool(calls) and all(
        isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check" for call in calls
    )
