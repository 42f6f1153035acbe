"""Assignment 2: wrong tables of windows, each with a name and what it shows."""

import torch.nn.functional as F

from course_utils.checks.a2_oracles import im2col
from course_utils.checks.a2_rules import (
    BATCH,
    COLUMNS,
    PADDING,
    PAIRS,
    ROUNDING,
    ROWS,
    STRIDE,
    TABLE,
    both,
)
from course_utils.checks.exercise import Misconception


def padded_by(p, mode="constant", value=0.0):
    """Return a function that pads by (above, below, left, right)."""
    above, below, left, right = p

    def pad(x):
        if not any(p):
            return x
        if mode == "constant":
            return F.pad(x, (left, right, above, below), value=value)
        return F.pad(x, (left, right, above, below), mode=mode)

    return pad


def with_padding(sides, mode="constant", value=0.0):
    """Return a wrong table: ``sides`` maps (vertical, horizontal) to four widths."""

    def answer(x, kernel_size, stride=1, padding=0, dilation=1):
        pad = padded_by(sides(*both(padding)), mode, value)
        return im2col(pad(x), kernel_size, stride, 0, dilation)

    return answer


def _settings(change):
    """Return a wrong table: ``change`` maps the four settings, as pairs, to others."""

    def answer(x, kernel_size, stride=1, padding=0, dilation=1):
        return im2col(x, *change(*map(both, (kernel_size, stride, padding, dilation))))

    return answer


def _places(x, kernel_size, stride, padding, dilation):
    axes = zip(x.shape[2:], *map(both, (kernel_size, stride, padding, dilation)), strict=True)
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes]


def _blocks(change):
    """Return a wrong table: ``change`` gets the windows as (N, C, kh, kw, Ho, Wo)."""

    def answer(x, kernel_size, stride=1, padding=0, dilation=1):
        settings = kernel_size, stride, padding, dilation
        table = im2col(x, *settings)
        shape = (*x.shape[:2], *both(kernel_size), *_places(x, *settings))
        return change(table.reshape(shape), table)

    return answer


def _order(*axes):
    return _blocks(lambda blocks, table: blocks.permute(axes).reshape(table.shape))


def _image(change):
    def answer(x, kernel_size, stride=1, padding=0, dilation=1):
        return im2col(change(x), kernel_size, stride, padding, dilation)

    return answer


def _unit_starts(x, kernel_size, stride=1, padding=0, dilation=1):
    rows, columns = _places(x, kernel_size, stride, padding, dilation)
    dense = im2col(x, kernel_size, 1, padding, dilation)
    down, across = _places(x, kernel_size, 1, padding, dilation)
    dense = dense.reshape(*dense.shape[:2], down, across)
    return dense[..., :rows, :columns].flatten(2)


def _ceil(x, kernel_size, stride=1, padding=0, dilation=1):
    pv, ph = both(padding)
    axes = zip(x.shape[2:], *map(both, (kernel_size, stride, padding, dilation)), strict=True)
    more = [-(n + 2 * p - d * (k - 1) - 1) % s for n, k, s, p, d in axes]
    return im2col(F.pad(x, (ph, ph + more[1], pv, pv + more[0])), kernel_size, stride, 0, dilation)


def _dilated_span(x, kernel_size, stride=1, padding=0, dilation=1):
    """Take d * k for the width of the window, so that the last places are lost."""
    settings = kernel_size, stride, padding, dilation
    axes = zip(x.shape[2:], *map(both, settings), strict=True)
    rows, columns = [max((n + 2 * p - d * k) // s + 1, 0) for n, k, s, p, d in axes]
    table = im2col(x, *settings)
    return table.reshape(*table.shape[:2], *_places(x, *settings))[..., :rows, :columns].flatten(2)


def _size_without_dilation(x, kernel_size, stride=1, padding=0, dilation=1):
    """Count the places of a window that is not spread; what hangs over the end reads zeros."""
    rows, columns = _places(x, kernel_size, stride, padding, 1)
    (kh, kw), (pv, ph), (dv, dh) = both(kernel_size), both(padding), both(dilation)
    wider = F.pad(x, (ph, ph + (kw - 1) * (dh - 1), pv, pv + (kh - 1) * (dv - 1)))
    table = im2col(wider, kernel_size, stride, 0, dilation)
    return table[..., : rows * columns]


def _last_missing(x, kernel_size, stride=1, padding=0, dilation=1):
    rows, columns = _places(x, kernel_size, stride, padding, dilation)
    table = im2col(x, kernel_size, stride, padding, dilation)
    table = table.reshape(*table.shape[:2], rows, columns)
    return table[..., : rows - 1, : columns - 1].flatten(2)


IM2COL_MISCONCEPTIONS = (
    Misconception(
        "channel-last-in-a-row",
        _order(0, 2, 3, 1, 4, 5),
        "Your rows run through the kernel first and change the channel at every step. All places "
        "of channel 0 come first, then those of channel 1.",
        ROWS,
    ),
    Misconception(
        "kernel-column-by-column",
        _order(0, 1, 3, 2, 4, 5),
        "Inside a channel your rows run down the columns of the window. The kernel is read row by "
        "row.",
        ROWS,
    ),
    Misconception(
        "rows-run-backwards",
        _blocks(lambda blocks, table: table.flip(1)),
        "Your rows come in reverse order. The first row is the upper left place of channel 0.",
        ROWS,
    ),
    Misconception(
        "window-turned",
        _blocks(lambda blocks, table: blocks.flip(2, 3).reshape(table.shape)),
        "Each of your windows is turned by 180°. A window is read as it lies.",
        ROWS,
    ),
    Misconception(
        "columns-down-the-map",
        _order(0, 1, 2, 3, 5, 4),
        "Your windows go down the map first. Columns are windows in reading order: to the right, "
        "then down.",
        COLUMNS,
    ),
    Misconception(
        "image-transposed",
        _order(0, 1, 3, 2, 5, 4),
        "Your table is that of the transposed image: both the window and the map are read down "
        "their columns. Both are read row by row.",
        COLUMNS,
    ),
    Misconception(
        "rows-are-windows",
        _blocks(lambda blocks, table: table.transpose(1, 2)),
        "Your table is transposed: a window is a row of it. A window is a column.",
        TABLE,
    ),
    Misconception(
        "map-not-flattened",
        _blocks(lambda blocks, table: blocks.flatten(1, 3)),
        "Your result still has the rows and columns of the map as two axes. The last axis counts "
        "all windows.",
        COLUMNS,
    ),
    Misconception(
        "window-not-flattened",
        _blocks(lambda blocks, table: blocks.flatten(4)),
        "Your result still has channel, kernel row and kernel column as three axes. They are one "
        "axis, in this order.",
        ROWS,
    ),
    Misconception(
        "reshaped-without-moving-axes",
        _blocks(lambda blocks, table: blocks.permute(0, 1, 4, 5, 2, 3).reshape(table.shape)),
        "Your table has the right shape, but windows are cut into pieces: the axes of the places "
        "stood before those of the kernel when they were merged. A reshape moves nothing.",
        TABLE,
    ),
    Misconception(
        "table-reshaped-not-transposed",
        _blocks(lambda blocks, table: table.transpose(1, 2).reshape(table.shape)),
        "Your windows lie one after the other along the rows of the table. They have to stand in "
        "its columns, and a reshape transposes nothing.",
        TABLE,
    ),
    Misconception(
        "images-side-by-side",
        _blocks(lambda blocks, table: table.transpose(0, 1).flatten(1)),
        "Your table has the windows of all images in one row of columns. Each image has a table of "
        "its own, along the first axis.",
        BATCH,
    ),
    Misconception(
        "images-interleaved",
        _blocks(lambda blocks, table: table.permute(1, 2, 0).flatten(1)),
        "Your columns change the image at every step, and there is no axis for the batch. Each "
        "image has a table of its own, along the first axis.",
        BATCH,
    ),
    Misconception(
        "batch-axis-lost",
        _blocks(lambda blocks, table: table[0] if len(table) == 1 else table),
        "For a batch of one image your result has two axes. The first axis counts images, also "
        "when there is one.",
        BATCH,
    ),
    Misconception(
        "first-image-only",
        _image(lambda x: x[:1]),
        "Your result holds the first image only. Each image has a table.",
        BATCH,
    ),
    Misconception(
        "first-image-everywhere",
        _image(lambda x: x[:1].expand_as(x)),
        "All your tables are that of the first image.",
        BATCH,
    ),
    Misconception(
        "first-channel-only",
        _image(lambda x: x[:, :1]),
        "Your rows cover the first channel only. A window reaches through all channels.",
        ROWS,
    ),
    Misconception(
        "channels-added",
        _image(lambda x: x.sum(1, keepdim=True)),
        "Your channels are added up. Each channel has rows of its own.",
        ROWS,
    ),
    Misconception(
        "channels-as-images",
        _image(lambda x: x.flatten(0, 1)[:, None]),
        "You give each channel a table of its own. The channels of an image stand below each other "
        "in one table.",
        ROWS,
    ),
    Misconception(
        "padding-ignored",
        _settings(lambda k, s, p, d: (k, s, 0, d)),
        "Your result does not depend on padding.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-start",
        with_padding(lambda v, h: (v, 0, h, 0)),
        "Your zeros stand above and to the left only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-at-the-end",
        with_padding(lambda v, h: (0, v, 0, h)),
        "Your zeros stand below and to the right only. Padding adds them on all four sides.",
        PADDING,
    ),
    Misconception(
        "padding-of-columns-only",
        with_padding(lambda v, h: (0, 0, h, h)),
        "Only your width is padded. Padding adds zeros above and below as well.",
        PADDING,
    ),
    Misconception(
        "padding-of-rows-only",
        with_padding(lambda v, h: (v, v, 0, 0)),
        "Only your height is padded. Padding adds zeros to the left and right as well.",
        PADDING,
    ),
    Misconception(
        "padding-of-one",
        with_padding(lambda v, h: (min(v, 1),) * 2 + (min(h, 1),) * 2),
        "Your border is one pixel wide whatever the padding is.",
        PADDING,
    ),
    Misconception(
        "padding-halved",
        with_padding(lambda v, h: (v // 2, v - v // 2, h // 2, h - h // 2)),
        "Your padding is shared between two sides. Each side gets all of it.",
        PADDING,
    ),
    Misconception(
        "padding-twice",
        with_padding(lambda v, h: (2 * v, 2 * v, 2 * h, 2 * h)),
        "Your image is padded with twice as many zeros as asked for at each side.",
        PADDING,
    ),
    Misconception(
        "padding-repeats-edge",
        with_padding(lambda v, h: (v, v, h, h), "replicate"),
        "Your border repeats the pixels at the edge. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "padding-with-ones",
        with_padding(lambda v, h: (v, v, h, h), value=1.0),
        "Your border is filled with ones. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "padding-wraps",
        with_padding(lambda v, h: (v, v, h, h), "circular"),
        "Your border continues at the other end of the image. It is to be filled with zeros.",
        PADDING,
    ),
    Misconception(
        "stride-ignored",
        _settings(lambda k, s, p, d: (k, 1, p, d)),
        "Your result does not depend on stride.",
        STRIDE,
    ),
    Misconception(
        "stride-in-size-only",
        _unit_starts,
        "Your result has the right number of windows, but they are neighbours. Each window starts "
        "a stride after the one before.",
        STRIDE,
    ),
    Misconception(
        "stride-of-rows-only",
        _settings(lambda k, s, p, d: (k, (s[0], 1), p, d)),
        "Your window moves by the stride downwards but by one pixel to the right.",
        STRIDE,
    ),
    Misconception(
        "stride-of-columns-only",
        _settings(lambda k, s, p, d: (k, (1, s[1]), p, d)),
        "Your window moves by the stride to the right but by one pixel downwards.",
        STRIDE,
    ),
    Misconception(
        "windows-side-by-side",
        _settings(lambda k, s, p, d: (k, k, p, d)),
        "Your windows lie side by side, as in pooling. They start a stride apart, which is 1 "
        "unless something else is asked for.",
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
        "dilation-ignored",
        _settings(lambda k, s, p, d: (k, s, p, 1)),
        "Your result does not depend on dilation.",
        STRIDE,
    ),
    Misconception(
        "dilation-in-window-only",
        _size_without_dilation,
        "Your windows are spread, but there are as many as if they were not. A spread window "
        "reaches d (k - 1) + 1 pixels, so fewer fit.",
        STRIDE,
    ),
    Misconception(
        "dilation-spans-d-times-k",
        _dilated_span,
        "You count a window as d k pixels wide, and lose the last places. There is no gap after "
        "the last weight.",
        STRIDE,
    ),
    Misconception(
        "dilation-counts-gaps",
        _settings(lambda k, s, p, d: (k, s, p, (d[0] + 1, d[1] + 1))),
        "Your weights are d + 1 pixels apart. Dilation 1 means that they touch.",
        STRIDE,
    ),
    Misconception(
        "dilation-taken-for-stride",
        _settings(lambda k, s, p, d: (k, d, p, s)),
        "Stride and dilation have changed places: stride moves the window, dilation spreads it.",
        STRIDE,
    ),
    Misconception(
        "pairs-swapped",
        _settings(lambda k, s, p, d: (k[::-1], s[::-1], p[::-1], d[::-1])),
        "Your pairs are read as (horizontal, vertical). All pairs are (vertical, horizontal).",
        PAIRS,
    ),
    Misconception(
        "kernel-pair-swapped",
        _settings(lambda k, s, p, d: (k[::-1], s, p, d)),
        "Your window is as high as the kernel is wide. kernel_size is (vertical, horizontal).",
        PAIRS,
    ),
    Misconception(
        "stride-pair-swapped",
        _settings(lambda k, s, p, d: (k, s[::-1], p, d)),
        "Your stride is read as (horizontal, vertical). All pairs are (vertical, horizontal).",
        PAIRS,
    ),
    Misconception(
        "padding-pair-swapped",
        _settings(lambda k, s, p, d: (k, s, p[::-1], d)),
        "Your vertical padding stands at the left and right. All pairs are (vertical, "
        "horizontal); only `F.pad` counts from the last axis.",
        PAIRS,
    ),
    Misconception(
        "dilation-pair-swapped",
        _settings(lambda k, s, p, d: (k, s, p, d[::-1])),
        "Your dilation is read as (horizontal, vertical). All pairs are (vertical, horizontal).",
        PAIRS,
    ),
    Misconception(
        "first-of-each-pair",
        _settings(lambda k, s, p, d: (k[0], s[0], p[0], d[0])),
        "Of each pair you use the first number for both axes.",
        PAIRS,
    ),
    Misconception(
        "second-of-each-pair",
        _settings(lambda k, s, p, d: (k[1], s[1], p[1], d[1])),
        "Of each pair you use the second number for both axes.",
        PAIRS,
    ),
    Misconception(
        "square-kernel",
        _settings(lambda k, s, p, d: (k[0], s, p, d)),
        "Your window is as wide as it is high. A kernel may be a rectangle.",
        PAIRS,
    ),
    Misconception(
        "always-float32",
        _blocks(lambda blocks, table: table.float()),
        "Your result is float32 whatever the input is. It keeps the dtype of the input.",
        ROUNDING,
    ),
    Misconception(
        "rounded-to-float32",
        _blocks(lambda blocks, table: table.float().to(table.dtype)),
        "Your numbers went through float32 on the way and lost the digits that float64 has.",
        ROUNDING,
    ),
)
