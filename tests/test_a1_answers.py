"""Many students' answers to assignment 1: right, wrong, broken, forbidden and innocent."""

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from a1_answers import right_sizes, right_sliding
from a1_answers.forbidden import FORBIDDEN
from a1_answers.innocent import INNOCENT, conv2d
from a1_answers.right_sizes import conv_output_shape_by_zip, conv_output_size_by_formula
from a1_answers.right_sliding import conv2d_by_matrix, cross_correlate2d_by_windows
from a1_answers.wrong import WRONG
from named_answers import stored_names
from torch import Tensor, nn

from course_utils.checks import check, examine

RIGHT = [
    pytest.param(name.partition("_by_")[0], answer, id=name)
    for module in (right_sizes, right_sliding)
    for name, answer in vars(module).items()
    if "_by_" in name and callable(answer) and not name.startswith("_")
]


def flat(answers):
    return [
        pytest.param(name, answer, id=f"{name}: {what}")
        for name, by_what in answers.items()
        for what, answer in by_what.items()
    ]


# --- right and wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answer_earns_everything(name, answer, seed):
    report = examine(answer, name=name, seed=seed)

    assert report.message == ""
    assert report.code == "right"
    assert report.points == report.max_points


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [
        pytest.param(name, answer, stored_names()["wrong"][name][what], id=f"{name}: {what}")
        for name, by_what in WRONG.items()
        for what, answer in by_what.items()
    ],
)
def test_wrong_answer_loses_points_and_has_its_name_or_none(name, answer, mistake):
    report = examine(answer, name=name)

    assert report.points < report.max_points
    assert report.code not in {"right", "unstarted", "forbidden"}
    assert report.message.startswith(f"{name}(")
    assert report.misconception == mistake


def test_every_exercise_has_its_right_and_its_wrong_answers():
    counts = {name: sum(param.values[0] == name for param in RIGHT) for name in WRONG}

    assert min(counts.values()) >= 4
    assert min(map(len, WRONG.values())) >= 15


def test_answer_without_source_is_judged():
    scope = {"correlate": cross_correlate2d_by_windows}
    exec("def answer(x, kernel):\n    return correlate(x, kernel.flip(0, 1))", scope)

    assert examine(scope["answer"], name="convolve2d", seed=3).code == "right"


def test_exercise_is_found_by_the_name_that_the_answer_is_bound_to(capsys):
    same_padding = right_sizes.same_padding_by_lambda

    assert check(same_padding) == 3
    assert "same_padding: 3 of 3 points" in capsys.readouterr().out


# --- forbidden and innocent -------------------------------------------------------------------


@pytest.mark.parametrize(("name", "answer"), flat(FORBIDDEN))
def test_forbidden_call_earns_nothing_and_is_told(name, answer):
    report = examine(answer, name=name)

    assert report.code == "forbidden"
    assert report.points == 0
    assert report.message.startswith("Your answer calls `")
    wanted = "without running a convolution" if "size" in report.message else "sliding window"
    assert wanted in report.message


@pytest.mark.parametrize("answer", INNOCENT.values(), ids=INNOCENT)
def test_own_functions_of_forbidden_names_are_no_forbidden_calls(answer):
    assert examine(answer, name="cross_correlate2d", seed=3).code == "right"


def test_own_conv2d_is_no_forbidden_call():
    assert examine(conv2d, name="conv2d").code == "right"


# --- faults -----------------------------------------------------------------------------------


class EqualToEverything(Tensor):
    def __eq__(self, other):
        return torch.tensor(True)

    __hash__ = Tensor.__hash__


class AnyInt(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class BeyondExceptionError(BaseException):
    pass


def giving(change: Callable):
    """Return a right correlation whose result is changed."""
    return lambda x, kernel, stride=1, padding=0: change(
        cross_correlate2d_by_windows(x, kernel, stride, padding)
    )


def sizes_giving(change: Callable):
    return lambda n, k, p=0, s=1, d=1: change(conv_output_size_by_formula(n, k, p, s, d))


def shapes_giving(change: Callable):
    return lambda hw, kernel_size, stride=1, padding=0, dilation=1: change(
        conv_output_shape_by_zip(hw, kernel_size, stride, padding, dilation)
    )


def raising(error: BaseException):
    def answer(x, kernel, stride=1, padding=0):
        raise error

    return answer


def endless(x, kernel, stride=1, padding=0):
    return endless(x, kernel, stride, padding)


def generator(x, kernel, stride=1, padding=0):
    yield cross_correlate2d_by_windows(x, kernel, stride, padding)


async def coroutine(x, kernel, stride=1, padding=0):
    return cross_correlate2d_by_windows(x, kernel, stride, padding)


class Answer:
    def __init__(self, x, kernel, stride=1, padding=0):
        self.result = cross_correlate2d_by_windows(x, kernel, stride, padding)


def printing(x, kernel, stride=1, padding=0):
    print(cross_correlate2d_by_windows(x, kernel, stride, padding))


def changing(argument: str, change: Callable):
    """Return a right correlation that changes an argument after it has used it."""

    def answer(x, kernel, stride=1, padding=0):
        result = cross_correlate2d_by_windows(x, kernel, stride, padding)
        change({"x": x, "kernel": kernel}[argument])
        return result

    return answer


FAULTS = {
    "half": (giving(Tensor.half), "dtype", "torch.float16, expected torch.float32"),
    "bool": (giving(Tensor.bool), "dtype", "torch.bool, expected torch.float32"),
    "complex": (giving(lambda y: y * 1j), "dtype", "torch.complex64, expected torch.float32"),
    "array": (giving(Tensor.numpy), "type", "`torch.from_numpy(result)`"),
    "list": (giving(Tensor.tolist), "type", "a list of 1: [[8.0]]; return a plain torch.Tensor"),
    "float": (giving(lambda y: y.sum().item()), "type", "the float 8.0; return a plain"),
    "tuple": (giving(lambda y: (y,)), "type", "it returned a tuple of 1"),
    "without dimensions": (giving(Tensor.sum), "shape", "the shape is (), expected (1, 1)"),
    "empty": (giving(lambda y: y[:0]), "shape", "the shape is (0, 1), expected (1, 1)"),
    "parameter": (giving(nn.Parameter), "type", "`.detach()`"),
    "subclass": (giving(lambda y: y.as_subclass(EqualToEverything)), "type", "EqualToEverything"),
    "sparse": (giving(Tensor.to_sparse), "type", "torch.sparse_coo"),
    "meta": (giving(lambda y: y.to("meta")), "type", "on meta; return a plain torch.Tensor"),
    "function": (giving(lambda y: giving), "type", "a function; return a plain torch.Tensor"),
    "nan": (giving(lambda y: y * float("nan")), "finite", "nan, not a finite number"),
    "infinite": (giving(lambda y: y / 0), "finite", "inf, not a finite number"),
    "none": (giving(lambda y: None), "none", "end it with `return`"),
    "printed": (printing, "printed", "it printed `tensor([[8.]])` and returned None"),
    "generator": (generator, "type", "it returned a generator"),
    "coroutine": (coroutine, "type", "it returned a coroutine"),
    "class": (Answer, "uncallable", "is a class, and calling it makes an object"),
    "x changed": (changing("x", Tensor.zero_), "changed", "`x` was changed on the way"),
    "kernel changed": (changing("kernel", Tensor.neg_), "changed", "`kernel` was changed"),
    "x reshaped": (changing("x", lambda x: x.unsqueeze_(0)), "changed", "`x` was changed"),
    "x emptied": (changing("x", lambda x: x.resize_(0)), "changed", "`x` was changed"),
    "exit": (raising(SystemExit(3)), "exception", "it stopped with SystemExit: 3"),
    "out of memory": (raising(MemoryError()), "exception", "it stopped with MemoryError"),
    "endless": (endless, "exception", "RecursionError: maximum recursion depth exceeded"),
    "unreadable": (raising(UnreadableError()), "exception", "its message cannot be read"),
    "beyond Exception": (raising(BeyondExceptionError("far")), "exception", "Error: far"),
    "two lines": (raising(ValueError("one\ntwo")), "exception", "one two (at `raise error`)"),
    "stub": (raising(NotImplementedError()), "unstarted", "Not started yet."),
    "no arguments": (lambda: None, "exception", "takes 0 positional arguments but 2 were given"),
    "other names": (
        lambda x, kernel, s=1, p=0: cross_correlate2d_by_windows(x, kernel, s, p),
        "exception",
        "unexpected keyword argument 'padding'",
    ),
    "more arguments": (lambda x, kernel, stride, padding, mode: x, "exception", "'mode'"),
    "no function": (
        torch.zeros(2),
        "uncallable",
        "is a tensor of shape (2,), torch.float32, not a function",
    ),
    "nothing": (None, "uncallable", "not a function; define it with `def cross_correlate2d("),
}

FAULTS_OF_SIZES = {
    "bool": (sizes_giving(bool), "the bool True; return a Python int"),
    "float": (sizes_giving(float), "the float 5.0; return a Python int: sizes are whole numbers"),
    "text": (sizes_giving(str), "the str '5'; return a Python int"),
    "numpy's int": (sizes_giving(np.int64), "numpy.int64 5; return a Python int"),
    "tensor": (sizes_giving(torch.tensor), "a tensor without dimensions, 5; return a Python int"),
    "subclass": (sizes_giving(AnyInt), "AnyInt; return a Python int"),
    "nan": (sizes_giving(lambda size: float("nan")), "the float nan; return a Python int"),
}

FAULTS_OF_SHAPES = {
    "list": (shapes_giving(list), "`tuple(result)`"),
    "size": (shapes_giving(lambda shape: shape[0]), "the int 5; return a tuple"),
    "floats": (shapes_giving(lambda shape: (5.0, 7.0)), "item 0 of the result is the float 5.0"),
    "numpy's ints": (shapes_giving(lambda shape: tuple(map(np.int64, shape))), "numpy.int64 5"),
    "four": (shapes_giving(lambda shape: (1, 1, *shape)), "it returned 4 values; return 2"),
}


@pytest.mark.parametrize(("answer", "code", "phrase"), FAULTS.values(), ids=FAULTS)
def test_fault_is_told_in_its_own_sentence(answer, code, phrase, capfd):
    report = examine(answer, name="cross_correlate2d")
    report.show()

    assert report.points < report.max_points
    assert report.code == code
    assert phrase in report.message
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("answer", "phrase"), FAULTS_OF_SIZES.values(), ids=FAULTS_OF_SIZES)
def test_size_of_another_type_is_told(answer, phrase):
    report = examine(answer, name="conv_output_size")

    assert (report.points, report.code) == (0, "type")
    assert phrase in report.message


@pytest.mark.parametrize(("answer", "phrase"), FAULTS_OF_SHAPES.values(), ids=FAULTS_OF_SHAPES)
def test_shape_of_another_type_is_told(answer, phrase):
    report = examine(answer, name="conv_output_shape")

    assert (report.points, report.code) == (0, "type")
    assert phrase in report.message


def test_changed_weight_costs_points():
    def answer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        result = conv2d_by_matrix(x, weight, bias, stride, padding, dilation, groups)
        weight *= 2
        return result

    report = examine(answer, name="conv2d")

    assert (report.points, report.code) == (0, "changed")
    assert "`weight` was changed" in report.message


def test_keyboard_interrupt_passes_through():
    with pytest.raises(KeyboardInterrupt, match=r"^stop$"):
        examine(raising(KeyboardInterrupt("stop")), name="cross_correlate2d")


def test_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'conv2D'; there are conv_output_size, .*conv2d"):
        examine(conv2d, name="conv2D")


HARMLESS = {
    "default dtype": lambda: torch.set_default_dtype(torch.float64),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "numpy's errors": lambda: np.seterr(all="raise"),
    "warning": lambda: warnings.warn("careful", stacklevel=1),
    "warnings as errors": lambda: warnings.simplefilter("error"),
    "text on stderr": lambda: print("careful", file=sys.stderr),
    "no stdout": lambda: setattr(sys, "stdout", None),
    "profiler": lambda: sys.setprofile(None),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_settings_and_text_of_an_answer_stay_inside(change, capfd):
    def answer(x, kernel, stride=1, padding=0):
        result = cross_correlate2d_by_windows(x, kernel, stride, padding)
        change()
        return result

    before = torch.get_default_dtype(), torch.is_grad_enabled(), np.geterr(), sys.stdout
    report = examine(answer, name="cross_correlate2d")

    assert report.code == "right"
    assert (torch.get_default_dtype(), torch.is_grad_enabled(), np.geterr(), sys.stdout) == before
    assert capfd.readouterr().err == ""


def test_result_that_wants_gradients_or_shares_memory_is_an_answer():
    def answer(x, kernel, stride=1, padding=0):
        result = cross_correlate2d_by_windows(x, nn.Parameter(kernel), stride, padding)
        return x.expand(1, *x.shape)[0] if result.equal(x) else result

    with torch.enable_grad():
        assert examine(answer, name="cross_correlate2d").code == "right"
