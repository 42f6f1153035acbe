"""X7 against the gradients of a chain of convolutions with all weights 1."""

import pytest
import torch
import torch.nn.functional as F

from explorers import Case

LENET = [[5, 1, 2, 1], [2, 2, 0, 1], [5, 1, 0, 1], [2, 2, 0, 1], [5, 1, 0, 1]]


def forward(layers, n):
    """Return the signals of all levels, as far as the kernels fit, each with its gradient kept."""
    signals = [torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)]
    for k, s, p, d in layers:
        if signals[-1].shape[-1] + 2 * p < d * (k - 1) + 1:
            with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
                convolve(signals[-1], k, s, p, d)
            break
        signal = convolve(signals[-1], k, s, p, d)
        signal.retain_grad()
        signals.append(signal)
    return signals


def convolve(signal, k, s, p, d):
    ones = torch.ones(1, 1, k, dtype=torch.float64)
    return F.conv1d(signal, ones, stride=s, padding=p, dilation=d)


def ways(layers, n, top, unit):
    signals = forward(layers, n)
    signals[top][0, 0, unit].backward()
    return [signal.grad.flatten().tolist() for signal in signals[: top + 1]]


def field(layers, n=4000):
    """Return size, jump and first centre, from the gradients of an inner unit and the next one."""
    unit = forward(layers, n)[-1].shape[-1] // 2
    spans = []
    for at in (unit, unit + 1):
        seen = torch.tensor(ways(layers, n, len(layers), at)[0]).nonzero().flatten()
        spans.append((seen[0].item(), seen[-1].item()))
    (first, last), (next_first, _) = spans
    jump = next_first - first
    return {"size": last - first + 1, "jump": jump, "center": (first + last) / 2 - jump * unit}


def drawn(rng):
    def between(low, high):
        return torch.randint(low, high + 1, (), generator=rng).item()

    return [[between(1, 5), between(1, 2), between(0, 3), between(1, 2)] for _ in range(5)]


def cases():
    rng = torch.Generator().manual_seed(7)
    chains = [(LENET, 28), (LENET, 15), ([[3, 1, 2, 2]] * 5, 28), ([[3, 2, 1, 1]] * 5, 28)]
    chains += [([[3, 1, 2**at, 2**at] for at in range(5)], 28), ([[1, 3, 0, 1]] * 5, 40)]
    chains += [(drawn(rng), 8 + 3 * number) for number in range(9)]
    for layers, n in chains:
        levels = [signal.shape[-1] for signal in forward(layers, n)]
        yield Case("sizes", [layers, n], levels)
        by_torch = [field(layers[:depth]) for depth in range(len(layers) + 1)]
        yield Case("fields", [layers], by_torch)
        for top in range(len(levels)):
            for unit in {0, levels[top] // 2, levels[top] - 1}:
                yield Case("ways", [layers, n, top, unit], ways(layers, n, top, unit))
