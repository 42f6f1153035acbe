"""Assignment 7: a run, made of six pieces; and which piece is broken in which of the eight."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks import a7_broken as broken
from course_utils.checks import a7_pieces as right
from course_utils.checks.a7_network import lines

FAULTS = (
    "softmax before the loss",
    "no zero_grad",
    "learning rate 1",
    "a dead network",
    "labels shuffled after the split",
    "validation copied into training",
    "a module name used twice",
    "evaluation without eval mode",
)
CASES = ("run-1", "run-2", "run-3", "run-4", "run-5", "run-6", "run-7", "run-8")

Piece = Callable[..., Any]
Log = dict[str, list[float]]


@dataclass(frozen=True)
class Pieces:
    """The six functions that a run is made of."""

    split: Piece = right.split
    make_model: Piece = right.make_named_model
    loss_fn: Piece = F.cross_entropy
    make_optimizer: Piece = right.make_optimizer
    train_step: Piece = right.train_step
    evaluate: Piece = right.evaluate


@dataclass(frozen=True)
class Settings:
    """The numbers of a run; those that are given are of the reference run."""

    n_images: int = 480
    data_seed: int = 17
    split_seed: int = 8
    model_seeds: tuple[int, ...] = (13,)
    order_seed: int = 42
    n_epochs: int = 10
    batch_size: int = 32


@dataclass(frozen=True)
class Fault:
    """A broken piece, its place, and the piece that the reference has there."""

    place: str
    broken: Piece
    mended: Piece
    model_seeds: tuple[int, ...] = (13,)

    def pieces(self, piece: Piece | None = None) -> Pieces:
        """Return the pieces of the broken run, or those with another one in its place."""
        return replace(Pieces(), **{self.place: piece or self.broken})


FAULT_OF = dict(
    zip(
        FAULTS,
        (
            Fault("loss_fn", broken.loss_with_softmax, right.loss_fn),
            Fault("train_step", broken.step_without_zero_grad, right.train_step),
            Fault("make_optimizer", broken.optimizer_with_rate_1, right.make_optimizer),
            Fault("make_model", broken.model_from_first_seed, right.make_model, (42, 13)),
            Fault("split", broken.split_that_shuffles, right.split),
            Fault("split", broken.split_that_copies, right.split),
            Fault("make_model", broken.model_with_a_name_twice, right.make_named_model),
            Fault("evaluate", broken.evaluate_in_train_mode, right.evaluate),
        ),
        strict=True,
    )
)
NAME_OF = dict(zip(CASES, (FAULTS[number] for number in (6, 4, 5, 7, 0, 2, 3, 1)), strict=True))
CASE_OF = {fault: case for case, fault in NAME_OF.items()}


def ignore(model: nn.Module) -> None:
    """Do nothing."""


def train(
    pieces: Pieces,
    settings: Settings,
    on_model: Callable[[nn.Module], object] = ignore,
    on_epoch: Callable[[nn.Module], object] = ignore,
) -> Log:
    """Train with these pieces; the log has losses and accuracies by epoch, and losses by step."""
    images, labels = lines(settings.n_images, settings.data_seed)
    x_train, y_train, x_val, y_val = pieces.split(images, labels, settings.split_seed)
    model = pieces.make_model(x_train, list(settings.model_seeds))
    on_model(model)
    optimizer = pieces.make_optimizer(model)
    order = torch.Generator().manual_seed(settings.order_seed)
    names = ("train_losses", "train_accuracies", "val_losses", "val_accuracies", "step_losses")
    log: Log = {name: [] for name in names}
    for _ in range(settings.n_epochs):
        shuffled = torch.randperm(len(x_train), generator=order)
        for picked in torch.split(shuffled, settings.batch_size):
            if len(picked) == 1:
                continue  # batch norm needs two
            x, y = x_train[picked], y_train[picked]
            loss = pieces.train_step(model, pieces.loss_fn, optimizer, x, y)
            log["step_losses"].append(loss)
        for part, x, y in (("train", x_train, y_train), ("val", x_val, y_val)):
            loss, accuracy = pieces.evaluate(model, pieces.loss_fn, x, y)
            log[f"{part}_losses"].append(loss)
            log[f"{part}_accuracies"].append(accuracy)
        on_epoch(model)
    return log
