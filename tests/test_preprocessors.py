"""nbgrader's own command and button grade as `course grade` does, whatever was handed in."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from handmade import A1, A7, ROOT, new_course, release_of, verdict_of
from nbgrader.api import Gradebook

from course_utils.grading import preprocessors
from course_utils.grading.autograded import autograded_notebook, notebook_bytes
from course_utils.grading.journal import Journal
from course_utils.grading.record import notebook_path

PYTHON = sys.executable


def reference(assignment):
    """Return the source of every cell of the solutions by grade id."""
    path = ROOT / "solutions" / assignment / f"{assignment}.ipynb"
    return {c.metadata.nbgrader.grade_id: c.source for c in nbformat.read(path, 4).cells}


def filled_in(assignment, **answers):
    """Return the released notebook with the reference's answers, or others."""
    notebook, right = release_of(assignment).notebook(), reference(assignment)
    for cell in notebook.cells:
        name = cell.metadata.nbgrader.grade_id
        if cell.metadata.nbgrader.solution:
            cell.source = answers.get(name.replace("-", "_"), right[name])
    return notebook


def hand_in(course, student, content, name=A1, assignment=A1):
    folder = course / "submitted" / student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / f"{name}.ipynb").write_bytes(data)
    return folder


def broken_submissions(course):
    """Hand in what nbgrader alone stumbles over; return the points that each must get."""
    right = filled_in(A1)
    hand_in(course, "right", right)
    hand_in(course, "empty", release_of(A1).notebook())
    hand_in(course, "half", filled_in(A1, convolve2d="def convolve2d(x, kernel:", conv2d="1 / 0"))
    hand_in(course, "no json", b'{"cells": [')
    hand_in(course, "a list", b"[1, 2]")
    hand_in(course, "no text", b"\xff\x00\xfe")
    hand_in(course, "another name", right, "homework (1)")
    twice = copy.deepcopy(right)
    twice.cells += copy.deepcopy(right.cells)
    hand_in(course, "cells twice", twice)
    other = copy.deepcopy(right)
    other.metadata = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
    hand_in(course, "kernel of R", other)
    bare = copy.deepcopy(right)
    for cell in bare.cells:
        cell.metadata = {}
    hand_in(course, "no marks", bare)
    forged = release_of(A1).notebook()
    for cell in forged.cells:
        if cell.metadata.nbgrader.grade:
            cell.metadata.nbgrader.update(points=1000, schema_version=99)
            cell.source = "40.0"
            cell.outputs = [
                nbformat.v4.new_output("execute_result", {"text/plain": "11"}, execution_count=1)
            ]
    hand_in(course, "forged", forged)
    folder = hand_in(course, "links", right)
    (folder / "nowhere").symlink_to("/nowhere")
    (folder / "endless").symlink_to("/dev/zero")
    (folder / "passwords").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    everything = ("right", "another name", "cells twice", "kernel of R", "no marks", "links")
    points = dict.fromkeys(everything, 40.0)
    points |= dict.fromkeys(("empty", "no json", "a list", "no text", "forged"), 0.0)
    return points | {"half": 25.0}


def run(course, *command):
    result = subprocess.run(
        command,
        cwd=course,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
        },
    )
    assert result.returncode in (0, 1), result.stderr
    return result


def recorded(course, assignment=A1):
    """Return notebooks and rows of the gradebook, by student."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for submission in book.assignment_submissions(assignment):
            [notebook] = submission.notebooks
            who = submission.student.id
            found[who] = (
                notebook_path(course, who, assignment).read_bytes(),
                submission.timestamp,
                notebook.flagged,
                sorted(
                    (row.name, row.auto_score, row.manual_score, row.needs_manual_grade)
                    for row in notebook.grades
                ),
                sorted((row.name, row.auto_comment) for row in notebook.comments),
            )
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same submissions, graded by nbgrader and by course grade, and the points they must get."""
    ours = new_course(tmp_path_factory.mktemp("ours"), A1)
    theirs = new_course(tmp_path_factory.mktemp("theirs"), A1)
    for course in (ours, theirs):
        shutil.copytree(ROOT / "solutions", course / "solutions")
        shutil.copy(ROOT / "requirements.txt", course)
        points = broken_submissions(course)
    (theirs / "gradebook.db").unlink()  # nbgrader makes one
    output = run(theirs, PYTHON, "-m", "nbgrader", "autograde", A1)
    assert output.returncode == 0, output.stderr
    seed = json.loads((theirs / "grading" / A1 / "run.json").read_text())["seed"]
    run(ours, PYTHON, "-m", "course_utils.grading.cli", "grade", A1, "--seed", str(seed))
    return ours, theirs, points


@pytest.mark.slow
def test_nbgrader_autograde_gives_the_grades_and_bytes_of_course_grade(both):
    ours, theirs, points = both

    assert recorded(theirs) == recorded(ours)
    with Gradebook(f"sqlite:///{theirs}/gradebook.db") as book:
        scores = {row["student"]: row["score"] for row in book.submission_dicts(A1)}
    assert scores == points


def test_nothing_beside_the_notebook_was_copied(both):
    for course in both[:2]:
        names = {path.name for path in course.glob("autograded/**/*") if path.is_file()}
        assert names == {f"{A1}.ipynb", "timestamp.txt"}


def test_what_nbgrader_graded_is_not_judged_again(both):
    theirs = both[1]
    journal = theirs / "grading" / A1 / "journal.jsonl"
    before = journal.read_bytes(), recorded(theirs)

    result = run(theirs, PYTHON, "-m", "course_utils.grading.cli", "grade", A1)

    assert "right: 40 of 40" in result.stdout, result.stderr
    assert (journal.read_bytes(), recorded(theirs)) == before


def test_nbgraders_feedback_is_made_from_the_record(both):
    _, theirs, points = both

    result = run(theirs, PYTHON, "-m", "nbgrader", "generate_feedback", A1)

    assert result.returncode == 0, result.stderr
    for student in points:
        page = (theirs / "feedback" / student / A1 / f"{A1}.html").read_text("utf-8")
        assert "Content-Security-Policy" in page
        assert f"{points[student]:g} of 40 points" in page


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course in which a fake judge says what the verdict is."""
    course = new_course(tmp_path, A7)
    shutil.copytree(ROOT / "solutions", course / "solutions")
    monkeypatch.chdir(course)

    def judge_all(handed, release, seed, version, *, workers):
        for one in handed:
            notebook = nbformat.reads(one.content.decode(), 4)
            sources = {
                cell.metadata.nbgrader.grade_id.replace("-", "_"): cell.source
                for cell in notebook.cells
                if cell.metadata.nbgrader.solution
            }
            yield verdict_of(release, one.student, content=one.content, seed=seed, **sources)

    monkeypatch.setattr(preprocessors, "judge_all", judge_all)
    return course


def press_the_button(course, student="ana"):
    """Do what formgrader's button does."""
    from nbgrader.apps import NbGrader, NbGraderAPI

    app = NbGrader()
    app.load_config_file()
    return NbGraderAPI(config=app.config).autograde(A7, student)


OF_NBGRADERS_OWN = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.mark.slow
@OF_NBGRADERS_OWN
def test_points_by_hand_survive_formgraders_button(course):
    hand_in(course, "ana", filled_in(A7, analysis="Because."), A7, A7)
    first = press_the_button(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grade = book.find_grade("analysis", A7, A7, "ana")
        grade.manual_score, grade.needs_manual_grade = 7.0, False
        book.db.commit()

    hand_in(course, "ana", filled_in(A7, analysis="Because.", repair="1"), A7, A7)
    second = press_the_button(course)
    kept = dict((row[0], row[1:]) for row in recorded(course, A7)["ana"][3])
    hand_in(course, "ana", filled_in(A7, analysis="For another reason."), A7, A7)
    third = press_the_button(course)

    assert [result["success"] for result in (first, second, third)] == [True] * 3, third
    assert kept["analysis"] == (None, 7.0, False)
    [lost] = [row for row in recorded(course, A7)["ana"][3] if row[0] == "analysis"]
    assert lost == ("analysis", None, None, True)
    verdict = Journal(course, A7).latest("ana")
    expected = notebook_bytes(autograded_notebook(release_of(A7), verdict))
    assert notebook_path(course, "ana", A7).read_bytes() == expected


@pytest.mark.slow
@OF_NBGRADERS_OWN
def test_a_run_that_is_going_on_is_told_and_nothing_is_half_graded(course):
    hand_in(course, "ana", filled_in(A7), A7, A7)

    with Journal.open(course, A7):
        result = press_the_button(course)

    assert not result["success"]
    assert "a7_which_bug is being graded by another process" in result["log"]
    assert not notebook_path(course, "ana", A7).exists()
    assert press_the_button(course)["success"]
