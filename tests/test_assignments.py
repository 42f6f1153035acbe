"""The assignments from end to end, with nbgrader's own commands, in a folder with an odd name."""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.api import Gradebook

from course_utils.checks.registry import ASSIGNMENTS, exercises_of

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "a1_convolution"
VECTORISED = {
    "cross-correlate2d": """
def cross_correlate2d(x, kernel, stride=1, padding=0):
    from numpy.lib.stride_tricks import sliding_window_view
    import numpy as np
    padded = np.pad(x.numpy(), padding)
    windows = sliding_window_view(padded, tuple(kernel.shape))[::stride, ::stride]
    return torch.from_numpy(np.einsum("abij,ij->ab", windows, kernel.numpy())).to(x.dtype)
""",
    "convolve2d": """
def convolve2d(x, kernel):
    rows, columns = x.shape[0] + kernel.shape[0] - 1, x.shape[1] + kernel.shape[1] - 1
    spectrum = torch.fft.rfft2(x.double(), (rows, columns))
    full = torch.fft.irfft2(spectrum * torch.fft.rfft2(kernel.double(), (rows, columns)),
                            (rows, columns))
    return full[kernel.shape[0] - 1 : x.shape[0], kernel.shape[1] - 1 : x.shape[1]].to(x.dtype)
""",
    "same-padding": "same_padding = lambda k, d=1: divmod(d * (k - 1), 2)[0] if d * (k - 1) % 2 == 0 "
    'else (_ for _ in ()).throw(ValueError("even"))',
}
WRONG = {
    "conv-output-size": "def conv_output_size(n, k, p=0, s=1, d=1):\n"
    "    if min(n, k, s, d) < 1 or p < 0 or d * (k - 1) + 1 > n + 2 * p:\n"
    "        raise ValueError('no')\n"
    "    return (n + p - d * (k - 1) - 1) // s + 1",
    "same-padding": "import sys\ndef same_padding(k, d=1):\n    print('loud', file=sys.stderr)\n"
    "    return d * (k - 1) // 2",
    "convolve2d": "def convolve2d(x, kernel):\n    return cross_correlate2d(x, kernel)",
}
FORBIDDEN = {
    "cross-correlate2d": "import torch.nn.functional as F\n"
    "def cross_correlate2d(x, kernel, stride=1, padding=0):\n"
    "    return F.conv2d(x[None, None], kernel[None, None], None, stride, padding)[0, 0]",
}
CRASHING = {
    "convolve2d": "def convolve2d(x, kernel:\n    return",
    "conv2d": "def conv2d(x, weight, *rest, **more):\n    raise SystemExit(3)",
}


def run(course: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    return subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, timeout=600
    )


def nbgrader(course: Path, *arguments: str) -> str:
    result = run(course, str(Path(sys.executable).parent / "nbgrader"), *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def course_command(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(course, sys.executable, "-m", "course_utils.grading.cli", *arguments)


def filled_in(course: Path, assignment: str, answers: dict[str, str] | None) -> Any:
    """Return the released notebook as a student fills it in: the reference, or answers of theirs."""
    notebook = nbformat.read(course / "release" / assignment / f"{assignment}.ipynb", as_version=4)
    source = nbformat.read(course / "solutions" / assignment / f"{assignment}.ipynb", as_version=4)
    reference = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells}
    for cell in notebook.cells:
        settings = cell.metadata.nbgrader
        if settings.solution and answers is not None:
            cell.source = answers.get(settings.grade_id, reference[settings.grade_id])
    return notebook


def hand_in(
    course: Path, student: str, answers: dict[str, str] | None, assignment: str = ASSIGNMENT
) -> None:
    """Put a student's notebook where submissions go."""
    folder = course / "submitted" / student / assignment
    folder.mkdir(parents=True)
    nbformat.write(filled_in(course, assignment, answers), folder / f"{assignment}.ipynb")


def stub_only(*kept: str) -> dict[str, str]:
    names = [exercise.name.replace("_", "-") for exercise in exercises_of(ASSIGNMENT)]
    return {name: "raise NotImplementedError()" for name in names if name not in kept}


def new_course(folder: Path) -> Path:
    course = folder / "Curso de visão nº 1"
    course.mkdir()
    for name in ("nbgrader_config.py", "requirements.txt"):
        shutil.copy(ROOT / name, course)
    shutil.copytree(ROOT / "solutions", course / "solutions")
    return course


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course whose six kinds of submissions went through nbgrader's own commands."""
    course = new_course(tmp_path_factory.mktemp("graded"))
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    hand_in(course, "right", {})
    hand_in(course, "differently", VECTORISED)
    hand_in(course, "half", stub_only("conv-output-size", "conv-output-shape", "cross-correlate2d"))
    hand_in(course, "wrong", WRONG)
    hand_in(course, "forbidden", FORBIDDEN)
    hand_in(course, "empty", None)
    hand_in(course, "crashing", CRASHING)
    nbgrader(course, "autograde", ASSIGNMENT)
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    nbgrader(course, "export")
    return course


def scores(course: Path) -> dict[str, dict[str, float]]:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            submission.student.id: {
                grade.name.removesuffix("-check"): grade.score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
        }


def feedback_text(course: Path, student: str) -> str:
    page = course / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text())).split())


@pytest.mark.slow
def test_right_answers_earn_everything_however_they_are_written(graded):
    points = {
        exercise.name.replace("_", "-"): exercise.points for exercise in exercises_of(ASSIGNMENT)
    }

    assert scores(graded)["right"] == points
    assert scores(graded)["differently"] == points
    assert sum(points.values()) == 40


def test_half_an_assignment_earns_its_half(graded):
    earned = {name: points for name, points in scores(graded)["half"].items() if points}

    assert earned == {"conv-output-size": 5, "conv-output-shape": 4, "cross-correlate2d": 9}


def test_stubs_earn_nothing_and_show_no_traceback(graded):
    assert set(scores(graded)["empty"].values()) == {0.0}
    text = feedback_text(graded, "empty")
    assert text.count("Not started yet.") == 7
    assert "Traceback (most recent call last)" not in text


def test_wrong_answers_lose_points_and_their_mistake_is_named_in_the_feedback(graded):
    earned = scores(graded)["wrong"]
    text = feedback_text(graded, "wrong")

    assert earned["conv-output-size"] == 3  # without padding the sizes are right
    assert earned["same-padding"] == 2  # text on stderr costs nothing, even spans do
    assert earned["convolve2d"] == 0
    assert "Padding adds p zeros at each of its two ends" in text
    assert "Your result is the correlation" in text
    assert "No symmetric padding keeps its size" in text


def test_forbidden_calls_earn_nothing_also_through_a_function_of_ones_own(graded):
    earned = scores(graded)["forbidden"]

    assert earned["cross-correlate2d"] == earned["convolve2d"] == 0  # one calls the other
    assert sum(earned.values()) == 40 - 9 - 4
    assert "Your answer calls F.conv2d" in feedback_text(graded, "forbidden")


def test_crashing_answers_cost_only_their_own_points(graded):
    earned = scores(graded)["crashing"]

    assert earned["convolve2d"] == earned["conv2d"] == 0
    assert sum(earned.values()) == 40 - 4 - 11
    assert "it stopped with SystemExit: 3" in feedback_text(graded, "crashing")


def test_export_has_a_row_for_each_submission(graded):
    with (graded / "grades.csv").open() as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    assert set(rows) == set(scores(graded))
    assert len(rows) == 7
    assert rows["right"] == 40


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A course in which every assignment is released."""
    course = new_course(tmp_path_factory.mktemp("released"))
    result = course_command(course, "release")
    assert result.returncode == 0, result.stderr
    return course


def printed(notebook: Any) -> str:
    """Return what the cells of an executed notebook print, stderr and errors included."""
    outputs = (out for cell in notebook.cells for out in cell.get("outputs", []))
    return "".join(out.get("text", "") or "".join(out.get("traceback", [])) for out in outputs)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_released_notebook_runs_with_its_stubs_also_without_nbgraders_marks(assignment, released):
    notebook = filled_in(released, assignment, None)
    for cell in notebook.cells:  # as an editor leaves it that keeps no marks
        cell.metadata = {}

    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=released)

    text = printed(notebook)
    for exercise in exercises_of(assignment):
        assert f"{exercise.name}: 0 of {exercise.points} points\nNot started yet." in text
    assert "Traceback" not in text


@pytest.mark.slow
@pytest.mark.parametrize("assignment", [name for name in ASSIGNMENTS if name != ASSIGNMENT])
def test_stock_nbgrader_gives_all_points_for_the_reference_and_none_for_stubs(assignment, released):
    hand_in(released, "right", {}, assignment)
    hand_in(released, "empty", None, assignment)
    points = sum(exercise.points for exercise in exercises_of(assignment))

    result = course_command(released, "grade", assignment)

    assert f"right: {points} of " in result.stdout, result.stdout + result.stderr
    assert "empty: 0 of " in result.stdout
    assert "2 graded, 0 flagged" in result.stdout


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_source_notebook_validates_and_holds_no_output(assignment):
    path = ROOT / "solutions" / assignment / f"{assignment}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert "Success! Your notebook passes all the tests." in nbgrader(ROOT, "validate", str(path))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_each_exercise_has_prompt_solution_and_check_with_its_points(assignment):
    path = ROOT / "solutions" / assignment / f"{assignment}.ipynb"
    cells = {
        cell.metadata.nbgrader.grade_id: cell for cell in nbformat.read(path, as_version=4).cells
    }

    for exercise in exercises_of(assignment):
        grade_id = exercise.name.replace("_", "-")
        check = cells[f"{grade_id}-check"]
        assert f"({exercise.points} point" in cells[f"{grade_id}-prompt"].source
        assert "### BEGIN SOLUTION" in cells[grade_id].source
        assert check.source == f"check({exercise.name})"
        assert check.metadata.nbgrader.points == exercise.points


@pytest.fixture
def course(tmp_path):
    return new_course(tmp_path)


def test_a_missing_assignment_is_told_in_one_sentence(course):
    result = course_command(course, "grade", "a9_magic")

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "no assignment is called 'a9_magic'; there are a1_convolution" in result.stderr


def test_grading_without_submissions_says_where_they_go(course):
    result = course_command(course, "grade", ASSIGNMENT)

    assert result.returncode == 1
    assert f"submitted/STUDENT/{ASSIGNMENT}/{ASSIGNMENT}.ipynb" in result.stderr


def test_outside_the_course_a_command_says_so(tmp_path):
    result = course_command(tmp_path, "release")

    assert result.returncode == 1
    assert "is not the course's folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_broken_submissions_are_flagged_and_the_others_graded(course):
    release = course_command(course, "release")
    assert release.returncode == 0, release.stderr
    hand_in(course, "ana", {})
    for student, content in [("json", '{"cells": ['), ("list", "[1, 2]"), ("bytes", "")]:
        folder = course / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_text(content)
    (course / "submitted" / "json" / ASSIGNMENT / "answers.txt").write_text("mine")
    (course / "submitted" / "nothing" / ASSIGNMENT).mkdir(parents=True)
    before = {path: path.read_bytes() for path in course.glob("submitted/**/*") if path.is_file()}

    result = course_command(course, "grade", ASSIGNMENT)

    assert "ana: 40 of 40" in result.stdout
    assert "1 graded, 4 flagged" in result.stdout
    for student in ("json", "list", "bytes", "nothing"):
        assert re.search(rf"^  {student}: .*\w", result.stdout, re.MULTILINE), student
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    after = {path: path.read_bytes() for path in course.glob("submitted/**/*") if path.is_file()}
    assert after == before


def test_the_bundle_runs_outside_the_repository(course, tmp_path):
    assert course_command(course, "release", ASSIGNMENT).returncode == 0
    shutil.unpack_archive(course / "release" / f"{ASSIGNMENT}.zip", tmp_path / "away")
    folder = tmp_path / "away" / ASSIGNMENT

    script = (
        "import course_utils, pathlib; from course_utils.checks import check\n"
        "assert pathlib.Path(course_utils.__file__).parent.parent == pathlib.Path.cwd()\n"
        "same_padding = lambda k, d=1: k // 2\n"
        "print(check(same_padding))"
    )
    result = run(folder, sys.executable, "-c", script)

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("same_padding: 1 of 3 points")
    assert result.stderr == ""
