"""What a student sees of a check."""

import functools
import sys
import warnings
from pathlib import Path

import pytest
import torch

from course_utils.checks import check, examine
from course_utils.grading.sources import reference_answers

ROOT = Path(__file__).parents[1]


@functools.cache
def answers(assignment):
    return reference_answers(assignment, ROOT / "solutions")


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


def fraction(k, d=1):
    return float(answers("a1_convolution")["same_padding"](k, d))


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda k, d=1: None, "nothing-returned"),
        (lambda k, d=1: print(k), "printed-not-returned"),
        (fraction, "wrong-type"),
        (lambda k, d=1: None if k > 3 else "?", None),
    ],
)
def test_a_fault_of_form_has_a_name_if_it_alone_explains_every_wrong_result(answer, name):
    report = examine(answer, name="same_padding")

    assert report.misconception == name
    assert report.points < 3


def test_a_right_result_with_a_changed_input_is_no_mistake_about_values():
    right = answers("a1_convolution")["convolve2d"]

    def convolve2d(x, kernel):
        result = right(x, kernel)
        x.zero_()
        return result

    report = examine(convolve2d)

    assert (report.points, report.code, report.misconception) == (0, "changed", "input-changed")


def test_an_interrupt_passes_through():
    def same_padding(k, d=1):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(same_padding)
