"""Assignment 5: the scenes that a step of training and an evaluation are judged by."""

from collections import OrderedDict
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import WrongFormError

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


def take_steps(
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


def look_after(
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
        if not isinstance(result, dict):
            kind = type(result).__name__
            raise WrongFormError(f"it returned a {kind}; return a dict of loss, accuracy and n")
        keys = ("accuracy", "n") if look == "accuracy" else (look,)
        return {key: result[key] for key in keys if key in result}
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
