"""Assignment 1, second half: correlation and convolution, one window at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.a1_sizes import (
    CONVOLUTION_NAMES,
    CONVOLUTION_OPERATORS,
    DILATION,
    PADDING,
    PAIRS,
    STRIDE,
    Pair,
    both,
)
from course_utils.checks.exercise import (
    REFUSALS,
    Answer,
    Case,
    Exercise,
    Forbidden,
    Misconception,
    Place,
)

WINDOW = Place("02_correlation_and_convolution", "The window slides")
FLIP = Place("02_correlation_and_convolution", "The kernel turned")
MODES = Place("03_convolution_arithmetic", "Four kinds of padding")
CHANNELS = Place("04_channels_and_groups", "Sums over channels")
GROUPS = Place("04_channels_and_groups", "Groups")

DTYPES = "float64 and strides"
Form = tuple[torch.dtype, bool]  # dtype, and whether the tensor has gaps between its elements
FORMS: tuple[Form, ...] = ((torch.float32, False), (torch.float64, False), (torch.float32, True))

NO_CONVOLUTION = Forbidden(
    "Write the sliding window yourself: slicing, einsum, as_strided, sliding_window_view and FFT "
    "are allowed; a library's convolution, correlation, unfold or fold is not.",
    f"{CONVOLUTION_OPERATORS}|im2col|col2im|unfold",
    CONVOLUTION_NAMES | {"unfold", "fold", "Unfold", "Fold", "im2col", "col2im", "unfold_copy"},
)


def image_tensor(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return small whole numbers without symmetry, the same on every machine."""
    count = int(np.prod(shape))
    numbers = [(start + 7 * n + n * n) % 19 - 8 for n in range(count)]
    return torch.tensor(numbers, dtype=dtype).reshape(shape)


def _random(rng: np.random.Generator, *shape: int, form: Form = (torch.float32, False)) -> Tensor:
    """Return normal numbers; if strided, as every other element of a larger tensor."""
    dtype, strided = form
    if not strided:
        return torch.from_numpy(rng.standard_normal(shape)).to(dtype)
    wide = torch.from_numpy(rng.standard_normal((*shape[:-2], shape[-1] * 2, shape[-2]))).to(dtype)
    return wide[..., ::2, :].transpose(-1, -2)


def _size(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _substantial(make: Callable[[], Case], oracle: Answer) -> Case:
    """Draw until the answer is not close to zero everywhere, so that rounding cannot matter."""
    while True:
        case = make()
        if oracle(*case.args, **case.kwargs).abs().max() > 0.5:
            return case


# --- cross_correlate2d ------------------------------------------------------------------------


def cross_correlate2d(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Ask PyTorch, which calls this a convolution."""
    return F.conv2d(x[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _correlate(
    *,
    kernel_as: Any = lambda kernel: kernel,
    pad: Any = lambda x, p: F.pad(x, (p, p, p, p)),
    stride_as: Any = lambda s: (s, s),
    result_as: Any = lambda result, kernel: result,
) -> Any:
    """Return a wrong correlation: another kernel, padding, stride or result."""

    def answer(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        padded = pad(x, padding)[None, None]
        weight = kernel_as(kernel)[None, None]
        result = F.conv2d(padded, weight, stride=stride_as(stride))[0, 0]
        return cast(Tensor, result_as(result, kernel))

    return answer


def _pad_mode(mode: str) -> Any:
    def pad(x: Tensor, p: int) -> Tensor:
        return F.pad(x[None, None], (p, p, p, p), mode=mode)[0, 0] if p else x

    return pad


def _correlate_short(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    padded = F.pad(x, (padding, padding, padding, padding))
    return cross_correlate2d(padded[:-1, :-1], kernel, stride)


def _correlate_same(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return cross_correlate2d(F.pad(x, sides), kernel, stride)


def _correlate_square(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    side = kernel.shape[0]
    padded = F.pad(x, (padding, padding, padding, padding))
    square = torch.zeros(side, side, dtype=kernel.dtype)
    columns = min(side, kernel.shape[1])
    square[:, :columns] = kernel[:, :columns]
    return cross_correlate2d(padded, square, stride)


def _correlate_unit_starts(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Right number of outputs, but each window starts one pixel after the one before."""
    right = cross_correlate2d(x, kernel, stride, padding)
    dense = cross_correlate2d(x, kernel, 1, padding)
    return dense[: right.shape[0], : right.shape[1]]


_PAD_SIDES = lambda x, p: F.pad(x, (p, 0, p, 0))  # noqa: E731

_CORRELATE_MISCONCEPTIONS = (
    Misconception(
        "kernel-flipped",
        _correlate(kernel_as=lambda kernel: kernel.flip(0, 1)),
        "Your result is that of a kernel turned by 180°: a true convolution. Correlation lays the "
        "kernel on the window as it is.",
        FLIP,
    ),
    Misconception(
        "rows-flipped",
        _correlate(kernel_as=lambda kernel: kernel.flip(0)),
        "Your result is that of a kernel with its rows in reverse order. Correlation lays the "
        "kernel on the window as it is.",
        FLIP,
    ),
    Misconception(
        "columns-flipped",
        _correlate(kernel_as=lambda kernel: kernel.flip(1)),
        "Your result is that of a kernel with its columns in reverse order. Correlation lays the "
        "kernel on the window as it is.",
        FLIP,
    ),
    Misconception(
        "kernel-transposed",
        _correlate(kernel_as=lambda kernel: kernel.T),
        "Your result is that of a transposed kernel. The first axis of kernel goes with the first "
        "axis of x.",
        WINDOW,
    ),
    Misconception(
        "result-transposed",
        _correlate(result_as=lambda result, kernel: result.T),
        "Your result is transposed: rows of the output are places of the window from top to "
        "bottom.",
        WINDOW,
    ),
    Misconception(
        "mean-of-products",
        _correlate(result_as=lambda result, kernel: result / kernel.numel()),
        "Your numbers are means of the products. A correlation adds them up.",
        WINDOW,
    ),
    Misconception(
        "normalised-kernel",
        _correlate(result_as=lambda result, kernel: result / kernel.sum()),
        "Your numbers are divided by the sum of the kernel. Nothing is normalised.",
        WINDOW,
    ),
    Misconception(
        "negative-cut-off",
        _correlate(result_as=lambda result, kernel: result.clamp(min=0)),
        "Your result has zeros where the sum is negative. A rectifier is another step.",
        WINDOW,
    ),
    Misconception(
        "absolute-value",
        _correlate(result_as=lambda result, kernel: result.abs()),
        "Your numbers have lost their sign.",
        WINDOW,
    ),
    Misconception(
        "padding-ignored",
        _correlate(pad=lambda x, p: x),
        "Your result does not depend on padding.",
        PADDING,
    ),
    Misconception(
        "padding-at-one-side",
        _correlate(pad=_PAD_SIDES),
        "Your zeros stand above and to the left only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-end",
        _correlate(pad=lambda x, p: F.pad(x, (0, p, 0, p))),
        "Your zeros stand below and to the right only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-of-columns-only",
        _correlate(pad=lambda x, p: F.pad(x, (p, p))),
        "Only your width is padded. Padding adds zeros above and below as well.",
        PADDING,
    ),
    Misconception(
        "padding-of-rows-only",
        _correlate(pad=lambda x, p: F.pad(x, (0, 0, p, p))),
        "Only your height is padded. Padding adds zeros to the left and right as well.",
        PADDING,
    ),
    Misconception(
        "padding-repeats-edge",
        _correlate(pad=_pad_mode("replicate")),
        "Your border repeats the pixels at the edge. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "padding-reflects",
        _correlate(pad=_pad_mode("reflect")),
        "Your border mirrors the image. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "padding-wraps",
        _correlate(pad=_pad_mode("circular")),
        "Your border continues at the other end of the image. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "padding-with-ones",
        _correlate(pad=lambda x, p: F.pad(x, (p, p, p, p), value=1.0)),
        "Your border is filled with ones. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "stride-ignored",
        _correlate(stride_as=lambda s: (1, 1)),
        "Your result does not depend on stride.",
        STRIDE,
    ),
    Misconception(
        "stride-of-rows-only",
        _correlate(stride_as=lambda s: (s, 1)),
        "Your window moves by the stride downwards but by one pixel to the right.",
        STRIDE,
    ),
    Misconception(
        "stride-of-columns-only",
        _correlate(stride_as=lambda s: (1, s)),
        "Your window moves by the stride to the right but by one pixel downwards.",
        STRIDE,
    ),
    Misconception(
        "stride-in-size-only",
        _correlate_unit_starts,
        "Your result has the right shape, but its windows are neighbours. Output (i, j) belongs to "
        "the window that starts at i and j strides.",
        STRIDE,
    ),
    Misconception(
        "last-window-missing",
        _correlate_short,
        "The last row and the last column of windows are missing: the kernel also fits where its "
        "end meets the end of the image.",
        WINDOW,
    ),
    Misconception(
        "always-same-size",
        _correlate_same,
        "Your result has the size of the input at stride 1 whatever the padding is. Only the "
        "padding that is asked for is added.",
        PADDING,
    ),
    Misconception(
        "square-kernel",
        _correlate_square,
        "Your window is as wide as the kernel is high. A kernel may be a rectangle.",
        WINDOW,
    ),
)

_SOBEL_X = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
_LESSON_IMAGE = torch.arange(1.0, 10.0).reshape(3, 3)

_CORRELATE_CASES = (
    Case("plain", (_LESSON_IMAGE, _SOBEL_X)),
    Case("plain", (image_tensor(4, 5), image_tensor(2, 3, start=3))),
    Case("plain", (image_tensor(5, 4), image_tensor(3, 2, start=5))),
    Case("plain", (image_tensor(3, 4, start=2), image_tensor(1, 1, start=4))),
    Case("padding", (image_tensor(4, 4), image_tensor(3, 3, start=2)), {"padding": 1}),
    Case("padding", (image_tensor(3, 4, start=6), image_tensor(2, 3, start=9)), {"padding": 2}),
    Case("stride", (image_tensor(5, 6), image_tensor(2, 2, start=7)), {"stride": 2}),
    Case("stride", (image_tensor(6, 7, start=4), image_tensor(3, 2, start=8)), {"stride": 3}),
    Case(
        "together", (image_tensor(5, 4, start=3), image_tensor(3, 3)), {"stride": 2, "padding": 1}
    ),
    Case("together", (image_tensor(4, 6, start=5), image_tensor(3, 2, start=2), 3, 2)),
    Case(DTYPES, (image_tensor(3, 4, dtype=torch.float64) / 7, image_tensor(2, 2).double() / 3)),
    Case(
        DTYPES,
        (image_tensor(6, 5, dtype=torch.float64).T / 7, image_tensor(2, 3, start=5).double()),
        {"padding": 1, "stride": 2},
    ),
    Case(DTYPES, (image_tensor(4, 8, start=3)[:, ::2], image_tensor(3, 2, start=6).T)),
    Case(DTYPES, (), {"x": image_tensor(5, 4, start=2).T, "kernel": image_tensor(2, 3, start=4)}),
)


def _draw_correlations(rng: np.random.Generator) -> list[Case]:
    def make(group: str, form: Form, strides: tuple[int, int], paddings: tuple[int, int]) -> Case:
        kernel = _random(rng, _size(rng, 1, 3), _size(rng, 2, 4), form=form)
        x = _random(rng, _size(rng, 4, 7), _size(rng, 5, 8), form=form)
        kwargs = {"stride": _size(rng, *strides), "padding": _size(rng, *paddings)}
        return Case(group, (x, kernel), kwargs)

    kinds = [
        ("plain", (1, 1), (0, 0)),
        ("padding", (1, 1), (1, 2)),
        ("stride", (2, 3), (0, 0)),
        ("together", (2, 3), (1, 2)),
    ]
    plain = [
        _substantial(partial(make, group, FORMS[0], strides, paddings), cross_correlate2d)
        for group, strides, paddings in kinds * 3
    ]
    return plain + [
        _substantial(partial(make, DTYPES, form, strides, paddings), cross_correlate2d)
        for _, strides, paddings in kinds
        for form in FORMS[1:]
    ]


def _trace_correlation(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> str:
    padded = tuple(n + 2 * padding for n in x.shape)
    places = tuple((n - k) // stride + 1 for n, k in zip(padded, kernel.shape, strict=True))
    return (
        f"Shapes on the way: {tuple(x.shape)}, padded {padded}; a kernel of "
        f"{tuple(kernel.shape)} at stride {stride} has {places[0]} places down and {places[1]} "
        "across."
    )


# --- convolve2d -------------------------------------------------------------------------------


def convolve2d(x: Tensor, kernel: Tensor) -> Tensor:
    """Ask PyTorch for a correlation with the kernel turned by 180 degrees."""
    return F.conv2d(x[None, None], kernel.flip(0, 1)[None, None])[0, 0]


def _full_convolution(x: Tensor, kernel: Tensor) -> Tensor:
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    return convolve2d(F.pad(x, (columns, columns, rows, rows)), kernel)


def _same_convolution(x: Tensor, kernel: Tensor) -> Tensor:
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return convolve2d(F.pad(x, sides), kernel)


_CONVOLVE_MISCONCEPTIONS = (
    Misconception(
        "not-flipped",
        lambda x, kernel: cross_correlate2d(x, kernel),
        "Your result is the correlation: the kernel is laid on the window as it is. A convolution "
        "runs through the kernel backwards.",
        FLIP,
    ),
    Misconception(
        "rows-flipped-only",
        lambda x, kernel: cross_correlate2d(x, kernel.flip(0)),
        "Only the rows of your kernel are in reverse order. A convolution reverses both axes.",
        FLIP,
    ),
    Misconception(
        "columns-flipped-only",
        lambda x, kernel: cross_correlate2d(x, kernel.flip(1)),
        "Only the columns of your kernel are in reverse order. A convolution reverses both axes.",
        FLIP,
    ),
    Misconception(
        "transposed",
        lambda x, kernel: cross_correlate2d(x, kernel.T),
        "Your kernel is transposed. Reversing both axes is a turn by 180°, not a mirror at the "
        "diagonal.",
        FLIP,
    ),
    Misconception(
        "flipped-and-transposed",
        lambda x, kernel: cross_correlate2d(x, kernel.flip(0, 1).T),
        "Your kernel is turned and transposed as well. Reversing both axes is enough.",
        FLIP,
    ),
    Misconception(
        "quarter-turn",
        lambda x, kernel: cross_correlate2d(x, kernel.rot90()),
        "Your kernel is turned by 90°. A convolution turns it by 180°.",
        FLIP,
    ),
    Misconception(
        "quarter-turn-clockwise",
        lambda x, kernel: cross_correlate2d(x, kernel.rot90(-1)),
        "Your kernel is turned by 90° clockwise. A convolution turns it by 180°.",
        FLIP,
    ),
    Misconception(
        "result-flipped",
        lambda x, kernel: convolve2d(x, kernel).flip(0, 1),
        "Your values are right but in reverse order: the result is turned by 180°. That also comes "
        "of turning the image; it is the kernel that is turned.",
        FLIP,
    ),
    Misconception(
        "correlation-flipped",
        lambda x, kernel: cross_correlate2d(x, kernel).flip(0, 1),
        "You turn the correlation's result. It is the kernel that is turned, before the sums.",
        FLIP,
    ),
    Misconception(
        "negated",
        lambda x, kernel: -cross_correlate2d(x, kernel),
        "Your result is the correlation with its sign changed. That the lesson's patch gives the "
        "opposite number is due to the odd symmetry of its kernel, not to a rule.",
        FLIP,
    ),
    Misconception(
        "full-size",
        _full_convolution,
        "Your result has every place where kernel and image overlap at all. Asked for are those "
        "where the kernel fits whole.",
        FLIP,
    ),
    Misconception(
        "same-size",
        _same_convolution,
        "Your result has the size of the image. Asked for are the places where the kernel fits "
        "whole.",
        FLIP,
    ),
)

_CONVOLVE_CASES = (
    Case("square", (_LESSON_IMAGE, _SOBEL_X)),
    Case("square", (image_tensor(5, 5), image_tensor(3, 3, start=4))),
    Case("square", (image_tensor(4, 4, start=7), image_tensor(2, 2, start=5))),
    Case("rectangles", (image_tensor(4, 6, start=2), image_tensor(2, 3, start=6))),
    Case("rectangles", (image_tensor(5, 4, start=3), image_tensor(1, 3, start=1))),
    Case("rectangles", (image_tensor(5, 3, start=9), image_tensor(4, 2, start=2))),
    Case(DTYPES, (image_tensor(3, 4, dtype=torch.float64) / 7, image_tensor(2, 2).double() / 3)),
    Case(DTYPES, (image_tensor(5, 4, start=4).T, image_tensor(4, 3, start=8)[::2])),
    Case(DTYPES, (), {"x": image_tensor(4, 8, start=3)[:, ::2], "kernel": image_tensor(3, 2).T}),
)


def _draw_convolutions(rng: np.random.Generator) -> list[Case]:
    def make(group: str, side: tuple[int, int], form: Form) -> Case:
        rows, columns = _size(rng, *side), _size(rng, 3, 4)
        kernel = _random(
            rng, *((columns,) * 2 if group == "square" else (rows, columns)), form=form
        )
        x = _random(rng, _size(rng, 4, 6), _size(rng, 6, 8), form=form)
        upright = rng.random() < 0.5
        return Case(group, (x.T, kernel.T) if upright else (x, kernel))

    kinds = [("square", (3, 4), FORMS[0]), ("rectangles", (1, 2), FORMS[0])] * 3
    kinds += [(DTYPES, (1, 3), form) for form in FORMS[1:] * 2]
    return [_substantial(partial(make, *kind), convolve2d) for kind in kinds]


# --- conv2d -----------------------------------------------------------------------------------


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Ask PyTorch; raise ValueError where channels and groups do not match."""
    channels, out_channels = x.shape[1], weight.shape[0]
    if groups < 1 or channels % groups or out_channels % groups:
        raise ValueError("groups must divide both channel numbers")
    if weight.shape[1] * groups != channels:
        raise ValueError("weight.shape[1] must be the channels of a group")
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def _conv2d_with(
    *,
    x_as: Any = lambda x, groups: x,
    weight_as: Any = lambda weight, groups: weight,
    bias_as: Any = lambda bias, weight: bias,
    pair_as: Any = lambda pair: pair,
    settings_as: Any = lambda **settings: settings,
    result_as: Any = lambda result, x, weight: result,
) -> Any:
    """Return a wrong conv2d with one part of it changed; it refuses what must be refused."""

    def answer(
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
    ) -> Tensor:
        if x.shape[1] % groups or weight.shape[0] % groups:
            raise ValueError
        if weight.shape[1] * groups != x.shape[1]:
            raise ValueError
        settings = settings_as(
            stride=pair_as(both(stride)),
            padding=pair_as(both(padding)),
            dilation=pair_as(both(dilation)),
        )
        pad = settings.pop("pad", None)
        image = x_as(x, groups) if pad is None else pad(x)
        result = F.conv2d(
            image, weight_as(weight, groups), bias_as(bias, weight), groups=groups, **settings
        )
        return cast(Tensor, result_as(result, x, weight))

    return answer


def _pad_with(pad: Any) -> Any:
    """Return settings whose padding is made by hand: ``pad(x, vertical, horizontal)``."""

    def settings_as(stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
        return {
            "stride": stride,
            "dilation": dilation,
            "pad": lambda x: pad(x, *padding),
        }

    return settings_as


def _pad_mode2d(mode: str) -> Any:
    return _pad_with(lambda x, v, h: F.pad(x, (h, h, v, v), mode=mode) if v or h else x)


def _shared_input(x: Tensor, groups: int) -> Tensor:
    """Give every group the channels of the first."""
    share = x.shape[1] // groups
    return torch.cat([x[:, :share]] * groups, dim=1)


def _interleaved_input(x: Tensor, groups: int) -> Tensor:
    """Give group g the channels g, g + groups, g + 2 groups and so on."""
    return torch.cat([x[:, group::groups] for group in range(groups)], dim=1)


def _interleaved_filters(weight: Tensor, groups: int) -> Tensor:
    """Give group g the filters g, g + groups and so on; the output keeps that order."""
    return torch.cat([weight[group::groups] for group in range(groups)], dim=0)


def _alternating_filters(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Let filter o see the channels of group o % groups."""
    if x.shape[1] % groups or weight.shape[0] % groups or weight.shape[1] * groups != x.shape[1]:
        raise ValueError
    share = weight.shape[1]
    maps = []
    for number in range(weight.shape[0]):
        start = number % groups * share
        part = x[:, start : start + share]
        maps.append(F.conv2d(part, weight[number : number + 1], None, stride, padding, dilation))
    result = torch.cat(maps, dim=1)
    return result if bias is None else result + bias.reshape(1, -1, 1, 1)


def _conv2d_refusing(refuses: Any) -> Any:
    """Return a right conv2d that refuses only what ``refuses(C, O, channels, groups)`` says."""

    def answer(
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
    ) -> Tensor:
        in_channels, out_channels, channels = x.shape[1], weight.shape[0], weight.shape[1]
        if refuses(in_channels, out_channels, channels, groups):
            raise ValueError
        try:
            return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
        except RuntimeError:
            used = x[:, : channels * groups]
            if used.shape[1] < channels * groups or out_channels % groups:
                return torch.zeros(0)
            return F.conv2d(used, weight, bias, stride, padding, dilation, groups)

    return answer


def _add_to_result(amount: Any) -> Any:
    """Return a wrong conv2d that adds ``amount(bias, weight)`` times the bias too much."""

    def bias_as(bias: Tensor | None, weight: Tensor) -> Tensor | None:
        return None if bias is None else bias * amount(weight)

    return bias_as


_CONV2D_MISCONCEPTIONS = (
    Misconception(
        "kernel-flipped",
        _conv2d_with(weight_as=lambda weight, groups: weight.flip(2, 3)),
        "Your kernels are turned by 180°. What is called convolution in PyTorch lays them on the "
        "window as they are.",
        FLIP,
    ),
    Misconception(
        "kernel-rows-flipped",
        _conv2d_with(weight_as=lambda weight, groups: weight.flip(2)),
        "The rows of your kernels are in reverse order. They are laid on the window as they are.",
        FLIP,
    ),
    Misconception(
        "kernel-columns-flipped",
        _conv2d_with(weight_as=lambda weight, groups: weight.flip(3)),
        "The columns of your kernels are in reverse order. They are laid on the window as they "
        "are.",
        FLIP,
    ),
    Misconception(
        "kernel-transposed",
        _conv2d_with(weight_as=lambda weight, groups: weight.transpose(2, 3)),
        "Your kernels are transposed: the third axis of weight goes with the height.",
        WINDOW,
    ),
    Misconception(
        "first-channel-only",
        _conv2d_with(
            weight_as=lambda weight, groups: torch.cat(
                [weight[:, :1], torch.zeros_like(weight[:, 1:])], dim=1
            )
        ),
        "Your result depends on the first channel of each group only. A filter has a kernel for "
        "every channel of its group, and their sums are added.",
        CHANNELS,
    ),
    Misconception(
        "last-channel-only",
        _conv2d_with(
            weight_as=lambda weight, groups: torch.cat(
                [torch.zeros_like(weight[:, :-1]), weight[:, -1:]], dim=1
            )
        ),
        "Your result depends on the last channel of each group only, as if each channel wrote over "
        "the one before. Their sums are added.",
        CHANNELS,
    ),
    Misconception(
        "channels-averaged",
        _conv2d_with(weight_as=lambda weight, groups: weight / weight.shape[1]),
        "Your result is the mean over the channels of a group. They are added up.",
        CHANNELS,
    ),
    Misconception(
        "channels-reversed",
        _conv2d_with(weight_as=lambda weight, groups: weight.flip(1)),
        "Your kernels meet the channels in reverse order. A convolution turns height and width "
        "only, and this one not even those.",
        CHANNELS,
    ),
    Misconception(
        "one-kernel-for-all-channels",
        _conv2d_with(weight_as=lambda weight, groups: weight[:, :1].expand_as(weight)),
        "You use the kernel of the first channel for all of them. Each channel has its own.",
        CHANNELS,
    ),
    Misconception(
        "one-filter-for-all-maps",
        _conv2d_with(weight_as=lambda weight, groups: weight[:1].expand_as(weight)),
        "All your output channels use the first filter. Each has its own.",
        CHANNELS,
    ),
    Misconception(
        "first-image-only",
        _conv2d_with(result_as=lambda result, x, weight: result[:1].expand_as(result)),
        "Every image of your batch has the result of the first one.",
        CHANNELS,
    ),
    Misconception(
        "batch-dropped",
        _conv2d_with(result_as=lambda result, x, weight: result[:1]),
        "Your result has one image, whatever the batch. Every image gives a result of its own.",
        CHANNELS,
    ),
    Misconception(
        "bias-ignored",
        _conv2d_with(bias_as=lambda bias, weight: None),
        "Your result does not depend on bias.",
        CHANNELS,
    ),
    Misconception(
        "bias-per-channel",
        _conv2d_with(bias_as=_add_to_result(lambda weight: weight.shape[1])),
        "You add the bias once for each channel of the input. It is added once to each output, "
        "after the sum.",
        CHANNELS,
    ),
    Misconception(
        "bias-per-weight",
        _conv2d_with(bias_as=_add_to_result(lambda weight: weight[0].numel())),
        "You add the bias once for each weight. It is added once to each output, after the sum.",
        CHANNELS,
    ),
    Misconception(
        "bias-subtracted",
        _conv2d_with(bias_as=_add_to_result(lambda weight: -1)),
        "Your bias is subtracted. It is added.",
        CHANNELS,
    ),
    Misconception(
        "first-bias-for-all",
        _conv2d_with(
            bias_as=lambda bias, weight: None if bias is None else bias[:1].expand_as(bias)
        ),
        "All your output channels have the first bias. Each has its own.",
        CHANNELS,
    ),
    Misconception(
        "stride-ignored",
        _conv2d_with(
            settings_as=lambda stride, padding, dilation: {
                "padding": padding,
                "dilation": dilation,
            }
        ),
        "Your result does not depend on stride.",
        STRIDE,
    ),
    Misconception(
        "padding-ignored",
        _conv2d_with(
            settings_as=lambda stride, padding, dilation: {"stride": stride, "dilation": dilation}
        ),
        "Your result does not depend on padding.",
        PADDING,
    ),
    Misconception(
        "dilation-ignored",
        _conv2d_with(
            settings_as=lambda stride, padding, dilation: {"stride": stride, "padding": padding}
        ),
        "Your result does not depend on dilation. It puts the pixels that a kernel reads that far "
        "apart.",
        DILATION,
    ),
    Misconception(
        "dilation-off-by-one",
        _conv2d_with(
            settings_as=lambda stride, padding, dilation: {
                "stride": stride,
                "padding": padding,
                "dilation": (dilation[0] + 1, dilation[1] + 1),
            }
        ),
        "Your kernels are stretched even at dilation 1. A dilation of d puts neighbouring weights "
        "d pixels apart, so 1 means that they touch.",
        DILATION,
    ),
    Misconception(
        "stride-and-dilation-swapped",
        _conv2d_with(
            settings_as=lambda stride, padding, dilation: {
                "stride": dilation,
                "padding": padding,
                "dilation": stride,
            }
        ),
        "Your stride stretches the kernel and your dilation moves it. It is the other way round.",
        DILATION,
    ),
    Misconception(
        "pairs-swapped",
        _conv2d_with(pair_as=lambda pair: pair[::-1]),
        "You use the first number of a pair for the width. A pair is (vertical, horizontal).",
        PAIRS,
    ),
    Misconception(
        "first-of-pair",
        _conv2d_with(pair_as=lambda pair: (pair[0], pair[0])),
        "You use the first number of a pair for both axes. The second belongs to the width.",
        PAIRS,
    ),
    Misconception(
        "second-of-pair",
        _conv2d_with(pair_as=lambda pair: (pair[1], pair[1])),
        "You use the second number of a pair for both axes. The first belongs to the height.",
        PAIRS,
    ),
    Misconception(
        "padding-at-one-side",
        _conv2d_with(settings_as=_pad_with(lambda x, v, h: F.pad(x, (h, 0, v, 0)))),
        "Your zeros stand above and to the left only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-end",
        _conv2d_with(settings_as=_pad_with(lambda x, v, h: F.pad(x, (0, h, 0, v)))),
        "Your zeros stand below and to the right only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-repeats-edge",
        _conv2d_with(settings_as=_pad_mode2d("replicate")),
        "Your border repeats the pixels at the edge. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "padding-reflects",
        _conv2d_with(settings_as=_pad_mode2d("reflect")),
        "Your border mirrors the image. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "padding-wraps",
        _conv2d_with(settings_as=_pad_mode2d("circular")),
        "Your border continues at the other end of the image. It is to be filled with zeros.",
        MODES,
    ),
    Misconception(
        "groups-share-channels",
        _conv2d_with(x_as=_shared_input),
        "Every group of yours reads the channels of the first group. Each has its own share of "
        "the input.",
        GROUPS,
    ),
    Misconception(
        "groups-interleave-channels",
        _conv2d_with(x_as=_interleaved_input),
        "Your groups take channels in turn. A group is a block of neighbouring channels.",
        GROUPS,
    ),
    Misconception(
        "groups-interleave-filters",
        _conv2d_with(weight_as=_interleaved_filters),
        "Your groups take filters in turn, and the output comes in that order. A group is a block "
        "of neighbouring filters.",
        GROUPS,
    ),
    Misconception(
        "groups-alternate",
        _alternating_filters,
        "Your filters go round the groups: filter o reads group o modulo groups. A block of "
        "neighbouring filters belongs to one group.",
        GROUPS,
    ),
    Misconception(
        "height-and-width-swapped",
        _conv2d_with(result_as=lambda result, x, weight: result.transpose(2, 3)),
        "Your result has height and width swapped.",
        PAIRS,
    ),
    Misconception(
        "channels-last",
        _conv2d_with(result_as=lambda result, x, weight: result.permute(0, 2, 3, 1)),
        "Your result has the channels last. The order is (batch, channels, height, width).",
        CHANNELS,
    ),
    Misconception(
        "channel-mismatch-accepted",
        _conv2d_refusing(lambda c, o, channels, groups: c % groups or o % groups),
        "Your values are right, but a weight for another number of channels is accepted.",
        CHANNELS,
    ),
    Misconception(
        "filters-not-divided",
        _conv2d_refusing(lambda c, o, channels, groups: channels * groups != c),
        "Your values are right, but you do not refuse groups that do not divide the number of "
        "filters.",
        GROUPS,
    ),
    Misconception(
        "nothing-refused",
        _conv2d_refusing(lambda c, o, channels, groups: False),
        "Your values are right, but nothing is refused. The prompt lists what must raise "
        "ValueError.",
        CHANNELS,
    ),
)

_MISMATCH = "weight.shape[1] is not the number of channels of a group"
_INDIVISIBLE = "groups does not divide both channel numbers"


def _filters(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


_CONV2D_CASES = (
    Case("channels and batch", (image_tensor(1, 3, 3, 4), _filters(2, 3, 3, 3, start=2))),
    Case("channels and batch", (image_tensor(2, 2, 4, 3, start=3), _filters(3, 2, 2, 3, start=4))),
    Case("channels and batch", (image_tensor(3, 1, 3, 4, start=5), _filters(2, 1, 2, 2, start=6))),
    Case(
        "bias",
        (image_tensor(1, 3, 3, 3, start=2), _filters(3, 3, 2, 2), torch.tensor([1.5, -2.0, 5])),
    ),
    Case(
        "bias", (image_tensor(1, 2, 3, 3), _filters(2, 2, 3, 3, start=3), torch.tensor([-3.0, 7]))
    ),
    Case(
        "stride and padding",
        (image_tensor(2, 1, 7, 6), _filters(1, 1, 3, 3, start=7)),
        {"stride": (3, 2)},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 2, 5, 6, start=4), _filters(2, 2, 3, 2, start=5)),
        {"stride": 2, "padding": 1},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 1, 3, 4, start=8), _filters(1, 1, 3, 3, start=9)),
        {"padding": (2, 1)},
    ),
    Case(
        "stride and padding",
        (image_tensor(1, 1, 5, 7, start=6), _filters(2, 1, 2, 3), None, (2, 3), (1, 2)),
    ),
    Case(
        "dilation",
        (image_tensor(1, 2, 9, 8, start=5), _filters(1, 2, 2, 3, start=8)),
        {"dilation": (2, 3), "stride": (3, 1)},
    ),
    Case("dilation", (image_tensor(1, 2, 6, 7), _filters(2, 2, 3, 2, start=3)), {"dilation": 2}),
    Case(
        "dilation",
        (image_tensor(1, 1, 8, 6, start=2), _filters(2, 1, 3, 3, start=4)),
        {"dilation": (3, 1), "padding": 1},
    ),
    Case("groups", (image_tensor(1, 4, 3, 4, start=3), _filters(4, 2, 2, 2)), {"groups": 2}),
    Case(
        "groups",
        (image_tensor(2, 3, 3, 3, start=7), _filters(6, 1, 2, 2, start=4)),
        {"groups": 3, "bias": torch.tensor([1.0, -2, 3, -4, 5, -6])},
    ),
    Case(
        "groups",
        (
            image_tensor(2, 4, 5, 6, start=9),
            _filters(4, 2, 2, 3, start=2),
            torch.tensor([0.5, 1, -1, 2]),
            2,
            (1, 0),
            (1, 2),
            2,
        ),
    ),
    Case(
        DTYPES,
        (image_tensor(1, 2, 3, 4, dtype=torch.float64) / 7, _filters(2, 2, 2, 2).double() / 3),
        {"bias": torch.tensor([0.1, -0.7], dtype=torch.float64)},
    ),
    Case(
        DTYPES,
        (),
        {
            "x": image_tensor(2, 2, 5, 4, start=5).transpose(2, 3),
            "weight": _filters(4, 2, 3, 2, start=7).transpose(2, 3)[::2],
            "stride": 2,
        },
    ),
    Case(
        DTYPES,
        (image_tensor(1, 4, 4, 8, start=2)[:, ::2, :, 1::2], _filters(2, 1, 2, 2, start=3)),
        {"padding": 1, "groups": 2},
    ),
    Case(REFUSALS, (image_tensor(1, 3, 4, 4), _filters(2, 2, 3, 3)), {}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 2, 4, 4), _filters(2, 3, 3, 3)), {}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 4, 4, 4), _filters(2, 4, 3, 3)), {"groups": 2}, _MISMATCH),
    Case(REFUSALS, (image_tensor(1, 3, 4, 4), _filters(4, 1, 3, 3)), {"groups": 2}, _INDIVISIBLE),
    Case(REFUSALS, (image_tensor(1, 4, 4, 4), _filters(3, 2, 3, 3)), {"groups": 2}, _INDIVISIBLE),
)


def _draw_conv2d(rng: np.random.Generator) -> list[Case]:
    def pair(low: int, high: int) -> Pair:
        first, second = _size(rng, low, high), _size(rng, low, high)
        return first if rng.random() < 0.4 else (first, second)

    def make(
        group: str, form: Form, *, groups: int = 1, bias: bool = False, **settings: Pair
    ) -> Case:
        channels, filters = groups * _size(rng, 1, 2), groups * _size(rng, 1, 2)
        kernel = _size(rng, 1, 3), _size(rng, 2, 3)
        dilation = both(settings.get("dilation", 1))
        hw = [d * (k - 1) + 1 + _size(rng, 1, 3) for k, d in zip(kernel, dilation, strict=True)]
        x = _random(rng, _size(rng, 1, 2), channels, *hw, form=form)
        weight = _random(rng, filters, channels // groups, *kernel, form=form)
        kwargs: dict[str, Any] = dict(settings)
        if bias:
            kwargs["bias"] = torch.from_numpy(rng.standard_normal(filters)).to(form[0])
        if groups > 1:
            kwargs["groups"] = groups
        return Case(group, (x, weight), kwargs)

    def call(group: str, form: Form = FORMS[0], **settings: Any) -> Case:
        return _substantial(partial(make, group, form, **settings), conv2d)

    cases = []
    for _ in range(2):
        everything: dict[str, Any] = {
            "stride": pair(1, 3),
            "padding": pair(0, 2),
            "dilation": pair(1, 2),
        }
        cases += [
            call("channels and batch"),
            call("bias", bias=True),
            call("stride and padding", stride=pair(2, 3)),
            call("stride and padding", padding=pair(1, 2)),
            call("stride and padding", stride=pair(1, 3), padding=pair(0, 2)),
            call("dilation", dilation=pair(2, 3)),
            call("dilation", bias=True, **everything),
            call("groups", groups=_size(rng, 2, 3)),
            call("groups", groups=2, bias=True, **everything),
        ]
        cases += [
            call(DTYPES, form, groups=groups, bias=True, **everything)
            for form in FORMS[1:]
            for groups in (1, 2)
        ]
    for channels, weight_channels, groups in [(4, 3, 1), (3, 4, 1), (6, 6, 3), (6, 2, 2)]:
        x = _random(rng, 1, channels, 5, 5)
        weight = _random(rng, 2 * groups, weight_channels, 2, 3)
        cases.append(Case(REFUSALS, (x, weight), {"groups": groups}, _MISMATCH))
    for channels, weight_channels, filters, groups in [(5, 2, 4, 2), (6, 2, 4, 3)]:
        x = _random(rng, 1, channels, 5, 5)
        weight = _random(rng, filters, weight_channels, 2, 3)
        cases.append(Case(REFUSALS, (x, weight), {"groups": groups}, _INDIVISIBLE))
    return cases


def _trace_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> str:
    padded = tuple(n + 2 * p for n, p in zip(x.shape[2:], both(padding), strict=True))
    spans = tuple(d * (k - 1) + 1 for k, d in zip(weight.shape[2:], both(dilation), strict=True))
    places = tuple(
        (n - span) // s + 1 for n, span, s in zip(padded, spans, both(stride), strict=True)
    )
    return (
        f"Shapes on the way: x {tuple(x.shape)}, height and width padded {padded}; a kernel that "
        f"spans {spans} at stride {both(stride)} has {places[0]} places down and {places[1]} "
        f"across; {x.shape[0]} images and {weight.shape[0]} filters."
    )


EXERCISES = (
    Exercise(
        "cross_correlate2d",
        9,
        cross_correlate2d,
        _CORRELATE_CASES,
        _draw_correlations,
        _CORRELATE_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {"plain": 3, "padding": 2, "stride": 2, "together": 1, DTYPES: 1},
        _trace_correlation,
    ),
    Exercise(
        "convolve2d",
        4,
        convolve2d,
        _CONVOLVE_CASES,
        _draw_convolutions,
        _CONVOLVE_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {"square": 2, "rectangles": 1, DTYPES: 1},
        _trace_correlation,
    ),
    Exercise(
        "conv2d",
        11,
        conv2d,
        _CONV2D_CASES,
        _draw_conv2d,
        _CONV2D_MISCONCEPTIONS,
        NO_CONVOLUTION,
        {
            "channels and batch": 2,
            DTYPES: 1,
            "bias": 1,
            "stride and padding": 2,
            "dilation": 2,
            "groups": 2,
            REFUSALS: 1,
        },
        _trace_conv2d,
    ),
)
