"""X6 against F.max_pool2d and F.avg_pool2d, and their gradients."""

import itertools

import torch
import torch.nn.functional as F

from explorers import Case


def pooled(pixels, settings):
    """Return PyTorch's outputs, and the winners of max pooling."""
    names = {"kernel": "kernel_size", "stride": "stride", "padding": "padding"}
    arguments = {names[key]: settings[key] for key in names} | {"ceil_mode": settings["ceil"]}
    if settings["kind"] == "max":
        return F.max_pool2d(pixels[None], **arguments, return_indices=True)
    return F.avg_pool2d(pixels[None], **arguments), None


def cases():
    rng = torch.Generator().manual_seed(6)
    axes = [("max", "mean"), (1, 2, 3), (1, 2, 3), (0, 1), (False, True), [(4, 4), (5, 7)]]
    for kind, kernel, stride, padding, ceil, shape in itertools.product(*axes):
        if padding > kernel // 2:
            continue
        settings = {
            "kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "ceil": ceil
        }  # fmt: skip
        pixels = torch.randint(-2, 3, shape, generator=rng).double()  # so few values tie
        leaf = pixels.clone().requires_grad_()
        outputs, winners = pooled(leaf, settings)
        sent = torch.randn(outputs[0].shape, generator=rng, dtype=torch.float64)
        outputs[0].backward(sent)
        yield Case("pool", [pixels.tolist(), settings], outputs[0].tolist())
        yield Case("route", [pixels.tolist(), sent.tolist(), settings], leaf.grad.tolist())
        yield Case("outputSize", [shape[1], settings], outputs.shape[-1])
        if kind == "max":
            row, column = divmod(int(winners[0, -1, -1]), shape[1])
            last = [outputs.shape[-2] - 1, outputs.shape[-1] - 1]
            yield Case("shares", [pixels.tolist(), settings, *last], [[row, column, 1]])
