"""X11 against F.cross_entropy, F.nll_loss, F.mse_loss and their gradients."""

import pytest
import torch
import torch.nn.functional as F

from explorers import Case

LESSON = [
    [0.7376, 1.9459, -0.6995],
    [-1.3023, -0.5133, -0.2696],
    [0.2462, 0.4839, 0.4504],
    [-0.9568, 1.5012, -0.3136],
    [-0.2343, -1.0713, 0.1648],
]
LABELS = [0, 0, 1, 2, 1]


def loss(row, label, kind, smoothing):
    labels, p = torch.tensor([label]), torch.softmax(row[None], dim=1)
    if kind == "cross":
        return F.cross_entropy(row[None], labels, label_smoothing=smoothing)
    if kind == "double":
        return F.cross_entropy(p, labels, label_smoothing=smoothing)
    if kind == "nll" and smoothing == 0:
        return F.nll_loss(p, labels)
    target = F.one_hot(labels, 3).double() * (1 - smoothing) + smoothing / 3
    return -(target * p).sum() if kind == "nll" else F.mse_loss(p, target, reduction="sum") / 2


def cases():
    rng = torch.Generator().manual_seed(11)
    rows = [(row, label, 0.0) for row, label in zip(LESSON, LABELS, strict=True)]
    rows += [([0.0, gap, 0.0], 0, 0.0) for gap in (0.0, 2.0, 5.0, 10.0)]
    rows += [([10.0, -10.0, -10.0], label, smoothing) for label in (0, 1) for smoothing in (0, 0.6)]
    for label in (0, 1, 2):
        drawn = (torch.rand(2, 3, generator=rng, dtype=torch.float64) * 20 - 10).tolist()
        rows += [(drawn[0], label, 0.1), (drawn[1], label, 0.45)]
    for logits, label, smoothing in rows:
        row = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
        yield Case("logSoftmax", [logits], F.log_softmax(row, dim=0).tolist())
        yield Case("softmax", [logits], F.softmax(row, dim=0).tolist())
        one_hot = F.one_hot(torch.tensor(label), 3).double()
        smoothed = (one_hot * (1 - smoothing) + smoothing / 3).tolist()
        yield Case("target", [label, smoothing], smoothed)
        for kind in ("cross", "double", "nll", "squared"):
            value = loss(row, label, kind, smoothing)
            (slope,) = torch.autograd.grad(value, row)
            yield Case("loss", [logits, label, kind, smoothing], value.item())
            yield Case("gradient", [logits, label, kind, smoothing], slope.tolist(), 1e-8)
    lesson = torch.tensor(LESSON, dtype=torch.float64)
    assert F.cross_entropy(lesson, torch.tensor(LABELS)).item() == pytest.approx(1.6553, abs=1e-4)
