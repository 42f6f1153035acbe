"""Forbidden operators are noted where they run, and those that run allowed are left alone."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch._C import (
    _dispatch_tls_is_dispatch_key_included,
    _dispatch_tls_set_dispatch_key_excluded,
)
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.checks import examine, watching
from course_utils.checks.exercise import Forbidden
from course_utils.checks.watching import PLACE, Watcher

OPERATORS = "conv(?!ert)|im2col|col2im|pool"
FORBIDDEN = Forbidden("", OPERATORS, frozenset())
X, W = torch.ones(1, 2, 8, 8), torch.ones(3, 2, 3, 3)


class Mode(TorchDispatchMode):
    """PyTorch's own way to see every operator: slow, and right."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name
        if re.search(OPERATORS, name):
            self.seen.append(name.partition("::")[2])
        return function(*args, **(kwargs or {}))


def backward():
    w = W.clone().requires_grad_()
    F.max_pool2d(F.conv2d(X, w), 2).sum().backward()


def without_gradients():
    with torch.no_grad():
        F.conv1d(X[0], W[:, :, 0].repeat(1, 4, 1))


def converted():
    X.double().conj().resolve_conj().to(torch.float32)


CALLS = {
    "a convolution": lambda: F.conv2d(X, W),
    "a layer": lambda: torch.nn.Conv2d(2, 3, 3, padding=1)(X),
    "an operator": lambda: torch.ops.aten.convolution(
        X, W, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1
    ),
    "transposed": lambda: F.conv_transpose2d(X, W.transpose(0, 1)),
    "windows": lambda: F.fold(F.unfold(X, 2), (8, 8), 2),
    "pools": lambda: (F.max_pool2d(X, 2), F.avg_pool2d(X, 2), F.adaptive_avg_pool2d(X, 2)),
    "backward": backward,
    "without gradients": without_gradients,
    "of numbers": lambda: torch.einsum("nchw,ochw->no", X, torch.ones(3, 2, 8, 8)).relu().sum(),
    "converted": converted,
}


def watched(call, forbidden=FORBIDDEN):
    watcher = Watcher(forbidden)
    with watcher.watch() as seen:
        call()
    return seen


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_noted_is_what_a_dispatch_mode_sees(call):
    with Mode() as mode:
        call()

    assert watched(call) == mode.seen


def test_where_a_dispatch_mode_sees_the_whole_its_parts_are_noted():
    def inferred():
        with torch.inference_mode():
            F.conv2d(X.clone(), W.clone())

    assert watched(inferred) == ["convolution"]
    assert watched(lambda: torch.vmap(lambda x: F.unfold(x[None], 2))(X)) == ["im2col"]
    assert "im2col" in watched(lambda: torch.func.grad(lambda x: F.unfold(x, 2).sum())(X))


def test_results_and_gradients_are_those_without_a_watch():
    def of():
        x = torch.arange(64.0).reshape(1, 1, 8, 8).requires_grad_()
        y = F.max_pool2d(F.conv2d(x, W[:1, :1], stride=2, padding=1), 2)
        return [y.detach(), *torch.autograd.grad(y.sum(), x)]

    found = []
    assert watched(lambda: found.extend(of()))
    assert all(map(torch.equal, found, of()))


def test_nothing_is_noted_of_what_is_not_forbidden_here_or_not_watched():
    watching.wait_for(OPERATORS)

    assert watched(CALLS["pools"], Forbidden("", "im2col", frozenset())) == []
    before = watched(CALLS["windows"])
    assert not _dispatch_tls_is_dispatch_key_included(PLACE)
    CALLS["windows"]()
    assert before == ["im2col", "col2im"]


def test_a_watch_within_a_watch_notes_its_own():
    outer = Watcher(FORBIDDEN)
    with outer.watch() as seen:
        assert watched(CALLS["windows"]) == ["im2col", "col2im"]
        F.avg_pool2d(X, 2)

    assert seen == ["avg_pool2d"]


def test_it_is_noted_whoever_has_closed_the_place():
    _dispatch_tls_set_dispatch_key_excluded(PLACE, True)
    try:
        assert watched(CALLS["windows"]) == ["im2col", "col2im"]
    finally:
        _dispatch_tls_set_dispatch_key_excluded(PLACE, False)


def test_an_error_is_the_one_without_a_watch():
    def wrong():
        F.unfold(torch.ones(2), 2)

    with pytest.raises(IndexError) as alone:
        wrong()
    with pytest.raises(IndexError) as seen:
        watched(wrong)

    assert str(seen.value) == str(alone.value)
    assert watched(lambda: None) == []


def test_a_student_is_told_the_function_and_not_what_it_is_made_of():
    def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
        which = "".join(["un", "fold"])
        return getattr(F, which)(x, kernel_size, dilation, padding, stride)

    report = examine(im2col)

    assert report.code == "forbidden"
    assert report.message.startswith("Your answer calls `torch.nn.functional.unfold`. Write it")
