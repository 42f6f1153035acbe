"""Assignment 5: right answers, by this package's data sets and PyTorch."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.datasets import line_images
from course_utils.hooks import eval_mode

LossFunction = Callable[[Tensor, Tensor], Tensor]
Loader = Iterable[tuple[Tensor, Tensor]]


def make_lines(
    n: int = 1000, size: int = 10, seed: int = 17
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return line images and their labels."""
    return line_images(n, size, seed)


def split_and_scale(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    val_fraction: float = 0.2,
    seed: int = 13,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return x_train, y_train, x_val, y_val."""
    n_items = len(images)
    n_val = int(n_items * val_fraction)
    picked = torch.randperm(n_items, generator=torch.Generator().manual_seed(seed)).numpy()
    x = torch.from_numpy(images[picked].astype(np.float32) / 127.5 - 1)
    x_train, x_val = x.split([n_items - n_val, n_val])  # type: ignore[no-untyped-call]
    y_train, y_val = torch.from_numpy(labels[picked]).split([n_items - n_val, n_val])  # type: ignore[no-untyped-call]
    return x_train, y_train, x_val, y_val


def balanced_weights(labels: Tensor) -> Tensor:
    """Return 1 / count of its class for each sample."""
    return (1 / torch.bincount(labels).double())[labels].float()


def train_step(
    model: nn.Module, loss_fn: LossFunction, optimizer: Optimizer, x: Tensor, y: Tensor
) -> float:
    """Take one step and return the loss before it."""
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def evaluate(model: nn.Module, loss_fn: LossFunction, loader: Loader) -> dict[str, float | int]:
    """Return loss, accuracy and n in evaluation mode."""
    total, right, n = 0.0, 0, 0
    with torch.no_grad(), eval_mode(model):
        for x, y in loader:
            logits = model(x)
            total += loss_fn(logits, y).item() * len(y)
            right += int((logits.argmax(dim=1) == y).sum())
            n += len(y)
    return {"loss": total / n, "accuracy": right / n, "n": n}


def correct_per_class(logits: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """Return (correct, labelled) for each class."""
    pairs = labels * n_classes + logits.argmax(dim=1)
    confusion = torch.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    return torch.stack([confusion.diagonal(), confusion.sum(dim=1)], dim=1)


def loader_apply(
    loader: Loader, func: Callable[[Tensor, Tensor], Tensor], reduce: str = "sum"
) -> Tensor:
    """Return the sum or the mean over the batches of what a function gives for each."""
    if reduce not in ("sum", "mean"):
        raise ValueError(f'reduce must be "sum" or "mean", got {reduce!r}')
    results = [func(*batch) for batch in loader]
    total = torch.stack(results).sum(dim=0)
    return total if reduce == "sum" else total / len(results)


def leaked(x_train: Tensor, x_val: Tensor) -> int:
    """Return how many validation items have a copy in training."""
    same: Any = (x_val.flatten(1)[:, None] == x_train.flatten(1)[None]).all(dim=2)
    return cast(int, same.any(dim=1).sum().item())
