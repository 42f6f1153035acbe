"""X14 against a log of real hooks."""

import itertools
import warnings
from collections import OrderedDict
from functools import partial

import torch
from torch import nn

from explorers import Case

HOOKS = ("plain", "times", "twice", "removed", "raises")


def attach(net: nn.Module, log: list[list[str]], hook: str, always: bool) -> None:
    """Attach a hook of every kind to every module; ``hook`` is what the forward hook of fc does."""

    def note(name, kind, *_arguments):
        log.append([name, kind])

    def own(_module, _args, output):
        note("fc", "forward")
        if hook == "raises":
            raise ValueError("as asked")
        return 10 * output if hook == "times" else None

    for name, module in net.named_modules():
        name = name or "net"
        module.register_forward_pre_hook(partial(note, name, "forward pre"))
        forward = own if name == "fc" else partial(note, name, "forward")
        handle = module.register_forward_hook(forward, always_call=always)
        if name == "fc" and hook == "twice":
            module.register_forward_hook(forward, always_call=always)
        if name == "fc" and hook == "removed":
            handle.remove()
        module.register_full_backward_pre_hook(partial(note, name, "backward pre"))
        module.register_full_backward_hook(partial(note, name, "backward"))


def attach_to_tensors(tensors: dict[str, torch.Tensor], log: list[list[str]]) -> None:
    """Attach hooks to those leaves that require a gradient: before and after it is stored."""
    for name, tensor in tensors.items():
        if tensor.requires_grad:
            tensor.register_hook(lambda _gradient, name=name: log.append([name, "tensor"]))
            tensor.register_post_accumulate_grad_hook(
                lambda _tensor, name=name: log.append([name, "stored"])
            )


def watch(call, hook, always, wrong, wants, frozen, backward):
    """Return the log of a run, by pass, its error, its output and the weight's gradient."""
    net = nn.Sequential(OrderedDict(fc=nn.Linear(2, 2, bias=False), relu=nn.ReLU()))
    net.fc.weight.data = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
    net.fc.weight.requires_grad_(not frozen)
    x = torch.ones(1, 3 if wrong else 2, requires_grad=wants)
    log: list[list[str]] = []
    attach(net, log, hook, always)
    attach_to_tensors({"weight": net.fc.weight, "input": x}, log)
    output, error, n_forward = None, None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the first layer's grad_input, and always_call's own error
        try:
            output = net(x) if call == "call" else net.forward(x)
            n_forward = len(log)
            if backward:
                output.sum().backward()
        except (RuntimeError, ValueError) as raised:
            error = type(raised).__name__
    parts = {"forward": log[:n_forward], "backward": log[n_forward:] if output is not None else []}
    gradient = net.fc.weight.grad
    shown = {
        "output": None if output is None else output.tolist(),
        "gradient": None if gradient is None else gradient.tolist(),
    }
    return parts | {"error": error}, shown


def cases():
    yes_or_no = (False, True)
    every = itertools.product(("call", "forward"), HOOKS, *[yes_or_no] * 5)
    names = ("call", "hook", "always", "wrong", "wants", "frozen", "backward")
    for settings in every:
        log, shown = watch(*settings)
        state = dict(zip(names, settings, strict=True))
        yield Case("timeline", [state], log)
        yield Case("values", [state], shown)
