"""Answers that let a library do the work: each is right, and each must earn nothing."""

import functools
import importlib

import numpy as np
import torch
import torch.nn.functional as F
from a1_answers.right_sliding import cross_correlate2d_by_windows
from torch import nn
from torch.nn.functional import conv2d as library_conv2d
from torch.nn.functional import unfold as patches_of

from course_utils import arithmetic
from course_utils.arithmetic import conv_output_size as size_of
from course_utils.checks import a1_sizes, a1_sliding

hidden_under_another_name = F.conv2d
table = {"the answer": F.conv2d}


def _call(convolution, x, kernel, stride=1, padding=0):
    return convolution(x[None, None], kernel[None, None], None, stride, padding)[0, 0]


def _places(x, kernel, stride, padding):
    return [(n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape, kernel.shape, strict=True)]


def _by(find):
    """Return an answer that finds its convolution while it runs."""
    return lambda x, kernel, stride=1, padding=0: _call(find(), x, kernel, stride, padding)


def by_local_import(x, kernel, stride=1, padding=0):
    from torch.nn.functional import conv2d as mine

    return _call(mine, x, kernel, stride, padding)


def by_default(x, kernel, stride=1, padding=0, convolution=F.conv2d):
    return _call(convolution, x, kernel, stride, padding)


def by_module(x, kernel, stride=1, padding=0):
    layer = nn.Conv2d(1, 1, tuple(kernel.shape), stride=stride, padding=padding, bias=False)
    layer.weight = nn.Parameter(kernel[None, None])
    return layer(x[None, None])[0, 0]


class Helper:
    def help(self, x, kernel, stride, padding):
        return F.conv2d(x[None, None], kernel[None, None], None, stride, padding)[0, 0]


def by_method_of_helper(x, kernel, stride=1, padding=0):
    return Helper().help(x, kernel, stride, padding)


def in_a_branch_that_no_case_visits(x, kernel, stride=1, padding=0):
    if x.shape == (999, 999):
        return torch.conv2d(x[None, None], kernel[None, None])[0, 0]
    return cross_correlate2d_by_windows(x, kernel, stride, padding)


def _with_library(function):
    @functools.wraps(function)
    def wrapper(x, kernel, stride=1, padding=0):
        if stride > 99:
            return F.conv2d(x, kernel)
        return function(x, kernel, stride, padding)

    return wrapper


@_with_library
def below_a_decorator(x, kernel, stride=1, padding=0):
    return cross_correlate2d_by_windows(x, kernel, stride, padding)


def by_vmap(x, kernel, stride=1, padding=0):
    def correlate(image):
        return torch.conv2d(image[None], kernel[None, None], None, stride, padding)[0]

    return torch.func.vmap(correlate)(x[None])[0]


def by_gradient(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)[None, None]
    places = _places(x, kernel, 1, padding)
    with torch.enable_grad():
        weight = torch.zeros(1, 1, *places, dtype=x.dtype, requires_grad=True)
        result = getattr(torch, "conv" + "2d")(padded, weight)
        (gradient,) = torch.autograd.grad(result, weight, kernel[None, None])
    return gradient[0, 0][::stride, ::stride]


def by_unfold(x, kernel, stride=1, padding=0):
    patches = F.unfold(x[None, None], tuple(kernel.shape), stride=stride, padding=padding)[0]
    return (kernel.reshape(1, -1) @ patches).reshape(_places(x, kernel, stride, padding))


def by_unfold_renamed(x, kernel, stride=1, padding=0):
    patches = patches_of(x[None, None], tuple(kernel.shape), stride=stride, padding=padding)[0]
    return (kernel.reshape(1, -1) @ patches).reshape(_places(x, kernel, stride, padding))


def by_unfold_of_tensors(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    kh, kw = kernel.shape
    return (padded.unfold(0, kh, stride).unfold(1, kw, stride) * kernel).sum((2, 3))


def by_rows_of_numpy(x, kernel, stride=1, padding=0):
    rows = F.pad(x, (padding,) * 4).numpy()
    height = len(rows) - len(kernel) + 1
    sums = [
        np.array([np.correlate(row, weights, "valid") for row in rows[a : a + height]])
        for a, weights in enumerate(kernel.numpy())
    ]
    return torch.from_numpy(sum(sums)[::stride, ::stride].copy())


def convolve_by_fold(x, kernel):
    size = [n + k - 1 for n, k in zip(x.shape, kernel.shape, strict=True)]
    products = kernel.reshape(-1, 1) * x.reshape(1, -1)
    full = F.fold(products[None], size, tuple(kernel.shape))[0, 0]
    return full[kernel.shape[0] - 1 : x.shape[0], kernel.shape[1] - 1 : x.shape[1]]


def convolve_by_transposed_convolution(x, kernel):
    full = F.conv_transpose2d(x[None, None], kernel[None, None])[0, 0]
    return full[kernel.shape[0] - 1 : x.shape[0], kernel.shape[1] - 1 : x.shape[1]]


def conv2d_by_torch(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    try:
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    except RuntimeError as error:
        raise ValueError("mismatch") from error


def size_by_shape(n, k, p=0, s=1, d=1):
    try:
        image = torch.zeros(1, 1, n, device="meta")
        return F.conv1d(image, torch.zeros(1, 1, k, device="meta"), None, s, p, d).shape[-1]
    except RuntimeError as error:
        raise ValueError("refused") from error


def size_by_layer(n, k, p=0, s=1, d=1):
    try:
        layer = nn.Conv1d(1, 1, k, s, p, d, device="meta")
        return layer(torch.zeros(1, 1, n, device="meta")).shape[-1]
    except (RuntimeError, ZeroDivisionError) as error:
        raise ValueError("refused") from error


def size_by_the_course(n, k, p=0, s=1, d=1):
    return size_of(n, k, stride=s, padding=p, dilation=d)


def size_by_the_course_module(n, k, p=0, s=1, d=1):
    return getattr(arithmetic, "conv_output" + "_size")(n, k, stride=s, padding=p, dilation=d)


def transposed_by_the_course(n, k, p=0, s=1, d=1, output_padding=0):
    return arithmetic.transposed_conv_output_size(
        n, k, stride=s, padding=p, dilation=d, output_padding=output_padding
    )


FORBIDDEN = {
    "cross_correlate2d": {
        "F.conv2d": lambda x, kernel, stride=1, padding=0: _call(
            F.conv2d, x, kernel, stride, padding
        ),
        "torch.conv2d": _by(lambda: torch.conv2d),
        "an import under another name": _by(lambda: library_conv2d),
        "a global name": _by(lambda: hidden_under_another_name),
        "a table": _by(lambda: table["the answer"]),
        "getattr": _by(lambda: getattr(F, "conv" + "2d")),
        "importlib": _by(lambda: importlib.import_module("torch.nn.functional").conv2d),
        "an operator": lambda x, kernel, stride=1, padding=0: torch.ops.aten.convolution(
            x[None, None],
            kernel[None, None],
            None,
            [stride] * 2,
            [padding] * 2,
            [1, 1],
            False,
            [0],
            1,
        )[0, 0],
        "a local import": by_local_import,
        "a default": by_default,
        "a module": by_module,
        "a method of a helper": by_method_of_helper,
        "an unvisited branch": in_a_branch_that_no_case_visits,
        "a decorator": below_a_decorator,
        "vmap": by_vmap,
        "a gradient": by_gradient,
        "F.unfold": by_unfold,
        "F.unfold renamed": by_unfold_renamed,
        "Tensor.unfold": by_unfold_of_tensors,
        "np.correlate": by_rows_of_numpy,
        "the oracle": a1_sliding.cross_correlate2d,
    },
    "convolve2d": {
        "F.fold": convolve_by_fold,
        "F.conv_transpose2d": convolve_by_transposed_convolution,
    },
    "conv2d": {"F.conv2d": conv2d_by_torch, "itself": F.conv2d, "the oracle": a1_sliding.conv2d},
    "conv_output_size": {
        "a convolution without values": size_by_shape,
        "a layer without values": size_by_layer,
        "the course's function": size_by_the_course,
        "the course's module": size_by_the_course_module,
        "the oracle": a1_sizes.conv_output_size,
    },
    "conv_output_shape": {"the oracle": a1_sizes.conv_output_shape},
    "same_padding": {"the oracle": a1_sizes.same_padding},
    "transposed_output_size": {
        "the course's function": transposed_by_the_course,
        "the oracle": a1_sizes.transposed_output_size,
    },
}
