"""Releases, verdicts and courses made by hand, for the tests of everything behind the judge."""

import copy
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearOutput, ClearSolutions, ComputeChecksums, LockCells

from course_utils.grading.journal import grading_version
from course_utils.grading.release import Release
from course_utils.grading.verdict import ExerciseVerdict, Flag, Verdict

ROOT = Path(__file__).parents[1]
A1 = "a1_convolution"
A7 = "a7_which_bug"  # the one with answers that are graded by hand
SEED = 11
STUB = {"python": "# your code here\nraise NotImplementedError()"}


@cache
def _released(assignment):
    """Return the notebook that nbgrader releases."""
    notebook = nbformat.read(ROOT / "solutions" / assignment / f"{assignment}.ipynb", 4)
    steps = [LockCells(), ClearSolutions(code_stub=STUB), ClearOutput(), ComputeChecksums()]
    for step in steps:
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def release_of(assignment=A1):
    return Release(assignment, copy.deepcopy(_released(assignment)))


@cache
def _empty_gradebook():
    """Return the bytes of an empty gradebook: nbgrader takes seconds to make one."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gradebook.db"
        Gradebook(f"sqlite:///{path}").close()
        return path.read_bytes()


def new_course(folder, *assignments):
    """Return a course's folder with settings, an empty gradebook and releases, but no solutions."""
    course = folder / "Curso de visão nº 1"
    course.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    (course / "gradebook.db").write_bytes(_empty_gradebook())
    for assignment in assignments:
        path = course / "release" / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(_released(assignment), path)
    return course


@dataclass(frozen=True)
class Handed:
    """What a student handed in: the fake judge only looks at the content."""

    student: str
    content: bytes

    @property
    def digest(self):
        return hashlib.sha256(self.content).hexdigest()


def verdict_of(release, student="ana", *, content=b"1", seed=SEED, flags=(), problem="", **sources):
    """
    Return a verdict as the judge would make it.

    Points depend on the content, sources are given by grade id (with underscores) or made up.
    """
    exercises = tuple(
        ExerciseVerdict(
            cell.exercise,
            cell.grade_id,
            points := float((len(content) + number) % (cell.points + 1)),
            cell.points,
            "right" if points == cell.points else "shape",
            f"{cell.exercise}: {points:g} of {cell.points:g} points\n{content.decode()}",
        )
        for number, cell in enumerate(release.cells)
        if cell.kind == "check"
    )
    made = {
        cell.grade_id: sources.get(cell.grade_id.replace("-", "_"), f"# {content.decode()}")
        for cell in release.cells
        if cell.kind in ("solution", "manual")
    }
    digest = hashlib.sha256(content).hexdigest()
    return Verdict(
        student,
        release.assignment,
        seed,
        digest,
        release.digest,
        grading_version(),
        "bubblewrap",
        exercises,
        {} if problem else made,
        tuple(Flag("made", "", sentence) for sentence in flags),
        problem,
    )
