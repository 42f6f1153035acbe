"""Mistakes that students make in assignment 4, written from its prompts alone."""

from collections import OrderedDict

import torch
from torch import nn


def norm(
    x,
    gamma,
    beta,
    running_mean,
    running_var,
    training,
    momentum=0.1,
    eps=1e-5,
    *,
    axes=(0, 2, 3),
    correction=0,
    kept_correction=1,
    scale=lambda variance, eps: torch.sqrt(variance + eps),
    update=lambda old, new, momentum: (1 - momentum) * old + momentum * new,
    refuses=True,
    always=None,
    affine=True,
    in_place=False,
):
    training = training if always is None else always
    new_mean, new_var = running_mean, running_var
    mean, variance = running_mean[:, None, None], running_var[:, None, None]
    if training:
        n = x.numel() // x.shape[1]
        if n == 1 and refuses:
            raise ValueError("one value")
        mean = x.mean(axes, keepdim=True)
        variance = x.var(axes, correction=correction, keepdim=True)
        kept = x.var((0, 2, 3), correction=kept_correction)
        new_mean = update(running_mean, x.mean((0, 2, 3)), momentum)
        new_var = update(running_var, kept, momentum)
        if in_place:
            running_mean.copy_(new_mean)
            running_var.copy_(new_var)
    y = (x - mean) / scale(variance, eps)
    if affine:
        y = y * gamma[:, None, None] + beta[:, None, None]
    return y, new_mean.clone(), new_var.clone()


def norms(then=lambda *result: result, **other):
    def batch_norm2d(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
        return then(
            *norm(x, gamma, beta, running_mean, running_var, training, momentum, eps, **other)
        )

    return batch_norm2d


def norm_with_gamma_on_the_width(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    one, zero = torch.ones_like(gamma), torch.zeros_like(beta)
    y, mean, var = norm(x, one, zero, running_mean, running_var, training, momentum, eps)
    return y * gamma + beta, mean, var


NORM = {
    "normalises each image": norms(axes=(2, 3)),
    "normalises over everything": norms(axes=(0, 1, 2, 3)),
    "normalises over the batch only": norms(axes=(0,)),
    "divides by the unbiased spread": norms(correction=1),
    "keeps the biased variance": norms(kept_correction=0),
    "adds eps outside the root": norms(scale=lambda variance, eps: torch.sqrt(variance) + eps),
    "divides by the variance": norms(scale=lambda variance, eps: variance + eps),
    "forgets eps": norms(scale=lambda variance, eps: torch.sqrt(variance)),
    "momentum of the old": norms(
        update=lambda old, new, momentum: momentum * old + (1 - momentum) * new
    ),
    "keeps the batch's statistics": norms(update=lambda old, new, momentum: new),
    "adds without taking off": norms(update=lambda old, new, momentum: old + momentum * new),
    "always the batch": norms(always=True),
    "always the running": norms(always=False),
    "forgets gamma and beta": norms(affine=False),
    "refuses nothing": norms(refuses=False),
    "changes what is given": norms(in_place=True),
    "gives y only": norms(lambda y, mean, var: y),
    "gives the variance first": norms(lambda y, mean, var: (y, var, mean)),
    "gives a list": norms(lambda y, mean, var: [y, mean, var]),
    "gamma along the width": norm_with_gamma_on_the_width,
    "keeps axes": norms(
        lambda y, mean, var: (y, mean[None, :, None, None], var[None, :, None, None])
    ),
}


def drop(
    x, p=0.5, training=True, generator=None, *, keep=None, scale=None, shape=None, refuses=True
):
    if refuses and not 0 <= p <= 1:
        raise ValueError("p")
    if not training:
        return x.clone()
    draws = torch.rand(shape(x) if shape else x.shape, generator=generator)
    mask = (keep or (lambda draws, p: draws >= p))(draws, p)
    y = x * mask
    factor = (scale or (lambda p: 1 - p))(p)
    return y / factor if factor else torch.zeros_like(x)


def drops(**other):
    return lambda x, p=0.5, training=True, generator=None: drop(x, p, training, generator, **other)


def drop_in_place(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p")
    if not training:
        return x
    x[torch.rand(x.shape, generator=generator) < p] = 0
    return x / (1 - p) if p < 1 else x


def drop_with_a_seed(x, p=0.5, training=True, generator=None):
    if generator is None:
        generator = torch.Generator().manual_seed(42)
    return drop(x, p, training, generator)


def drop_exact_share(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p")
    if not training or p == 0:
        return x.clone()
    order = torch.randperm(x.numel(), generator=generator)[: int(p * x.numel())]
    y = x.clone().flatten() / (1 - p) if p < 1 else torch.zeros(x.numel())
    y[order] = 0
    return y.reshape(x.shape).to(x.dtype)


DROPOUT = {
    "keeps with probability p": drops(keep=lambda draws, p: draws < p),
    "does not scale": drops(scale=lambda p: 1),
    "multiplies by 1 minus p": drops(scale=lambda p: 1 / (1 - p) if p < 1 else 0),
    "divides by p": drops(scale=lambda p: p),
    "drops whole rows": drops(shape=lambda x: (*x.shape[:-1], 1)),
    "drops also in evaluation": lambda x, p=0.5, training=True, generator=None: drop(
        x, p, True, generator
    ),
    "scales in evaluation": lambda x, p=0.5, training=True, generator=None: (
        drop(x, p, True, generator, scale=lambda p: 1) if training else drop(x, p) * 0 + x * (1 - p)
    ),
    "ignores the generator": lambda x, p=0.5, training=True, generator=None: drop(x, p, training),
    "refuses nothing": drops(refuses=False),
    "divides by zero": lambda x, p=0.5, training=True, generator=None: (
        x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)
        if training and 0 <= p <= 1
        else drop(x, p, training)
    ),
    "changes x": drop_in_place,
    "the same draws each time": drop_with_a_seed,
    "exactly the share": drop_exact_share,
    "normal draws": lambda x, p=0.5, training=True, generator=None: (
        drop(x, p, training)
        if not training or not 0 <= p <= 1 or p in (0, 1)
        else x * (torch.randn(x.shape, generator=generator) >= p) / (1 - p)
    ),
}


def two(size):
    return size if isinstance(size, tuple) else (size, size)


def counts(formula, refuses=True):
    def conv2d_params(in_channels, out_channels, kernel_size, bias=True, groups=1):
        if refuses and (in_channels % groups or out_channels % groups):
            raise ValueError("groups")
        kh, kw = two(kernel_size)
        return formula(in_channels, out_channels, kh, kw, bias, groups)

    return conv2d_params


CONV_PARAMS = {
    "forgets the bias": counts(lambda i, o, kh, kw, bias, g: o * (i // g) * kh * kw),
    "always the bias": counts(lambda i, o, kh, kw, bias, g: o * (i // g * kh * kw + 1)),
    "one bias": counts(lambda i, o, kh, kw, bias, g: o * (i // g) * kh * kw + bias),
    "a bias for each input": counts(
        lambda i, o, kh, kw, bias, g: o * (i // g) * kh * kw + bias * i
    ),
    "forgets the groups": counts(lambda i, o, kh, kw, bias, g: o * (i * kh * kw + bias)),
    "divides by groups twice": counts(
        lambda i, o, kh, kw, bias, g: o // g * (i // g * kh * kw) + bias * o
    ),
    "multiplies by groups": counts(lambda i, o, kh, kw, bias, g: o * (i * g * kh * kw + bias)),
    "forgets the input channels": counts(lambda i, o, kh, kw, bias, g: o * (kh * kw + bias)),
    "square kernels": counts(lambda i, o, kh, kw, bias, g: o * (i // g * kh * kh + bias)),
    "ints only": lambda in_channels, out_channels, kernel_size, bias=True, groups=1: counts(
        lambda i, o, kh, kw, b, g: o * (i // g * kernel_size**2 + b)
    )(in_channels, out_channels, 1, bias, groups),
    "adds the sides": counts(lambda i, o, kh, kw, bias, g: o * (i // g * (kh + kw) + bias)),
    "divides with a slash": counts(lambda i, o, kh, kw, bias, g: o * (i / g * kh * kw + bias)),
    "refuses nothing": counts(
        lambda i, o, kh, kw, bias, g: o * (i // g * kh * kw + bias), refuses=False
    ),
    "looks at the inputs only": lambda in_channels, out_channels, kernel_size, bias=True, groups=1: (
        counts(
            lambda i, o, kh, kw, b, g: o * (i // g * kh * kw + b),
            refuses=bool(in_channels % groups),
        )(in_channels, out_channels, kernel_size, bias, groups)
    ),
}

LINEAR_PARAMS = {
    "forgets the bias": lambda in_features, out_features, bias=True: in_features * out_features,
    "always the bias": lambda in_features, out_features, bias=True: (
        (in_features + 1) * out_features
    ),
    "one bias": lambda in_features, out_features, bias=True: in_features * out_features + bias,
    "a bias for each input": lambda in_features, out_features, bias=True: (
        in_features * out_features + in_features * bias
    ),
    "adds": lambda in_features, out_features, bias=True: in_features + out_features + bias,
    "bias only": lambda in_features, out_features, bias=True: out_features * bias,
    "gives a float": lambda in_features, out_features, bias=True: float(
        out_features * (in_features + bias)
    ),
    "squares": lambda in_features, out_features, bias=True: out_features**2 + out_features * bias,
    "turns the bias round": lambda in_features, out_features, bias=True: (
        out_features * (in_features + (not bias))
    ),
}


def layers(num_classes=10):
    return OrderedDict(
        C1=nn.Conv2d(1, 6, 5, padding=2),
        relu1=nn.ReLU(),
        S2=nn.MaxPool2d(2),
        C3=nn.Conv2d(6, 16, 5),
        relu2=nn.ReLU(),
        S4=nn.MaxPool2d(2),
        C5=nn.Conv2d(16, 120, 5),
        relu3=nn.ReLU(),
        flatten=nn.Flatten(),
        F6=nn.Linear(120, 84),
        relu4=nn.ReLU(),
        OUTPUT=nn.Linear(84, num_classes),
    )


def nets(make=lambda: {}, order=None):
    def build_lenet5(num_classes=10):
        parts = layers(num_classes)
        parts.update(make())
        names = order(list(parts)) if order else list(parts)
        return nn.Sequential(OrderedDict((name, parts[name]) for name in names))

    return build_lenet5


def net_with_one_name_twice(num_classes=10):
    model = nn.Sequential()
    for name, layer in layers(num_classes).items():
        model.add_module("relu1" if name.startswith("relu") else name, layer)
    return model


def net_with_softmax(num_classes=10):
    model = nets()(num_classes)
    model.add_module("softmax", nn.Softmax(dim=1))
    return model


SHARED = nets()()


def net_with_linear_c5(num_classes=10):
    parts = layers(num_classes)
    parts["C5"] = nn.Linear(400, 120)
    order = [*list(parts)[:6], "flatten", "C5", "relu3", "F6", "relu4", "OUTPUT"]
    return nn.Sequential(OrderedDict((name, parts[name]) for name in order))


LENET = {
    "forgets the padding": nets(lambda: {"C1": nn.Conv2d(1, 6, 5)}),
    "pads everywhere": nets(lambda: {"C3": nn.Conv2d(6, 16, 5, padding=2)}),
    "averages": nets(lambda: {"S2": nn.AvgPool2d(2), "S4": nn.AvgPool2d(2)}),
    "tanh": nets(lambda: {f"relu{n}": nn.Tanh() for n in (1, 2, 3, 4)}),
    "sigmoid": nets(lambda: {f"relu{n}": nn.Sigmoid() for n in (1, 2, 3, 4)}),
    "ends in softmax": net_with_softmax,
    "always ten classes": lambda num_classes=10: nets()(10),
    "has no names": lambda num_classes=10: nn.Sequential(*layers(num_classes).values()),
    "one name for all rectifiers": net_with_one_name_twice,
    "forgets the last rectifier": nets(order=lambda names: [n for n in names if n != "relu4"]),
    "pools before it rectifies": nets(
        order=lambda names: [names[0], names[2], names[1], *names[3:]]
    ),
    "gives the same model": lambda num_classes=10: SHARED,
    "has no bias in C1": nets(lambda: {"C1": nn.Conv2d(1, 6, 5, padding=2, bias=False)}),
    "C5 is linear": net_with_linear_c5,
    "zeros for weights": lambda num_classes=10: [
        model := nets()(num_classes),
        [nn.init.zeros_(parameter) for parameter in model.parameters()],
    ][0],
    "seeds": lambda num_classes=10: [torch.manual_seed(0), nets()(num_classes)][1],
    "kernels of 3 in pooling": nets(lambda: {"S2": nn.MaxPool2d(3, stride=2, padding=1)}),
    "lower case": lambda num_classes=10: nn.Sequential(
        OrderedDict((name.lower(), layer) for name, layer in layers(num_classes).items())
    ),
    "84 and 120 swapped": nets(
        lambda: {"C5": nn.Conv2d(16, 84, 5), "F6": nn.Linear(84, 120), "OUTPUT": nn.Linear(120, 10)}
    ),
    "a list": lambda num_classes=10: list(layers(num_classes).values()),
}


def lenet(table, **other):
    links = sum(map(len, table))
    c3 = 25 * links + len(table)
    result = {
        "C1": (156, 156 * 28 * 28),
        "S2": (12, 6 * 14 * 14 * 5),
        "C3": (c3, c3 * 100),
        "S4": (32, 16 * 25 * 5),
        "C5": (48120, 48120),
        "F6": (10164, 10164),
        "OUTPUT": (0, 840),
    }
    for name, change in other.items():
        result[name] = change(*result[name], links)
    return result


def lenets(**other):
    return lambda table: lenet(table, **other)


LENET_1998 = {
    "joins all maps in C3": lenets(C3=lambda p, c, links: (2416, 241600)),
    "one bias in C3": lenets(C3=lambda p, c, links: (25 * links + 1, (25 * links + 1) * 100)),
    "no biases in connections": lenets(C3=lambda p, c, links: (p, 25 * links * 100)),
    "pools without parameters": lenets(
        S2=lambda p, c, links: (0, c), S4=lambda p, c, links: (0, c)
    ),
    "pools without biases in connections": lenets(
        S2=lambda p, c, links: (p, c // 5 * 4), S4=lambda p, c, links: (p, c // 5 * 4)
    ),
    "trains the output": lenets(OUTPUT=lambda p, c, links: (840, 840)),
    "trains the output with biases": lenets(OUTPUT=lambda p, c, links: (850, 850)),
    "a padded input of 28": lenets(C1=lambda p, c, links: (156, 156 * 24 * 24)),
    "swaps parameters and connections": lambda table: {
        name: (c, p) for name, (p, c) in lenet(table).items()
    },
    "gives the totals": lambda table: tuple(map(sum, zip(*lenet(table).values(), strict=True))),
    "gives lists": lambda table: {name: list(pair) for name, pair in lenet(table).items()},
    "counts bias of C5 wrongly": lenets(C5=lambda p, c, links: (48000, 48000)),
    "ignores the table": lambda table: lenet(
        [[0, 1, 2]] * 6 + [[0, 1, 2, 3]] * 9 + [[0, 1, 2, 3, 4, 5]]
    ),
    "forgets OUTPUT": lambda table: {k: v for k, v in lenet(table).items() if k != "OUTPUT"},
    "connections of parameters only": lambda table: {
        k: (p, p) for k, (p, c) in lenet(table).items()
    },
}


def summary(
    model,
    input_shape,
    *,
    macs=None,
    out_shape=lambda values: tuple(values.shape[1:]),
    type_of=lambda child: type(child).__name__,
    evaluates=True,
    restores="modes",
    params=lambda child: sum(parameter.numel() for parameter in child.parameters()),
    fill=torch.zeros,
):
    modes = [(module, module.training) for module in model.modules()]
    values = fill(1, *input_shape)
    first = next(model.parameters(), None)
    values = values if first is None else values.to(first.dtype)
    if evaluates:
        model.eval()
    rows = []
    with torch.no_grad():
        for name, child in model.named_children():
            before, values = values, child(values)
            if isinstance(child, nn.Linear):
                count = child.in_features * child.out_features
            elif isinstance(child, nn.Conv2d):
                count = child.weight.numel() * values.shape[2] * values.shape[3]
            else:
                count = 0
            rows.append(
                {
                    "name": name,
                    "type": type_of(child),
                    "out_shape": out_shape(values),
                    "params": params(child),
                    "macs": macs(child, before, values, count) if macs else count,
                }
            )
    if restores == "modes":
        for module, training in modes:
            module.training = training
    elif restores == "train":
        model.train()
    return rows


def summaries(**other):
    return lambda model, input_shape: summary(model, input_shape, **other)


def summary_with_hooks_left(model, input_shape):
    shapes = []
    for child in model.children():
        child.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[1:])))
    return summary(model, input_shape)


SUMMARY = {
    "leaves it in eval mode": summaries(restores=""),
    "leaves it in train mode": summaries(restores="train"),
    "runs in train mode": summaries(evaluates=False),
    "keeps the batch in shapes": summaries(out_shape=lambda values: tuple(values.shape)),
    "shapes as torch.Size": summaries(out_shape=lambda values: list(values.shape[1:])),
    "type as class": summaries(type_of=lambda child: type(child)),
    "type as text": summaries(type_of=lambda child: str(type(child))),
    "counts biases in macs": summaries(
        macs=lambda child, before, values, count: (
            count + (values.numel() if count and child.bias is not None else 0)
        )
    ),
    "macs by parameters": summaries(
        macs=lambda child, before, values, count: sum(p.numel() for p in child.parameters())
    ),
    "macs of input pixels": summaries(
        macs=lambda child, before, values, count: (
            child.weight.numel() * before.shape[2] * before.shape[3]
            if isinstance(child, nn.Conv2d)
            else count
        )
    ),
    "macs without groups": summaries(
        macs=lambda child, before, values, count: (
            count * child.groups if isinstance(child, nn.Conv2d) else count
        )
    ),
    "macs of convolutions only": summaries(
        macs=lambda child, before, values, count: count if isinstance(child, nn.Conv2d) else 0
    ),
    "weights only": summaries(
        params=lambda child: child.weight.numel() if hasattr(child, "weight") else 0
    ),
    "doubles macs": summaries(macs=lambda child, before, values, count: 2 * count),
    "leaves hooks": summary_with_hooks_left,
    "all modules": lambda model, input_shape: summary(
        nn.Sequential(*[m for m in model.modules() if not list(m.children())]), input_shape
    ),
    "a dict": lambda model, input_shape: {row["name"]: row for row in summary(model, input_shape)},
    "adds a total": lambda model, input_shape: [
        *summary(model, input_shape),
        {"name": "total", "params": 0, "macs": 0, "type": "", "out_shape": ()},
    ],
}

WRONG = {
    "batch_norm2d": NORM,
    "dropout": DROPOUT,
    "conv2d_params": CONV_PARAMS,
    "linear_params": LINEAR_PARAMS,
    "build_lenet5": LENET,
    "lenet5_1998": LENET_1998,
    "summarize": SUMMARY,
}
