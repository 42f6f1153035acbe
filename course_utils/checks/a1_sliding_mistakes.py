"""Assignment 1, second half: wrong sliding windows, each with a name and what it shows."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.a1_oracles import conv2d, convolve2d, cross_correlate2d
from course_utils.checks.a1_rules import (
    CHANNELS,
    DILATION,
    FLIP,
    GROUPS,
    MODES,
    PADDING,
    PAIRS,
    STRIDE,
    WINDOW,
    Pair,
    both,
)
from course_utils.checks.exercise import Misconception


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


def _correlate_ceil(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    sizes = [-(-(n - k) // stride) + 1 for n, k in zip(padded.shape, kernel.shape, strict=True)]
    more = [
        (m - 1) * stride + k - n for m, k, n in zip(sizes, kernel.shape, padded.shape, strict=True)
    ]
    return cross_correlate2d(
        F.pad(padded, (0, max(more[1], 0), 0, max(more[0], 0))), kernel, stride
    )


def _correlate_negative_indices(x, kernel, stride=1, padding=0):
    """Let an index below zero count from the end, as Python does; beyond the end is zero."""
    rows, columns = (torch.arange(-padding, n) for n in x.shape)
    wrapped = x[rows[:, None], columns]
    return cross_correlate2d(F.pad(wrapped, (0, padding, 0, padding)), kernel, stride)


def _correlate_unstrided_map(x, kernel, stride=1, padding=0):
    dense = cross_correlate2d(x, kernel, 1, padding)
    right = cross_correlate2d(x, kernel, stride, padding)
    result = torch.zeros_like(dense)
    result[: right.shape[0], : right.shape[1]] = right
    return result


def _correlate_unwritten_end(x, kernel, stride=1, padding=0):
    """Let both loops end one place early, in a result of the right size."""
    result = cross_correlate2d(x, kernel, stride, padding)
    result[-1], result[:, -1] = 0, 0
    return result


def _correlate_last_product(x, kernel, stride=1, padding=0):
    """Write each product over the one before, so that only the last weight's is left."""
    last = torch.zeros_like(kernel)
    last[-1, -1] = kernel[-1, -1]
    return cross_correlate2d(x, last, stride, padding)


CORRELATE_MISCONCEPTIONS = (
    Misconception(
        "kernel-flipped",
        _correlate(kernel_as=lambda kernel: kernel.flip(0, 1)),
        "Your result is that of a kernel turned by 180°: a true convolution. Correlation lays "
        "the "
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
        "Your result is that of a transposed kernel. The first axis of kernel goes with the "
        "first "
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
        "Your result has the right shape, but its windows are neighbours. Output (i, j) "
        "belongs to "
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
        "last-places-unwritten",
        _correlate_unwritten_end,
        "The last row and the last column of your result are 0: your loops end one place early. "
        "`range(n)` already stops before n.",
        WINDOW,
    ),
    Misconception(
        "last-product-only",
        _correlate_last_product,
        "Each of your numbers is one product: that of the kernel's last weight. The products of "
        "a window are added up.",
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
    Misconception(
        "windows-summed",
        _correlate(kernel_as=torch.ones_like),
        "Your numbers are sums of the window; the kernel's weights have no part in them. Each "
        "pixel is multiplied by the weight above it first.",
        WINDOW,
    ),
    Misconception(
        "last-partial-window",
        _correlate_ceil,
        "Where the stride leaves a remainder, your result has one window too many, which hangs "
        "over the end. A step that does not fit whole is not taken.",
        STRIDE,
    ),
    Misconception(
        "padding-twice",
        _correlate(pad=lambda x, p: F.pad(x, (2 * p,) * 4)),
        "Your image is padded with twice as many zeros as asked for at each side.",
        PADDING,
    ),
    Misconception(
        "padding-of-one",
        _correlate(pad=lambda x, p: F.pad(x, (min(p, 1),) * 4)),
        "Your border is one pixel wide whatever the padding is.",
        PADDING,
    ),
    Misconception(
        "padding-both-at-the-start",
        _correlate(pad=lambda x, p: F.pad(x, (2 * p, 0, 2 * p, 0))),
        "All your zeros stand above and to the left, and none below or to the right. Padding "
        "adds p at each of the four sides.",
        PADDING,
    ),
    Misconception(
        "padding-by-negative-indices",
        _correlate_negative_indices,
        "Above and to the left your border holds pixels from the other end of the image: a "
        "negative index counts from the end. The border is zero.",
        PADDING,
    ),
    Misconception(
        "strides-kept-apart",
        _correlate_unstrided_map,
        "Your result has the size of stride 1, with zeros where nothing was written. Its size "
        "follows from the number of places at that stride.",
        STRIDE,
    ),
    Misconception(
        "padding-and-stride-ignored",
        _correlate(pad=lambda x, p: x, stride_as=lambda s: (1, 1)),
        "Your result depends neither on stride nor on padding.",
        WINDOW,
    ),
    Misconception(
        "kernel-flipped-stride-ignored",
        _correlate(kernel_as=lambda k: k.flip(0, 1), stride_as=lambda s: (1, 1)),
        "Your kernel is turned by 180°, and your result does not depend on stride. Correlation "
        "lays the kernel on the window as it is.",
        FLIP,
    ),
    Misconception(
        "through-float32",
        lambda x, kernel, stride=1, padding=0: cross_correlate2d(
            x.float(), kernel.float(), stride, padding
        ).to(x.dtype),
        "Your float64 results are right to seven digits only: on the way they were float32. "
        "`torch.zeros(...)` and `torch.tensor(list)` make float32 unless they are given "
        "`dtype=x.dtype`.",
        WINDOW,
    ),
)


def _full_convolution(x: Tensor, kernel: Tensor) -> Tensor:
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    return convolve2d(F.pad(x, (columns, columns, rows, rows)), kernel)


def _same_convolution(x: Tensor, kernel: Tensor) -> Tensor:
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return convolve2d(F.pad(x, sides), kernel)


def _circular(x, kernel):
    s = tuple(x.shape)
    return torch.fft.ifft2(
        torch.fft.fft2(x.double()) * torch.fft.fft2(kernel.double(), s=s)
    ).real.to(x.dtype)


CONVOLVE_MISCONCEPTIONS = (
    Misconception(
        "not-flipped",
        lambda x, kernel: cross_correlate2d(x, kernel),
        "Your result is the correlation: the kernel is laid on the window as it is. A "
        "convolution "
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
        "Your values are right but in reverse order: the result is turned by 180°. That also "
        "comes "
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
    Misconception(
        "image-rows-flipped",
        lambda x, kernel: cross_correlate2d(x.flip(0), kernel),
        "Your image has its rows in reverse order. It is the kernel that is reversed, in both "
        "axes.",
        FLIP,
    ),
    Misconception(
        "image-columns-flipped",
        lambda x, kernel: cross_correlate2d(x.flip(1), kernel),
        "Your image has its columns in reverse order. It is the kernel that is reversed, in "
        "both axes.",
        FLIP,
    ),
    Misconception(
        "result-transposed",
        lambda x, kernel: convolve2d(x, kernel).T,
        "Your result is transposed.",
        FLIP,
    ),
    Misconception(
        "negative-convolution",
        lambda x, kernel: -convolve2d(x, kernel),
        "Your numbers have the wrong sign: the kernel is turned, and the result is negated as "
        "well. The turn is all there is.",
        FLIP,
    ),
    Misconception(
        "mean-of-products",
        lambda x, kernel: convolve2d(x, kernel) / kernel.numel(),
        "Your numbers are means of the products. A convolution adds them up.",
        FLIP,
    ),
    Misconception(
        "absolute-value",
        lambda x, kernel: convolve2d(x, kernel).abs(),
        "Your numbers have lost their sign.",
        FLIP,
    ),
    Misconception(
        "circular",
        lambda x, kernel: _circular(x, kernel),
        "Your result has the size of the image, and its first rows and columns mix both ends "
        "of it: a product of spectra wraps round. Cut off what the kernel does not reach "
        "whole.",
        FLIP,
    ),
    Misconception(
        "circular-cut-at-the-end",
        lambda x, kernel: _circular(x, kernel)[
            : x.shape[0] - kernel.shape[0] + 1, : x.shape[1] - kernel.shape[1] + 1
        ],
        "Your result keeps the first rows and columns of the product of spectra, which wrap "
        "round the image. They are what has to be cut off.",
        FLIP,
    ),
    Misconception(
        "full-size-not-flipped",
        lambda x, kernel: cross_correlate2d(
            F.pad(x, (kernel.shape[1] - 1,) * 2 + (kernel.shape[0] - 1,) * 2), kernel
        ),
        "Your kernel is not turned, and your result has every place where kernel and image "
        "overlap at all. Asked for are those where the kernel fits whole.",
        FLIP,
    ),
    Misconception(
        "padded-by-half-kernel",
        lambda x, kernel: convolve2d(
            F.pad(x, (kernel.shape[1] // 2,) * 2 + (kernel.shape[0] // 2,) * 2), kernel
        ),
        "Your image is padded by half the kernel at each side. Asked for are the places where "
        "the kernel fits whole.",
        FLIP,
    ),
    Misconception(
        "one-short",
        lambda x, kernel: convolve2d(x, kernel)[:-1, :-1],
        "The last row and the last column of places are missing: the kernel also fits where "
        "its end meets the end of the image.",
        FLIP,
    ),
)


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


def _bias_along_width(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    result = conv2d(x, weight, None, stride, padding, dilation, groups)
    return result if bias is None else result + bias


def _conv_ungrouped(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if weight.shape[1] != x.shape[1]:
        raise ValueError
    return F.conv2d(x, weight, bias, stride, padding, dilation)


def _conv_setting(setting, order):
    """Return a wrong conv2d that puts the pair of one setting in ``order``."""

    def settings_as(**settings):
        return {**settings, setting: order(settings[setting])}

    return _conv2d_with(settings_as=settings_as)


def _windows_in_size_only(setting):
    def answer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        right = conv2d(x, weight, bias, stride, padding, dilation, groups)
        settings = {"stride": stride, "dilation": dilation, setting: 1}
        dense = conv2d(x, weight, bias, padding=padding, groups=groups, **settings)
        return dense[:, :, : right.shape[2], : right.shape[3]]

    return answer


def _groups_repeat_weight(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if x.shape[1] % groups or weight.shape[0] % groups or weight.shape[1] * groups != x.shape[1]:
        raise ValueError
    return F.conv2d(x, weight.repeat(1, groups, 1, 1), bias, stride, padding, dilation)


def _groups_output_interleaved(result, groups):
    return result.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


def _conv_groups_output(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return _groups_output_interleaved(
        conv2d(x, weight, bias, stride, padding, dilation, groups), groups
    )


def _conv_runtime(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    try:
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    except ValueError as error:
        raise RuntimeError(str(error)) from error


CONV2D_MISCONCEPTIONS = (
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
        "Your result depends on the last channel of each group only, as if each channel wrote "
        "over "
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
        "Your result does not depend on dilation. It puts the pixels that a kernel reads that "
        "far "
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
        "Your kernels are stretched even at dilation 1. A dilation of d puts neighbouring "
        "weights "
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
        "Your groups take filters in turn, and the output comes in that order. A group is a "
        "block "
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
    Misconception(
        "bias-along-width",
        _bias_along_width,
        "Your bias is added along the width, where it fits at all: adding a tensor of shape "
        "(O,) lines it up with the last axis. Each number belongs to a channel of the output, "
        "which is axis 1.",
        CHANNELS,
    ),
    Misconception(
        "bias-twice",
        _conv2d_with(bias_as=_add_to_result(lambda weight: 2)),
        "Your bias is added twice.",
        CHANNELS,
    ),
    Misconception(
        "bias-summed",
        _conv2d_with(bias_as=lambda b, w: None if b is None else b.sum().expand_as(b)),
        "You add the sum of bias to every output channel. Each has its own number.",
        CHANNELS,
    ),
    Misconception(
        "groups-unsupported",
        _conv_ungrouped,
        "You compare weight.shape[1] with all the channels of x. With groups a filter has the "
        "channels of its group only: C / groups.",
        CHANNELS,
    ),
    Misconception(
        "groups-read-all-channels",
        _groups_repeat_weight,
        "Every filter of yours reads all the channels, with its kernels used again for each "
        "group. A filter reads the block of channels of its own group.",
        CHANNELS,
    ),
    Misconception(
        "groups-reversed",
        _conv2d_with(x_as=lambda x, g: torch.cat(x.chunk(g, 1)[::-1], 1)),
        "Your first group of filters reads the last block of channels. The first reads the first.",
        CHANNELS,
    ),
    Misconception(
        "groups-output-interleaved",
        _conv_groups_output,
        "Your output channels take the groups in turn. The maps of one group stay together.",
        CHANNELS,
    ),
    *(
        Misconception(
            f"{s}-swapped",
            _conv_setting(s, lambda pair: pair[::-1]),
            f"You use the first number of {s} for the width. A pair is (vertical, horizontal).",
            PAIRS,
        )
        for s in ("stride", "padding", "dilation")
    ),
    *(
        Misconception(
            f"{s}-first-only",
            _conv_setting(s, lambda pair: (pair[0], pair[0])),
            f"You use the first number of {s} for both axes. The second belongs to the width.",
            PAIRS,
        )
        for s in ("stride", "padding", "dilation")
    ),
    Misconception(
        "stride-in-size-only",
        _windows_in_size_only("stride"),
        "Your result has the right shape, but its windows are neighbours. Output (i, j) "
        "belongs to the window that starts at i and j strides.",
        STRIDE,
    ),
    Misconception(
        "dilation-in-size-only",
        _windows_in_size_only("dilation"),
        "Your result has the right shape, but your kernels read touching pixels. Dilation puts "
        "the pixels that a kernel reads that far apart.",
        DILATION,
    ),
    Misconception(
        "padding-twice",
        _conv2d_with(settings_as=_pad_with(lambda x, v, h: F.pad(x, (2 * h, 2 * h, 2 * v, 2 * v)))),
        "Your images are padded with twice as many zeros as asked for at each side.",
        PADDING,
    ),
    Misconception(
        "padding-with-ones",
        _conv2d_with(settings_as=_pad_with(lambda x, v, h: F.pad(x, (h, h, v, v), value=1.0))),
        "Your border is filled with ones. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "mean-of-products",
        _conv2d_with(weight_as=lambda w, g: w / w[0].numel()),
        "Your numbers are means of the products. A convolution adds them up.",
        WINDOW,
    ),
    Misconception(
        "kernel-and-channels-flipped",
        _conv2d_with(weight_as=lambda w, g: w.flip(1, 2, 3)),
        "Your kernels are turned, and meet the channels in reverse order as well. Nothing is "
        "reversed here.",
        FLIP,
    ),
    Misconception(
        "images-summed",
        _conv2d_with(result_as=lambda r, x, w: r.sum(0, keepdim=True)),
        "Your result is the sum over the images of the batch. Every image gives a result of "
        "its own.",
        CHANNELS,
    ),
    Misconception(
        "filters-summed",
        _conv2d_with(result_as=lambda r, x, w: r.sum(1, keepdim=True)),
        "Your result is the sum over the filters. Every filter gives a map of its own; it is "
        "the channels of the input that are summed.",
        CHANNELS,
    ),
    Misconception(
        "batch-and-channels-swapped",
        _conv2d_with(result_as=lambda r, x, w: r.transpose(0, 1)),
        "Your result has batch and channels swapped. The order is (batch, channels, height, "
        "width).",
        CHANNELS,
    ),
    Misconception(
        "other-error-raised",
        _conv_runtime,
        "Your values are right, and mismatches stop your answer, but with another error than "
        "ValueError. Check the numbers first, and raise it yourself.",
        CHANNELS,
    ),
)
