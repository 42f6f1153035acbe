"""Assignment 6: the right answers, with the signatures that the answers must have."""

from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from course_utils.hooks import eval_mode, monitor_gradients, named_layer, record_activations


class ActivationRecorder:
    """Record what the named layers give, all passes behind one another."""

    def __init__(self, model: nn.Module, layer_names: list[str]) -> None:
        self._layers = {name: named_layer(model, name) for name in layer_names}
        self._hooks = ExitStack()
        self.outputs: dict[str, Tensor] = {}

    def __enter__(self) -> "ActivationRecorder":
        self.outputs = {}
        for name, layer in self._layers.items():
            handle = layer.register_forward_hook(partial(self._store, name))
            self._hooks.callback(handle.remove)
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.close()

    def _store(self, name: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        before = [self.outputs[name]] if name in self.outputs else []
        self.outputs[name] = torch.cat([*before, output.detach()])  # a copy, also of one


def feature_stats(outputs: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Count and measure in float64; whole numbers may be int as well."""
    return {
        name: {
            "mean": output.double().mean().item(),
            "std": output.double().std(correction=0).item(),
            "frac_zero": (output == 0).double().mean().item(),
            "dead_channels": float((output == 0).transpose(0, 1).flatten(1).all(1).sum()),
        }
        for name, output in outputs.items()
    }


class GradientMonitor:
    """Note the norm of every gradient, by the hooks of this package."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._hooks = ExitStack()
        self.norms: dict[str, list[float]] = {}

    def __enter__(self) -> "GradientMonitor":
        self.norms = self._hooks.enter_context(monitor_gradients(self._model))
        return self

    def __exit__(self, *error: Any) -> None:
        self._hooks.close()


def dead_layers(model: nn.Module, x: Tensor) -> list[str]:
    """Record every nn.ReLU in evaluation mode."""
    names = [name for name, module in model.named_modules() if isinstance(module, nn.ReLU)]
    with torch.no_grad(), eval_mode(model), record_activations(model, *names) as outputs:
        model(x)
    return [name for name in names if not outputs[name].any()]


def update_ratios(model: nn.Module, lr: float) -> dict[str, float]:
    """Divide the length of a step by the length of the parameter."""
    ratios = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            length = parameter.detach().double().norm().item()
            step = lr * parameter.grad.double().norm().item()
            ratios[name] = step / length if length else float("inf")
    return ratios


def freeze(model: nn.Module, prefixes: list[str]) -> int:
    """Compare the names of modules with all prefixes."""
    frozen: dict[str, nn.Parameter] = {}
    for prefix in prefixes:
        matching = {
            name: parameter
            for name, parameter in model.named_parameters()
            if f"{name.rpartition('.')[0]}.".startswith(f"{prefix}.")
        }
        if not matching:
            raise ValueError(f"no parameter belongs to {prefix!r}")
        frozen |= matching
    for parameter in frozen.values():
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen.values())


def fine_tune(
    model: nn.Sequential,
    new_head: nn.Module,
    train_loader: DataLoader[Any],
    epochs: int,
    lr: float,
) -> list[float]:
    """Step by hand, on what asks for a gradient."""
    model[-1] = new_head
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and not any(
            parameter.requires_grad for parameter in module.parameters()
        ):
            module.eval()
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    losses = []
    for _ in range(epochs):
        total, n_samples = 0.0, 0
        for x, y in train_loader:
            loss = F.cross_entropy(model(x), y)
            for parameter, gradient in zip(free, torch.autograd.grad(loss, free), strict=True):
                parameter.data -= lr * gradient
            total += loss.item() * len(y)
            n_samples += len(y)
        losses.append(total / n_samples)
    return losses
