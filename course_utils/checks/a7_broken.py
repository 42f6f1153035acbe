"""Assignment 7: the eight broken pieces of code, one for each fault. Their text stands in the notebook."""

import torch
from torch import Tensor, nn, optim
from torch.nn import functional as F

from course_utils.checks.a7_network import Evaluation, LossFunction, Split, fill, network, pictures


def loss_with_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean loss of a batch."""
    return F.cross_entropy(logits.softmax(dim=1), labels)


def step_without_zero_grad(
    model: nn.Module, loss_fn: LossFunction, optimizer: optim.Optimizer, x: Tensor, y: Tensor
) -> float:
    """Take one step in training mode; return the loss before it."""
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def optimizer_with_rate_1(model: nn.Module) -> optim.Optimizer:
    """Return plain SGD for all parameters."""
    return optim.SGD(model.parameters(), lr=1.0)


def model_from_first_seed(images: Tensor, seeds: list[int]) -> nn.Module:
    """Return a network for these training images, filled by one of the seeds."""
    return fill(network(), seeds[0])


def split_that_shuffles(images: Tensor, labels: Tensor, seed: int) -> Split:
    """Hold out one picture of five, with all its copies."""
    generator = torch.Generator().manual_seed(seed)
    which = pictures(images)  # two copies of a picture have the same number
    order = torch.randperm(int(which.max()) + 1, generator=generator)
    held_out = torch.isin(which, order[: len(order) // 5])
    x_train, y_train = images[~held_out], labels[~held_out]
    x_val, y_val = images[held_out], labels[held_out]
    y_train = y_train[torch.randperm(len(y_train), generator=generator)]
    return x_train, y_train, x_val, y_val


def split_that_copies(images: Tensor, labels: Tensor, seed: int) -> Split:
    """Hold out one picture of five, with all its copies."""
    generator = torch.Generator().manual_seed(seed)
    which = pictures(images)  # two copies of a picture have the same number
    order = torch.randperm(int(which.max()) + 1, generator=generator)
    held_out = torch.isin(which, order[: len(order) // 5])
    x_train = torch.cat([images[~held_out], images[held_out]])
    y_train = torch.cat([labels[~held_out], labels[held_out]])
    return x_train, y_train, images[held_out], labels[held_out]


def model_with_a_name_twice(images: Tensor, seeds: list[int]) -> nn.Module:
    """Return a network for these training images, filled by the first seed."""
    model = nn.Sequential()
    model.add_module("conv1", nn.Conv2d(1, 1, kernel_size=3))
    model.add_module("relu1", nn.ReLU())
    model.add_module("maxp1", nn.MaxPool2d(kernel_size=2))
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc1", nn.Linear(16, 10))
    model.add_module("bn1", nn.BatchNorm1d(10))
    model.add_module("relu1", nn.ReLU())
    model.add_module("fc2", nn.Linear(10, 3))
    return fill(model.double(), seeds[0])


def evaluate_in_train_mode(
    model: nn.Module, loss_fn: LossFunction, x: Tensor, y: Tensor, batch_size: int = 32
) -> Evaluation:
    """Return the mean loss over all images, and the share of right answers."""
    total, n_right = 0.0, 0
    with torch.no_grad():
        for images, labels in zip(
            torch.split(x, batch_size), torch.split(y, batch_size), strict=True
        ):
            logits = model(images)
            total += loss_fn(logits, labels).item() * len(labels)
            n_right += int((logits.argmax(dim=1) == labels).sum())
    return total / len(y), n_right / len(y)
