"""Many students' answers to assignments 2 to 7: right ones, wrong ones, and forbidden calls.

``answers/aN_right.py`` holds functions and classes called EXERCISE_by_HOW; ``answers/aN_wrong.py``
holds WRONG and FORBIDDEN, dicts of exercise -> what is wrong -> answer.
"""

from importlib import import_module
from pathlib import Path

import pytest

from course_utils.checks import examine
from course_utils.checks.registry import ASSIGNMENTS, exercises_of

FOLDER = Path(__file__).parent / "answers"
OTHERS = [name for name in ASSIGNMENTS if name != "a1_convolution"]  # has a room of its own


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


def flat(table):
    return [
        pytest.param(name, answer, id=f"{name}: {what}")
        for assignment in OTHERS
        for name, by_what in getattr(answers(assignment, "wrong"), table, {}).items()
        for what, answer in by_what.items()
    ]


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answer_earns_everything(name, answer, seed):
    report = examine(answer, name=name, seed=seed)

    assert (report.message, report.code) == ("", "right")
    assert report.points == report.max_points


@pytest.mark.parametrize(("name", "answer"), flat("WRONG"))
def test_wrong_answer_loses_points_on_the_visible_cases(name, answer, capfd):
    report = examine(answer, name=name)

    assert report.points < report.max_points
    assert report.code not in {"right", "unstarted", "forbidden"}
    assert report.message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "answer"), flat("FORBIDDEN"))
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
