"""Assignment 4: the right answers, with the signatures that the answers must have."""

from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from course_utils.checks.a4_lenet_scenes import count_parameters

Kernel = int | tuple[int, int]


def batch_norm2d(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Ask PyTorch, which moves the running statistics in place, with copies."""
    mean, variance = running_mean.clone(), running_var.clone()
    y = F.batch_norm(x, mean, variance, gamma, beta, training, momentum, eps)
    return y, mean, variance


def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Draw by hand: PyTorch's dropout takes no generator."""
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, got {p}")
    if not training:
        return x.clone()
    if p == 1:
        return torch.zeros_like(x)
    stays = torch.rand(x.shape, generator=generator, dtype=torch.float64) >= p
    return torch.where(stays, x / (1 - p), 0)


def conv2d_params(
    in_channels: int, out_channels: int, kernel_size: Kernel, bias: bool = True, groups: int = 1
) -> int:
    """Count the numbers of PyTorch's layer, which refuses what does not divide."""
    layer = nn.Conv2d(
        in_channels, out_channels, kernel_size, groups=groups, bias=bias, device="meta"
    )
    return count_parameters(layer)


def linear_params(in_features: int, out_features: int, bias: bool = True) -> int:
    """Count the numbers of PyTorch's layer."""
    return count_parameters(nn.Linear(in_features, out_features, bias, device="meta"))


def build_lenet5(num_classes: int = 10) -> nn.Sequential:
    """Return the modern LeNet-5, layer by layer."""
    return nn.Sequential(OrderedDict(lenet5_layers(num_classes)))


def lenet5_layers(num_classes: int = 10) -> dict[str, nn.Module]:
    """Return the layers of the modern LeNet-5 by name, in order."""
    return {
        "C1": nn.Conv2d(1, 6, 5, padding=2),
        "relu1": nn.ReLU(),
        "S2": nn.MaxPool2d(2),
        "C3": nn.Conv2d(6, 16, 5),
        "relu2": nn.ReLU(),
        "S4": nn.MaxPool2d(2),
        "C5": nn.Conv2d(16, 120, 5),
        "relu3": nn.ReLU(),
        "flatten": nn.Flatten(),
        "F6": nn.Linear(120, 84),
        "relu4": nn.ReLU(),
        "OUTPUT": nn.Linear(84, num_classes),
    }


def lenet5_1998(table: list[list[int]]) -> dict[str, tuple[int, int]]:
    """Count units times inputs, bias included; OUTPUT's bitmaps were set by hand."""
    links = sum(map(len, table))
    c3_inputs = 25 * links + len(table)  # weights and biases of one place of all its maps
    return {
        "C1": (6 * 26, 6 * 26 * 28 * 28),
        "S2": (6 * 2, 6 * 5 * 14 * 14),  # a sum of four, times a weight, plus a bias
        "C3": (c3_inputs, c3_inputs * 10 * 10),
        "S4": (16 * 2, 16 * 5 * 5 * 5),
        "C5": (120 * 401, 120 * 401),
        "F6": (84 * 121, 84 * 121),
        "OUTPUT": (0, 84 * 10),
    }


def summarize(model: nn.Sequential, input_shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """Ask PyTorch for shapes and numbers of elements; count products by the weight's shape."""
    modes = {module: module.training for module in model.modules()}
    first = next(model.parameters(), torch.zeros(()))
    values = torch.zeros(1, *input_shape, dtype=first.dtype)
    model.eval()
    rows = []
    with torch.no_grad():
        for name, child in model.named_children():
            values = child(values)
            places = values[0, 0].numel() if isinstance(child, nn.Conv2d) else 1
            counted = isinstance(child, nn.Conv2d | nn.Linear)
            rows.append(
                {
                    "name": name,
                    "type": type(child).__name__,
                    "out_shape": tuple(values.shape[1:]),
                    "params": count_parameters(child),
                    "macs": child.get_parameter("weight").numel() * places if counted else 0,
                }
            )
    for module, training in modes.items():
        module.training = training
    return rows
