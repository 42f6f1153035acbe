"""The autograded notebook: the master, with a student's answers and the judge's words in it."""

import re
from typing import Any

from nbformat import from_dict
from nbformat.v4.nbjson import JSONWriter

from course_utils.checks.outcomes import readable
from course_utils.checks.report import folded
from course_utils.grading.release import MasterCell, Release
from course_utils.grading.verdict import ExerciseVerdict, Verdict

AS_HANDED_IN = "The picture that was handed in with this cell; grading did not run it.\n"
# What a terminal or a page could obey: control characters and those that turn text around.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def autograded_notebook(release: Release, verdict: Verdict) -> Any:
    """
    Return the notebook that a person grades by hand and that feedback shows.

    Cells, marks and order are the master's. Solution cells hold what the student wrote, check
    cells the verdict and the points, in the form that nbgrader reads points from. The same
    verdict gives the same notebook.
    """
    notebook = release.notebook()
    exercises = {exercise.exercise: exercise for exercise in verdict.exercises}
    for cell, master in zip(notebook.cells, release.cells, strict=True):
        if master.kind in ("solution", "manual"):
            cell.source = answer_of(verdict, master)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = []
        if master.kind == "check":
            cell.outputs = _outputs(master, exercises.get(master.exercise), verdict.problem)
        elif cell.cell_type == "code" and (picture := verdict.pictures.get(master.grade_id)):
            cell.outputs = _shown(picture)
    if verdict.problem:
        notebook.cells.insert(0, from_dict(_told(verdict.problem)))
    return notebook


def answer_of(verdict: Verdict, master: MasterCell) -> str:
    """Return what stands in a solution cell; the master's stub, where nothing was handed in."""
    return writable(verdict.sources.get(master.grade_id, master.source))


def notebook_bytes(notebook: Any) -> bytes:
    """Return a notebook as nbgrader writes it, but for the checks, which take longer than the rest."""
    return f"{JSONWriter().writes(notebook)}\n".encode()


def writable(text: str) -> str:
    """Return text that every file and database takes: no lone surrogate, no NUL."""
    return readable(text).replace("\0", "\\x00")


def printable(text: str) -> str:
    """Return text that no terminal and no page obeys."""
    return _OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}", readable(text))


def literal(text: str) -> str:
    """Return Markdown that shows text as it is: a block of code, in which nothing has a meaning."""
    return "\n".join(f"    {line}" for line in printable(text).split("\n"))


def points_of(master: MasterCell, exercise: ExerciseVerdict | None) -> float:
    """
    Return the points of a check cell.

    Raises
    ------
    ValueError
        If they are no number between 0 and the cell's points; nbgrader would give all points.
    """
    points = exercise.points if exercise else 0.0
    if not 0 <= points <= master.points:
        raise ValueError(f"{master.grade_id}: points must be 0 to {master.points:g}, got {points}")
    return float(points)


def _outputs(master: MasterCell, exercise: ExerciseVerdict | None, problem: str) -> list[Any]:
    text = exercise.text if exercise else problem or "This exercise was not judged."
    points = repr(points_of(master, exercise))
    outputs = [
        {
            "output_type": "stream",
            "name": "stdout",
            "text": f"{folded(printable(text)).rstrip()}\n",
        },
        {
            "output_type": "execute_result",
            "data": {"text/plain": points},
            "execution_count": None,
            "metadata": {},
        },
    ]
    return [from_dict(output) for output in outputs]


def _shown(picture: str) -> list[Any]:
    told = {"output_type": "stream", "name": "stdout", "text": AS_HANDED_IN}
    shown = {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}
    return [from_dict(output) for output in (told, shown)]


def _told(problem: str) -> dict[str, Any]:
    source = f"**What was handed in could not be read:**\n\n{literal(problem)}"
    return {"cell_type": "markdown", "id": "problem", "metadata": {}, "source": source}
