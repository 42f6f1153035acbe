"""Assignment 4: wrong summaries, each with a name and what it shows."""

from itertools import pairwise

import torch
from torch import nn

from course_utils.checks.a4_lenet_scenes import count_parameters
from course_utils.checks.a4_oracles import summarize
from course_utils.checks.a4_rules import (
    COUNTING,
    GRADIENTS,
    GROUPS,
    HOOKS,
    MACS,
    MODE,
    PARAMETERS,
    READ_ONLY,
    SHAPES,
)
from course_utils.checks.exercise import Misconception


def _summary(change):
    """Return a summary whose rows are changed: a function of row, child, input and output."""

    def answer(model, input_shape):
        rows = summarize(model, input_shape)
        shape = tuple(input_shape)
        for row, child in zip(rows, model.children(), strict=True):
            before, after = shape, row["out_shape"]
            shape = after
            row.update(change(row, child, before, after))
        return rows

    return answer


def _macs(conv, linear=lambda child: child.in_features * child.out_features):
    """Return a summary with other multiply-adds."""

    def change(row, child, before, after):
        if isinstance(child, nn.Conv2d):
            return {"macs": conv(child, before, after)}
        return {"macs": linear(child)} if isinstance(child, nn.Linear) else {}

    return _summary(change)


def _places(shape):
    return shape[1] * shape[2]


def _right_conv(child, before, after):
    return child.weight.numel() * _places(after)


def _doing(act):
    """Return a right summary that does something to the model besides."""

    def answer(model, input_shape):
        rows = summarize(model, input_shape)
        act(model, torch.zeros(1, *input_shape))
        return rows

    return answer


def _run_in_train_mode(model, image):
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    model(image)
    for module, mode in modes:
        module.training = mode


def _run_as_it_is(model, image):
    model(image)


def _leave_hooks(model, image):
    for child in model.children():
        child.register_forward_hook(lambda module, inputs, output: None)


def _leave_hook_on_model(model, image):
    model.register_forward_hook(lambda module, inputs, output: None)


def _clear_hooks(model, image):
    for module in model.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()


def _backward(model, image):
    model(image).sum().backward()


def _only_top_mode(model, image):
    mode = model.training
    model.eval()
    model.train(mode)


def _freeze(model, image):
    model.requires_grad_(False)


def _rows_shifted(model, input_shape):
    """Give each row the shape that goes in."""
    shape = tuple(input_shape)
    rows = summarize(model, input_shape)
    for row in rows:
        row["out_shape"], shape = shape, row["out_shape"]
    return rows


def _only_with_weights(model, input_shape):
    return [row for row in summarize(model, input_shape) if row["params"]]


def _with_total(model, input_shape):
    rows = summarize(model, input_shape)
    total = {
        "name": "total",
        "type": type(model).__name__,
        "out_shape": rows[-1]["out_shape"],
        "params": sum(row["params"] for row in rows),
        "macs": sum(row["macs"] for row in rows),
    }
    return [*rows, total]


def _cumulative(key):
    def answer(model, input_shape):
        rows = summarize(model, input_shape)
        for before, row in pairwise(rows):
            row[key] += before[key]
        return rows

    return answer


def _buffers(row, child, before, after):
    return {"params": count_parameters(child) + sum(buffer.numel() for buffer in child.buffers())}


SUMMARY_MISCONCEPTIONS = (
    Misconception(
        "batch-in-the-shape",
        _summary(lambda row, child, before, after: {"out_shape": (1, *after)}),
        "Your out_shape begins with the size of the batch. It is the shape of one image's output.",
        SHAPES,
    ),
    Misconception(
        "shape-that-goes-in",
        _rows_shifted,
        "Your out_shape is the shape that a layer gets. It is the one that it gives.",
        SHAPES,
    ),
    Misconception(
        "shape-without-channels",
        _summary(lambda row, child, before, after: {"out_shape": after[1:] or after}),
        "Your out_shape leaves the channels out. It is the whole shape of one image's output.",
        SHAPES,
    ),
    Misconception(
        "channels-last",
        _summary(lambda row, child, before, after: {"out_shape": (*after[1:], after[0])}),
        "Your out_shape has the channels last. PyTorch's order is channels, height, width.",
        SHAPES,
    ),
    Misconception(
        "numbers-for-names",
        lambda model, shape: [
            row | {"name": str(n)} for n, row in enumerate(summarize(model, shape))
        ],
        "Your names are the numbers of the layers. A layer's name is the one that it has in the "
        "model.",
        SHAPES,
    ),
    Misconception(
        "types-for-names",
        _summary(lambda row, child, before, after: {"name": row["type"]}),
        "Your names are the classes. A layer's name is the one that it has in the model.",
        SHAPES,
    ),
    Misconception(
        "types-in-lower-case",
        _summary(lambda row, child, before, after: {"type": row["type"].lower()}),
        "Your types are in lower case. A class's name is written as it is.",
        SHAPES,
    ),
    Misconception(
        "class-with-its-module",
        _summary(lambda row, child, before, after: {"type": str(type(child))}),
        "Your type is the class as Python prints it. Its bare name is asked for.",
        SHAPES,
    ),
    Misconception(
        "printed-layer-for-type",
        _summary(lambda row, child, before, after: {"type": str(child)}),
        "Your type is the layer as PyTorch prints it, settings and all. The class's name is asked "
        "for.",
        SHAPES,
    ),
    Misconception(
        "only-layers-with-weights",
        _only_with_weights,
        "Your rows leave out layers without parameters. Every direct child has a row.",
        SHAPES,
    ),
    Misconception(
        "a-row-for-the-total",
        _with_total,
        "Your last row is a total. There is one row for each direct child, and no other.",
        SHAPES,
    ),
    Misconception(
        "rows-reversed",
        lambda model, shape: summarize(model, shape)[::-1],
        "Your rows run from the output to the input. They stand in the order of the layers.",
        SHAPES,
    ),
    Misconception(
        "buffers-counted",
        _summary(_buffers),
        "Your params contain the running statistics of batch norm. Those are buffers, which no "
        "optimizer trains.",
        PARAMETERS,
    ),
    Misconception(
        "weights-only",
        _summary(
            lambda row, child, before, after: {
                "params": child.weight.numel() if row["params"] else 0
            }
        ),
        "Your params leave the biases out.",
        PARAMETERS,
    ),
    Misconception(
        "only-convolutions-and-linear-layers",
        _summary(
            lambda row, child, before, after: {
                "params": row["params"] if isinstance(child, nn.Conv2d | nn.Linear) else 0
            }
        ),
        "Your params are those of convolutions and linear layers only. A batch norm has a scale and "
        "a shift for each channel, and other layers may learn as well.",
        PARAMETERS,
    ),
    Misconception(
        "tensors-counted",
        _summary(lambda row, child, before, after: {"params": len(list(child.parameters()))}),
        "Your params count tensors. Their numbers are asked for.",
        PARAMETERS,
    ),
    Misconception(
        "params-summed-up",
        _cumulative("params"),
        "Your params grow from row to row: they contain those of the layers before.",
        PARAMETERS,
    ),
    Misconception(
        "macs-summed-up",
        _cumulative("macs"),
        "Your macs grow from row to row: they contain those of the layers before.",
        MACS,
    ),
    Misconception(
        "macs-are-params",
        _summary(
            lambda row, child, before, after: {
                "macs": row["params"] if isinstance(child, nn.Conv2d | nn.Linear) else 0
            }
        ),
        "Your macs are the parameters. A convolution uses each weight at every place of its output, "
        "and a bias is no product.",
        MACS,
    ),
    Misconception(
        "macs-with-bias",
        _macs(
            lambda child, before, after: (
                (child.weight.numel() + count_bias(child)) * _places(after)
            ),
            lambda child: count_parameters(child),
        ),
        "Your macs count the biases. Adding a bias is no multiplication.",
        MACS,
    ),
    Misconception(
        "bias-in-the-macs-of-convolutions",
        _macs(
            lambda child, before, after: (child.weight.numel() + count_bias(child)) * _places(after)
        ),
        "The macs of your convolutions count the biases. Adding a bias is no multiplication.",
        MACS,
    ),
    Misconception(
        "bias-in-the-macs-of-linear-layers",
        _macs(_right_conv, lambda child: count_parameters(child)),
        "The macs of your linear layers count the biases. Adding a bias is no multiplication.",
        MACS,
    ),
    Misconception(
        "bias-once-in-the-macs",
        _macs(
            lambda child, before, after: _right_conv(child, before, after) + count_bias(child),
            lambda child: count_parameters(child),
        ),
        "Your macs have the biases added to them. Adding a bias is no multiplication.",
        MACS,
    ),
    Misconception(
        "macs-at-the-input-size",
        _macs(lambda child, before, after: child.weight.numel() * _places(before)),
        "You count the products at every pixel that a convolution reads. It has as many places as "
        "its output has pixels.",
        MACS,
    ),
    Misconception(
        "macs-of-one-place",
        _macs(lambda child, before, after: child.weight.numel()),
        "You count the products of one place only. A convolution repeats them at every pixel of "
        "its output.",
        MACS,
    ),
    Misconception(
        "macs-of-square-maps",
        _macs(lambda child, before, after: child.weight.numel() * after[1] ** 2),
        "You take the output for a square of its height. Maps may be rectangles.",
        MACS,
    ),
    Misconception(
        "macs-of-square-kernels",
        _macs(
            lambda child, before, after: (
                child.weight.shape[:2].numel() * child.kernel_size[0] ** 2 * _places(after)
            )
        ),
        "You take each kernel for a square of its height. Kernels may be rectangles.",
        COUNTING,
    ),
    Misconception(
        "macs-without-groups",
        _macs(lambda child, before, after: _right_conv(child, before, after) * child.groups),
        "Your macs do not depend on groups. A filter of a group reads its own block of channels "
        "only.",
        GROUPS,
    ),
    Misconception(
        "macs-divided-by-groups-twice",
        _macs(lambda child, before, after: _right_conv(child, before, after) // child.groups),
        "You divide by groups twice: the filters of every group count.",
        GROUPS,
    ),
    Misconception(
        "input-channels-forgotten-in-macs",
        _macs(
            lambda child, before, after: (
                child.weight.numel() * _places(after) // child.weight.shape[1]
            )
        ),
        "Your macs of a convolution do not depend on its input channels. A filter has a kernel for "
        "each of them.",
        MACS,
    ),
    Misconception(
        "multiplications-and-additions",
        _macs(
            lambda child, before, after: 2 * _right_conv(child, before, after),
            lambda child: 2 * child.weight.numel(),
        ),
        "Your macs are twice too many: a multiplication and its addition count as one.",
        MACS,
    ),
    Misconception(
        "macs-of-convolutions-only",
        _macs(_right_conv, lambda child: 0),
        "Your linear layers have no macs. Each of their weights is used once.",
        MACS,
    ),
    Misconception(
        "macs-of-linear-layers-only",
        _macs(lambda child, before, after: 0),
        "Your convolutions have no macs.",
        MACS,
    ),
    Misconception(
        "macs-of-the-other-layers",
        _summary(
            lambda row, child, before, after: (
                {}
                if isinstance(child, nn.Conv2d | nn.Linear)
                else {"macs": int(torch.Size(after).numel())}
            )
        ),
        "Your other layers have macs. Only convolutions and linear layers are counted.",
        MACS,
    ),
    Misconception(
        "macs-of-batch-norm",
        _summary(
            lambda row, child, before, after: (
                {"macs": int(torch.Size(after).numel())}
                if isinstance(child, nn.BatchNorm2d)
                else {}
            )
        ),
        "Your batch norm has macs. Only convolutions and linear layers are counted.",
        MACS,
    ),
    Misconception(
        "left-in-eval-mode",
        _doing(lambda model, image: model.eval()),
        "Your summary leaves the model in evaluation mode. Each module gets its own mode back.",
        MODE,
    ),
    Misconception(
        "left-in-train-mode",
        _doing(lambda model, image: model.train()),
        "Your summary leaves the whole model in training mode. Each module gets its own mode back.",
        MODE,
    ),
    Misconception(
        "one-mode-for-all-modules",
        _doing(_only_top_mode),
        "Your summary gives every module the mode of the whole model. A layer may have been in "
        "another one, and gets its own back.",
        MODE,
    ),
    Misconception(
        "run-in-train-mode",
        _doing(_run_in_train_mode),
        "Your summary runs the model in training mode, so the running statistics of its batch "
        "norms have moved.",
        READ_ONLY,
    ),
    Misconception(
        "run-in-its-own-mode",
        _doing(_run_as_it_is),
        "Your summary runs the model in the mode that it is in, so the running statistics of batch "
        "norms in training mode have moved.",
        READ_ONLY,
    ),
    Misconception(
        "hooks-left-behind",
        _doing(_leave_hooks),
        "Your hooks are still on the layers after the call, and run with every later pass.",
        HOOKS,
    ),
    Misconception(
        "hook-left-on-the-model",
        _doing(_leave_hook_on_model),
        "Your hook is still on the model after the call, and runs with every later pass.",
        HOOKS,
    ),
    Misconception(
        "owners-hooks-removed",
        _doing(_clear_hooks),
        "Your summary removes hooks that were there before. Only your own are yours to remove.",
        HOOKS,
    ),
    Misconception(
        "gradients-cleared",
        _doing(lambda model, image: model.zero_grad()),
        "Your summary clears the gradients of the model. They come back as they were.",
        GRADIENTS,
    ),
    Misconception(
        "backward-pass-run",
        _doing(_backward),
        "Your summary runs a backward pass, which adds to the gradients of the model.",
        GRADIENTS,
    ),
    Misconception(
        "frozen-for-good",
        _doing(_freeze),
        "Your summary switches the gradients of the parameters off, and not on again.",
        GRADIENTS,
    ),
)


def count_bias(layer: nn.Conv2d) -> int:
    """Return the number of biases."""
    return 0 if layer.bias is None else layer.bias.numel()
