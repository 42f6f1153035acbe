"""What was handed out: the master notebook that submissions are rebuilt from."""

import copy
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from course_utils.checks.exercise import Exercise
from course_utils.checks.registry import exercises_of


@dataclass(frozen=True)
class MasterCell:
    """
    One cell of the master.

    ``kind`` is "text", "setup" (locked code that is no check), "solution" (code that students
    write), "check", "manual" (graded by a person, code or text). ``exercise`` is the name of the
    exercise that a solution or a check belongs to, or "".
    """

    grade_id: str
    cell_type: str
    kind: str
    source: str
    exercise: str
    points: float
    cell_id: str = ""


class Release:
    """An assignment as students got it."""

    def __init__(self, assignment: str, notebook: Any) -> None:
        self.assignment = assignment
        self._notebook = notebook
        self.exercises: dict[str, Exercise] = {
            exercise.name: exercise for exercise in exercises_of(assignment)
        }
        self.cells = tuple(map(self._master_cell, notebook.cells))

    @staticmethod
    def read(path: Path, assignment: str) -> "Release":
        """Read the released notebook of an assignment."""
        return Release(assignment, nbformat.read(path, as_version=4))

    @staticmethod
    def parse(assignment: str, text: str) -> "Release":
        """Return the release that ``text`` holds."""
        return Release(assignment, nbformat.reads(text, as_version=4))

    @cached_property
    def text(self) -> str:
        """The released notebook as a file holds it."""
        return str(nbformat.writes(self._notebook))

    def _master_cell(self, cell: Any) -> MasterCell:
        settings = cell.metadata.nbgrader
        grade_id = settings.grade_id
        name = grade_id.removesuffix("-check").replace("-", "_")
        exercise = name if name in self.exercises else ""
        if settings.solution and settings.grade:
            kind = "manual"
        elif settings.grade:
            kind = "check"
        elif settings.solution:
            kind = "solution"
        else:
            kind = "setup" if cell.cell_type == "code" else "text"
        if kind not in ("solution", "check"):
            exercise = ""
        points = float(settings.points) if settings.grade else 0.0
        return MasterCell(
            grade_id, cell.cell_type, kind, cell.source, exercise, points, cell.get("id", "")
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the master's cells."""
        text = repr([(cell.grade_id, cell.kind, cell.source) for cell in self.cells])
        return hashlib.sha256(text.encode()).hexdigest()

    def notebook(self) -> Any:
        """Return a copy of the master notebook."""
        return copy.deepcopy(self._notebook)
