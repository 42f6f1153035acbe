"""Assignment 7: the pieces of the reference run."""

import torch
from torch import Tensor, nn, optim
from torch.nn import functional as F

from course_utils.checks.a7_network import Evaluation, LossFunction, Split, fill, network, pictures
from course_utils.hooks import eval_mode

LEARNING_RATE = 0.1


def split(images: Tensor, labels: Tensor, seed: int) -> Split:
    """Hold out one picture of five, with all its copies; images stay in order."""
    which = pictures(images)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(int(which.max()) + 1, generator=generator)
    held_out = torch.isin(which, order[: len(order) // 5])
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]


def is_dead(model: nn.Module, images: Tensor) -> bool:
    """Return whether the first ReLU gives nothing but zeros for all images."""
    with torch.no_grad():
        return bool(model.get_submodule("conv1")(images).max() <= 0)


def make_model(images: Tensor, seeds: list[int]) -> nn.Module:
    """Return the network of the first seed that is not born dead."""
    models = (fill(network(), seed) for seed in seeds)
    return next(model for model in models if not is_dead(model, images))


def make_named_model(images: Tensor, seeds: list[int]) -> nn.Module:
    """Return the network of the first seed, with a name for each module."""
    return fill(network(), seeds[0])


def loss_fn(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy."""
    return F.cross_entropy(logits, labels)


def make_optimizer(model: nn.Module) -> optim.Optimizer:
    """Return plain SGD for all parameters."""
    return optim.SGD(model.parameters(), lr=LEARNING_RATE)


def train_step(
    model: nn.Module, loss_fn: LossFunction, optimizer: optim.Optimizer, x: Tensor, y: Tensor
) -> float:
    """Take one step in training mode, from clean gradients; return the loss before it."""
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def evaluate(
    model: nn.Module, loss_fn: LossFunction, x: Tensor, y: Tensor, batch_size: int = 32
) -> Evaluation:
    """Return mean loss and accuracy over all images, in evaluation mode."""
    total, n_right = 0.0, 0
    with torch.no_grad(), eval_mode(model):
        for images, labels in zip(
            torch.split(x, batch_size), torch.split(y, batch_size), strict=True
        ):
            logits = model(images)
            total += loss_fn(logits, labels).item() * len(labels)
            n_right += int((logits.argmax(dim=1) == labels).sum())
    return total / len(y), n_right / len(y)
