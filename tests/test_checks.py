"""The registry grades itself, and the engine says what it should."""

import functools
import json
import math
from collections import OrderedDict, defaultdict
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from course_utils.checks import check, examine
from course_utils.checks.checking import draw_cases, judge
from course_utils.checks.comparison import Refusal, close, difference
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden, Misconception, Place
from course_utils.checks.outcomes import (
    Foreign,
    Outcome,
    copy_argument,
    plain,
    run_case,
    unchanged,
)
from course_utils.checks.references import _decode as decode
from course_utils.checks.references import _encode as encode
from course_utils.checks.references import oracle_answer, store_references
from course_utils.checks.references import reference_answers as stored_answers
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of
from course_utils.grading.sources import reference_answers

ROOT = Path(__file__).parents[1]
EXERCISES = [exercise for _, exercise in exercises_by_name().values()]
MISCONCEPTIONS = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.misconceptions]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@functools.cache
def answers(assignment):
    return reference_answers(assignment, ROOT / "solutions")


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
def test_every_exercise_knows_enough_mistakes_by_different_names(exercise):
    names = [wrong.name for wrong in exercise.misconceptions]

    assert len(set(names)) == len(names) >= (3 if exercise.points <= 3 else 8)


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


class AgreeableArray(np.ndarray):
    def __eq__(self, other):
        return True


class Seven(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2).as_subclass(Agreeable),
        torch.nn.Parameter(torch.zeros(2)),
        Seven(1),
        np.zeros(2).view(AgreeableArray),
        np.zeros(2, dtype=object),
        np.int64(3),
        object(),
    ],
)
def test_only_plain_values_count_as_answers(value):
    assert isinstance(plain(value), Foreign)
    assert isinstance(plain((value, 1))[0], Foreign)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.zeros(2, 3).shape, (2, 3)),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (np.float64(0.5), 0.5),
    ],
)
def test_a_subclass_of_a_built_in_container_is_read_as_one(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


class LyingDict(dict):
    def items(self):
        return [("loss", 1.0)]

    def __len__(self):
        return 1


def test_a_dict_that_lies_about_its_items_is_read_as_it_is():
    assert plain(LyingDict(loss=2.0, n=3)) == {"loss": 2.0, "n": 3}


NESTED = {"loss": 2.0, "n": 3, "maps": (torch.ones(2), [0.5, math.inf]), "pixels": np.eye(2)}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({**NESTED}, None),
        ({**NESTED, "loss": 2}, None),
        ({**NESTED, "loss": 2.0 + 1e-5}, None),
        ({**NESTED, "loss": 2.0 + 3e-5}, "loss: expected 2, yours is 2.00003"),
        ({**NESTED, "loss": math.nan}, "loss: expected 2, yours is nan"),
        ({**NESTED, "n": 3.0}, "n of the result is the float 3.0; it has to be a Python int"),
        ({**NESTED, "n": 4}, "n: expected 3, yours is 4"),
        ({"loss": 2.0}, "the key 'n' is missing"),
        ({**NESTED, "more": 1}, "the key 'more' must not be there"),
        ({**NESTED, "loss": torch.tensor(2.0)}, "loss of the result is a tensor without dim"),
        ({**NESTED, "maps": (torch.ones(2),)}, "in maps, it returned 1 values; return 2 here"),
        ({**NESTED, "maps": (2 * torch.ones(2), [0.5, math.inf])}, "maps: in result 0, at [0]"),
        ({**NESTED, "maps": (torch.ones(2), [0.5, 1.0])}, "maps: in result 1, expected [0.5, inf]"),
        ({**NESTED, "pixels": np.zeros((2, 2))}, "pixels: at [0, 0] expected 1, yours is 0"),
        ({**NESTED, "pixels": np.eye(2, dtype="float32")}, "pixels: the dtype is float32"),
        ({**NESTED, "pixels": torch.eye(2)}, "`.numpy()` makes one"),
    ],
)
def test_containers_are_compared_item_by_item(value, sentence):
    found = difference(Outcome(plain(value)), NESTED)

    assert (found is None) == (sentence is None)
    assert found is None or sentence in found.sentence


def test_a_number_is_compared_within_a_share_of_the_largest_beside_it():
    assert difference(Outcome([100.0, 0.0005]), [100.0, 0.0]) is None
    assert difference(Outcome([100.0, 0.002]), [100.0, 0.0]) is not None
    assert difference(Outcome(0.0005), 0.0) is not None


class Counter:
    def __init__(self, start):
        self.n = start

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.n += 1


def counted(answer, start):
    if start < 0:
        raise KeyError(start)
    with answer(start) as counter:
        pass
    return {"the count after the block": counter.n, "a share": 0.5}


def class_exercise():
    cases = (
        Case("count", (1,), told="one block"),
        Case(REFUSALS, (-1,), refusal="it is negative", error="KeyError", told="a negative start"),
    )
    groups = {"count": 1, REFUSALS: 1}
    return Exercise(
        "Counter", 2, Counter, cases, lambda rng: [], (), Forbidden(""), groups,
        probe=counted, tolerances={"a share": 0.1},
    )  # fmt: skip


def report_on(exercise, answer):
    outcomes = [run_case(answer, case, probe=exercise.probe) for case in exercise.cases]
    expected = [oracle_answer(exercise, case) for case in exercise.cases]
    return judge(exercise, exercise.cases, outcomes, expected, n_visible=2)


def test_a_class_is_judged_by_what_a_probe_observes():
    class Forgetful(Counter):
        def __exit__(self, *error):
            pass

    assert report_on(class_exercise(), Counter).code == "right"
    report = report_on(class_exercise(), Forgetful)
    assert report.points == 0
    assert report.message == (
        "Counter, one block: the count after the block: expected 2, yours is 1."
    )


def test_an_observation_has_its_own_tolerance():
    exercise = class_exercise()
    seen = {"the count after the block": 2, "a share": 0.55}

    assert difference(Outcome(seen), counted(Counter, 1), exercise.tolerances) is None
    seen["a share"] = 0.65
    found = difference(Outcome(seen), counted(Counter, 1), exercise.tolerances)
    assert found.sentence == "a share: expected 0.5, yours is 0.65"


def test_a_case_may_ask_for_another_exception_than_value_error():
    case = class_exercise().cases[1]
    wanted = oracle_answer(class_exercise(), case)

    found = difference(run_case(lambda start: None, Case("g", (1,)), probe=raise_value), wanted)
    assert "it must raise KeyError, since it is negative; yours stopped with ValueError" in (
        found.sentence
    )


def raise_value(answer, start):
    raise ValueError(start)


def test_reference_answers_are_stored_as_they_are_and_the_same_bytes_again(tmp_path):
    answer = {"a": (1, 2.5, [torch.ones(2), None]), "b": np.arange(3), "c": [True, "x", math.inf]}
    tensors = {}
    text = json.dumps(encode(answer, "key", tensors))
    found = decode(json.loads(text), tensors)

    assert difference(Outcome(found), answer) is None
    assert type(found["a"]) is tuple
    paths = [store_references("a1_convolution", tmp_path / name) for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()


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
