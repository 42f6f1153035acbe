"""Assignment 2: the places of the book that explain its rules, and what its halves share."""

import torch
from torch import Tensor

from course_utils.checks.calls import (
    AUTOGRAD_NAMES,
    CONVOLUTION_NAMES,
    CONVOLUTION_OPERATORS,
    IM2COL_NAMES,
    IM2COL_OPERATORS,
    POOLING_NAMES,
    POOLING_OPERATORS,
)
from course_utils.checks.exercise import Forbidden, Place

Pair = int | tuple[int, int]

_IM2COL, _POOLING = "05_im2col_and_backward", "06_relu_pooling_receptive_field"

TABLE = Place(_IM2COL, "The table of windows")
ROWS = Place(_IM2COL, "Rows: channel, then kernel row, then kernel column")
COLUMNS = Place(_IM2COL, "Columns: windows in reading order")
PADDING = Place(_IM2COL, "Pad first, then cut windows")
STRIDE = Place(_IM2COL, "Stride moves the window, dilation spreads it")
PAIRS = Place(_IM2COL, "Vertical first, horizontal second")
COPIES = Place(_IM2COL, "Windows without copies")
PRODUCT = Place(_IM2COL, "One matrix product")
WEIGHT = Place(_IM2COL, "The weight is a matrix already")
BIAS = Place(_IM2COL, "One bias for each row of the product")
BATCH = Place(_IM2COL, "A batch: one product each, or one for all")
ROUNDING = Place(_IM2COL, "The same sum in another order")
GRADIENTS = Place(_IM2COL, "Backward: three gradients")
DB = Place(_IM2COL, "db: sum over images, rows and columns")
DW = Place(_IM2COL, "dw: gradient times table")
DW_SUM = Place(_IM2COL, "dw: summed over the batch, not averaged")
DX_SUM = Place(_IM2COL, "dx: copies become sums")
DX_TURNED = Place(_IM2COL, "dx as a full correlation with the turned kernel")
CHANNELS_BACK = Place(_IM2COL, "Channels and images on the way back")
PADDING_BACK = Place(_IM2COL, "Padding on the way back")
STRIDE_BACK = Place(_IM2COL, "Stride on the way back")
LEFT_OVER = Place(_IM2COL, "Rows that the stride leaves over")

POOL = Place(_POOLING, "Max pooling")
POOL_STRIDE = Place(_POOLING, "The default stride")
POOL_CHANNELS = Place(_POOLING, "Channels and parameters")
POOL_MEAN = Place(_POOLING, "Maximum and mean")
ROUTE = Place(_POOLING, "Where the gradient goes")
TIES = Place(_POOLING, "Ties")
POOL_PADDING = Place(_POOLING, "Padding with minus infinity")
FLOOR = Place(_POOLING, "The last window: floor or ceil")
FIELD = Place(_POOLING, "Receptive field and jump")
FIELD_WIDER = Place(_POOLING, "How depth, stride and dilation widen it")

NO_LIBRARY = Forbidden(
    "Write it yourself: slicing, Tensor.unfold, as_strided, sliding windows, scatter_add, einsum "
    "and matrix products are allowed; a library's convolution or pooling, F.unfold, F.fold, "
    "autograd and torch.nn.grad are not.",
    f"{CONVOLUTION_OPERATORS}|{IM2COL_OPERATORS}|{POOLING_OPERATORS}",
    CONVOLUTION_NAMES | IM2COL_NAMES | POOLING_NAMES | AUTOGRAD_NAMES,
)


def both(value: Pair) -> tuple[int, int]:
    """Return a setting for (vertical, horizontal)."""
    return (value, value) if isinstance(value, int) else value


def distinct_numbers(*shape: int, start: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return whole numbers, no two alike, that look random and are the same on every machine."""
    count = int(torch.Size(shape).numel())
    numbers = [pow(7, start + n, 499) - 249 for n in range(count)]  # 7 generates them all
    return torch.tensor(numbers, dtype=dtype).reshape(shape)


def places(hw: tuple[int, int], kernel: Pair, stride: Pair = 1, padding: Pair = 0) -> list[int]:
    """Return how many places a window has down and across, without dilation."""
    axes = zip(hw, both(kernel), both(stride), both(padding), strict=True)
    return [(n + 2 * p - k) // s + 1 for n, k, s, p in axes]
