"""Assignment 7, repairing: the scenes in which a mended piece is put to work."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional as F

from course_utils.checks.a7_network import fill, lines, network
from course_utils.checks.a7_pieces import make_optimizer, split
from course_utils.checks.a7_trainer import FAULT_OF, NAME_OF, Settings, train
from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import WrongFormError

Piece = Callable[..., Any]
Seen = dict[str, Any]
Numbers = tuple[int, ...]

RUN, ALONE = "run", "alone"


def put_in_place(answer: Answer, case: str, scene: str, numbers: Numbers) -> Seen:
    """Return what is observed of the piece that the answer gives for a run."""
    piece = answer(case)
    if not callable(piece):
        raise WrongFormError(f"repair({case!r}) returned {piece!r}; it has to return a function")
    if str(getattr(piece, "__module__", "")).startswith("course_utils."):
        raise TypeError(f"repair({case!r}) returned a function of the course; write your own")
    place = FAULT_OF[NAME_OF[case]].place
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        return _run(piece, case, numbers) if scene == RUN else ALONE_BY_PLACE[place](piece, numbers)


def _run(piece: Piece, case: str, numbers: Numbers) -> Seen:
    """Train a small run with the piece in place of the broken one."""
    n_images, data_seed, split_seed, order_seed, n_epochs, *model_seeds = numbers
    settings = Settings(
        n_images=n_images,
        data_seed=data_seed,
        split_seed=split_seed,
        model_seeds=tuple(model_seeds),
        order_seed=order_seed,
        n_epochs=n_epochs,
        batch_size=16,
    )
    log = train(FAULT_OF[NAME_OF[case]].pieces(piece), settings)
    return {f"the run's {name.replace('_', ' ')}": values for name, values in log.items()}


def logits_and_labels(seed: int, n_images: int, n_classes: int) -> tuple[Tensor, Tensor]:
    """Return logits, some of them large, and labels."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(0, 4, (n_images, n_classes)))
    return logits, torch.from_numpy(rng.integers(0, n_classes, n_images))


def numbers_of(values: Tensor) -> list[float]:
    """Return a tensor's numbers; they are compared as a run's losses are."""
    return values.detach().double().flatten().tolist()


def used_model(seed: int) -> nn.Module:
    """Return a network whose batch norm has seen something, in training mode."""
    rng = np.random.default_rng(seed)
    model = fill(network(), seed)
    with torch.no_grad():
        for name in ("bn1.weight", "bn1.bias"):
            model.get_parameter(name).copy_(torch.from_numpy(rng.normal(0.5, 0.5, 10)))
        model.get_buffer("bn1.running_mean").copy_(torch.from_numpy(rng.normal(0, 0.3, 10)))
        model.get_buffer("bn1.running_var").copy_(torch.from_numpy(rng.uniform(0.2, 2, 10)))
    return model


def other_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return another mean loss than cross-entropy."""
    return F.multi_margin_loss(logits, labels, p=2)


def _loss_alone(piece: Piece, numbers: Numbers) -> Seen:
    logits, labels = logits_and_labels(*numbers)
    logits.requires_grad_()
    loss = piece(logits, labels)
    (gradient,) = torch.autograd.grad(loss, logits)
    return {
        "the loss": loss.item(),
        "the shape of the loss": tuple(loss.shape),
        "its gradient in the logits": numbers_of(gradient),
    }


def _step_alone(piece: Piece, numbers: Numbers) -> Seen:
    """Three steps of a model that comes in evaluation mode, with another loss."""
    model_seed, data_seed, n_images = numbers
    images, labels = lines(n_images, data_seed)
    model = used_model(model_seed)
    optimizer = make_optimizer(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from before
    losses = []
    for _ in range(3):
        model.eval()
        losses.append(piece(model, other_loss, optimizer, images, labels))
    statistics = model.get_buffer("bn1.running_mean")
    return {
        "the losses that three steps return": losses,
        **{f"{name} after three steps": numbers_of(p) for name, p in model.named_parameters()},
        "the running mean of bn1 after three steps": numbers_of(statistics),
    }


def _optimizer_alone(piece: Piece, numbers: Numbers) -> Seen:
    """Three steps of another model."""
    seed, n_features = numbers
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(n_features, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(0, 1, parameter.shape)))
    optimizer: optim.Optimizer = piece(model)
    x = torch.from_numpy(rng.normal(0, 1, (4, n_features)))
    for _ in range(3):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    named = model.named_parameters()
    return {f"{name} after three steps": numbers_of(parameter) for name, parameter in named}


def training_part(n_images: int, data_seed: int, split_seed: int) -> Tensor:
    """Return the training images of some settings."""
    return split(*lines(n_images, data_seed), split_seed)[0]


def _model_alone(piece: Piece, numbers: Numbers) -> Seen:
    """The model as it is made, before and in training."""
    n_images, data_seed, split_seed, *seeds = numbers
    images = training_part(n_images, data_seed, split_seed)
    model = piece(images, list(seeds))
    other = lines(7, data_seed + 1)[0]
    with torch.no_grad():
        fresh = model.eval()(other)
        model.train()(other)
        later = model.eval()(other)
        return {
            "its logits in evaluation mode, when it is new": numbers_of(fresh),
            "its logits in evaluation mode, after a batch in training mode": numbers_of(later),
            "its number of parameters": sum(p.numel() for p in model.parameters()),
        }


def _split_alone(piece: Piece, numbers: Numbers) -> Seen:
    n_images, data_seed, split_seed = numbers
    names = ("x_train", "y_train", "x_val", "y_val")
    parts = piece(*lines(n_images, data_seed), split_seed)
    return dict(zip(names, parts, strict=True))


def _evaluate_alone(piece: Piece, numbers: Numbers) -> Seen:
    """A used model is evaluated twice, with another loss."""
    model_seed, data_seed, n_images, batch_size = numbers
    images, labels = lines(n_images, data_seed)
    model = used_model(model_seed)
    loss, accuracy = piece(model, other_loss, images, labels, batch_size)
    by_default, _ = piece(model, F.cross_entropy, images, labels)
    return {
        "the loss": loss,
        "the accuracy": accuracy,
        "the cross-entropy by the batch size that is the default": by_default,
        "bn1's running mean after it": numbers_of(model.get_buffer("bn1.running_mean")),
        "bn1's running variance after it": numbers_of(model.get_buffer("bn1.running_var")),
    }


ALONE_BY_PLACE: dict[str, Callable[[Piece, Numbers], Seen]] = {
    "loss_fn": _loss_alone,
    "train_step": _step_alone,
    "make_optimizer": _optimizer_alone,
    "make_model": _model_alone,
    "split": _split_alone,
    "evaluate": _evaluate_alone,
}
