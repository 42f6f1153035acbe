"""Assignment 5: the scenes that a function over the batches of a loader is judged by."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.exercise import Answer


def count_classes(x: Tensor, y: Tensor) -> Tensor:
    """Return how many samples of each of three classes a batch has, int64."""
    return torch.bincount(y, minlength=3)


def count_right(x: Tensor, y: Tensor) -> Tensor:
    """Return (right, labelled) for each class, int64, if the features are logits."""
    right = x.argmax(dim=1) == y
    return torch.stack([count_classes(x[right], y[right]), count_classes(x, y)], dim=1)


def add_features(x: Tensor, y: Tensor) -> Tensor:
    """Return the sum of the features, in the dtype of the batch."""
    return x.sum(dim=0)


def mean_loss(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean cross-entropy of the batch, without dimensions."""
    return F.cross_entropy(x, y)


def features(x: Tensor, y: Tensor) -> Tensor:
    """Return the batch's own features; whoever adds to them changes the data."""
    return x


FUNCTIONS = {
    function.__name__: function
    for function in (count_classes, count_right, add_features, mean_loss, features)
}


class _Loader:
    """Gives batches one after the other; like a DataLoader, it has a length and no places."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def _batches(seed: int, sizes: tuple[int, ...], dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
    stream = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(size, 3, generator=stream, dtype=torch.float64).to(dtype),
            torch.randint(0, 3, (size,), generator=stream),
        )
        for size in sizes
    ]


def apply(
    answer: Answer,
    seed: int,
    sizes: tuple[int, ...],
    function: str,
    reduce: str | None,
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Observe the result, and whether the batches are as they were."""
    batches, given = (_batches(seed, sizes, dtype) for _ in range(2))
    settings = {} if reduce is None else {"reduce": reduce}
    result = answer(_Loader(batches), FUNCTIONS[function], **settings)
    same = all(
        torch.equal(part, other)
        for batch, twin in zip(batches, given, strict=True)
        for part, other in zip(batch, twin, strict=True)
    )
    return {"the result": result, "the batches are as they were": same}
