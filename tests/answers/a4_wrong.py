"""Wrong answers to assignment 4 that are no misconceptions of the registry, and forbidden ones."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from answers.a4_right import (
    batch_norm2d_by_flattening,
    batch_norm2d_by_mean_of_squares,
    build_lenet5_by_adding,
    conv2d_params_by_loops,
    dropout_by_bernoulli,
    dropout_by_uniform,
    lenet5_1998_by_units,
    lenet5_layers,
    linear_params_by_product,
    summarize_by_copy,
    summarize_by_hooks,
)

right_norm = batch_norm2d_by_flattening


def norm(then=lambda result, x, *rest: result, given=lambda *args: args):
    def answer(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
        args = given(x, gamma, beta, running_mean, running_var, training, momentum, eps)
        return then(right_norm(*args), x, running_mean, running_var, training)

    return answer


def norm_in_place(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    y, mean, var = right_norm(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    running_mean.copy_(mean)
    running_var.copy_(var)
    return y, running_mean, running_var


def norm_over_x(x, *args, **settings):
    result = batch_norm2d_by_mean_of_squares(x.clone(), *args, **settings)
    x.copy_(result[0])
    return x, *result[1:]


def norm_of_flat_images(x, gamma, beta, running_mean, running_var, training, *s, **k):
    """Reshape without bringing the channels to the front."""
    n, c, h, w = x.shape
    mixed = x.reshape(c, n, h, w).transpose(0, 1)
    y, mean, var = right_norm(mixed, gamma, beta, running_mean, running_var, training, *s, **k)
    return y.transpose(0, 1).reshape(n, c, h, w), mean, var


def only_for_y(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_norm(x, gamma, beta, running_mean, running_var, training, momentum, eps)[0]


def factor_of_all(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """Take the unbiased factor from the number of all elements."""
    result = right_norm(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    if not training:
        return result
    m = x.numel()
    var = x.var((0, 2, 3), correction=0) * m / (m - 1)
    return result[0], result[1], (1 - momentum) * running_var + momentum * var


def drop(then=lambda y, x, p: y, given=lambda p: p):
    def answer(x, p=0.5, training=True, generator=None):
        return then(dropout_by_uniform(x, given(p), training, generator), x, p)

    return answer


def drop_by_size(x, p=0.5, training=True, generator=None):
    """Drop the smallest elements instead of random ones."""
    if not 0 <= p <= 1:
        raise ValueError
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    order = x.abs().flatten().argsort()
    y = x.clone().flatten() / (1 - p)
    y[order[: int(p * x.numel())]] = 0
    return y.reshape(x.shape)


def drop_pairs(x, p=0.5, training=True, generator=None):
    """Give neighbours in a row one draw."""
    if not training or p in (0, 1) or not 0 <= p <= 1:
        return dropout_by_bernoulli(x, p, training, generator)
    half = torch.rand((*x.shape[:-1], (x.shape[-1] + 1) // 2), generator=generator) >= p
    return x * half.repeat_interleave(2, -1)[..., : x.shape[-1]] / (1 - p)


def drop_rounded(x, p=0.5, training=True, generator=None):
    draws = torch.randint(0, 10, x.shape, generator=generator)
    if not 0 <= p <= 1:
        raise ValueError
    if not training:
        return x
    return x * (draws >= round(p * 10)) / (1 - p) if p < 1 else x * 0


def net(**others):
    return lambda num_classes=10: nn.Sequential(
        OrderedDict({**dict(build_lenet5_by_adding(num_classes).named_children()), **others})
    )


def relu6_net(num_classes=10):
    model = build_lenet5_by_adding(num_classes)
    for name in ("relu1", "relu2", "relu3", "relu4"):
        setattr(model, name, nn.ReLU6())
    return model


def shared_layer_net(num_classes=10):
    model = build_lenet5_by_adding(num_classes)
    model.F6 = SHARED
    return model


SHARED = nn.Linear(120, 84)


def tail_net(num_classes=10):
    model = build_lenet5_by_adding(num_classes)
    model.OUTPUT = nn.Sequential(nn.Linear(84, num_classes), nn.Sigmoid())
    return model


def hooked_net(num_classes=10):
    model = build_lenet5_by_adding(num_classes)
    model.register_forward_hook(lambda module, inputs, output: output.softmax(1))
    return model


def frozen_net(num_classes=10):
    model = build_lenet5_by_adding(num_classes)
    model.C1.requires_grad_(False)
    return model


def count(**others):
    return lambda table: lenet5_1998_by_units(table) | others


def rows(change, answer=summarize_by_copy):
    def changed(model, input_shape):
        return [row | change(row) for row in answer(model, input_shape)]

    return changed


def left(act):
    def answer(model, input_shape):
        result = summarize_by_copy(model, input_shape)
        act(model)
        return result

    return answer


def adds_a_layer(model):
    model.add_module("extra", nn.Identity())


def rounds_weights(model):
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.5)


def summarize_with_late_modes(model, input_shape):
    result = summarize_by_hooks(model, input_shape)
    for child in model:
        child.training = model.training
    return result


WRONG = {
    "batch_norm2d": {
        "running statistics overwritten": norm_in_place,
        "x overwritten": norm_over_x,
        "channels mixed": norm_of_flat_images,
        "only y": only_for_y,
        "a list": norm(lambda r, *_: list(r)),
        "float64 out": norm(lambda r, *_: tuple(t.double() for t in r)),
        "float32 out": norm(lambda r, *_: tuple(t.float() for t in r)),
        "statistics of shape (1, C, 1, 1)": norm(
            lambda r, *_: (r[0], r[1][None, :, None, None], r[2][None, :, None, None])
        ),
        "factor from all elements": factor_of_all,
        "gamma squared": norm(given=lambda x, g, *rest: (x, g**2, *rest)),
        "size of gamma": norm(given=lambda x, g, *rest: (x, g.abs(), *rest)),
        "beta subtracted": norm(given=lambda x, g, b, *rest: (x, g, -b, *rest)),
        "eps doubled": norm(given=lambda *a: (*a[:7], 2 * a[7])),
        "momentum halved": norm(given=lambda *a: (*a[:6], a[6] / 2, a[7])),
        "zero statistics in evaluation": norm(
            lambda r, x, m, v, training: r if training else (r[0], m * 0, v * 0 + 1)
        ),
        "None in evaluation": norm(
            lambda r, x, m, v, training: r if training else (r[0], None, None)
        ),
        "nothing": lambda *args, **settings: None,
    },
    "dropout": {
        "None": lambda x, p=0.5, training=True, generator=None: None,
        "smallest dropped": drop_by_size,
        "pairs dropped": drop_pairs,
        "p rounded": drop_rounded,
        "float32 out": drop(lambda y, x, p: y.float()),
        "float64 out": drop(lambda y, x, p: y.double()),
        "scaled twice": drop(lambda y, x, p: y / (1 - p) if p < 1 else y),
        "p squared": drop(given=lambda p: p * abs(p)),
        "flattened": drop(lambda y, x, p: y.flatten()),
        "mask returned": drop(lambda y, x, p: (y != 0).to(x.dtype)),
        "negative gone": drop(lambda y, x, p: y.relu()),
        "numpy out": drop(lambda y, x, p: y.numpy()),
        "generator made anew": lambda x, p=0.5, training=True, generator=None: dropout_by_uniform(
            x,
            p,
            training,
            torch.Generator().manual_seed(generator.initial_seed()) if generator else None,
        ),
    },
    "conv2d_params": {
        "float": lambda *a, **k: float(conv2d_params_by_loops(*a, **k)),
        "text": lambda *a, **k: str(conv2d_params_by_loops(*a, **k)),
        "tensor": lambda *a, **k: torch.tensor(conv2d_params_by_loops(*a, **k)),
        "one too many": lambda *a, **k: conv2d_params_by_loops(*a, **k) + 1,
        "LeNet's only": lambda i, o, k, bias=True, groups=1: {1: 156, 6: 2416}.get(i, 48120),
        "prints": lambda *a, **k: print(conv2d_params_by_loops(*a, **k)),
        "bias doubled": lambda i, o, k, bias=True, groups=1: (
            conv2d_params_by_loops(i, o, k, bias, groups) + o * bias
        ),
        "groups of one input": lambda i, o, k, bias=True, groups=1: conv2d_params_by_loops(
            i, o, k, bias, min(groups, 2)
        ),
    },
    "linear_params": {
        "float": lambda *a, **k: float(linear_params_by_product(*a, **k)),
        "bias squared": lambda i, o, bias=True: i * o + o * o * bias,
        "square": lambda i, o, bias=True: i * i + o * bias,
        "nothing": lambda i, o, bias=True: None,
        "LeNet's only": lambda i, o, bias=True: {400: 48120, 120: 10164}.get(i, 850),
    },
    "build_lenet5": {
        "nothing": lambda num_classes=10: None,
        "the class": lambda num_classes=10: nn.Sequential,
        "a list": lambda num_classes=10: list(build_lenet5_by_adding(num_classes)),
        "a dict": lambda num_classes=10: dict(lenet5_layers()),
        "relu6": relu6_net,
        "one shared layer": shared_layer_net,
        "sigmoid inside OUTPUT": tail_net,
        "C1 frozen": frozen_net,
        "a hook that takes the softmax": hooked_net,
        "in float64": lambda num_classes=10: build_lenet5_by_adding(num_classes).double(),
        "the first three modules": lambda num_classes=10: build_lenet5_by_adding(num_classes)[:3],
        "gelu": net(relu2=nn.GELU()),
        "relu4 a softplus": net(relu4=nn.Softplus()),
        "C1 padded by reflection": net(C1=nn.Conv2d(1, 6, 5, padding=2, padding_mode="reflect")),
        "C3 grouped": net(C3=nn.Conv2d(6, 16, 5, groups=2)),
        "C5 of another width": net(C5=nn.Conv2d(16, 84, 5), F6=nn.Linear(84, 84)),
        "flatten transposes": net(flatten=nn.Flatten(0)),
        "S4 adaptive average": net(S4=nn.AdaptiveAvgPool2d(5)),
        "S2 of power 2": net(S2=nn.LPPool2d(2, 2)),
        "dead output": net(OUTPUT=nn.Linear(84, 10)),
    },
    "lenet5_1998": {
        "nothing": lambda table: None,
        "lists": lambda table: {k: list(v) for k, v in lenet5_1998_by_units(table).items()},
        "floats": lambda table: {
            k: (float(a), float(b)) for k, (a, b) in lenet5_1998_by_units(table).items()
        },
        "only parameters": lambda table: {k: v[0] for k, v in lenet5_1998_by_units(table).items()},
        "pairs in a list": lambda table: list(lenet5_1998_by_units(table).items()),
        "no OUTPUT": lambda table: {
            k: v for k, v in lenet5_1998_by_units(table).items() if k != "OUTPUT"
        },
        "lower case": lambda table: {k.lower(): v for k, v in lenet5_1998_by_units(table).items()},
        "C5 dense from S4 of 6": count(C5=(48_000, 48_120)),
        "F6 with ten": count(F6=(850, 850)),
        "table emptied": lambda table: (lenet5_1998_by_units(table), table.clear())[0],
        "S4 at 10 x 10": count(S4=(32, 8000)),
        "S2 at 28 x 28": count(S2=(12, 23_520)),
    },
    "summarize": {
        "nothing": lambda model, input_shape: None,
        "a dict": lambda model, input_shape: {
            r["name"]: r for r in summarize_by_copy(model, input_shape)
        },
        "tuples": lambda model, input_shape: [
            tuple(r.values()) for r in summarize_by_copy(model, input_shape)
        ],
        "other keys": rows(lambda row: {"kind": row["type"]}),
        "shape a list": rows(lambda row: {"out_shape": list(row["out_shape"])}),
        "shape a string": rows(lambda row: {"out_shape": str(row["out_shape"])}),
        "macs a float": rows(lambda row: {"macs": float(row["macs"])}),
        "macs in thousands": rows(lambda row: {"macs": row["macs"] // 1000}),
        "params a tensor": rows(lambda row: {"params": torch.tensor(row["params"])}),
        "name doubled": rows(lambda row: {"name": row["name"] + "."}),
        "a layer added": left(adds_a_layer),
        "weights changed": left(rounds_weights),
        "cast to float64": left(lambda model: model.double()),
        "children get the model's mode": summarize_with_late_modes,
        "first layer in evaluation": left(lambda model: model[0].eval()),
        "the model alone in evaluation": left(lambda model: setattr(model, "training", False)),
        "the model alone in training": left(lambda model: setattr(model, "training", True)),
    },
}


def norm_by_library(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    mean, var = running_mean.clone(), running_var.clone()
    return F.batch_norm(x, mean, var, gamma, beta, training, momentum, eps), mean, var


def norm_by_layer(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    layer = nn.BatchNorm2d(len(gamma), eps, momentum, dtype=x.dtype).train(training)
    state = {"weight": gamma, "bias": beta}
    state |= {"running_mean": running_mean, "running_var": running_var}
    layer.load_state_dict(state, strict=False)
    return layer(x).detach(), layer.running_mean, layer.running_var


def norm_by_instance_norm(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    flat = x.transpose(0, 1).flatten(1)[None]
    y = F.instance_norm(flat, weight=gamma, bias=beta, eps=eps)
    return y.view(x.transpose(0, 1).shape).transpose(0, 1), running_mean, running_var


def norm_by_layer_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    flat = x.transpose(0, 1).flatten(1)
    y = F.layer_norm(flat, flat.shape[1:], eps=eps)
    return y, running_mean, running_var


def norm_by_operator(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    mean, var = running_mean.clone(), running_var.clone()
    operator = torch.ops.aten.native_batch_norm
    return operator(x, gamma, beta, mean, var, training, momentum, eps)[0], mean, var


FORBIDDEN = {
    "batch_norm2d": {
        "F.batch_norm": norm_by_library,
        "nn.BatchNorm2d": norm_by_layer,
        "F.instance_norm": norm_by_instance_norm,
        "F.layer_norm": norm_by_layer_norm,
        "an operator": norm_by_operator,
    },
    "dropout": {
        "F.dropout": lambda x, p=0.5, training=True, generator=None: F.dropout(x, p, training),
        "nn.Dropout": lambda x, p=0.5, training=True, generator=None: nn.Dropout(p).train(training)(
            x
        ),
        "torch.dropout": lambda x, p=0.5, training=True, generator=None: torch.dropout(
            x, p, training
        ),
        "a mask from dropout": lambda x, p=0.5, training=True, generator=None: (
            x * F.dropout(torch.ones_like(x), p, training)
        ),
        "feature dropout": lambda x, p=0.5, training=True, generator=None: F.dropout1d(
            x, p, training
        ),
        "native": lambda x, p=0.5, training=True, generator=None: torch.native_dropout(
            x, p, training
        )[0],
    },
}
