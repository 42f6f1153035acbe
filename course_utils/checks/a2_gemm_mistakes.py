"""Assignment 2: wrong matrix products, each with a name and what it shows."""

import torch
import torch.nn.functional as F

from course_utils.checks.a2_im2col_mistakes import padded_by
from course_utils.checks.a2_oracles import conv2d_gemm, im2col
from course_utils.checks.a2_rules import (
    BATCH,
    BIAS,
    COLUMNS,
    COPIES,
    PADDING,
    PRODUCT,
    ROUNDING,
    ROWS,
    STRIDE,
    WEIGHT,
)
from course_utils.checks.exercise import Misconception


def _gemm(
    x_as=lambda x: x,
    weight_as=lambda weight: weight,
    bias_as=lambda bias: bias,
    stride_as=lambda stride: stride,
    pad=lambda p: (p, p, p, p),
    mode="constant",
    value=0.0,
    result_as=lambda result: result,
):
    """Return a wrong product: another input, weight, bias, stride, padding or result."""

    def answer(x, weight, bias=None, stride=1, padding=0):
        x = padded_by(pad(padding), mode, value)(x_as(x))
        weight, bias = weight_as(weight), None if bias is None else bias_as(bias)
        return result_as(conv2d_gemm(x, weight, bias, stride_as(stride)))

    return answer


def _unit_starts(x, weight, bias=None, stride=1, padding=0):
    right = conv2d_gemm(x, weight, bias, stride, padding)
    dense = conv2d_gemm(x, weight, bias, 1, padding)
    return dense[..., : right.shape[2], : right.shape[3]]


def _ceil(x, weight, bias=None, stride=1, padding=0):
    more = [
        -(n + 2 * padding - k) % stride for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    sides = padding, padding + more[1], padding, padding + more[0]
    return conv2d_gemm(F.pad(x, sides), weight, bias, stride)


def _reshaped(order):
    """Return a wrong product whose result is reshaped from a matrix with its axes in that order."""

    def answer(x, weight, bias=None, stride=1, padding=0):
        result = conv2d_gemm(x, weight, bias, stride, padding)
        return result.permute(order).reshape(result.shape)

    return answer


def _map_down_columns(x, weight, bias=None, stride=1, padding=0):
    result = conv2d_gemm(x, weight, bias, stride, padding)
    return result.reshape(*result.shape[:2], result.shape[3], result.shape[2]).transpose(2, 3)


def _bias_first_free(x, weight, bias=None, stride=1, padding=0):
    """Add the bias along the last axis, where that is possible."""
    result = conv2d_gemm(x, weight, None, stride, padding)
    return result if bias is None else result + bias


def _bias_scaled(scale):
    def answer(x, weight, bias=None, stride=1, padding=0):
        result = conv2d_gemm(x, weight, None, stride, padding)
        return result if bias is None else result + scale(weight) * bias[:, None, None]

    return answer


def _bias_on_first_image(x, weight, bias=None, stride=1, padding=0):
    result = conv2d_gemm(x, weight, None, stride, padding)
    if bias is not None:
        result[0] += bias[:, None, None]
    return result


def _square_kernel(x, weight, bias=None, stride=1, padding=0):
    side, columns = weight.shape[2:]
    square = torch.zeros(*weight.shape[:3], side, dtype=weight.dtype)
    square[..., : min(side, columns)] = weight[..., :side]
    return conv2d_gemm(x, square, bias, stride, padding)


def _window_by_window(x, weight, bias=None, stride=1, padding=0):
    """Be right, but visit each place of the window in a loop of Python."""
    x = F.pad(x, (padding,) * 4)
    kh, kw = weight.shape[2:]
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    result = torch.zeros(len(x), len(weight), rows, columns, dtype=x.dtype)
    flat = weight.flatten(1).T
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            result[:, :, i, j] = x[:, :, top : top + kh, left : left + kw].flatten(1) @ flat
    return result if bias is None else result + bias[:, None, None]


def _as_table(x, weight, bias=None, stride=1, padding=0):
    return conv2d_gemm(x, weight, bias, stride, padding).flatten(2)


def _weight_reshaped(order):
    return _gemm(weight_as=lambda weight: weight.permute(order).reshape(weight.shape))


def _weight_transposed_matrix(x, weight, bias=None, stride=1, padding=0):
    """Reshape the weight to (C kh kw, O) and transpose that, which mixes the filters."""
    matrix = weight.reshape(-1, len(weight)).T
    table = im2col(x, tuple(weight.shape[2:]), stride, padding)
    shape = conv2d_gemm(x, weight, None, stride, padding).shape
    result = (matrix @ table).reshape(shape)
    return result if bias is None else result + bias[:, None, None]


def _last_missing(x, weight, bias=None, stride=1, padding=0):
    return conv2d_gemm(x, weight, bias, stride, padding)[:, :, :-1, :-1]


GEMM_MISCONCEPTIONS = (
    Misconception(
        "loop-over-positions",
        _window_by_window,
        "Your numbers are right, but Python goes from place to place of the window, and time grows "
        "with the map. All windows of a table are multiplied in one matrix product.",
        COPIES,
    ),
    Misconception(
        "kernel-flipped",
        _gemm(weight_as=lambda weight: weight.flip(2, 3)),
        "Your result is that of kernels turned by 180°. A layer correlates: row of the weight "
        "times column of the table, as they lie.",
        WEIGHT,
    ),
    Misconception(
        "kernel-column-by-column",
        _weight_reshaped((0, 1, 3, 2)),
        "Your weight is flattened down the columns of each kernel. Weight and windows are both "
        "read row by row.",
        WEIGHT,
    ),
    Misconception(
        "channel-last-weight",
        _weight_reshaped((0, 2, 3, 1)),
        "Your weight is flattened with the channel last, and the table has it first. Both have the "
        "order channel, kernel row, kernel column.",
        ROWS,
    ),
    Misconception(
        "filters-mixed",
        _weight_transposed_matrix,
        "Your weight has lost its filters: a reshape to another number of rows cuts them into "
        "pieces. Each filter is one row of the matrix.",
        WEIGHT,
    ),
    Misconception(
        "channels-reversed",
        _gemm(weight_as=lambda weight: weight.flip(1)),
        "Your kernels meet the channels in reverse order.",
        ROWS,
    ),
    Misconception(
        "first-channel-only",
        _gemm(x_as=lambda x: x[:, :1], weight_as=lambda weight: weight[:, :1]),
        "Your result depends on the first channel only. The sum runs over all channels.",
        PRODUCT,
    ),
    Misconception(
        "mean-over-channels",
        _gemm(weight_as=lambda weight: weight / weight.shape[1]),
        "Your sums are divided by the number of channels. The products are added up.",
        PRODUCT,
    ),
    Misconception(
        "mean-of-products",
        _gemm(weight_as=lambda weight: weight / weight[0].numel()),
        "Your numbers are means of the products. A matrix product adds them up.",
        PRODUCT,
    ),
    Misconception(
        "first-filter-everywhere",
        _gemm(weight_as=lambda weight: weight[:1].expand_as(weight)),
        "All your maps are made with the first filter. Each filter gives a map.",
        WEIGHT,
    ),
    Misconception(
        "filters-summed",
        _gemm(result_as=lambda result: result.sum(1, keepdim=True)),
        "Your maps are added up to one. Each filter keeps a map of its own.",
        WEIGHT,
    ),
    Misconception(
        "first-image-only",
        _gemm(x_as=lambda x: x[:1]),
        "Your result holds the first image only.",
        BATCH,
    ),
    Misconception(
        "first-image-everywhere",
        _gemm(x_as=lambda x: x[:1].expand_as(x)),
        "All your results are those of the first image.",
        BATCH,
    ),
    Misconception(
        "batch-axis-lost",
        _gemm(result_as=lambda result: result[0] if len(result) == 1 else result),
        "For a batch of one image your result has three axes. The first axis counts images, also "
        "when there is one.",
        BATCH,
    ),
    Misconception(
        "filters-before-images",
        _gemm(result_as=lambda result: result.transpose(0, 1)),
        "The first axis of your result counts filters. It has to count images.",
        BATCH,
    ),
    Misconception(
        "images-and-filters-mixed",
        _reshaped((1, 0, 2, 3)),
        "Your result has the right shape, but maps of different images have changed places: the "
        "product had a row for each filter, with all images in it, and a reshape moves no axis.",
        BATCH,
    ),
    Misconception(
        "positions-before-filters",
        _reshaped((0, 2, 3, 1)),
        "Your result has the right shape, but filters and places are mixed: the product had a row "
        "for each place, and a reshape moves no axis.",
        PRODUCT,
    ),
    Misconception(
        "image-innermost",
        _reshaped((1, 2, 3, 0)),
        "Your result has the right shape, but neighbours in a map come from different images: the "
        "columns of the product changed the image at every step, and a reshape moves no axis.",
        BATCH,
    ),
    Misconception(
        "result-transposed",
        _gemm(result_as=lambda result: result.transpose(2, 3)),
        "Your maps are transposed. Columns of the product are places in reading order.",
        COLUMNS,
    ),
    Misconception(
        "map-folded-down-its-columns",
        _map_down_columns,
        "Your maps are folded down their columns. Columns of the product are places in reading "
        "order: to the right, then down.",
        COLUMNS,
    ),
    Misconception(
        "map-not-folded",
        _as_table,
        "Your result is still a table with one axis for all places. Fold that axis into the rows "
        "and columns of the map.",
        PRODUCT,
    ),
    Misconception(
        "bias-ignored",
        _gemm(bias_as=lambda bias: None),
        "Your result does not depend on bias.",
        BIAS,
    ),
    Misconception(
        "bias-subtracted",
        _gemm(bias_as=lambda bias: -bias),
        "Your bias is subtracted.",
        BIAS,
    ),
    Misconception(
        "bias-along-the-width",
        _bias_first_free,
        "Your bias is added along the last axis, the width. Each filter has one number, for all "
        "places of its map.",
        BIAS,
    ),
    Misconception(
        "first-bias-for-all",
        _gemm(bias_as=lambda bias: bias[:1].expand_as(bias)),
        "Every filter gets the first number of bias. Each has its own.",
        BIAS,
    ),
    Misconception(
        "bias-summed",
        _gemm(bias_as=lambda bias: bias.sum().expand_as(bias)),
        "Every filter gets the sum of bias. Each has a number of its own.",
        BIAS,
    ),
    Misconception(
        "bias-for-each-channel",
        _bias_scaled(lambda weight: weight.shape[1]),
        "Your bias is added once for each channel. It is added once for each filter.",
        BIAS,
    ),
    Misconception(
        "bias-for-each-weight",
        _bias_scaled(lambda weight: weight[0].numel()),
        "Your bias is added to each product of the sum. It is added once, after the sum.",
        BIAS,
    ),
    Misconception(
        "bias-on-first-image",
        _bias_on_first_image,
        "Only the first image of your result has the bias.",
        BIAS,
    ),
    Misconception(
        "negative-cut-off",
        _gemm(result_as=lambda result: result.clamp(min=0)),
        "Your result has zeros where the sum is negative. A rectifier is another step.",
        PRODUCT,
    ),
    Misconception(
        "padding-ignored",
        _gemm(pad=lambda p: (0, 0, 0, 0)),
        "Your result does not depend on padding.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-start",
        _gemm(pad=lambda p: (p, 0, p, 0)),
        "Your zeros stand above and to the left only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-end",
        _gemm(pad=lambda p: (0, p, 0, p)),
        "Your zeros stand below and to the right only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-of-rows-only",
        _gemm(pad=lambda p: (p, p, 0, 0)),
        "Only your height is padded. Padding adds zeros to the left and right as well.",
        PADDING,
    ),
    Misconception(
        "padding-of-columns-only",
        _gemm(pad=lambda p: (0, 0, p, p)),
        "Only your width is padded. Padding adds zeros above and below as well.",
        PADDING,
    ),
    Misconception(
        "padding-of-one",
        _gemm(pad=lambda p: (min(p, 1),) * 4),
        "Your border is one pixel wide whatever the padding is.",
        PADDING,
    ),
    Misconception(
        "padding-twice",
        _gemm(pad=lambda p: (2 * p,) * 4),
        "Your image is padded with twice as many zeros as asked for at each side.",
        PADDING,
    ),
    Misconception(
        "padding-repeats-edge",
        _gemm(mode="replicate"),
        "Your border repeats the pixels at the edge. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "padding-with-ones",
        _gemm(value=1.0),
        "Your border is filled with ones. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "stride-ignored",
        _gemm(stride_as=lambda stride: 1),
        "Your result does not depend on stride.",
        STRIDE,
    ),
    Misconception(
        "stride-of-rows-only",
        _gemm(stride_as=lambda stride: (stride, 1)),
        "Your window moves by the stride downwards but by one pixel to the right.",
        STRIDE,
    ),
    Misconception(
        "stride-of-columns-only",
        _gemm(stride_as=lambda stride: (1, stride)),
        "Your window moves by the stride to the right but by one pixel downwards.",
        STRIDE,
    ),
    Misconception(
        "stride-in-size-only",
        _unit_starts,
        "Your result has the right shape, but its windows are neighbours. Each window starts a "
        "stride after the one before.",
        STRIDE,
    ),
    Misconception(
        "last-partial-window",
        _ceil,
        "Where the stride leaves a remainder, your result has one window too many, which hangs "
        "over the end. A step that does not fit whole is not taken.",
        STRIDE,
    ),
    Misconception(
        "last-window-missing",
        _last_missing,
        "Your last row and last column of windows are missing: a window also fits where its end "
        "meets the end of the image.",
        COLUMNS,
    ),
    Misconception(
        "square-kernel",
        _square_kernel,
        "Your window is as wide as the kernel is high. A kernel may be a rectangle.",
        ROWS,
    ),
    Misconception(
        "always-float32",
        _gemm(result_as=lambda result: result.float()),
        "Your result is float32 whatever the input is. It keeps the dtype of the input.",
        ROUNDING,
    ),
    Misconception(
        "rounded-to-float32",
        _gemm(result_as=lambda result: result.float().to(result.dtype)),
        "Your numbers went through float32 on the way and lost the digits that float64 has.",
        ROUNDING,
    ),
)
