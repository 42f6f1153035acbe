"""From a notebook's bytes to a verdict, through the real sandbox."""

import inspect
import json
import os
import signal

import pytest
from good_submissions import content_of, references, release_of, submission

from course_utils.checks import checking, examine
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of
from course_utils.grading import worker
from course_utils.grading.judging import grade_one, paper_of, sandbox_for
from course_utils.grading.release import Release
from course_utils.grading.sandbox import Sandbox, bubblewrap

ASSIGNMENT = "a1_convolution"
SEED = 11
KEPT = ("same-padding", "conv-output-size", "conv-output-shape", "convolve2d")
KEPT += ("cross-correlate2d",)
RIGHT = {
    "same-padding": 3.0,
    "conv-output-size": 5.0,
    "conv-output-shape": 4.0,
    "cross-correlate2d": 9.0,
    "convolve2d": 4.0,
}

walls = pytest.mark.skipif(not bubblewrap(), reason="bubblewrap is not installed")


@pytest.fixture
def nothing_judged():
    """Forget what was judged before: the same results would get the same report."""
    paper_of.cache_clear()
    yield
    paper_of.cache_clear()


def cut_release():
    """Return assignment 1 with five of its exercises."""
    notebook = release_of(ASSIGNMENT).notebook()
    ids = {
        "title",
        "setup",
        *(f"{name}{end}" for name in KEPT for end in ("", "-prompt", "-check")),
    }
    notebook.cells = [c for c in notebook.cells if c.metadata.nbgrader.grade_id in ids]
    return Release(ASSIGNMENT, notebook)


@pytest.fixture(scope="module")
def release():
    return cut_release()


@pytest.fixture(scope="module")
def sandbox(release):
    with sandbox_for(release, cpu_seconds=2) as found:
        yield found


@pytest.fixture
def judged(release, sandbox):
    """Return a function from answers, and cells before and after them, to a verdict."""

    def judge(answers=None, *, before=(), after=(), seed=SEED, student="ana"):
        notebook = release.notebook()
        sources = {**references(ASSIGNMENT), **(answers or {})}
        for cell in notebook.cells:
            cell.source = sources.get(cell.metadata.nbgrader.grade_id, cell.source)
        extra = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        new = [[{**extra, "source": source} for source in some] for some in (before, after)]
        notebook.cells = [*new[0], *notebook.cells, *new[1]]
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"
        content = json.dumps({**notebook, "cells": [dict(cell) for cell in notebook.cells]})
        return grade_one(content.encode(), student, release, seed, sandbox, "this one")

    return judge


def points(verdict):
    return {one.grade_id.removesuffix("-check"): one.points for one in verdict.exercises}


def of(verdict, exercise):
    return next(one for one in verdict.exercises if one.exercise == exercise)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_reference_earns_everything_and_stubs_nothing(assignment):
    release = release_of(assignment)
    with sandbox_for(release) as sandbox:
        right = grade_one(content_of(submission(assignment)), "ana", release, SEED, sandbox)
        empty = grade_one(release.text.encode(), "ben", release, SEED, sandbox)

    assert [one.code for one in right.exercises] == ["right"] * len(exercises_of(assignment))
    assert right.points == right.max_points == sum(e.points for e in exercises_of(assignment))
    assert right.flags == empty.flags == ()
    assert {(one.points, one.code) for one in empty.exercises} == {(0, "unstarted")}


def test_a_verdict_survives_json(judged):
    verdict = judged({"same-padding": "def same_padding(k, d=1):\n    return k // 2"})

    assert type(verdict).from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


WRONG = {
    "same_padding": "def same_padding(k, d=1):\n    return k // 2",
    "conv_output_size": "def conv_output_size(n, k, p=0, s=1, d=1):\n"
    "    return (n + p - d * (k - 1) - 1) // s + 1",
    "convolve2d": "def convolve2d(x, kernel):\n    return cross_correlate2d(x, kernel)",
    "cross_correlate2d": "def cross_correlate2d(x, kernel, stride=1, padding=0):\n"
    "    return torch.zeros(2, 2)",
}


@pytest.mark.parametrize("name", WRONG)
def test_points_code_and_name_are_those_that_examine_gives(judged, name):
    namespace = {"torch": __import__("torch")}
    for helper in ("conv-output-size", "conv-output-shape", "cross-correlate2d"):
        exec(references(ASSIGNMENT)[helper], namespace)
    exec(WRONG[name], namespace)

    report = examine(namespace[name], name=name, seed=SEED)
    found = of(judged({name.replace("_", "-"): WRONG[name]}), name)

    assert (found.points, found.code) == (report.points, report.code)
    assert found.misconception == report.misconception
    assert found.text.startswith(report.text())
    assert 0 <= found.points < found.max_points


def test_one_exercise_never_costs_another(judged):
    forever = "def same_padding(k, d=1):\n    while True:\n        pass"
    broken = "def convolve2d(x, kernel:\n    return"

    verdict = judged({"same-padding": forever, "convolve2d": broken})

    assert points(verdict) == {**RIGHT, "same-padding": 0.0, "convolve2d": 0.0}
    assert of(verdict, "same_padding").code == "timeout"
    assert "10 seconds of processor time" in of(verdict, "same_padding").text
    assert of(verdict, "convolve2d").code == "undefined"
    assert "SyntaxError" in of(verdict, "convolve2d").text
    assert [flag.code for flag in verdict.flags] == ["timeout"]


HELPED = "def same_padding(k, d=1):\n    return halved(d * (k - 1))"
HELPER = """def halved(span):
    if span % 2:
        raise ValueError("even")
    return span // 2
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([HELPER], []),
        ([], [HELPER]),
        (["import torch", "x = 1", HELPER], []),
        ([f"{HELPER}\nprint(halved(1))"], []),
        ([f"{HELPER}\nwhile True:\n    pass"], []),
        ([f"%matplotlib inline\n!ls\n{HELPER}"], []),
        ([f"%%time\n{HELPER}"], []),
        ([f"from course_utils import plots\n{HELPER}"], []),
        ([f"exec({HELPER!r}, globals())"], []),
    ],
)
def test_a_helper_is_found_wherever_it_stands(judged, before, after):
    assert points(judged({"same-padding": HELPED}, before=before, after=after)) == RIGHT


@pytest.mark.parametrize(
    "more",
    [
        "while True:\n    pass",
        "same_padding(2)",
        "import os\nos._exit(0)",
        "import sys\nsys.exit()",
        "display(same_padding(3))\nget_ipython().run_line_magic('time', '')",
        "raise KeyboardInterrupt",
        "assert same_padding(3) == 7",
        "input()",
    ],
)
def test_what_follows_a_right_answer_in_its_cell_costs_nothing(judged, more):
    source = references(ASSIGNMENT)["same-padding"]

    assert points(judged({"same-padding": f"{source}\n{more}"})) == RIGHT


def test_other_cells_cannot_spoil_an_answer(judged):
    before = ["import torch\ntorch.zeros = None\nsum = range = 0\nimport os\nos._exit(1)"]

    assert points(judged(before=before)) == RIGHT


def test_a_wrong_drawn_case_tells_nothing_that_is_expected(judged):
    exercise = exercises_by_name()["conv_output_size"][1]
    signature = inspect.signature(exercise.oracle)
    visible = set()
    for case in exercise.cases:
        bound = signature.bind(*case.args, **case.kwargs)
        bound.apply_defaults()
        visible.add(bound.args)
    source = references(ASSIGNMENT)["conv-output-size"].replace("def conv_output_size(", "def f(")
    cheat = (
        f"{source}\ndef conv_output_size(n, k, p=0, s=1, d=1):\n"
        f"    return f(n, k, p, s, d) if (n, k, p, s, d) in {visible} else -1"
    )

    found = of(judged({"conv-output-size": cheat}), "conv_output_size")

    assert found.points < 5
    assert "yours is -1, which is wrong" in found.text
    assert "expected" not in found.text


def test_memory_is_limited_and_told(judged):
    huge = "def same_padding(k, d=1):\n    return len(bytearray(2 << 30))"

    assert of(judged({"same-padding": huge}), "same_padding").points == 0
    assert "MemoryError" in of(judged({"same-padding": huge}), "same_padding").text


def test_a_cell_that_takes_all_memory_and_stops_leaves_the_answer_its_own(judged):
    source = references(ASSIGNMENT)["same-padding"]
    needing = source.replace("### BEGIN SOLUTION", "bytearray(1 << 22)")
    taken = "full = []\nwhile True:\n    full.append(bytearray(1 << 20))"

    found = of(judged({"same-padding": f"{needing}\n{taken}"}), "same_padding")

    assert (found.code, found.points) == ("right", 3)


def test_the_same_submission_gives_the_same_verdict_whatever_came_before(judged):
    wrong = {"same-padding": WRONG["same_padding"]}
    first = judged(wrong)
    judged({"same-padding": "import os\ndef same_padding(k, d=1):\n    os.abort()"})
    judged(before=["import torch\ntorch.set_default_dtype(torch.float64)"])

    assert judged(wrong) == first


def test_a_worker_that_was_killed_is_started_again(judged, sandbox):
    judged()
    os.kill(sandbox._process.pid, signal.SIGKILL)

    assert (
        points(judged({"same-padding": "# again\n" + references(ASSIGNMENT)["same-padding"]}))
        == RIGHT
    )


def test_without_a_sandbox_the_record_says_so(release):
    with sandbox_for(release, walled=False) as sandbox:
        verdict = grade_one(content_of(submission(ASSIGNMENT)), "ana", release, SEED, sandbox)

    assert verdict.sandbox == "no sandbox"
    assert verdict.points == 25


@walls
def test_with_bubblewrap_the_record_says_so(judged):
    assert judged().sandbox == "bubblewrap"


def test_a_notebook_that_cannot_be_read_has_a_verdict_for_each_exercise(release, sandbox):
    verdict = grade_one(b"{", "ana", release, SEED, sandbox)

    assert verdict.problem
    assert [one.code for one in verdict.exercises] == ["missing"] * 5
    assert all(verdict.problem in one.text for one in verdict.exercises)


def test_what_an_exercise_leaves_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "FOLDERS", (tmp_path,))
    (tmp_path / "here/before").mkdir(parents=True)
    before = frozenset(worker._entries())
    (tmp_path / "here/new/deeper").mkdir(parents=True)
    (tmp_path / "here/new/deeper/file").write_text("for the next")
    (tmp_path / "link").symlink_to(tmp_path / "here")

    assert worker._clean(before)
    assert frozenset(worker._entries()) == before
    for number in range(worker.MOST_LEFT + 1):
        (tmp_path / f"here/{number}").touch()
    assert not worker._clean(before)


def test_closing_a_sandbox_leaves_no_process_and_no_folder(release):
    sandbox = sandbox_for(release)
    grade_one(release.text.encode(), "ana", release, SEED, sandbox)
    process, folder = sandbox._process, sandbox._folder

    sandbox.close()

    assert process.poll() is not None
    assert not folder.exists()


def test_a_broken_worker_is_our_fault_and_no_verdict(release, monkeypatch):
    from course_utils.grading import sandbox as room

    monkeypatch.setattr(room, "RUN", "raise SystemExit('no')")
    with Sandbox() as broken, pytest.raises(room.SandboxError, match="did not start: no"):
        grade_one(content_of(submission(ASSIGNMENT)), "ana", release, SEED, broken)


@pytest.mark.usefixtures("nothing_judged")
def test_an_answer_on_which_the_grader_fails_costs_no_other_one(judged, monkeypatch, caplog):
    def failing(exercise, *_args, **_settings):
        if exercise.name == "same_padding":
            raise ZeroDivisionError("of the grader")
        return judge(exercise, *_args, **_settings)

    judge = checking.judge
    monkeypatch.setattr(checking, "judge", failing)

    verdict = judged({})

    assert points(verdict) == {**RIGHT, "same-padding": 0.0}
    assert of(verdict, "same_padding").code == "unjudged"
    assert "a person will look" in of(verdict, "same_padding").text
    assert [(flag.code, flag.exercise) for flag in verdict.flags] == [("unjudged", "same_padding")]
    assert "ZeroDivisionError" in verdict.flags[0].sentence
    assert len(caplog.records) == 1
    caplog.clear()


@pytest.mark.usefixtures("nothing_judged")
def test_a_mistake_that_cannot_be_named_leaves_its_verdict(judged, monkeypatch, caplog):
    def failing(*_args, **_settings):
        raise ZeroDivisionError("of the grader")

    monkeypatch.setattr(checking, "explain", failing)

    verdict = judged({"convolve2d": "def convolve2d(x, kernel):\n    return x"})

    assert points(verdict) == {**RIGHT, "convolve2d": 0.0}
    assert of(verdict, "convolve2d").code == "shape"
    assert of(verdict, "convolve2d").misconception is None
    assert len(caplog.records) == 1
    caplog.clear()
