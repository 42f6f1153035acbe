"""What an answer did is kept as plain data: values, failures, text and changed arguments."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.checks import comparison
from course_utils.checks.exercise import Case, Exercise, Forbidden
from course_utils.checks.outcomes import (
    MOST_BITS,
    MOST_ITEMS,
    MOST_NUMBERS,
    Failure,
    Foreign,
    copy_argument,
    escaped,
    failure,
    is_installed,
    meaning,
    one_thread,
    plain,
    quiet,
    readable,
    run_case,
    unchanged,
)


def generator():
    yield 1


async def coroutine():
    return 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (object(), "object"),
        (Path("a"), f"pathlib.{type(Path()).__name__}"),
        (np.int64(3), "numpy.int64 3"),
        (np.zeros(2, dtype=object), "numpy.ndarray of shape (2,)"),
        (torch.nn.Parameter(torch.zeros(2)), "torch.nn.parameter.Parameter"),
        (generator(), "generator, since it has a `yield`"),
        (coroutine(), "coroutine, since it is an `async def`"),
        (torch.zeros(2).to_sparse(), "Tensor with layout torch.sparse_coo on cpu"),
        (torch.zeros(2, device="meta"), "Tensor with layout torch.strided on meta"),
        (torch.zeros(2, dtype=torch.uint16), "Tensor of the rare dtype torch.uint16"),
        (torch.zeros(2, dtype=torch.bits8), "Tensor of the rare dtype torch.bits8"),
        (1 << MOST_BITS, "int of 4097 bits"),
        (torch.tensor(True).expand(MOST_NUMBERS + 1), "Tensor of 10000001 numbers"),
        (np.broadcast_to(True, MOST_NUMBERS + 1), "numpy.ndarray of 10000001 numbers"),
        ([0] * (MOST_ITEMS + 1), "list of 10001 items"),
    ],
)
def test_of_what_is_no_answer_the_type_is_told_and_why(value, told):
    found = plain(value)

    assert isinstance(found, Foreign)
    assert str(found) == told


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_no_answer():
    ragged = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])

    assert str(plain(ragged)).startswith("Tensor with layout torch.strided on cpu")


@pytest.mark.parametrize(
    "value",
    [
        (1 << MOST_BITS) - 1,
        torch.tensor(True).expand(MOST_NUMBERS),
        np.broadcast_to(True, MOST_NUMBERS),
        [0] * MOST_ITEMS,
    ],
    ids=["int", "tensor", "array", "list"],
)
def test_the_largest_value_that_may_be_an_answer_is_kept(value):
    kept = plain(value)

    assert type(kept) is type(value)
    assert unchanged(kept, value)


def test_of_a_dict_only_items_named_by_text_or_numbers_are_kept():
    assert plain({"a": 1, 2: 3, (4, 5): 6, 7.5: 8}) == {"a": 1, 2: 3}


def test_a_value_is_kept_as_it_was_when_it_was_returned():
    tensor, array = torch.zeros(2, requires_grad=True), np.zeros(2)
    kept, kept_array = plain([tensor, array])

    with torch.no_grad():
        tensor += 1
    array += 1

    torch.testing.assert_close(kept, torch.zeros(2))
    assert not kept.requires_grad
    np.testing.assert_array_equal(kept_array, np.zeros(2))


@pytest.mark.parametrize(
    ("names", "message", "line", "told"),
    [
        (("KeyError", "LookupError"), "'n'", "d['n']", "KeyError: 'n' (at `d['n']`)"),
        (("ValueError",), "", "raise ValueError", "ValueError (at `raise ValueError`)"),
        (("ValueError",), "too\nsmall", "", "ValueError: too small"),
        (("ValueError",), "", "", "ValueError"),
    ],
)
def test_a_failure_is_told_in_one_line(names, message, line, told):
    assert str(Failure(names, message, line)) == told


@pytest.mark.parametrize(
    ("names", "message", "unstarted"),
    [
        (("NotImplementedError", "RuntimeError"), "", True),
        (("NotImplementedError", "RuntimeError"), "aten::conv2d on meta", False),
        (("RuntimeError", "NotImplementedError"), "", False),
        (("RuntimeError", "Exception"), "no", False),
    ],
)
def test_only_the_stub_counts_as_not_started(names, message, unstarted):
    assert Failure(names, message, "").unstarted is unstarted


def test_a_failure_refuses_by_the_name_of_its_class_or_a_parent():
    found = Failure(("KeyError", "LookupError"), "", "")

    assert found.refuses("KeyError") is True
    assert found.refuses("LookupError") is True
    assert found.refuses("ValueError") is False


class UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError("no")


def break_layer(size):
    return torch.nn.Linear(2, 3)(torch.zeros(size))


def raise_a_long_message(size):
    raise ValueError("é" * size)


def raise_unreadable(size):
    raise UnreadableError(size)


@pytest.mark.parametrize(
    ("answer", "name", "message", "line"),
    [
        (raise_a_long_message, "ValueError", "é" * 300, 'raise ValueError("é" * size)'),
        (
            raise_unreadable,
            "UnreadableError",
            "its message cannot be read",
            "raise UnreadableError(size)",
        ),
        (
            break_layer,
            "RuntimeError",
            None,
            "return torch.nn.Linear(2, 3)(torch.zeros(size))",
        ),
        (json.loads, "TypeError", None, ""),
    ],
)
def test_of_an_exception_class_message_and_the_answers_own_line_are_kept(
    answer, name, message, line
):
    found = run_case(answer, Case("g", (500,))).value

    assert found.type_names[0] == name
    assert found.type_names[-3:] == ("Exception", "BaseException", "object")
    assert message is None or found.message == message
    assert found.line == line


def test_of_a_long_line_the_beginning_is_kept(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("def answer():\n    raise ValueError('" + "x" * 200 + "')\n")
    names = {}
    exec(compile(path.read_text(), path, "exec"), names)

    line = run_case(names["answer"], Case("g", ())).value.line

    assert line == ("raise ValueError('" + "x" * 200)[:120]


def test_an_exception_that_was_never_raised_has_no_line():
    assert failure(ValueError("n\x1b")) == Failure(
        ("ValueError", "Exception", "BaseException", "object"), "n\\x1b", ""
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (torch.__file__, True),
        (json.__file__, True),
        (comparison.__file__, True),
        ("<frozen importlib._bootstrap>", True),
        (__file__, False),
        ("<ipython-input-1>", False),
    ],
)
def test_code_is_told_apart_by_where_it_lies(path, expected):
    assert is_installed(path) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ×", "plain, ×"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\n", "\\x1b[31mred\n"),
        ("\ud800 \u202e", "\\ud800 \\u202e"),
    ],
)
def test_what_cannot_be_printed_is_escaped_and_nothing_else(text, expected):
    assert escaped(text) == expected


def test_text_is_made_readable_for_every_file():
    assert readable("a × \ud800") == "a × \\ud800"


def test_of_what_is_printed_five_hundred_signs_are_kept():
    def answer():
        print("x" * 600 + "\x1b")

    assert run_case(answer, Case("g", ())).printed == "x" * 500
    assert run_case(lambda: print("\x1b"), Case("g", ())).printed == "\\x1b\n"


NAN = float("nan")


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (torch.zeros(2), torch.zeros(2), True),
        (torch.zeros(2, requires_grad=True), torch.zeros(2), True),
        (torch.zeros(2), torch.ones(2), False),
        (torch.zeros(2, 3), torch.zeros(3, 2), False),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), False),
        (torch.tensor([NAN, 1.0]), torch.tensor([NAN, 1.0]), True),
        (torch.tensor([NAN, 1.0]), torch.tensor([1.0, NAN]), False),
        (torch.tensor([NAN, 1.0]), torch.tensor([NAN, 2.0]), False),
        (np.array([NAN, 1.0]), np.array([NAN, 1.0]), True),
        (np.array([NAN, 1.0]), np.array([1.0, NAN]), False),
        (np.zeros(2), np.zeros(2), True),
        (np.zeros(2), np.ones(2), False),
        (np.zeros((2, 3)), np.zeros((3, 2)), False),
        (np.zeros(2), np.zeros(2, dtype="float32"), False),
        (np.zeros(2), torch.zeros(2), False),
        ([torch.zeros(2)], [torch.zeros(2)], True),
        ([1, 2], [1, 2, 3], False),
        ([1, 2], (1, 2), False),
        ({"a": torch.zeros(2)}, {"a": torch.zeros(2)}, True),
        ({"a": torch.zeros(2)}, {"a": torch.ones(2)}, False),
        ({"a": torch.zeros(2), "b": 1}, {"a": torch.zeros(2)}, False),
        (1, 1, True),
        (1, 2, False),
        (1, 1.0, False),
        (np.bool_(True), np.bool_(True), True),
    ],
)
def test_an_argument_is_unchanged_if_type_shape_and_values_are(after, before, expected):
    assert unchanged(after, before) is expected


@pytest.mark.parametrize(
    "argument",
    [
        np.arange(6.0).reshape(2, 3).T,
        {"weights": [torch.ones(2)], "n": 3},
        ([1, (2, torch.ones(2))],),
        "text",
    ],
    ids=["array", "dict", "tuple", "text"],
)
def test_a_copied_argument_is_the_same_again(argument):
    assert unchanged(copy_argument(argument), argument)


def test_a_copied_container_shares_nothing():
    array, weights = np.arange(6.0).reshape(2, 3).T, {"weights": [torch.ones(2)]}

    copied_array, copied_weights = copy_argument([array, weights])
    copied_array += 1
    copied_weights["weights"][0].zero_()

    assert copied_array.strides == array.strides
    assert array.max() == 5
    torch.testing.assert_close(weights["weights"][0], torch.ones(2))


def total(value, scale):
    return scale * sum(value)


@pytest.mark.parametrize(
    ("reading", "value", "expected"),
    [
        (None, [1, 2], [1, 2]),
        (total, [1, 2], 30),
        (total, Foreign("object"), Foreign("object")),
        (total, Failure(("ValueError",), "", ""), Failure(("ValueError",), "", "")),
    ],
)
def test_a_reading_says_what_an_observed_value_means(reading, value, expected):
    case = Case("g", (10,))
    exercise = Exercise(
        "f", 1, abs, (case,), lambda rng: [], (), Forbidden(""), {"g": 1}, reading=reading
    )

    assert meaning(exercise, case, value) == expected


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_an_answer_runs_on_the_cpu_and_the_default_device_is_given_back(device):
    def answer():
        made_on = str(torch.zeros(2).device)
        torch.set_default_device("meta" if device == "cpu" else "cpu")
        return made_on

    torch.set_default_device(None if device == "cpu" else device)
    try:
        found = run_case(answer, Case("g", ())).value
        after = torch.get_default_device().type
        with quiet():
            pass
        later = torch.get_default_device().type
    finally:
        torch.set_default_device(None)

    assert found == "cpu"
    assert (after, later) == (device, device)


def test_small_tensors_are_worked_on_by_one_thread_and_the_others_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            inside = torch.get_num_threads()
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)

    assert (inside, after) == (1, 3)
