"""Assignment 2: wrong pooling and receptive fields, each with a name and what it shows."""

import math
from functools import partial

import torch
import torch.nn.functional as F

from course_utils.checks.a2_oracles import max_pool2d, max_pool2d_backward, receptive_field
from course_utils.checks.a2_rules import (
    FIELD,
    FIELD_WIDER,
    FLOOR,
    POOL,
    POOL_CHANNELS,
    POOL_MEAN,
    POOL_PADDING,
    POOL_STRIDE,
    ROUTE,
    TIES,
)
from course_utils.checks.exercise import Misconception

INF = math.inf


def windows_of(x, kernel, stride, padding, value=-INF, sides=None):
    """Return the windows, as (N, C, Ho, Wo, k * k), and their pixels' rows and columns."""
    before, after = (padding, padding) if sides is None else sides
    padded = F.pad(x, (before, after, before, after), value=value)
    cut = padded.unfold(2, kernel, stride).unfold(3, kernel, stride)
    rows = torch.arange(cut.shape[2])[:, None] * stride + torch.arange(kernel) - before
    columns = torch.arange(cut.shape[3])[:, None] * stride + torch.arange(kernel) - before
    shape = cut.shape[2], cut.shape[3], kernel, kernel
    rows = rows[:, None, :, None].expand(shape).flatten(2)
    columns = columns[None, :, None, :].expand(shape).flatten(2)
    return cut.flatten(4), rows, columns


def _pool(
    choose=lambda windows: windows.argmax(-1),
    index=lambda row, column, hw, p: row * hw[1] + column,
    step=lambda kernel, stride: kernel if stride is None else stride,
    value=-INF,
    sides=None,
    x_as=lambda x: x,
    result_as=lambda values, indices: (values, indices),
    refuses=lambda kernel, stride, padding: padding > kernel // 2,
):
    """Return wrong pooling: another choice, index, stride, padding, result or refusal."""

    def answer(x, kernel_size, stride=None, padding=0):
        if refuses(kernel_size, stride, padding):
            raise ValueError
        x, stride = x_as(x), step(kernel_size, stride)
        cut, rows, columns = windows_of(
            x, kernel_size, stride, padding, value, sides and sides(padding)
        )
        chosen = choose(cut)[..., None]
        values = cut.gather(-1, chosen)[..., 0]
        shape = (*x.shape[:2], *rows.shape)
        row = rows.expand(shape).gather(-1, chosen)[..., 0]
        column = columns.expand(shape).gather(-1, chosen)[..., 0]
        hw = (*x.shape[2:], *values.shape[2:])
        return result_as(values, index(row, column, hw, padding))

    return answer


def _last(windows):
    return windows.shape[-1] - 1 - windows.flip(-1).argmax(-1)


def _down_columns(windows):
    """Return the first maximum if the window is read down its columns."""
    side = math.isqrt(windows.shape[-1])
    order = torch.arange(side * side).reshape(side, side).T.flatten()
    return order[windows[..., order].argmax(-1)]


def _changed(change):
    """Return pooling whose right result is changed."""

    def answer(x, kernel_size, stride=None, padding=0):
        values, indices = max_pool2d(x, kernel_size, stride, padding)
        return change(values, indices, x, kernel_size, stride, padding)

    return answer


def _mean(x, kernel_size, stride=None, padding=0):
    _, indices = max_pool2d(x, kernel_size, stride, padding)
    return F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False), indices


def _ceil(x, kernel_size, stride=None, padding=0):
    max_pool2d(x, kernel_size, stride, padding)
    return F.max_pool2d(
        x.contiguous(), kernel_size, stride, padding, ceil_mode=True, return_indices=True
    )


def _last_window_missing(x, kernel_size, stride=None, padding=0):
    return tuple(part[..., :-1, :-1] for part in max_pool2d(x, kernel_size, stride, padding))


def _unit_starts(x, kernel_size, stride=None, padding=0):
    values, _ = max_pool2d(x, kernel_size, stride, padding)
    dense = max_pool2d(x, kernel_size, 1, padding)
    return tuple(part[..., : values.shape[2], : values.shape[3]] for part in dense)


def _over_channels(x, kernel_size, stride=None, padding=0):
    """Pool over the channels too: each map gets the maximum of all."""
    values, indices = max_pool2d(x, kernel_size, stride, padding)
    best = values.argmax(1, keepdim=True)
    return tuple(part.gather(1, best).expand_as(values) for part in (values, indices))


def _never_refusing(result):
    """Return right pooling that gives ``result(x, ...)`` where it should refuse."""

    def answer(x, kernel_size, stride=None, padding=0):
        if padding > kernel_size // 2:
            return result(x, kernel_size, stride, padding)
        return max_pool2d(x, kernel_size, stride, padding)

    return answer


def _refusing(error):
    def result(*arguments):
        raise error("padding")

    return _never_refusing(result)


_wide = _pool(refuses=lambda kernel, stride, padding: False)


def _strict(x, kernel_size, stride=None, padding=0):
    if padding and padding >= kernel_size // 2:
        raise ValueError
    return max_pool2d(x, kernel_size, stride, padding)


def _all_padding_refused(x, kernel_size, stride=None, padding=0):
    if padding:
        raise ValueError
    return max_pool2d(x, kernel_size, stride, padding)


def _half_of_stride(x, kernel_size, stride=None, padding=0):
    if padding > (kernel_size if stride is None else stride) // 2:
        raise ValueError
    return _wide(x, kernel_size, stride, padding)


def _up_to_kernel(x, kernel_size, stride=None, padding=0):
    if padding > kernel_size:
        raise ValueError
    return _wide(x, kernel_size, stride, padding)


def _below_kernel(x, kernel_size, stride=None, padding=0):
    if padding >= kernel_size:
        raise ValueError
    return _wide(x, kernel_size, stride, padding)


def _half_rounded_up(x, kernel_size, stride=None, padding=0):
    if padding > (kernel_size + 1) // 2:
        raise ValueError
    return _wide(x, kernel_size, stride, padding)


def _stride_in_rows(x, kernel_size, stride=None, padding=0):
    """Use the stride downwards and the kernel's width to the right."""
    step = kernel_size if stride is None else stride
    if padding > kernel_size // 2:
        raise ValueError
    return F.max_pool2d(
        x.contiguous(), kernel_size, (step, kernel_size), padding, return_indices=True
    )


_REFUSE = "padding above kernel_size // 2 raises ValueError: "

POOL_MISCONCEPTIONS = (
    Misconception(
        "mean-for-maximum",
        _mean,
        "Your values are means of the windows. Max pooling keeps the largest number.",
        POOL_MEAN,
    ),
    Misconception(
        "minimum-for-maximum",
        _pool(choose=lambda windows: windows.argmin(-1), value=INF),
        "Your values are the smallest of their windows.",
        POOL,
    ),
    Misconception(
        "largest-by-size",
        _pool(choose=lambda windows: windows.nan_to_num(neginf=0).abs().argmax(-1)),
        "You look for the number that is farthest from zero. A maximum knows signs.",
        POOL,
    ),
    Misconception(
        "maximum-of-absolute-values",
        _changed(lambda values, indices, x, *rest: max_pool2d(x.abs(), *rest)),
        "Your values have lost their sign before the maximum was taken.",
        POOL,
    ),
    Misconception(
        "starts-from-zero",
        _changed(lambda values, indices, *rest: (values.clamp(min=0), indices)),
        "Windows with negative numbers only give zero in your result, as if the search started "
        "from 0. The maximum of negative numbers is negative.",
        POOL_PADDING,
    ),
    Misconception(
        "maximum-of-all-channels",
        _over_channels,
        "All your channels show the maximum over the channels. Each channel is pooled by itself.",
        POOL_CHANNELS,
    ),
    Misconception(
        "one-for-all-channels",
        _changed(
            lambda values, indices, *rest: (values.amax(1, keepdim=True), indices[:, :1]),
        ),
        "Your result has one channel. Each channel is pooled by itself.",
        POOL_CHANNELS,
    ),
    Misconception(
        "first-image-only",
        _pool(x_as=lambda x: x[:1]),
        "Your result holds the first image only.",
        POOL_CHANNELS,
    ),
    Misconception(
        "default-stride-of-one",
        _pool(step=lambda kernel, stride: 1 if stride is None else stride),
        "Without a stride your windows are one pixel apart. The default stride is kernel_size.",
        POOL_STRIDE,
    ),
    Misconception(
        "stride-ignored",
        _pool(step=lambda kernel, stride: kernel),
        "Your result does not depend on stride: the windows always lie side by side.",
        POOL_STRIDE,
    ),
    Misconception(
        "always-stride-one",
        _pool(step=lambda kernel, stride: 1),
        "Your windows are always one pixel apart. They are a stride apart, and without one "
        "kernel_size.",
        POOL_STRIDE,
    ),
    Misconception(
        "stride-of-rows-only",
        _stride_in_rows,
        "Your window moves by the stride downwards but by its width to the right.",
        POOL_STRIDE,
    ),
    Misconception(
        "stride-in-size-only",
        _unit_starts,
        "Your result has the right shape, but its windows are neighbours. Each window starts a "
        "stride after the one before.",
        POOL_STRIDE,
    ),
    Misconception(
        "last-partial-window",
        _ceil,
        "Where the stride leaves a remainder, your result has one window more, which hangs over "
        "the end. Only whole windows count here.",
        FLOOR,
    ),
    Misconception(
        "last-window-missing",
        _last_window_missing,
        "Your last row and last column of windows are missing.",
        FLOOR,
    ),
    Misconception(
        "padding-ignored",
        _pool(sides=lambda p: (0, 0)),
        "Your result does not depend on padding.",
        POOL_PADDING,
    ),
    Misconception(
        "padding-with-zeros",
        _pool(value=0.0),
        "Among negative numbers your border of zeros wins. Padding counts as minus infinity.",
        POOL_PADDING,
    ),
    Misconception(
        "zeros-in-values-only",
        _changed(
            lambda values, indices, x, k, s, p: (
                _pool(value=0.0)(x, k, s, p)[0],
                indices,
            )
        ),
        "Your values are zero where the border of zeros wins, though your indices point to the "
        "largest pixel. Padding counts as minus infinity.",
        POOL_PADDING,
    ),
    Misconception(
        "padding-with-minus-one",
        _pool(value=-1.0),
        "Your border of -1 wins against smaller numbers. Padding counts as minus infinity.",
        POOL_PADDING,
    ),
    Misconception(
        "padding-at-the-start",
        _pool(sides=lambda p: (p, 0)),
        "Your padding stands above and to the left only. It is added on all four sides.",
        POOL_PADDING,
    ),
    Misconception(
        "padding-at-the-end",
        _pool(sides=lambda p: (0, p)),
        "Your padding stands below and to the right only. It is added on all four sides.",
        POOL_PADDING,
    ),
    Misconception(
        "index-inside-the-window",
        _changed(
            lambda values, indices, x, k, s, p: (
                values,
                windows_of(x, k, k if s is None else s, p)[0].argmax(-1),
            )
        ),
        "Your indices count inside the window. They count in the whole map of H * W pixels.",
        ROUTE,
    ),
    Misconception(
        "index-into-the-padded-map",
        _pool(index=lambda row, column, hw, p: (row + p) * (hw[1] + 2 * p) + column + p),
        "Your indices count in the padded map. They count in the map without its border.",
        ROUTE,
    ),
    Misconception(
        "index-with-padded-width",
        _pool(index=lambda row, column, hw, p: row * (hw[1] + 2 * p) + column),
        "Your rows are as long as those of the padded map. The index is row * W + column, with the "
        "width of the map without its border.",
        ROUTE,
    ),
    Misconception(
        "index-without-taking-the-border-off",
        _pool(index=lambda row, column, hw, p: (row + p) * hw[1] + column + p),
        "Row and column of your indices count from the corner of the padded map. They count from "
        "the first pixel of the map itself.",
        ROUTE,
    ),
    Misconception(
        "index-by-height",
        _pool(index=lambda row, column, hw, p: row * hw[0] + column),
        "Your rows are as long as the map is high. The index is row * W + column.",
        ROUTE,
    ),
    Misconception(
        "index-down-the-columns",
        _pool(index=lambda row, column, hw, p: column * hw[0] + row),
        "Your indices count down the columns. They count in reading order: row * W + column.",
        ROUTE,
    ),
    Misconception(
        "index-by-output-width",
        _pool(index=lambda row, column, hw, p: row * hw[3] + column),
        "Your rows are as long as those of the output. The index is row * W + column, with the "
        "width of the input.",
        ROUTE,
    ),
    Misconception(
        "index-through-channels",
        _changed(
            lambda values, indices, x, *rest: (
                values,
                indices + torch.arange(x.shape[1])[:, None, None] * x[0, 0].numel(),
            )
        ),
        "Your indices go on from channel to channel. They start at 0 in each map.",
        ROUTE,
    ),
    Misconception(
        "index-through-the-batch",
        _changed(
            lambda values, indices, x, *rest: (
                values,
                indices
                + torch.arange(len(x) * x.shape[1]).reshape(*x.shape[:2], 1, 1) * x[0, 0].numel(),
            )
        ),
        "Your indices go on from image to image. They start at 0 in each map.",
        ROUTE,
    ),
    Misconception(
        "index-from-one",
        _changed(lambda values, indices, *rest: (values, indices + 1)),
        "Your indices start at 1. The first pixel has index 0.",
        ROUTE,
    ),
    Misconception(
        "row-and-column",
        _changed(
            lambda values, indices, x, *rest: (
                values,
                torch.stack([indices // x.shape[3], indices % x.shape[3]], -1),
            )
        ),
        "Your indices are pairs of row and column. They are single numbers, row * W + column.",
        ROUTE,
    ),
    Misconception(
        "last-of-equal-maxima",
        _pool(choose=_last),
        "Where several pixels of a window are equal, your index is that of the last. It is the "
        "first in reading order.",
        TIES,
    ),
    Misconception(
        "first-down-the-columns",
        _pool(choose=_down_columns),
        "Where several pixels of a window are equal, your index is that of the leftmost. It is the "
        "first in reading order: the highest row counts before the column.",
        TIES,
    ),
    Misconception(
        "indices-as-int32",
        _changed(lambda values, indices, *rest: (values, indices.int())),
        "Your indices are int32. They are int64, as gather and scatter want them.",
        ROUTE,
    ),
    Misconception(
        "indices-as-floats",
        _changed(lambda values, indices, *rest: (values, indices.to(values.dtype))),
        "Your indices are floating point numbers. They are int64.",
        ROUTE,
    ),
    Misconception(
        "values-only",
        _changed(lambda values, indices, *rest: values),
        "You return the values only. The result is a tuple: values and indices.",
        ROUTE,
    ),
    Misconception(
        "indices-first",
        _changed(lambda values, indices, *rest: (indices, values)),
        "Your indices come first. The order is values, indices.",
        ROUTE,
    ),
    Misconception(
        "a-list",
        _changed(lambda values, indices, *rest: [values, indices]),
        "You return a list. Values and indices are returned as a tuple.",
        ROUTE,
    ),
    Misconception(
        "any-padding-accepted",
        _wide,
        f"{_REFUSE}yours pools a border that could fill whole windows.",
        POOL_PADDING,
    ),
    Misconception(
        "padding-cut-down",
        _never_refusing(lambda x, k, s, p: max_pool2d(x, k, s, k // 2)),
        f"{_REFUSE}yours goes on with less padding.",
        POOL_PADDING,
    ),
    Misconception(
        "none-for-refusing",
        _never_refusing(lambda *arguments: None),
        f"{_REFUSE}yours returns None.",
        POOL_PADDING,
    ),
    Misconception(
        "another-exception",
        _refusing(AssertionError),
        f"{_REFUSE}yours raises an exception of another type.",
        POOL_PADDING,
    ),
    Misconception(
        "half-the-kernel-refused",
        _strict,
        "You refuse a padding of exactly kernel_size // 2. Only more than that is refused.",
        POOL_PADDING,
    ),
    Misconception(
        "all-padding-refused",
        _all_padding_refused,
        "You refuse every padding. Up to kernel_size // 2 is allowed.",
        POOL_PADDING,
    ),
    Misconception(
        "limit-from-the-stride",
        _half_of_stride,
        "Your limit for padding depends on stride. It is kernel_size // 2.",
        POOL_PADDING,
    ),
    Misconception(
        "limit-is-the-kernel",
        _up_to_kernel,
        "You accept a padding up to kernel_size. The limit is half of it, rounded down.",
        POOL_PADDING,
    ),
    Misconception(
        "limit-is-below-the-kernel",
        _below_kernel,
        "You accept every padding below kernel_size. The limit is half of it, rounded down.",
        POOL_PADDING,
    ),
    Misconception(
        "limit-rounded-up",
        _half_rounded_up,
        "For odd kernels your limit for padding is one too high. It is half of kernel_size, "
        "rounded down.",
        POOL_PADDING,
    ),
    Misconception(
        "always-float32",
        _changed(lambda values, indices, *rest: (values.float(), indices)),
        "Your values are float32 whatever the input is. They keep the dtype of the input.",
        POOL,
    ),
    Misconception(
        "compared-in-float32",
        _changed(
            lambda values, indices, x, *rest: tuple(
                part.to(old.dtype)
                for part, old in zip(max_pool2d(x.float(), *rest), (values, indices), strict=True)
            )
        ),
        "Your numbers went through float32 on the way. In float64 their last digits decide.",
        POOL,
    ),
)


def _routed(change):
    """Return a wrong way back; ``change`` gets flat gradients, flat indices and the shape."""

    def answer(grad_out, indices, input_shape):
        return change(grad_out.flatten(2), indices.flatten(2), tuple(input_shape))

    return answer


def _empty(grad, shape):
    return torch.zeros(*shape[:2], shape[2] * shape[3], dtype=grad.dtype)


def _after(change):
    """Return the right way back, with its result changed."""

    def answer(grad_out, indices, input_shape):
        return change(max_pool2d_backward(grad_out, indices, input_shape), grad_out, indices)

    return answer


def _before(change):
    """Return the way back of a changed gradient."""

    def answer(grad_out, indices, input_shape):
        return max_pool2d_backward(change(grad_out), indices, input_shape)

    return answer


def _overwritten(grad, indices, shape, backwards=False):
    flat = _empty(grad, shape)
    order = range(grad.shape[2])
    for position in reversed(order) if backwards else order:
        one = slice(position, position + 1)
        flat.scatter_(2, indices[..., one], grad[..., one])
    return flat.reshape(shape)


def _counts(grad, indices, shape):
    return _empty(grad, shape).scatter_add(2, indices, torch.ones_like(grad)).reshape(shape)


def _averaged(grad, indices, shape):
    total = _empty(grad, shape).scatter_add(2, indices, grad).reshape(shape)
    return total / _counts(grad, indices, shape).clamp(min=1)


def _largest(grad, indices, shape):
    flat = _empty(grad, shape).scatter_reduce(2, indices, grad, "amax", include_self=False)
    return flat.reshape(shape)


def _down_the_columns(grad, indices, shape):
    flat = _empty(grad, shape).scatter_add(2, indices, grad)
    return flat.reshape(*shape[:2], shape[3], shape[2]).transpose(2, 3)


def _one_map(grad, indices, shape):
    """Take all indices for places of the first map of each image."""
    flat = torch.zeros(shape[0], shape[1] * shape[2] * shape[3], dtype=grad.dtype)
    return flat.scatter_add(1, indices.flatten(1), grad.flatten(1)).reshape(shape)


def _one_batch(grad, indices, shape):
    """Take all indices for places of the first map of all."""
    flat = torch.zeros(math.prod(shape), dtype=grad.dtype)
    return flat.scatter_add(0, indices.flatten(), grad.flatten()).reshape(shape)


def _channel_zero_indices(grad, indices, shape):
    first = indices[:, :1].expand_as(indices)
    return _empty(grad, shape).scatter_add(2, first, grad).reshape(shape)


def _image_zero_indices(grad, indices, shape):
    first = indices[:1].expand_as(indices)
    return _empty(grad, shape).scatter_add(2, first, grad).reshape(shape)


def _as_unpooled_to_all(grad, indices, shape):
    """Give each output's gradient to the first pixels, in order."""
    flat = _empty(grad, shape)
    flat[..., : grad.shape[2]] = grad
    return flat.reshape(shape)


POOL_BACK_MISCONCEPTIONS = (
    Misconception(
        "last-window-wins",
        _routed(_overwritten),
        "Where windows share their maximum, only the gradient of the last one is left in your "
        "result. A pixel collects the gradients of all windows that it wins.",
        ROUTE,
    ),
    Misconception(
        "first-window-wins",
        _routed(partial(_overwritten, backwards=True)),
        "Where windows share their maximum, only the gradient of the first one is left in your "
        "result. A pixel collects the gradients of all windows that it wins.",
        ROUTE,
    ),
    Misconception(
        "mean-of-shared-gradients",
        _routed(_averaged),
        "Where windows share their maximum, your result has the mean of their gradients. They add "
        "up.",
        ROUTE,
    ),
    Misconception(
        "largest-of-shared-gradients",
        _routed(_largest),
        "Where windows share their maximum, your result has the largest of their gradients. They "
        "add up.",
        ROUTE,
    ),
    Misconception(
        "windows-counted",
        _routed(_counts),
        "Your result counts the windows that a pixel wins. It is the sum of their gradients.",
        ROUTE,
    ),
    Misconception(
        "map-not-folded",
        _after(lambda result, *rest: result.flatten(2)),
        "Your result has one axis for all pixels of a map. It has the shape of the input.",
        ROUTE,
    ),
    Misconception(
        "index-down-the-columns",
        _routed(_down_the_columns),
        "Your indices count down the columns of the map. They count in reading order: row * W + "
        "column.",
        ROUTE,
    ),
    Misconception(
        "result-transposed",
        _after(lambda result, *rest: result.transpose(2, 3)),
        "Your maps are transposed.",
        ROUTE,
    ),
    Misconception(
        "index-through-channels",
        _routed(_one_map),
        "The gradients of all channels land in the first one. An index counts in the map of its "
        "own channel.",
        POOL_CHANNELS,
    ),
    Misconception(
        "index-through-the-batch",
        _routed(_one_batch),
        "The gradients of the whole batch land in the first map. An index counts in the map of its "
        "own image and channel.",
        POOL_CHANNELS,
    ),
    Misconception(
        "indices-of-the-first-channel",
        _routed(_channel_zero_indices),
        "All your channels use the indices of channel 0. Each has its own winners.",
        POOL_CHANNELS,
    ),
    Misconception(
        "indices-of-the-first-image",
        _routed(_image_zero_indices),
        "All your images use the indices of the first image. Each has its own winners.",
        POOL_CHANNELS,
    ),
    Misconception(
        "channels-added",
        _after(lambda result, *rest: result.sum(1, keepdim=True).expand_as(result)),
        "All your channels are the same: the sum over the channels.",
        POOL_CHANNELS,
    ),
    Misconception(
        "batch-added",
        _after(lambda result, *rest: result.sum(0, keepdim=True).expand_as(result)),
        "All your images are the same: the sum over the batch.",
        POOL_CHANNELS,
    ),
    Misconception(
        "indices-ignored",
        _routed(_as_unpooled_to_all),
        "Your gradients stand at the first pixels of the map, whatever the indices are.",
        ROUTE,
    ),
    Misconception(
        "index-from-one",
        _after(lambda result, *rest: result.flatten(2).roll(-1, 2).reshape(result.shape)),
        "Your gradients stand one pixel too early, as if indices started at 1. They start at 0.",
        ROUTE,
    ),
    Misconception(
        "negative-cut-off",
        _before(lambda grad_out: grad_out.clamp(min=0)),
        "Negative gradients do not arrive in your result. A maximum passes gradients of either "
        "sign.",
        ROUTE,
    ),
    Misconception(
        "sign-turned",
        _after(lambda result, *rest: -result),
        "Your gradients have the opposite sign.",
        ROUTE,
    ),
    Misconception(
        "ones-for-gradients",
        _after(lambda result, *rest: (result != 0).to(result.dtype)),
        "Your result is 1 where a gradient arrives. It is the gradient itself.",
        ROUTE,
    ),
    Misconception(
        "divided-by-the-batch",
        _after(lambda result, *rest: result / len(result)),
        "Your gradients are divided by the number of images. Each window passes on what it got.",
        ROUTE,
    ),
    Misconception(
        "always-float32",
        _after(lambda result, *rest: result.float()),
        "Your result is float32 whatever the gradient is. It keeps the dtype of grad_out.",
        ROUTE,
    ),
    Misconception(
        "rounded-to-float32",
        _after(lambda result, *rest: result.float().to(result.dtype)),
        "Your numbers went through float32 on the way and lost the digits that float64 has.",
        ROUTE,
    ),
)


def _walk(
    size=lambda size, jump, k, s, p, d: size + d * (k - 1) * jump,
    centre=lambda centre, jump, k, s, p, d: centre + (d * (k - 1) / 2 - p) * jump,
    jump=lambda jump, s: jump * s,
    start=0.0,
    row=lambda size, jump, centre: (size, jump, centre),
    late=False,
):
    """Return a wrong walk through the layers; ``late`` uses the jump after the layer."""

    def answer(layers):
        r, j, c, fields = 1, 1, start, []
        for k, s, p, d in layers:
            new = jump(j, s)
            used = new if late else j
            r, c, j = size(r, used, k, s, p, d), centre(c, used, k, s, p, d), new
            fields.append(row(r, j, c))
        return fields

    return answer


def _fields(change):
    """Return right fields, changed."""
    return lambda layers: change(receptive_field(layers), layers)


FIELD_MISCONCEPTIONS = (
    Misconception(
        "sum-of-kernels",
        _walk(size=lambda size, jump, k, s, p, d: k if size == 1 else size + k),
        "Your sizes are sums of the kernels. A further kernel overlaps with what was seen before: "
        "it adds one pixel less than its span, times the jump.",
        FIELD,
    ),
    Misconception(
        "jump-ignored-in-size",
        _walk(size=lambda size, jump, k, s, p, d: size + d * (k - 1)),
        "In your sizes every layer widens the field as if the strides before it were 1. Its steps "
        "are as long as the jump of the layer below.",
        FIELD,
    ),
    Misconception(
        "jump-taken-too-late",
        _walk(late=True),
        "Your layers use the jump that they make themselves. A layer steps on the units below it, "
        "so the jump before the layer counts.",
        FIELD,
    ),
    Misconception(
        "size-with-late-jump",
        _walk(size=lambda size, jump, k, s, p, d: size + d * (k - 1) * jump * s),
        "Your sizes use the jump after the layer. A layer steps on the units below it, so the jump "
        "before the layer counts.",
        FIELD,
    ),
    Misconception(
        "centre-with-late-jump",
        _walk(centre=lambda c, jump, k, s, p, d: c + (d * (k - 1) / 2 - p) * jump * s),
        "Your centres use the jump after the layer. A layer steps on the units below it, so the "
        "jump before the layer counts.",
        FIELD,
    ),
    Misconception(
        "k-times-jump",
        _walk(size=lambda size, jump, k, s, p, d: size + (d * (k - 1) + 1) * jump),
        "Your sizes add the whole span of each kernel. Its first pixel was in the field already.",
        FIELD,
    ),
    Misconception(
        "starts-from-nothing",
        _fields(lambda fields, layers: [(r - 1, j, c) for r, j, c in fields]),
        "Your sizes are one too small. Before the first layer a unit is a pixel and sees one "
        "pixel: itself.",
        FIELD,
    ),
    Misconception(
        "layer-by-layer",
        _fields(lambda fields, layers: [receptive_field([layer])[0] for layer in layers]),
        "Your rows describe each layer as if it stood alone. Sizes, jumps and centres grow from "
        "layer to layer.",
        FIELD,
    ),
    Misconception(
        "jump-is-the-stride",
        _fields(
            lambda fields, layers: [
                (r, layer[1], c) for (r, _, c), layer in zip(fields, layers, strict=True)
            ]
        ),
        "Your jumps are the strides of single layers. Strides multiply from layer to layer.",
        FIELD,
    ),
    Misconception(
        "jumps-added",
        _walk(jump=lambda jump, s: jump + s - 1),
        "Your jumps are added up from the strides. Strides multiply.",
        FIELD,
    ),
    Misconception(
        "stride-ignored",
        _walk(jump=lambda jump, s: 1),
        "Your result does not depend on the strides.",
        FIELD,
    ),
    Misconception(
        "jump-of-the-layer-below",
        _fields(
            lambda fields, layers: [
                (r, below, c)
                for (r, _, c), below in zip(
                    fields, [1, *(j for _, j, _ in fields[:-1])], strict=True
                )
            ]
        ),
        "Each of your jumps is that of the layer below. The jump of a layer has its own stride in "
        "it.",
        FIELD,
    ),
    Misconception(
        "dilation-ignored",
        _walk(
            size=lambda size, jump, k, s, p, d: size + (k - 1) * jump,
            centre=lambda c, jump, k, s, p, d: c + ((k - 1) / 2 - p) * jump,
        ),
        "Your result does not depend on dilation. A kernel spans d (k - 1) + 1 units.",
        FIELD_WIDER,
    ),
    Misconception(
        "dilation-spans-d-times-k",
        _walk(
            size=lambda size, jump, k, s, p, d: size + (d * k - 1) * jump,
            centre=lambda c, jump, k, s, p, d: c + ((d * k - 1) / 2 - p) * jump,
        ),
        "Your kernels span d k units. There is no gap after the last weight: d (k - 1) + 1.",
        FIELD_WIDER,
    ),
    Misconception(
        "dilation-in-the-jump",
        _fields(
            lambda fields, layers: [
                (r, j * math.prod(layer[3] for layer in layers[: n + 1]), c)
                for n, (r, j, c) in enumerate(fields)
            ]
        ),
        "Your jumps grow with dilation. Dilation spreads the weights; only strides move "
        "neighbouring fields apart.",
        FIELD_WIDER,
    ),
    Misconception(
        "dilation-not-in-the-size",
        _walk(size=lambda size, jump, k, s, p, d: size + (k - 1) * jump),
        "Your sizes do not depend on dilation. A kernel spans d (k - 1) + 1 units.",
        FIELD_WIDER,
    ),
    Misconception(
        "dilation-not-in-the-centre",
        _walk(centre=lambda c, jump, k, s, p, d: c + ((k - 1) / 2 - p) * jump),
        "Your centres do not depend on dilation. The centre is in the middle of what the kernel "
        "spans.",
        FIELD_WIDER,
    ),
    Misconception(
        "dilation-in-the-padding",
        _walk(centre=lambda c, jump, k, s, p, d: c + d * ((k - 1) / 2 - p) * jump),
        "In your centres the padding is multiplied by dilation. Padding is counted in units.",
        FIELD,
    ),
    Misconception(
        "padding-ignored",
        _walk(centre=lambda c, jump, k, s, p, d: c + d * (k - 1) / 2 * jump),
        "Your centres do not depend on padding. Each unit of padding moves the first field to the "
        "left.",
        FIELD,
    ),
    Misconception(
        "padding-to-the-right",
        _walk(centre=lambda c, jump, k, s, p, d: c + (d * (k - 1) / 2 + p) * jump),
        "Padding moves your first field to the right. It starts further left, outside of the image.",
        FIELD,
    ),
    Misconception(
        "padding-in-pixels",
        _walk(centre=lambda c, jump, k, s, p, d: c + d * (k - 1) / 2 * jump - p),
        "In your centres every padding counts in pixels of the input. A padding counts in units of "
        "the map that it is added to, which are a jump apart.",
        FIELD,
    ),
    Misconception(
        "padding-in-the-size",
        _walk(size=lambda size, jump, k, s, p, d: size + (d * (k - 1) - 2 * p) * jump),
        "Your sizes shrink with padding. Borders are ignored, so a size does not depend on it.",
        FIELD,
    ),
    Misconception(
        "padding-widens",
        _walk(size=lambda size, jump, k, s, p, d: size + (d * (k - 1) + 2 * p) * jump),
        "Your sizes grow with padding. Borders are ignored, so a size does not depend on it.",
        FIELD,
    ),
    Misconception(
        "centre-cut-off-at-zero",
        _fields(lambda fields, layers: [(r, j, max(c, 0.0)) for r, j, c in fields]),
        "Your centres are never negative. The first field may lie outside of the image, and its "
        "centre too.",
        FIELD,
    ),
    Misconception(
        "whole-centres",
        _walk(
            centre=lambda c, jump, k, s, p, d: c + (d * (k - 1) // 2 - p) * jump,
            start=0,
            row=lambda r, j, c: (r, j, float(c)),
        ),
        "Your centres are whole numbers. A window of an even number of pixels has its centre "
        "between two of them.",
        FIELD,
    ),
    Misconception(
        "half-a-kernel-rounded",
        _walk(centre=lambda c, jump, k, s, p, d: c + (d * (k // 2) - p) * jump),
        "Your centres move by k // 2 weights. A window of an even number of pixels has its centre "
        "between two of them, (k - 1) / 2 steps from its first.",
        FIELD,
    ),
    Misconception(
        "half-a-kernel",
        _walk(centre=lambda c, jump, k, s, p, d: c + (d * k / 2 - p) * jump),
        "Your centres move by half a kernel. From the first to the middle of k pixels there are "
        "(k - 1) / 2 steps.",
        FIELD,
    ),
    Misconception(
        "centre-starts-at-a-half",
        _walk(start=0.5),
        "Your centres are half a pixel too large: pixel 0 has its centre at 0.0 here.",
        FIELD,
    ),
    Misconception(
        "centre-starts-at-one",
        _walk(start=1.0),
        "Your centres are one too large: pixel 0 has its centre at 0.0.",
        FIELD,
    ),
    Misconception(
        "left-end-for-centre",
        _fields(lambda fields, layers: [(r, j, c - (r - 1) / 2) for r, j, c in fields]),
        "Your third number is the first pixel of the field. It is to be the centre.",
        FIELD,
    ),
    Misconception(
        "right-end-for-centre",
        _fields(lambda fields, layers: [(r, j, c + (r - 1) / 2) for r, j, c in fields]),
        "Your third number is the last pixel of the field. It is to be the centre.",
        FIELD,
    ),
    Misconception(
        "centre-not-added-up",
        _walk(centre=lambda c, jump, k, s, p, d: (d * (k - 1) / 2 - p) * jump),
        "Each of your centres has the part of the last layer only. The parts of all layers add up.",
        FIELD,
    ),
    Misconception(
        "centre-without-jump",
        _walk(centre=lambda c, jump, k, s, p, d: c + d * (k - 1) / 2 - p),
        "Your centres do not depend on the jump. Steps of a layer are as long as the jump of the "
        "layer below.",
        FIELD,
    ),
    Misconception(
        "padding-and-dilation-swapped",
        _walk(
            size=lambda size, jump, k, s, p, d: size + p * (k - 1) * jump,
            centre=lambda c, jump, k, s, p, d: c + (p * (k - 1) / 2 - d) * jump,
        ),
        "You read each layer as (k, s, d, p). Its order is (k, s, p, d).",
        FIELD,
    ),
    Misconception(
        "padding-before-stride",
        _fields(lambda fields, layers: _walk()([(k, p, s, d) for k, s, p, d in layers])),
        "You read each layer as (k, p, s, d). Its order is (k, s, p, d).",
        FIELD,
    ),
    Misconception(
        "jump-first",
        _fields(lambda fields, layers: [(j, r, c) for r, j, c in fields]),
        "The first two numbers of your rows have changed places. The order is size, jump, centre.",
        FIELD,
    ),
    Misconception(
        "last-layer-only",
        _fields(lambda fields, layers: fields[-1:]),
        "You return the row of the last layer only. There is one for each layer.",
        FIELD,
    ),
    Misconception(
        "input-as-first-row",
        _fields(lambda fields, layers: [(1, 1, 0.0), *fields]),
        "Your first row describes the input. There is one row for each layer, and none else.",
        FIELD,
    ),
    Misconception(
        "from-output-to-input",
        _fields(lambda fields, layers: fields[::-1]),
        "Your rows come in reverse order. They go from the input to the output.",
        FIELD,
    ),
    Misconception(
        "layers-read-backwards",
        _fields(lambda fields, layers: receptive_field(layers[::-1])),
        "You walk through the layers from the output to the input. The list starts at the input.",
        FIELD,
    ),
    Misconception(
        "rows-are-lists",
        _fields(lambda fields, layers: [list(field) for field in fields]),
        "Your rows are lists. Each is a tuple: size, jump, centre.",
        FIELD,
    ),
    Misconception(
        "centre-of-the-second-unit",
        _fields(lambda fields, layers: [(r, j, c + j) for r, j, c in fields]),
        "Your centres are one jump too far: they are those of the second units. The first unit's "
        "is asked for.",
        FIELD,
    ),
    Misconception(
        "nothing-for-no-layers",
        _fields(lambda fields, layers: fields if layers else None),
        "Without layers you return no list. A list without layers gives a list without rows.",
        FIELD,
    ),
    Misconception(
        "pixel-for-no-layers",
        _fields(lambda fields, layers: fields if layers else [(1, 1, 0.0)]),
        "Without layers you return a row. There is one row for each layer, so there is none here.",
        FIELD,
    ),
)
