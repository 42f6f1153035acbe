"""The engine of the checks compares, copies, stores and names as it should."""

import json
import math
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch

from course_utils.checks.checking import judge
from course_utils.checks.comparison import close, difference
from course_utils.checks.diagnosis import explain
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
