"""The registry grades itself: references, stubs, misconceptions, drawn cases, notebooks."""

import functools
import inspect
from pathlib import Path

import nbformat
import pytest

from course_utils.checks import examine
from course_utils.checks.checking import draw_cases
from course_utils.checks.comparison import Refusal, difference
from course_utils.checks.exercise import REFUSALS
from course_utils.checks.outcomes import Outcome
from course_utils.checks.references import oracle_answer
from course_utils.checks.references import reference_answers as stored_answers
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of
from course_utils.grading.sources import reference_answers

POINTS = {  # by machine; a7 has 12 more by hand
    "a1_convolution": 40,
    "a2_im2col_pooling": 45,
    "a3_softmax_cross_entropy": 45,
    "a4_lenet5": 40,
    "a5_training": 40,
    "a6_hooks": 50,
    "a7_which_bug": 28,
}
ROOT = Path(__file__).parents[1]
EXERCISES = [exercise for _, exercise in exercises_by_name().values()]
MISCONCEPTIONS = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.misconceptions]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@functools.cache
def answers(assignment):
    return reference_answers(assignment, ROOT / "solutions")


@each_exercise
def test_the_reference_earns_everything_also_on_drawn_cases(exercise):
    assignment, _ = exercises_by_name()[exercise.name]
    answer = answers(assignment)[exercise.name]

    for seed in (None, 0, 1, 2, 3):
        report = examine(answer, name=exercise.name, seed=seed)
        assert (report.points, report.code, report.message) == (exercise.points, "right", ""), seed


@each_exercise
def test_the_stub_earns_nothing_and_is_told_so(exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError

    report = examine(stub, name=exercise.name, seed=1)

    assert (report.points, report.code, report.message) == (0, "unstarted", "Not started yet.")


@pytest.mark.parametrize(
    ("exercise", "wrong"), MISCONCEPTIONS, ids=[f"{e.name}-{w.name}" for e, w in MISCONCEPTIONS]
)
def test_every_misconception_loses_points_and_is_called_by_its_name(exercise, wrong):
    for seed in (None, 5):
        report = examine(wrong.answer, name=exercise.name, seed=seed)

        assert report.points < exercise.points
        assert report.misconception == wrong.name
        assert wrong.message in report.message
        assert str(wrong.place) in report.message
        lost = {group for group, (earned, full) in report.groups.items() if earned < full}
        assert wrong.group in {"", *lost}
        assert len(lost) == 1 or not wrong.group


class Anything:
    """Equal to everything, and can do nothing."""

    def __eq__(self, other):
        return True

    __hash__ = None


@each_exercise
@pytest.mark.parametrize("result", [None, 0, {}, (), Anything()], ids=lambda one: repr(one)[:9])
def test_an_answer_that_does_nothing_earns_nothing(exercise, result):
    def answer(*_args, **_settings):
        return result

    answer.__signature__ = inspect.signature(exercise.oracle)

    assert examine(answer, name=exercise.name, seed=3).points == 0


@each_exercise
def test_every_exercise_knows_enough_mistakes_by_different_names(exercise):
    names = [wrong.name for wrong in exercise.misconceptions]

    assert len(set(names)) == len(names) >= (3 if exercise.points <= 3 else 8)


@each_exercise
def test_reference_tensors_are_what_the_oracle_says(exercise):
    assignment, _ = exercises_by_name()[exercise.name]

    for case, stored in zip(exercise.cases, stored_answers(assignment, exercise), strict=True):
        expected = oracle_answer(exercise, case)
        if isinstance(expected, Refusal):
            assert stored == expected
        else:
            assert difference(Outcome(stored), expected, exercise.tolerances) is None, case


@each_exercise
def test_cases_are_drawn_by_the_seed_and_of_every_group(exercise):
    first, again, other = (draw_cases(exercise, seed) for seed in (1, 1, 2))

    assert repr(first) == repr(again) != repr(other)
    assert {case.group for case in first} == set(exercise.groups)
    for seed in range(20):
        for case in draw_cases(exercise, seed):
            refused = isinstance(oracle_answer(exercise, case), Refusal)
            assert refused == (case.refusal is not None), case
            assert (case.group == REFUSALS) == refused, case


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_assignments_have_the_points_that_the_course_promises(assignment):
    assert sum(exercise.points for exercise in exercises_of(assignment)) == POINTS[assignment]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_notebook_asks_for_what_the_registry_checks(assignment):
    path = ROOT / "solutions" / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    checks = [cell.source for cell in cells if cell.source.startswith("check(")]

    assert checks == [f"check({exercise.name})" for exercise in exercises_of(assignment)]
