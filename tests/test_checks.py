"""The registry grades itself, and the engine says what it should."""

import functools

import nbformat
import numpy as np
import pytest
import torch
from bench import ROOT, reference_answers

from course_utils.checks import check, examine
from course_utils.checks.checking import draw_cases
from course_utils.checks.comparison import Refusal, close
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden, Misconception, Place
from course_utils.checks.outcomes import Foreign, copy_argument, plain, run_case, unchanged
from course_utils.checks.references import oracle_answer
from course_utils.checks.references import reference_answers as stored_answers
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of

EXERCISES = [exercise for _, exercise in exercises_by_name().values()]
MISCONCEPTIONS = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.misconceptions]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@functools.cache
def answers(assignment):
    return reference_answers(assignment)


# --- the registry -----------------------------------------------------------------------------


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


@each_exercise
def test_every_exercise_knows_eight_mistakes_by_different_names(exercise):
    names = [wrong.name for wrong in exercise.misconceptions]

    assert len(set(names)) == len(names) >= 8


@each_exercise
def test_reference_tensors_are_what_the_oracle_says(exercise):
    assignment, _ = exercises_by_name()[exercise.name]

    for case, stored in zip(exercise.cases, stored_answers(assignment, exercise), strict=True):
        expected = oracle_answer(exercise, case)
        assert type(stored) is type(expected)
        if isinstance(expected, torch.Tensor):
            torch.testing.assert_close(stored, expected)
        else:
            assert stored == expected


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


def test_assignments_have_the_points_that_the_course_promises():
    assert sum(exercise.points for exercise in exercises_of("a1_convolution")) == 40


# --- what a student sees ----------------------------------------------------------------------


def same_padding(k, d=1):
    return d * (k - 1) // 2


def test_check_prints_a_report_and_gives_back_the_points(capfd):
    points = check(same_padding)

    out, err = capfd.readouterr()
    assert points == 2.0
    assert type(points) is float
    assert out.startswith("same_padding: 2 of 3 points\n")
    assert "✗ refusals: 0/1" in out
    assert "same_padding(2): it must raise ValueError" in out
    assert "Read chapter 3, “Same size”" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 88
    assert err == ""


def test_an_answer_is_found_by_the_name_that_it_is_bound_to():
    def decorate(function):
        return lambda *args, **kwargs: function(*args, **kwargs)

    right = answers("a1_convolution")["same_padding"]
    same_padding = lambda k, d=1: right(k, d)  # noqa: E731
    assert examine(same_padding).points == 3
    same_padding = decorate(right)
    assert examine(same_padding).points == 3
    same_padding = functools.partial(right)
    assert examine(same_padding).name == "same_padding"
    assert examine(right, name="same_padding").points == 3


def test_an_alias_is_judged_as_the_name_in_the_call():
    cross_correlate2d = answers("a1_convolution")["cross_correlate2d"]
    convolve2d = cross_correlate2d

    assert examine(convolve2d).name == "convolve2d"
    assert examine(convolve2d).misconception == "not-flipped"


def test_a_name_that_is_no_exercise_is_told_with_those_there_are():
    with pytest.raises(ValueError, match=r"no exercise is called 'helper'.*conv2d"):
        examine(lambda: None, name="helper")
    with pytest.raises(ValueError, match=r"no exercise is called .*check\(answer, name=\.\.\.\)"):
        check(lambda: None)


def test_other_arguments_than_the_fixed_ones_are_told():
    def same_padding(kernel, dilation=1):
        return answers("a1_convolution")["same_padding"](kernel, dilation)

    report = examine(same_padding)

    assert report.points < 3
    assert "`same_padding` takes (kernel, dilation=1), and has to take (k, d=1)" in report.message


def test_a_result_too_large_to_be_an_answer_is_told_and_not_copied():
    report = examine(lambda k, d=1: 10**5000, name="same_padding")

    assert report.code == "type"
    assert "it returned an int of 16610 bits" in report.message


def test_float64_that_went_through_float32_is_told_as_such():
    right = answers("a1_convolution")["convolve2d"]
    report = examine(lambda x, kernel: right(x.float(), kernel.float()).to(x), name="convolve2d")

    assert (report.points, report.code) == (3, "precision")
    assert "right to about seven digits only" in report.message


def test_something_that_cannot_be_called_is_told_how_to_define_it():
    report = examine(3, name="same_padding")

    assert (report.points, report.code) == (0, "uncallable")
    assert "`same_padding` is the int 3, not a function" in report.message


def test_the_example_on_the_assignments_page_is_what_check_prints(capsys):
    correlate = answers("a1_convolution")["cross_correlate2d"]

    def convolve2d(x, kernel):
        return correlate(x, kernel)

    check(convolve2d)

    page = (ROOT / "chapters" / "a1_convolution.md").read_text()
    example = page.partition("```text\n")[2].partition("```")[0]
    assert example.split() == capsys.readouterr().out.split()


def test_a_wrong_picture_shows_expected_yours_and_difference():
    report = examine(lambda x, kernel: torch.zeros(1, 1), name="convolve2d")

    assert [word in report.picture for word in ("expected", "yours", "difference")] == [True] * 3
    assert ">-8<" in report.picture


def test_a_wrong_shape_comes_with_the_shapes_on_the_way():
    report = examine(lambda x, kernel, stride=1, padding=0: x, name="cross_correlate2d")

    assert report.code == "shape"
    assert "Shapes on the way: (3, 3), padded (3, 3); a kernel of (3, 3)" in report.message


def test_refusing_everything_earns_nothing():
    def conv_output_size(n, k, p=0, s=1, d=1):
        raise ValueError("no")

    assert examine(conv_output_size).points == 0


def test_stderr_warnings_and_printing_cost_nothing(capfd):
    right = answers("a1_convolution")["same_padding"]

    def same_padding(k, d=1):
        import sys
        import warnings

        warnings.warn("careful", stacklevel=1)
        print("working on", k)
        print("loudly", file=sys.stderr)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return right(k, d)

    points = check(same_padding)

    out, err = capfd.readouterr()
    assert points == 3
    assert "working on" not in out
    assert err == ""
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


def test_a_right_result_with_a_changed_input_is_no_mistake_about_values():
    right = answers("a1_convolution")["convolve2d"]

    def convolve2d(x, kernel):
        result = right(x, kernel)
        x.zero_()
        return result

    report = examine(convolve2d)

    assert (report.points, report.code, report.misconception) == (0, "changed", None)


def test_an_interrupt_passes_through():
    def same_padding(k, d=1):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(same_padding)


# --- the engine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).reshape(4, 6).T,
        torch.arange(24.0).reshape(4, 6)[:, 1::2],
        torch.arange(3.0).expand(4, 3),
        torch.arange(6.0).as_strided((3, 3), (1, 1)),
    ],
    ids=["transposed", "sliced", "expanded", "overlapping"],
)
def test_a_copied_argument_keeps_values_and_strides_and_shares_nothing(tensor):
    copy = copy_argument(tensor)

    torch.testing.assert_close(copy, tensor)
    assert copy.stride() == tensor.stride()
    assert copy.untyped_storage().data_ptr() != tensor.untyped_storage().data_ptr()


class Agreeable(torch.Tensor):
    def __eq__(self, other):
        return True


class Seven(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "value", [torch.zeros(2).as_subclass(Agreeable), Seven(1), np.zeros(2), np.int64(3), object()]
)
def test_only_plain_values_count_as_answers(value):
    assert isinstance(plain(value), Foreign)
    assert isinstance(plain((value, 1))[0], Foreign)


def test_a_tuples_subclass_is_a_tuple():
    assert plain(torch.zeros(2, 3).shape) == (2, 3)
    assert type(plain(torch.zeros(2, 3).shape)) is tuple


def test_a_changed_argument_is_noticed_wherever_it_is():
    tensor = torch.zeros(3)

    assert run_case(lambda x: x.add_(1), Case("g", (tensor,)), ("x",)).changed == "x"
    assert run_case(lambda x: x.append(1), Case("g", (), {"x": [1]}), ("x",)).changed == "x"
    assert not unchanged([torch.ones(2)], [torch.zeros(2)])
    assert tensor.sum() == 0


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_values_are_compared_within_a_share_of_the_largest(dtype, tolerance):
    expected = torch.tensor([100.0, 0.0, -3.0], dtype=dtype)
    step = torch.tensor([0, 100 * tolerance, 0], dtype=dtype)

    assert close(expected + 0.9 * step, expected).all()
    assert not close(expected + 1.1 * step, expected).all()
    assert not close(torch.full_like(expected, torch.nan), expected).any()


def test_groups_have_to_add_up_to_the_points():
    with pytest.raises(ValueError, match="groups add up to 1, not 2"):
        Exercise("f", 2, abs, (), lambda rng: [], (), Forbidden(""), {"a": 1})


def toy(*wrong):
    place = Place("02_correlation_and_convolution", "The layer")
    cases = (Case("g", (1,)), Case("g", (2,)), Case("g", (3,)))
    mistakes = tuple(Misconception(f.__name__, f, "m", place) for f in wrong)
    return Exercise("f", 1, lambda n: n, cases, lambda rng: [], mistakes, Forbidden(""), {"g": 1})


def test_a_mistake_is_named_only_if_it_alone_explains_every_result():
    from course_utils.checks.diagnosis import explain

    def double(n):
        return 2 * n

    def double_too(n):
        return n + n

    def off_by_one(n):
        return n + 1

    def runs(answer, exercise):
        return [(case, run_case(answer, case), case.args[0]) for case in exercise.cases]

    exercise = toy(double, off_by_one)
    assert explain(exercise, runs(double, exercise))[0].name == "double"
    assert explain(exercise, runs(lambda n: 2 * n if n < 3 else 7, exercise))[0] is None
    ambiguous = toy(double, double_too)
    assert explain(ambiguous, runs(double, ambiguous))[0] is None


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_notebook_asks_for_what_the_registry_checks(assignment):
    path = ROOT / "solutions" / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    checks = [cell.source for cell in cells if cell.source.startswith("check(")]

    assert checks == [f"check({exercise.name})" for exercise in exercises_of(assignment)]
