"""X3 against F.conv1d, its gradient, and F.conv_transpose1d."""

import contextlib

import torch
import torch.nn.functional as F

from explorers import Case

LIMITS = [(1, 14), (1, 5), (0, 6), (1, 5), (1, 3)]  # n, k, padding, stride, dilation


def conv_size(n, k, padding, stride, dilation):
    """Return PyTorch's output size, None if it refuses."""
    line, kernel = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    try:
        return F.conv1d(line, kernel, None, stride, padding, dilation).shape[-1]
    except RuntimeError:
        return None


def read_counts(n, k, padding, stride, dilation):
    padded = torch.zeros(1, 1, n + 2 * padding, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, k, dtype=torch.float64)
    F.conv1d(padded, ones, stride=stride, dilation=dilation).sum().backward()
    return padded.grad.flatten().tolist()


def output_padding(n, k, padding, stride, dilation):
    """Return the output_padding with which the transposed layer gives back size n."""
    outputs = torch.zeros(1, 1, conv_size(n, k, padding, stride, dilation))
    kernel = torch.zeros(1, 1, k)
    for more in range(max(stride, dilation)):
        with contextlib.suppress(RuntimeError):  # sizes below 1
            back = F.conv_transpose1d(outputs, kernel, None, stride, padding, more, 1, dilation)
            if back.shape[-1] == n:
                return more
    raise AssertionError((n, k, padding, stride, dilation))


def cases():
    rng = torch.Generator().manual_seed(3)
    drawn = [
        [int(torch.randint(low, high + 1, (), generator=rng)) for low, high in LIMITS]
        for _ in range(60)
    ]
    for settings in [[10, 3, 1, 3, 2], [8, 3, 0, 2, 1], [6, 3, 0, 1, 4], [1, 1, 0, 5, 4], *drawn]:
        expected = conv_size(*settings)
        yield Case("outputSize", settings, expected)
        if expected is None:
            continue
        yield Case("readCounts", settings, read_counts(*settings))
        yield Case("leftOver", settings, output_padding(*settings))
        alike = [size for size in range(1, 40) if conv_size(size, *settings[1:]) == expected]
        yield Case("sizesAlike", settings, alike)
