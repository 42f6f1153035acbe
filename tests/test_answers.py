"""Many students' answers to assignments 2 to 7: right ones, wrong ones, and forbidden calls.

``answers/aN_right.py`` holds functions and classes called EXERCISE_by_HOW; ``answers/aN_wrong.py``
holds WRONG and FORBIDDEN, dicts of exercise -> what is wrong -> answer. ``answers/aN_student.py``,
of assignment 1 too, holds WRONG answers that were written from the prompts, without the registry.
"""

from importlib import import_module
from pathlib import Path

import pytest
from named_answers import SETS, all_wrong_answers, stored_names

from course_utils.checks import examine
from course_utils.checks.registry import ASSIGNMENTS, exercises_of

FOLDER = Path(__file__).parent / "answers"
OTHERS = [name for name in ASSIGNMENTS if name != "a1_convolution"]  # has a room of its own
NAMES = stored_names()
NAMED_SHARE = {  # of the answers of each set, by assignment; `make named` prints what it is
    "wrong": dict(zip(ASSIGNMENTS, (0.90, 0.88, 0.68, 0.78, 0.70, 0.75, 0.50), strict=True)),
    "student": dict(zip(ASSIGNMENTS, (0.95, 0.95, 0.95, 0.88, 0.90, 0.90, 0.85), strict=True)),
}


def answers(assignment, kind):
    return import_module(f"answers.{assignment[:2]}_{kind}")


def right_answers(assignment):
    found = vars(answers(assignment, "right")).items()
    return [
        (name.partition("_by_")[0], name, answer)
        for name, answer in found
        if "_by_" in name and callable(answer) and not name.startswith("_")
    ]


RIGHT = [
    pytest.param(exercise, answer, id=name)
    for assignment in OTHERS
    for exercise, name, answer in right_answers(assignment)
]


WRONG = [
    pytest.param(name, answer, NAMES[kind][name][what], id=f"{name}, {kind}: {what}")
    for assignment, kind, name, what, answer in all_wrong_answers()
    if (assignment, kind) != ("a1_convolution", "wrong")
]
FORBIDDEN = [
    pytest.param(name, answer, id=f"{name}: {what}")
    for assignment in OTHERS
    for name, by_what in getattr(answers(assignment, "wrong"), "FORBIDDEN", {}).items()
    for what, answer in by_what.items()
]


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answer_earns_everything(name, answer, seed):
    report = examine(answer, name=name, seed=seed)

    assert (report.message, report.code) == ("", "right")
    assert report.points == report.max_points


@pytest.mark.parametrize(("name", "answer", "mistake"), WRONG)
def test_wrong_answer_loses_points_and_has_its_name_or_none(name, answer, mistake, capfd):
    report = examine(answer, name=name)

    assert report.points < report.max_points
    assert report.code not in {"right", "unstarted", "forbidden"}
    assert report.message
    assert report.misconception == mistake
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_most_wrong_answers_have_a_name(assignment, kind):
    exercises = [exercise.name for exercise in exercises_of(assignment)]
    names = [name for exercise in exercises for name in NAMES[kind][exercise].values()]

    assert sum(map(bool, names)) / len(names) >= NAMED_SHARE[kind][assignment]


@pytest.mark.parametrize(("name", "answer"), FORBIDDEN)
def test_forbidden_call_earns_nothing_and_is_told(name, answer):
    report = examine(answer, name=name)

    assert (report.points, report.code) == (0, "forbidden")
    assert report.message.startswith("Your answer calls `")


@pytest.mark.parametrize("assignment", OTHERS)
def test_every_exercise_has_right_answers_of_three_kinds_and_wrong_ones(assignment):
    written = [exercise for exercise, _, _ in right_answers(assignment)]
    wrong = answers(assignment, "wrong").WRONG

    for exercise in exercises_of(assignment):
        assert written.count(exercise.name) >= 3, exercise.name
        assert len(wrong[exercise.name]) >= 5, exercise.name
