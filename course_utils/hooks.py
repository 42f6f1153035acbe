"""Look inside a model while it runs, and leave it as it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from torch import Tensor, nn


def named_layer(model: nn.Module, name: str) -> nn.Module:
    """Return the submodule called ``name``; raise KeyError naming the ones there are."""
    layers: dict[str, nn.Module] = dict(model.named_modules())
    if name not in layers or not name:
        raise KeyError(f"no layer is called {name!r}; the model has {[n for n in layers if n]}")
    return layers[name]


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """Put ``model`` in evaluation mode, then give each submodule its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def record_activations(model: nn.Module, *layer_names: str) -> Iterator[dict[str, Tensor]]:
    """
    Record what the named layers give, as long as the ``with`` block lasts.

    Parameters
    ----------
    model : nn.Module
        The model to look into. Its results, modes and gradients stay the same.
    *layer_names : str
        Names as in ``model.named_modules()``.

    Yields
    ------
    dict of str to Tensor
        The output of each layer in the latest forward pass, a detached copy; readable after the
        block too.

    Raises
    ------
    KeyError
        If the model has no layer of that name; no hook is left behind.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> with record_activations(model, "1") as activations:
    ...     _ = model(torch.zeros(3, 1, 2, 2))
    >>> activations["1"].shape
    torch.Size([3, 2])
    """
    activations: dict[str, Tensor] = {}

    def store(name: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        activations[name] = output.detach().clone()  # an in-place layer may follow

    with ExitStack() as hooks:
        for name in layer_names:
            handle = named_layer(model, name).register_forward_hook(partial(store, name))
            hooks.callback(handle.remove)
        yield activations


@contextmanager
def monitor_gradients(model: nn.Module) -> Iterator[dict[str, list[float]]]:
    """
    Record the L2 norm of every gradient that reaches a parameter, in a ``with`` block.

    Each backward pass adds one number to the list of each parameter that it reaches: the norm of
    what this pass brings, not of what has been summed up in ``.grad``. A parameter used several
    times in one pass is counted once.

    Parameters
    ----------
    model : nn.Module
        The model to watch. Its gradients stay the same.

    Yields
    ------
    dict of str to list of float
        Norms by parameter name; a parameter that is frozen or not reached has an empty list.

    Examples
    --------
    >>> import torch
    >>> model = nn.Linear(2, 1, bias=False)
    >>> with monitor_gradients(model) as norms:
    ...     model(torch.tensor([[3.0, 4.0]])).sum().backward()
    >>> norms
    {'weight': [5.0]}
    """
    norms: dict[str, list[float]] = {name: [] for name, _ in model.named_parameters()}

    def store(name: str, gradient: Tensor) -> None:
        norms[name].append(gradient.detach().norm().item())

    with ExitStack() as hooks:
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                handle = parameter.register_hook(partial(store, name))  # type: ignore[no-untyped-call]
                hooks.callback(handle.remove)
        yield norms
