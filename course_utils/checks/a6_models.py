"""Assignment 6: the small models that its scenes are played with, and what is seen of a model."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

_MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_TENSOR_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_GLOBAL_HOOKS = tuple(
    name for name in vars(module_hooks) if name.startswith("_global_") and name.endswith("_hooks")
)


class TroubleError(Exception):
    """What goes wrong in a scene, on purpose."""


class Fragile(nn.Module):
    """Gives back its input, until it is told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: list[TroubleError] = []

    def forward(self, values: Tensor) -> Tensor:
        """Return the input, or raise what it was given to raise."""
        if self.trouble:
            raise self.trouble.pop()
        return values


class Branches(nn.Module):
    """A trunk and two heads; they are registered in another order than they run in."""

    def __init__(self) -> None:
        super().__init__()
        self.right = nn.Linear(3, 2)
        self.upper = nn.ReLU()
        self.trunk = nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), relu1=nn.ReLU()))
        self.left = nn.Linear(3, 2)

    def forward(self, values: Tensor) -> Tensor:
        """Return what the left head gives; the right one is only there."""
        return self.upper(self.left(self.trunk(values)))  # type: ignore[no-any-return]


class Twice(nn.Module):
    """Uses one layer two times in each pass."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.head = nn.Linear(2, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return the head's answer to two rounds of the layer."""
        return self.head(self.fc(self.fc(values).tanh()))  # type: ignore[no-any-return]


@contextmanager
def stage(seed: int) -> Iterator[np.random.Generator]:
    """Yield a stream of numbers; the caller's random state and global hooks come back after."""
    hooks = {name: dict(getattr(module_hooks, name)) for name in _GLOBAL_HOOKS}
    state = torch.get_rng_state()
    with torch.enable_grad():
        try:
            yield np.random.default_rng(seed)
        finally:
            torch.set_rng_state(state)
            for name, kept in hooks.items():
                current = getattr(module_hooks, name)
                for key in [key for key in current if key not in kept]:
                    del current[key]


def numbers(rng: np.random.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return normal numbers."""
    return torch.from_numpy(rng.standard_normal(shape)).to(dtype)


def filled(model: nn.Module, rng: np.random.Generator, *, double: bool = False) -> Any:
    """Return the model with numbers for its parameters and running statistics."""
    if double:
        model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(rng.standard_normal(parameter.shape)))
        for name, buffer in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.copy_(torch.from_numpy(rng.uniform(0.5, 1.5, buffer.shape)))
    return model


def image_net(*, inplace: bool = False) -> nn.Sequential:
    """Return a network for (N, 1, 3, 3), with a block inside."""
    relu = nn.ReLU(inplace=inplace)
    block = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 2), relu=relu))
    layers = OrderedDict(features=block, flatten=nn.Flatten(), fc=nn.Linear(8, 3))
    return nn.Sequential(layers)


def dense_net() -> nn.Sequential:
    """Return a network for (N, 3), whose layers have numbers for names."""
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def norm_net() -> nn.Sequential:
    """Return a network for (N, 3) with batch norm and dropout, its modes mixed."""
    layers = OrderedDict[str, nn.Module](
        fc1=nn.Linear(3, 4, bias=False),  # its gradient would be rounding only
        bn1=nn.BatchNorm1d(4),
        relu1=nn.ReLU(),
        drop=nn.Dropout(0.0),
        bn2=nn.BatchNorm1d(4),
        fc2=nn.Linear(4, 2),
    )
    model = nn.Sequential(layers)
    layers["bn2"].eval()
    return model


def fragile_net() -> nn.Sequential:
    """Return a network for (N, 3) whose middle can be told to fail."""
    return nn.Sequential(OrderedDict(fc1=nn.Linear(3, 4), middle=Fragile(), fc2=nn.Linear(4, 2)))


def hook_count(model: nn.Module) -> int:
    """Count the hooks on a model's modules and parameters, and those on all modules at once."""
    on_modules = [getattr(m, name) for m in model.modules() for name in _MODULE_HOOKS]
    on_tensors = [getattr(p, name, None) for p in model.parameters() for name in _TENSOR_HOOKS]
    on_all = [getattr(module_hooks, name) for name in _GLOBAL_HOOKS]
    return sum(len(hooks) for hooks in (*on_modules, *on_tensors, *on_all) if hooks)


def modes(model: nn.Module) -> dict[str, str]:
    """Return the mode of every module, by name."""
    return {
        name or "the model": "train" if module.training else "eval"
        for name, module in model.named_modules()
    }


def gradients(model: nn.Module) -> dict[str, Any]:
    """Return a copy of every parameter's gradient, or None, by name."""
    return {
        name: None if p.grad is None else p.grad.detach().clone()
        for name, p in model.named_parameters()
    }


def flags(model: nn.Module) -> dict[str, bool]:
    """Return which parameters ask for a gradient, by name."""
    return {name: parameter.requires_grad for name, parameter in model.named_parameters()}


def values(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of every parameter and every running statistic, by name."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def attributes(model: nn.Module) -> set[str]:
    """Return the attributes of all modules of a model; hooks and modes add none."""
    return {
        f"{name or 'model'}.{attribute}"
        for name, module in model.named_modules()
        for attribute in vars(module)
    }


def listed(names: Iterable[str]) -> str:
    """Return names as one text, which compares as a whole."""
    return ", ".join(names) or "none"
