"""Assignment 5, second part: one step of training, and an evaluation that leaves no trace."""

from collections import OrderedDict
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.checks.a5_oracles import evaluate, train_step
from course_utils.checks.a5_training_mistakes import EVALUATE_MISCONCEPTIONS, STEP_MISCONCEPTIONS
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NOTHING_FORBIDDEN, Answer, Case, Exercise

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "SGD with momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "SGD with weight decay": lambda p: torch.optim.SGD(p, lr=0.2, weight_decay=0.1),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.02),
}


def squared_error(logits: Tensor, y: Tensor) -> Tensor:
    """Return a loss that is no cross-entropy: the mean squared distance to one-hot targets."""
    return (logits - F.one_hot(y, logits.shape[1]).to(logits.dtype)).square().mean()


LOSSES: dict[str, Any] = {"cross-entropy": F.cross_entropy, "squared error": squared_error}


class _Dropping(nn.Sequential):
    """A stack that drops features by its own mode, as `F.dropout` in a `forward` does."""

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layers make of the features that are left."""
        return cast(Tensor, super().forward(F.dropout(x, 0.5, self.training)))  # type: ignore[no-untyped-call]


def small_model(
    seed: int, dtype: torch.dtype, *, norm: bool = False, dropout: bool = False
) -> nn.Sequential:
    """Return a classifier of four features and three classes, with its own weights."""
    stream = torch.Generator().manual_seed(seed)
    inside: list[tuple[str, nn.Module]] = [("relu", nn.ReLU())]
    if norm:
        inside.insert(0, ("norm", nn.BatchNorm1d(5)))
    if dropout:
        inside.append(("dropout", nn.Dropout(0.5)))
    layers: list[tuple[str, nn.Module]] = [
        ("hidden", nn.Linear(4, 5)),
        ("block", nn.Sequential(OrderedDict(inside))),
        ("output", nn.Linear(5, 3)),
    ]
    model = (_Dropping if dropout else nn.Sequential)(OrderedDict(layers)).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=stream, dtype=torch.float64))
    return model


def small_batch(seed: int, n: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return features, shape (n, 4), and labels, shape (n,)."""
    stream = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=stream, dtype=torch.float64).to(dtype)
    return x, torch.randint(0, 3, (n,), generator=stream)


def norm_of(model: nn.Module) -> nn.BatchNorm1d:
    """Return the batch norm of a model that has one."""
    return cast(nn.BatchNorm1d, model.get_submodule("block.norm"))


def parameters_of(model: nn.Module) -> Tensor:
    """Return all parameters, one after the other."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


# --- train_step -------------------------------------------------------------------------------


def _step(
    answer: Answer,
    look: str,
    seed: int,
    *,
    optimizer: str = "SGD",
    loss: str = "cross-entropy",
    n_steps: int = 1,
    n: int = 6,
    norm: bool = False,
    leftover: bool = False,
    in_train_mode: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Observe the losses, or what is changed, after some steps."""
    model = small_model(seed, dtype, norm=norm)
    model.train(in_train_mode or not norm)
    chosen = OPTIMIZERS[optimizer](model.parameters())
    if leftover:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
    losses: list[Any] = []
    untouched = True
    for step in range(n_steps):
        x, y = small_batch(seed + step, n, dtype)
        given = x.clone(), y.clone()
        stream = torch.get_rng_state()
        losses.append(answer(model, LOSSES[loss], chosen, x, y))
        untouched &= torch.equal(torch.get_rng_state(), stream)
        torch.set_rng_state(stream)
        untouched &= torch.equal(x, given[0]) and torch.equal(y, given[1]) and not x.requires_grad
    if look == "losses":
        return losses[0] if n_steps == 1 else losses
    seen: dict[str, Any] = {"the parameters after it": parameters_of(model)}
    if norm:
        seen["the running mean after it"] = norm_of(model).running_mean
        seen["the batches that batch norm has counted"] = norm_of(model).num_batches_tracked
    seen["x, y and the random stream are as they were"] = untouched
    seen["gradients can still be computed"] = torch.is_grad_enabled()
    seen["the default dtype"] = str(torch.get_default_dtype())
    return seen


def _step_case(group: str, look: str, seed: int, told: str, **settings: Any) -> Case:
    return Case(group, (look, seed), settings, told=told)


_STEP_CASES = (
    _step_case("the step", "changes", 1, "one step of SGD"),
    _step_case("the step", "changes", 2, "one step in float64", dtype=torch.float64),
    _step_case(
        "the step", "changes", 3, "one step with weight decay", optimizer="SGD with weight decay"
    ),
    _step_case("the step", "changes", 9, "one step for a squared error", loss="squared error"),
    _step_case("the step", "changes", 16, "one step with a batch of one", n=1),
    _step_case("left-over gradients", "changes", 4, "gradients left over", leftover=True),
    _step_case("left-over gradients", "changes", 5, "two steps of SGD", n_steps=2),
    _step_case(
        "left-over gradients",
        "changes",
        6,
        "three steps with momentum",
        n_steps=3,
        optimizer="SGD with momentum",
    ),
    _step_case(
        "left-over gradients", "changes", 14, "two steps of Adam", n_steps=2, optimizer="Adam"
    ),
    _step_case("train mode", "changes", 7, "a model with batch norm in eval mode", norm=True),
    _step_case(
        "train mode",
        "changes",
        13,
        "two steps of a model with batch norm in eval mode",
        norm=True,
        n_steps=2,
    ),
    _step_case(
        "train mode",
        "changes",
        15,
        "a model with batch norm in train mode",
        norm=True,
        in_train_mode=True,
    ),
    _step_case("the loss", "losses", 1, "the loss of a step of SGD"),
    _step_case("the loss", "losses", 10, "a squared error", loss="squared error"),
    _step_case("the loss", "losses", 11, "the losses of three steps", n_steps=3),
    _step_case(
        "the loss", "losses", 12, "the loss of a model with batch norm in eval mode", norm=True
    ),
)


def _draw_steps(rng: np.random.Generator) -> list[Case]:
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("the step", "changes", {}),
        ("the step", "changes", {"dtype": torch.float64, "optimizer": "Adam"}),
        ("the step", "changes", {"loss": "squared error"}),
        ("left-over gradients", "changes", {"leftover": True}),
        ("left-over gradients", "changes", {"n_steps": 3, "optimizer": "SGD with momentum"}),
        ("train mode", "changes", {"norm": True}),
        ("train mode", "changes", {"norm": True, "n_steps": 2}),
        ("train mode", "changes", {"norm": True, "in_train_mode": True}),
        ("the loss", "losses", {"n_steps": 2}),
        ("the loss", "losses", {"loss": "squared error"}),
        ("the loss", "losses", {"norm": True}),
    ]
    return [
        _step_case(group, look, random_size(rng, 20, 10_000), "steps of another model", **settings)
        for group, look, settings in kinds
    ]


# --- evaluate ---------------------------------------------------------------------------------


def _evaluation(
    answer: Answer,
    look: str,
    seed: int,
    *,
    n: int = 10,
    batch_size: int = 4,
    loss: str = "cross-entropy",
    noisy: bool = False,
    resting: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Observe what an evaluation returns, or what it leaves behind."""
    model = small_model(seed, dtype, norm=noisy, dropout=noisy)
    model.train()
    if noisy:
        cast(Tensor, norm_of(model).running_mean).add_(0.5)
        model.get_submodule("block.relu").eval()
    if resting:  # all of it, but for one part
        model.eval()
        model.get_submodule("block.dropout").train()
    gradients = [
        torch.full_like(p, 2.0) if i % 2 else None for i, p in enumerate(model.parameters())
    ]
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = None if gradient is None else gradient.clone()
    loader = DataLoader(TensorDataset(*small_batch(seed, n, dtype)), batch_size=batch_size)
    before = parameters_of(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        result = answer(model, LOSSES[loss], loader)
    if look == "everything":
        return result
    if look in ("loss", "accuracy", "n"):
        return {key: result[key] for key in (("accuracy", "n") if look == "accuracy" else (look,))}
    seen: dict[str, Any] = {
        "the modes of the modules": [module.training for module in model.modules()],
        "the gradients": [
            parameter.grad is None or float(parameter.grad.sum())
            for parameter in model.parameters()
        ],
        "the parameters": parameters_of(model) - before,
        "gradients can still be computed": torch.is_grad_enabled(),
        "parameters that want a gradient": sum(p.requires_grad for p in model.parameters()),
    }
    if noisy:
        seen["the running mean"] = norm_of(model).running_mean
        seen["the running variance"] = norm_of(model).running_var
        seen["the batches that batch norm has counted"] = norm_of(model).num_batches_tracked
    return seen


def _evaluation_case(group: str, look: str, seed: int, told: str, **settings: Any) -> Case:
    return Case(group, (look, seed), settings, told=told)


_EVALUATE_CASES = (
    _evaluation_case("the loss", "loss", 1, "ten samples in batches of 4, 4 and 2"),
    _evaluation_case("the loss", "loss", 2, "seven samples in one batch", n=7, batch_size=7),
    _evaluation_case("the loss", "loss", 3, "a squared error", loss="squared error"),
    _evaluation_case("the loss", "loss", 4, "batches of 5 and 1", n=6, batch_size=5),
    _evaluation_case(
        "the loss",
        "loss",
        5,
        "float64, batches of 3, 3 and 2",
        n=8,
        batch_size=3,
        dtype=torch.float64,
    ),
    _evaluation_case("accuracy and n", "accuracy", 6, "ten samples in batches of 4, 4 and 2"),
    _evaluation_case("accuracy and n", "accuracy", 7, "batches of 5 and 1", n=6, batch_size=5),
    _evaluation_case("accuracy and n", "accuracy", 8, "one batch of 9", n=9, batch_size=9),
    _evaluation_case("evaluation mode", "everything", 9, "dropout and batch norm", noisy=True),
    _evaluation_case(
        "evaluation mode",
        "everything",
        10,
        "dropout, batches of 5 and 1",
        noisy=True,
        n=6,
        batch_size=5,
    ),
    _evaluation_case(
        "evaluation mode",
        "everything",
        14,
        "a model in eval mode, but for its dropout",
        noisy=True,
        resting=True,
    ),
    _evaluation_case("left as it was", "traces", 11, "after it, a model in train mode"),
    _evaluation_case("left as it was", "traces", 12, "after it, one part in eval mode", noisy=True),
    _evaluation_case(
        "left as it was", "traces", 13, "after it, in float64", noisy=True, dtype=torch.float64
    ),
    _evaluation_case(
        "left as it was",
        "traces",
        15,
        "after it, a model in eval mode, but for its dropout",
        noisy=True,
        resting=True,
    ),
)


def _draw_evaluations(rng: np.random.Generator) -> list[Case]:
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("the loss", "loss", {}),
        ("the loss", "loss", {"loss": "squared error"}),
        ("the loss", "loss", {"dtype": torch.float64}),
        ("accuracy and n", "accuracy", {}),
        ("accuracy and n", "accuracy", {"dtype": torch.float64}),
        ("evaluation mode", "everything", {"noisy": True}),
        ("evaluation mode", "everything", {"noisy": True, "loss": "squared error"}),
        ("left as it was", "traces", {}),
        ("left as it was", "traces", {"noisy": True}),
        ("left as it was", "traces", {"noisy": True, "resting": True}),
    ]
    cases = []
    for group, look, settings in kinds:
        batch_size = random_size(rng, 3, 5)
        n = 2 * batch_size + random_size(rng, 1, batch_size - 1)  # the last batch is short
        seed = random_size(rng, 20, 10_000)
        told = f"{n} samples in batches of {batch_size}"
        sizes = {"n": n, "batch_size": batch_size}
        cases.append(_evaluation_case(group, look, seed, told, **sizes, **settings))
    return cases


EXERCISES = (
    Exercise(
        "train_step",
        6,
        train_step,
        _STEP_CASES,
        _draw_steps,
        STEP_MISCONCEPTIONS,
        NOTHING_FORBIDDEN,
        {"the step": 2, "left-over gradients": 1, "train mode": 1, "the loss": 2},
        probe=_step,
    ),
    Exercise(
        "evaluate",
        6,
        evaluate,
        _EVALUATE_CASES,
        _draw_evaluations,
        EVALUATE_MISCONCEPTIONS,
        NOTHING_FORBIDDEN,
        {"the loss": 2, "accuracy and n": 2, "evaluation mode": 1, "left as it was": 1},
        probe=_evaluation,
    ),
)
