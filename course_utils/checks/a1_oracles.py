"""Assignment 1: the right answers, by PyTorch, with the signatures that the answers must have."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.a1_rules import Pair, both, span


def conv_output_size(n: int, k: int, p: int = 0, s: int = 1, d: int = 1) -> int:
    """Ask PyTorch for the size; raise ValueError where it has none."""
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError("n, k, s and d must be at least 1 and p at least 0")
    return int(conv_output_shape((n, 1), (k, 1), (s, 1), (p, 0), (d, 1))[0])


def conv_output_shape(
    hw: tuple[int, int],
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> tuple[int, int]:
    """Ask PyTorch for the shape; a map without values is enough for that."""
    weight = torch.zeros(1, 1, *both(kernel_size), device="meta")
    image = torch.zeros(1, 1, *hw, device="meta")
    try:
        result = F.conv2d(image, weight, None, stride, padding, dilation)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if 0 in result.shape:
        raise ValueError("the kernel is larger than the padded input")
    return result.shape[2], result.shape[3]


def same_padding(k: int, d: int = 1) -> int:
    """Search for the padding with which PyTorch keeps the size; raise ValueError if none does."""
    n = d * k
    for p in range(n):
        if n + 2 * p >= span(k, d) and conv_output_size(n, k, p, 1, d) == n:
            return p
    raise ValueError("no symmetric padding keeps the size")


def transposed_output_size(
    n: int, k: int, p: int = 0, s: int = 1, d: int = 1, output_padding: int = 0
) -> int:
    """Ask PyTorch for the size of a transposed convolution."""
    try:
        result = F.conv_transpose2d(
            torch.zeros(1, 1, n, 1),
            torch.zeros(1, 1, k, 1),
            stride=(s, 1),
            padding=(p, 0),
            output_padding=(output_padding, 0),
            dilation=(d, 1),
        )
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if result.shape[2] < 1:
        raise ValueError("the result is below 1")
    return int(result.shape[2])


def cross_correlate2d(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Ask PyTorch, which calls this a convolution."""
    return F.conv2d(x[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def convolve2d(x: Tensor, kernel: Tensor) -> Tensor:
    """Ask PyTorch for a correlation with the kernel turned by 180 degrees."""
    return F.conv2d(x[None, None], kernel.flip(0, 1)[None, None])[0, 0]


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
