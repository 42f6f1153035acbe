"""The engine of the checks compares, copies, stores and names as it should."""

import json
import math
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch

from course_utils.checks.checking import judge
from course_utils.checks.comparison import (
    Difference,
    Refusal,
    close,
    close_numbers,
    describe,
    difference,
    shown,
)
from course_utils.checks.diagnosis import explain
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden, Misconception, Place
from course_utils.checks.outcomes import (
    Failure,
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
    assert report.message.splitlines()[0] == (
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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((torch.zeros((4,) * 11),), "a tuple of 1: (Tensor(4, 4, 4, 4,"),
        ((np.zeros((4,) * 11),), "a tuple of 1: (array(4, 4, 4, 4,"),
        ({"a": torch.zeros((4,) * 11)}, "a dict of 1: {'a': Tensor(4, 4, 4, 4,"),
        ((torch.zeros(2), 1), "a tuple of 2: (tensor([0., 0.]), 1)"),
        ([list(range(1000))] * 9_000, "a list of 9000: [[0, 1, 2, 3,"),
    ],
)
def test_of_a_large_value_the_beginning_is_told_and_the_rest_not_looked_at(value, told):
    assert told in difference(Outcome(value), 5).sentence


ODD = Refusal("it is odd")


@pytest.mark.parametrize(
    ("outcome", "code", "sentence"),
    [
        (Outcome(Failure(("OddError", "ValueError"), "", "")), None, None),
        (
            Outcome(Failure(("TypeError",), "no", "")),
            "exception",
            "it must raise ValueError, since it is odd; yours stopped with TypeError: no",
        ),
        (Outcome(Failure(("NotImplementedError",), "", "")), "unstarted", "not started yet"),
        (
            Outcome(3),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned the int 3",
        ),
        (
            Outcome(3, "3\n"),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned the int 3",
        ),
        (
            Outcome(None),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned None",
        ),
        (
            Outcome(None, " \n"),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned None",
        ),
        (
            Outcome(None, "odd\n"),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned None and printed something",
        ),
        (
            Outcome(Foreign("ValueError"), "odd\n"),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned a ValueError; "
            "raise it instead of returning it",
        ),
        (
            Outcome(Foreign("object")),
            "accepted",
            "it must raise ValueError, since it is odd; yours returned an object",
        ),
    ],
)
def test_a_call_that_must_be_refused_is_right_if_it_raises_the_error(outcome, code, sentence):
    found = difference(outcome, ODD)

    assert (found and found.code, found and found.sentence) == (code, sentence)


@pytest.mark.parametrize(
    ("outcome", "code", "sentence"),
    [
        (Outcome(3), None, None),
        (
            Outcome(3, "", "image"),
            "changed",
            "the result is right, but `image` was changed on the way; work on a copy "
            "(`.clone()`), because the caller still needs its data",
        ),
        (Outcome(4, "", "image"), "value", "expected 3, yours is 4"),
        (Outcome(Failure(("NotImplementedError",), "", "")), "unstarted", "not started yet"),
        (
            Outcome(Failure(("OddError", "ValueError"), "no", "raise OddError('no')")),
            "exception",
            "it stopped with OddError: no (at `raise OddError('no')`)",
        ),
        (
            Outcome(Failure(("WrongFormError", "TypeError"), "it has to be\na model", "")),
            "type",
            "it has to be a model",
        ),
        (Outcome(None), "none", "it returned None; end it with `return`, giving a Python int"),
        (
            Outcome(None, "\n"),
            "none",
            "it returned None; end it with `return`, giving a Python int",
        ),
        (
            Outcome(None, "working\nsize\n3" + 70 * " " + "\n"),
            "printed",
            "it printed `3` and returned None; end it with `return`, so that the result is "
            "a Python int",
        ),
        (
            Outcome(None, "x" * 100),
            "printed",
            f"it printed `{'x' * 60}` and returned None; end it with `return`, so that the "
            "result is a Python int",
        ),
        (Outcome("3"), "type", "it returned the str '3'; return a Python int"),
        (Outcome(True), "type", "it returned the bool True; return a Python int"),
    ],
)
def test_what_goes_wrong_with_a_number_is_told_in_one_sentence(outcome, code, sentence):
    found = difference(outcome, 3)

    assert (found and found.code, found and found.sentence) == (code, sentence)


@pytest.mark.parametrize(
    ("value", "expected", "sentence"),
    [
        ((1, 2), (1, 2, 3), "it returned 2 values; return 3 here"),
        ([1, 2, 3, 4], [1, 2, 3], "it returned 4 items; return 3 here"),
        ((1, "b"), (1, 2), "item 1 of the result is the str 'b'; it has to be a Python int"),
        (
            {"sizes": (1, [2])},
            {"sizes": (1, [2, 3])},
            "in sizes, in item 1, it returned 1 items; return 2 here",
        ),
    ],
)
def test_a_container_of_another_form_is_told_with_the_place(value, expected, sentence):
    found = difference(Outcome(value), expected)

    assert (found.code, found.sentence) == ("type", sentence)


WHOLE = ": sizes are whole numbers, so divide with `//` or take `int(...)` of the result"
GENERATOR = Foreign("generator", ", since it has a `yield`")
ARRAY = Foreign("numpy.ndarray", " of 20000000 numbers")
NUMPY_INT = Foreign("numpy.int64", " 3")


@pytest.mark.parametrize(
    ("value", "expected", "advice"),
    [
        (GENERATOR, [1], "; use `return` once, with the whole result, in a plain `def`"),
        (Foreign("coroutine"), 1, "; use `return` once, with the whole result, in a plain `def`"),
        (np.ones(2), torch.ones(2), ": `torch.from_numpy(result)` makes one, mind the dtype"),
        (ARRAY, torch.ones(2), ": `torch.from_numpy(result)` makes one, mind the dtype"),
        (
            Foreign("torch.nn.parameter.Parameter"),
            torch.ones(2),
            ": `.detach()` makes one of a Parameter",
        ),
        (
            Foreign("Tensor", " with layout x"),
            torch.ones(2),
            ", dense, on the CPU and of a usual dtype",
        ),
        ([1.0], torch.ones(1), ": `torch.tensor(result, dtype=x.dtype)` makes one"),
        ((1.0,), torch.ones(1), ""),
        (Foreign("object"), torch.ones(2), ""),
        (2.5, 2, WHOLE),
        (torch.tensor(2), 2, WHOLE),
        (NUMPY_INT, 2, WHOLE),
        (np.ones(2), 2, WHOLE),
        (math.inf, 2, ""),
        ([2], 2, ""),
        (Foreign("object"), 2, ""),
        (torch.tensor(2.0), 2.0, ": `.item()` makes one"),
        (NUMPY_INT, 2.0, ": `.item()` makes one"),
        ("2", 2.0, ""),
        (torch.ones(2), np.ones(2), ": `.numpy()` makes one"),
        ([1.0], np.ones(1), ""),
        (torch.ones(2), "ones", ""),
        ((1, 2), [1, 2], ": `list(result)` makes one"),
        (torch.ones(2), [1, 2], ""),
        ((1, 2), {"a": 1}, ""),
        ([1, 2], (1, 2), ": `tuple(result)` makes one"),
        (torch.ones(2), (1, 2), ": `tuple(result.tolist())` makes one"),
        (np.ones(2), (1, 2), ": `tuple(result.tolist())` makes one"),
        (ARRAY, (1, 2), ": `tuple(result.tolist())` makes one"),
        (3, (1, 2), ""),
        ([1, 2], {"a": 1}, ""),
        (ARRAY, {"a": 1}, ""),
    ],
)
def test_advice_says_how_one_type_becomes_the_other(value, expected, advice):
    names = {
        torch.Tensor: "a plain torch.Tensor",
        int: "a Python int",
        float: "a Python float",
        np.ndarray: "a NumPy array",
        str: "a string",
    }
    wanted = names.get(type(expected), f"a {type(expected).__name__}")

    found = difference(Outcome(value), expected)

    assert (found.code, found.fact) == ("type", "")
    assert found.sentence == f"it returned {describe(value)}; return {wanted}{advice}"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (torch.tensor(0.1234567), "a tensor without dimensions, 0.123457"),
        (torch.zeros(2, 3), "a tensor of shape (2, 3), torch.float32"),
        (np.zeros((2, 3)), "a numpy.ndarray of shape (2, 3), float64"),
        (NUMPY_INT, "a numpy.int64 3"),
        (GENERATOR, "a generator, since it has a `yield`"),
        (Foreign("int", " of 5000 bits"), "an int of 5000 bits"),
        (None, "None"),
        (True, "the bool True"),
        (2.5, "the float 2.5"),
        ("a\ud800", "the str 'a\\ud800'"),
        ("x" * 100, f"the str '{'x' * 59}"),
        ((1, 2), "a tuple of 2: (1, 2)"),
        ({"a": [1, 2]}, "a dict of 1: {'a': [1, 2]}"),
        (["x" * 100], f"a list of 1: ['{'x' * 58}"),
    ],
)
def test_what_a_value_is_is_told_in_a_few_words(value, told):
    assert describe(value) == told


def nested_dict(depth):
    return {"a": nested_dict(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1 / 3, "0.333333"),
        (3, "3"),
        ("a", "'a'"),
        ((1, 2 / 3), "(1, 0.666667)"),
        ([1, (2, 0.5)], "[1, (2, 0.5)]"),
        (Foreign("object"), "object"),
        (["x" * 116], f"['{'x' * 116}']"),
        (["x" * 117], f"['{'x' * 115}..."),
        ({"x" * 113: 1}, f"{{'{'x' * 113}': 1}}"),
        ({"x" * 114: 1}, f"{{'{'x' * 114}'..."),
        ("x" * 200, f"'{'x' * 57}...{'x' * 58}'"),
        (nested_dict(6), "{'a': " * 6 + "1" + "}" * 6),
        (nested_dict(8), "{'a': " * 6 + "{...}" + "}" * 6),
        ({"a": torch.zeros(2)}, "{'a': tensor([0., 0.])}"),
        ({"a": np.zeros(2)}, "{'a': array([0., 0.])}"),
        ({"a": torch.zeros(101)}, "{'a': Tensor(101,)}"),
        ({"a": np.zeros(101)}, "{'a': array(101,)}"),
        (1 << 1000, "a whole number of 1001 bits"),
    ],
)
def test_a_value_is_shown_short(value, told):
    assert shown(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (torch.zeros(100), "tensor([0., 0."),
        (np.zeros(100), "array([0., 0."),
        ((1 << 1000) - 1, "1071508607186267320948425049060"),
    ],
)
def test_the_longest_value_that_is_written_out(value, told):
    assert shown(value).startswith(told)


HALF = torch.tensor([1.0, 0.5, 0.25])
DOUBLE = torch.tensor([1.0, 0.1, 0.2], dtype=torch.float64)
SEVEN_DIGITS = (
    "the result is float64 but right to about seven digits only, so something on the way is not; "
    "give every tensor that you make the dtype of the input (`torch.zeros(..., dtype=x.dtype)`)"
)


@pytest.mark.parametrize(
    ("value", "expected", "code", "sentence", "fact"),
    [
        (
            HALF.double(),
            HALF,
            "dtype",
            "the dtype is torch.float64, expected torch.float32; keep the dtype of the input "
            "(`torch.zeros(..., dtype=x.dtype)` and `.to(x.dtype)` help)",
            "",
        ),
        (
            HALF[None],
            HALF,
            "shape",
            "the shape is (1, 3), expected (3,)",
            "the shape is (1, 3), which is wrong",
        ),
        (
            torch.tensor([1.0, math.nan, math.inf]),
            HALF,
            "finite",
            "at [1] your result is nan, not a finite number",
            "",
        ),
        (
            torch.tensor([1.0, math.nan, 0.25]),
            torch.tensor([1.0, math.inf, 0.25]),
            "value",
            "at [1] expected inf, yours is nan; 1 of 3 values differ",
            "at [1] yours is nan, which is wrong; 1 of 3 values differ",
        ),
        (
            HALF / 3 * torch.tensor([3.0, 1.0, 1.0]),
            HALF,
            "value",
            "at [1] expected 0.5, yours is 0.166667; 2 of 3 values differ",
            "at [1] yours is 0.166667, which is wrong; 2 of 3 values differ",
        ),
        (
            DOUBLE.float().double(),
            DOUBLE,
            "precision",
            f"at [1] expected 0.1, yours is 0.10000000149: {SEVEN_DIGITS}",
            f"at [1] yours is 0.10000000149: {SEVEN_DIGITS}",
        ),
        (
            2 * DOUBLE,
            DOUBLE,
            "value",
            "at [0] expected 1, yours is 2; 3 of 3 values differ",
            "at [0] yours is 2, which is wrong; 3 of 3 values differ",
        ),
        (
            torch.tensor([[1, 2], [3, 5]]),
            torch.tensor([[1, 2], [3, 4]]),
            "value",
            "at [1, 1] expected 4, yours is 5; 1 of 4 values differ",
            "at [1, 1] yours is 5, which is wrong; 1 of 4 values differ",
        ),
        (
            np.zeros(2, dtype="float32"),
            np.zeros(2),
            "dtype",
            "the dtype is float32, expected float64",
            "",
        ),
    ],
)
def test_of_a_wrong_tensor_the_first_fault_is_told(value, expected, code, sentence, fact):
    assert difference(Outcome(value), expected) == Difference(code, sentence, fact)


@pytest.mark.parametrize(
    ("value", "expected", "right"),
    [
        ([1.0, 1e-9], [1.0, 0.0], True),  # exactly the tolerance of float64
        ([100 + 1e-8, 0.0], [100.0, 0.0], True),
        ([-100.0, 0.0], [100.0, 0.0], False),
        ([0.0, 0.0], [0.0, 0.0], True),
        ([1e-12, 0.0], [0.0, 0.0], False),
        ([math.nan, -math.inf], [math.nan, -math.inf], True),
        ([math.nan, math.inf], [math.nan, -math.inf], False),
        ([1.0, math.inf], [math.nan, math.inf], False),
        ([], [], True),
    ],
)
def test_tensors_are_equal_within_the_tolerance_and_nan_to_nan(value, expected, right):
    value, expected = (torch.tensor(one, dtype=torch.float64) for one in (value, expected))

    assert close(value, expected).all().item() is right


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "right"),
    [
        (1.5, 1.0, 0.5, True),
        (1.6, 1.0, 0.5, False),
        (0.0, 0.0, 0.0, True),
        (2, 2.0, 0.0, True),
        (math.nan, math.nan, 0.5, True),
        (1.0, math.nan, 0.5, False),
        (math.nan, 1.0, 0.5, False),
        (math.nan, math.inf, 0.5, False),
        (math.inf, math.inf, 0.5, True),
        (-math.inf, math.inf, 0.5, False),
        (10**400, 1.0, 0.5, False),
    ],
)
def test_numbers_are_equal_within_the_tolerance_and_nan_to_nan(value, expected, tolerance, right):
    assert close_numbers(value, expected, tolerance) is right


def test_a_difference_inside_a_container_says_where_in_sentence_and_fact():
    assert Difference("c", "sentence", "fact").inside("loss:") == Difference(
        "c", "loss: sentence", "loss: fact"
    )
    assert Difference("c", "sentence").inside("loss:") == Difference("c", "loss: sentence")


@pytest.mark.parametrize("expected", [2.5, math.inf, math.nan])
def test_a_whole_number_larger_than_any_float_is_wrong(expected):
    assert difference(Outcome(10**400), expected).code == "value"


@pytest.mark.parametrize("text", ["\x1b[31mred", "\ud800", "\0", "\u202e", "\r"])
def test_text_that_cannot_be_printed_is_told_escaped(text):
    sentence = difference(Outcome(text), 5).sentence

    assert sentence.isprintable()
    assert ascii(text)[1:-1].partition("[")[0] in sentence


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
