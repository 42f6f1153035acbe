"""Assignment 2: the right answers, by PyTorch, with the signatures that the answers must have."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.a2_rules import Pair


def im2col(
    x: Tensor, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """Ask PyTorch, which calls this unfold and takes the settings in another order."""
    return F.unfold(x, kernel_size, dilation, padding, stride)


def conv2d_gemm(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0
) -> Tensor:
    """Ask PyTorch."""
    return F.conv2d(x, weight, bias, stride, padding)


def conv2d_backward(
    grad_out: Tensor, x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Ask autograd for the gradients of x, weight and bias."""
    bias = torch.zeros(len(weight), dtype=x.dtype)
    with torch.enable_grad():
        x, weight, bias = (part.detach().clone().requires_grad_() for part in (x, weight, bias))
        result = F.conv2d(x, weight, bias, stride, padding)
        dx, dw, db = torch.autograd.grad(result, (x, weight, bias), grad_out)
    return dx, dw, db


def max_pool2d(
    x: Tensor, kernel_size: int, stride: int | None = None, padding: int = 0
) -> tuple[Tensor, Tensor]:
    """Ask PyTorch; raise ValueError where it refuses the padding."""
    if padding > kernel_size // 2:
        raise ValueError("padding must be at most half of kernel_size")
    values, indices = F.max_pool2d(
        x.contiguous(), kernel_size, stride, padding, return_indices=True
    )
    return values, indices


def max_pool2d_backward(
    grad_out: Tensor, indices: Tensor, input_shape: tuple[int, int, int, int]
) -> Tensor:
    """Ask autograd for the gradient of the map from which the indices pick the maxima."""
    with torch.enable_grad():
        x = torch.zeros(input_shape, dtype=grad_out.dtype, requires_grad=True)
        maxima = x.flatten(2).gather(2, indices.flatten(2)).reshape(grad_out.shape)
        (gradient,) = torch.autograd.grad(maxima, x, grad_out)
    return gradient


def receptive_field(layers: list[tuple[int, int, int, int]]) -> list[tuple[int, int, float]]:
    """Ask autograd which pixels inner units of each layer see, in a long row of pixels."""
    return [_inner_field(layers[:depth]) for depth in range(1, len(layers) + 1)]


def _inner_field(layers: list[tuple[int, int, int, int]]) -> tuple[int, int, float]:
    """Return size, jump and first centre, from two neighbours far from both ends."""
    for n in (64 * 4**power for power in itertools.count()):
        with torch.enable_grad():
            row = torch.ones(1, 1, n, dtype=torch.float64, requires_grad=True)
            units = row
            for kernel_size, stride, padding, dilation in layers:
                if dilation * (kernel_size - 1) + 1 > units.shape[2] + 2 * padding:
                    break
                weight = torch.full((1, 1, kernel_size), 1 / kernel_size, dtype=torch.float64)
                units = F.conv1d(units, weight, None, stride, padding, dilation)
            else:
                middle = units.shape[2] // 2
                first, after = (_seen(row, units, number) for number in (middle, middle + 1))
                if first and after and n < 4 * first[0] < 4 * after[-1] < 3 * n:
                    jump = after[0] - first[0]
                    centre = (first[0] + first[-1]) / 2 - middle * jump
                    return first[-1] - first[0] + 1, jump, centre
    raise AssertionError("unreachable")


def _seen(row: Tensor, units: Tensor, number: int) -> list[int]:
    """Return the pixels of ``row`` that a unit depends on."""
    if number >= units.shape[2]:
        return []
    (gradient,) = torch.autograd.grad(units[0, 0, number], row, retain_graph=True)
    seen: list[int] = gradient[0, 0].nonzero().flatten().tolist()
    return seen
