"""Assignment 2: wrong gradients of a convolution, each with a name and what it shows."""

import torch
import torch.nn.functional as F

from course_utils.checks.a2_rules import (
    CHANNELS_BACK,
    DB,
    DW,
    DW_SUM,
    DX_SUM,
    DX_TURNED,
    GRADIENTS,
    LEFT_OVER,
    PADDING_BACK,
    ROUNDING,
    STRIDE_BACK,
)
from course_utils.checks.exercise import Misconception


def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    """Return the right gradients, faster than the oracle: all wrong answers start from them."""
    settings = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [True] * 3
    backward = torch.ops.aten.convolution_backward
    return backward(grad_out, x, weight, [len(weight)], *settings)


def _gradients(dx=None, dw=None, db=None, all_three=None):
    """
    Return wrong gradients: the right ones, with some of them replaced.

    ``dx``, ``dw`` and ``db`` get the right gradient and the arguments of the call.
    """

    def answer(grad_out, x, weight, stride=1, padding=0):
        arguments = grad_out, x, weight, stride, padding
        right = conv2d_backward(*arguments)
        parts = [
            part if change is None else change(part, *arguments)
            for part, change in zip(right, (dx, dw, db), strict=True)
        ]
        return tuple(parts) if all_three is None else all_three(parts, *arguments)

    return answer


def _simply(change):
    """Return a change that looks at the gradient only."""
    return lambda part, *arguments: change(part)


def _stamps(spread=True, cut=None):
    """Return a dx whose stamps are set too close, or which is cut to size in a wrong way."""

    def dx(right, grad_out, x, weight, stride, padding):
        stamped = F.conv_transpose2d(grad_out, weight, stride=stride if spread else 1)
        sizes = [n + 2 * padding - m for n, m in zip(x.shape[2:], stamped.shape[2:], strict=True)]
        padded = F.pad(stamped, (0, sizes[1], 0, sizes[0]))
        if cut is not None:
            return cut(padded, padding, x)
        return padded[:, :, padding : x.shape[2] + padding, padding : x.shape[3] + padding]

    return dx


def _overwritten(right, grad_out, x, weight, stride, padding):
    """Let each window overwrite those before it."""
    padded = torch.zeros_like(F.pad(x, (padding,) * 4))
    stamps = torch.einsum("nohw,ocuv->hwncuv", grad_out, weight)
    kh, kw = weight.shape[2:]
    for i, row in enumerate(stamps):
        for j, stamp in enumerate(row):
            top, left = i * stride, j * stride
            padded[:, :, top : top + kh, left : left + kw] = stamp
    return padded[:, :, padding : x.shape[2] + padding, padding : x.shape[3] + padding]


def _uncovered_missing(right, grad_out, x, weight, stride, padding):
    """Return a dx that is as large as the windows reach."""
    sizes = [
        min((m - 1) * stride + k - padding, n)
        for m, k, n in zip(grad_out.shape[2:], weight.shape[2:], x.shape[2:], strict=True)
    ]
    return right[:, :, : sizes[0], : sizes[1]]


def _uncovered_first(right, grad_out, x, weight, stride, padding):
    """Put the rows that no window covers to the start."""
    shifts = [
        (n + 2 * padding - k) % stride for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    return right.roll(shifts, (2, 3))


def _upside_down(right, grad_out, x, weight, stride, padding):
    """Slide the kernel as it is over the widened gradient."""
    return conv2d_backward(grad_out, x, weight.flip(2, 3), stride, padding)[0]


def _turned_along(axis):
    """Return a dx that is made with kernels turned along one axis only."""

    def dx(right, grad_out, x, weight, stride, padding):
        return conv2d_backward(grad_out, x, weight.flip(axis), stride, padding)[0]

    return dx


def _unpadded_dw(right, grad_out, x, weight, stride, padding):
    """Take the windows from x without its border; where they hang over, shift them in."""
    inner = F.pad(x, (0, 2 * padding, 0, 2 * padding))
    return conv2d_backward(grad_out, inner, weight, stride, 0)[1]


def _dense_dw(right, grad_out, x, weight, stride, padding):
    """Take neighbouring windows, as many as there are outputs."""
    padded = F.pad(x, (padding,) * 4)
    sizes = [m + k - 1 for m, k in zip(grad_out.shape[2:], weight.shape[2:], strict=True)]
    return conv2d_backward(grad_out, padded[:, :, : sizes[0], : sizes[1]], weight)[1]


def _each_channel_alike(right, grad_out, x, weight, stride, padding):
    """Send the gradient back with the first channel of the weights."""
    return conv2d_backward(grad_out, x, weight[:, :1].expand_as(weight), stride, padding)[0]


def _first_filter_only(right, grad_out, x, weight, stride, padding):
    return conv2d_backward(grad_out[:, :1], x, weight[:1], stride, padding)[0]


def _first_image_only(right, grad_out, x, weight, stride, padding):
    return conv2d_backward(grad_out[:1], x[:1], weight, stride, padding)[1]


def _last_image_only(right, grad_out, x, weight, stride, padding):
    return conv2d_backward(grad_out[-1:], x[-1:], weight, stride, padding)[1]


def _channels_merged(right, grad_out, x, weight, stride, padding):
    return right.sum(1, keepdim=True).expand_as(right)


BACKWARD_MISCONCEPTIONS = (
    Misconception(
        "dx-kernel-upside-down",
        _gradients(dx=_upside_down),
        "Your dx is that of kernels turned by 180°. Stamp the kernel as it is, or slide it turned.",
        DX_TURNED,
    ),
    Misconception(
        "dx-kernel-rows-reversed",
        _gradients(dx=_turned_along(2)),
        "Your dx is that of kernels whose rows are reversed. A kernel that slides is turned along "
        "both axes; one that is stamped along none.",
        DX_TURNED,
    ),
    Misconception(
        "dx-kernel-columns-reversed",
        _gradients(dx=_turned_along(3)),
        "Your dx is that of kernels whose columns are reversed. A kernel that slides is turned "
        "along both axes; one that is stamped along none.",
        DX_TURNED,
    ),
    Misconception(
        "dx-overwritten",
        _gradients(dx=_overwritten),
        "Where windows overlap, the last one has overwritten the others in your dx. A pixel that "
        "was copied into several windows gets the sum.",
        DX_SUM,
    ),
    Misconception(
        "dx-stride-ignored",
        _gradients(dx=_stamps(spread=False)),
        "In your dx the windows of neighbouring outputs are one pixel apart. They are a stride "
        "apart.",
        STRIDE_BACK,
    ),
    Misconception(
        "dx-with-its-border",
        _gradients(dx=_stamps(cut=lambda padded, p, x: padded)),
        "Your dx is the gradient of the padded image. The border is cut off at the end.",
        PADDING_BACK,
    ),
    Misconception(
        "dx-border-cut-at-the-end",
        _gradients(dx=_stamps(cut=lambda padded, p, x: padded[..., : x.shape[2], : x.shape[3]])),
        "Your dx is cut to size from the upper left corner. The border is p pixels wide at each "
        "side, so the image starts p pixels further in.",
        PADDING_BACK,
    ),
    Misconception(
        "dx-border-cut-at-the-start",
        _gradients(
            dx=_stamps(cut=lambda padded, p, x: padded[..., 2 * p :, 2 * p :]),
        ),
        "Your dx is cut to size at its lower right corner. The border is p pixels wide at each "
        "side.",
        PADDING_BACK,
    ),
    Misconception(
        "dx-empty-without-padding",
        _gradients(dx=_stamps(cut=lambda padded, p, x: padded[..., p:-p, p:-p])),
        "Without padding nothing is left of your dx: a slice that ends at -0 is empty.",
        PADDING_BACK,
    ),
    Misconception(
        "dx-without-the-left-over",
        _gradients(dx=_uncovered_missing),
        "Where the stride leaves a remainder, your dx ends with the last window. Pixels that no "
        "window covers have a gradient too: zero.",
        LEFT_OVER,
    ),
    Misconception(
        "dx-left-over-at-the-start",
        _gradients(dx=_uncovered_first),
        "In your dx the rows that no window covers come first. Windows start at the upper left; "
        "what the stride leaves over is at the end.",
        LEFT_OVER,
    ),
    Misconception(
        "dx-first-channel-everywhere",
        _gradients(dx=_each_channel_alike),
        "All channels of your dx are made with the kernels of channel 0. Each channel has its own.",
        CHANNELS_BACK,
    ),
    Misconception(
        "dx-first-filter-only",
        _gradients(dx=_first_filter_only),
        "Your dx has the part of the first filter only. Every filter reads x, so their parts add "
        "up.",
        CHANNELS_BACK,
    ),
    Misconception(
        "dx-channels-added",
        _gradients(dx=_channels_merged),
        "All channels of your dx are the same: the sum over the channels. Each channel has its "
        "own gradient.",
        CHANNELS_BACK,
    ),
    Misconception(
        "dx-mean-over-filters",
        _gradients(dx=lambda right, grad_out, *rest: right / grad_out.shape[1]),
        "Your dx is divided by the number of filters. The parts of the filters add up.",
        CHANNELS_BACK,
    ),
    Misconception(
        "dx-summed-over-the-batch",
        _gradients(dx=_simply(lambda right: right.sum(0, keepdim=True).expand_as(right))),
        "All images of your dx are the same: the sum over the batch. Each image has its own "
        "gradient.",
        CHANNELS_BACK,
    ),
    Misconception(
        "dx-transposed",
        _gradients(dx=_simply(lambda right: right.transpose(2, 3))),
        "Your dx has its rows and columns exchanged.",
        GRADIENTS,
    ),
    Misconception(
        "dw-flipped",
        _gradients(dw=_simply(lambda right: right.flip(2, 3))),
        "Your dw is turned by 180°. Nothing is turned on the way to the weights.",
        DW,
    ),
    Misconception(
        "dw-mean-over-the-batch",
        _gradients(dw=lambda right, grad_out, *rest: right / len(grad_out)),
        "Your dw is divided by the number of images. It is the sum over the batch.",
        DW_SUM,
    ),
    Misconception(
        "dw-mean-over-positions",
        _gradients(dw=lambda right, grad_out, *rest: right / grad_out[0, 0].numel()),
        "Your dw is divided by the number of places. It is the sum over them.",
        DW_SUM,
    ),
    Misconception(
        "dw-first-image-only",
        _gradients(dw=_first_image_only),
        "Your dw has the part of the first image only. The parts of all images add up.",
        DW_SUM,
    ),
    Misconception(
        "dw-last-image-only",
        _gradients(dw=_last_image_only),
        "Your dw has the part of the last image only, as if `=` stood for `+=`. The parts of all "
        "images add up.",
        DW_SUM,
    ),
    Misconception(
        "dw-padding-ignored",
        _gradients(dw=_unpadded_dw),
        "Your dw reads its windows from x without the border. The table of the forward pass was "
        "cut from the padded image.",
        PADDING_BACK,
    ),
    Misconception(
        "dw-stride-ignored",
        _gradients(dw=_dense_dw),
        "Your dw reads neighbouring windows. The windows of the forward pass are a stride apart.",
        STRIDE_BACK,
    ),
    Misconception(
        "dw-transposed",
        _gradients(dw=_simply(lambda right: right.transpose(2, 3))),
        "The kernels of your dw are transposed. dw has the shape and the order of weight.",
        DW,
    ),
    Misconception(
        "dw-channels-before-filters",
        _gradients(dw=_simply(lambda right: right.transpose(0, 1))),
        "The first two axes of your dw have changed places. dw has the shape of weight: filters, "
        "then channels.",
        DW,
    ),
    Misconception(
        "dw-channels-added",
        _gradients(dw=_channels_merged),
        "All channels of your dw are the same: the sum over the channels. Each channel has its "
        "own gradient.",
        DW,
    ),
    Misconception(
        "dw-as-matrix",
        _gradients(dw=_simply(lambda right: right.flatten(1))),
        "Your dw is still a matrix with a row for each filter. It has the shape of weight.",
        DW,
    ),
    Misconception(
        "dw-a-kernel-for-each-image",
        _gradients(
            dw=lambda right, grad_out, x, *rest: torch.stack(
                [
                    conv2d_backward(grad_out[n : n + 1], x[n : n + 1], *rest)[1]
                    for n in range(len(x))
                ]
            )
        ),
        "Your dw has an axis for the images. The parts of all images add up.",
        DW_SUM,
    ),
    Misconception(
        "db-mean-over-the-batch",
        _gradients(db=lambda right, grad_out, *rest: right / len(grad_out)),
        "Your db is divided by the number of images. It is the sum over images, rows and columns.",
        DB,
    ),
    Misconception(
        "db-mean",
        _gradients(db=lambda right, grad_out, *rest: grad_out.mean((0, 2, 3))),
        "Your db is a mean. It is the sum over images, rows and columns.",
        DB,
    ),
    Misconception(
        "db-mean-over-positions",
        _gradients(db=lambda right, grad_out, *rest: grad_out.mean((2, 3)).sum(0)),
        "Your db is divided by the number of places. It is the sum over images, rows and columns.",
        DB,
    ),
    Misconception(
        "db-one-for-each-image",
        _gradients(db=lambda right, grad_out, *rest: grad_out.sum((2, 3))),
        "Your db has an axis for the images. The same bias served all of them, so their parts add "
        "up.",
        DB,
    ),
    Misconception(
        "db-one-number",
        _gradients(db=lambda right, grad_out, *rest: grad_out.sum()),
        "Your db is one number. Each filter has a bias, so db has as many numbers as filters.",
        DB,
    ),
    Misconception(
        "db-with-more-axes",
        _gradients(db=_simply(lambda right: right[None, :, None, None])),
        "Your db kept the axes that were summed. It has one axis, of the filters.",
        DB,
    ),
    Misconception(
        "db-first-image-only",
        _gradients(db=lambda right, grad_out, *rest: grad_out[0].sum((1, 2))),
        "Your db has the part of the first image only.",
        DB,
    ),
    Misconception(
        "db-summed-over-images-only",
        _gradients(db=lambda right, grad_out, *rest: grad_out.sum(0)),
        "Your db has a number for each place. One bias served all places, so their parts add up.",
        DB,
    ),
    Misconception(
        "db-one-for-each-column",
        _gradients(db=lambda right, grad_out, *rest: grad_out.sum((0, 2))),
        "Your db still has an axis for the columns of the map. The sum runs over images, rows and "
        "columns.",
        DB,
    ),
    Misconception(
        "db-one-for-each-row",
        _gradients(db=lambda right, grad_out, *rest: grad_out.sum((0, 3))),
        "Your db still has an axis for the rows of the map. The sum runs over images, rows and "
        "columns.",
        DB,
    ),
    Misconception(
        "db-counts-positions",
        _gradients(db=lambda right, grad_out, *rest: torch.ones_like(grad_out).sum((0, 2, 3))),
        "Your db counts the outputs of a filter. It is the sum of their gradients.",
        DB,
    ),
    Misconception(
        "db-zero",
        _gradients(db=_simply(torch.zeros_like)),
        "Your db is zero.",
        DB,
    ),
    Misconception(
        "means-over-the-batch",
        _gradients(
            dw=lambda right, grad_out, *rest: right / len(grad_out),
            db=lambda right, grad_out, *rest: right / len(grad_out),
        ),
        "Your dw and db are divided by the number of images. Both are sums over the batch; a mean "
        "belongs to the loss.",
        DW_SUM,
    ),
    Misconception(
        "all-divided-by-the-batch",
        _gradients(
            all_three=lambda parts, grad_out, *rest: tuple(p / len(grad_out) for p in parts)
        ),
        "Your three gradients are divided by the number of images. The division, if there is one, "
        "is in grad_out already.",
        DW_SUM,
    ),
    Misconception(
        "signs-turned",
        _gradients(all_three=lambda parts, *rest: tuple(-part for part in parts)),
        "Your gradients have the opposite sign. The step against the gradient is the optimizer's.",
        GRADIENTS,
    ),
    Misconception(
        "dw-before-dx",
        _gradients(all_three=lambda parts, *rest: (parts[1], parts[0], parts[2])),
        "Your first two results have changed places. The order is dx, dw, db.",
        GRADIENTS,
    ),
    Misconception(
        "in-reverse-order",
        _gradients(all_three=lambda parts, *rest: tuple(parts[::-1])),
        "Your results come in reverse order. The order is dx, dw, db.",
        GRADIENTS,
    ),
    Misconception(
        "dx-last",
        _gradients(all_three=lambda parts, *rest: (parts[1], parts[2], parts[0])),
        "Your dx comes last. The order is dx, dw, db.",
        GRADIENTS,
    ),
    Misconception(
        "no-db",
        _gradients(all_three=lambda parts, *rest: tuple(parts[:2])),
        "You return two gradients. The third is that of a bias, also when the layer had none.",
        GRADIENTS,
    ),
    Misconception(
        "a-list",
        _gradients(all_three=lambda parts, *rest: parts),
        "You return a list. The three gradients are returned as a tuple.",
        GRADIENTS,
    ),
    Misconception(
        "stride-ignored",
        _gradients(dx=_stamps(spread=False), dw=_dense_dw),
        "Your dx and dw are those of windows that are one pixel apart. The windows are a stride "
        "apart.",
        STRIDE_BACK,
    ),
    Misconception(
        "always-float32",
        _gradients(all_three=lambda parts, *rest: tuple(part.float() for part in parts)),
        "Your gradients are float32 whatever the input is. They keep the dtype of the input.",
        ROUNDING,
    ),
    Misconception(
        "rounded-to-float32",
        _gradients(
            all_three=lambda parts, *rest: tuple(part.float().to(part.dtype) for part in parts)
        ),
        "Your numbers went through float32 on the way and lost the digits that float64 has.",
        ROUNDING,
    ),
)
