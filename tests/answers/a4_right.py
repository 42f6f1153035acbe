"""Right answers to assignment 4, each written in another way."""

import copy
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# --- batch_norm2d -----------------------------------------------------------------------------


def batch_norm2d_by_loops(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    y, means, variances = torch.empty_like(x), running_mean.clone(), running_var.clone()
    for c in range(x.shape[1]):
        values = x[:, c].reshape(-1)
        n = len(values)
        mean, variance = running_mean[c], running_var[c]
        if training:
            if n < 2:
                raise ValueError("one value")
            mean = values.sum() / n
            variance = sum((v - mean) ** 2 for v in values) / n
            means[c] = means[c] * (1 - momentum) + mean * momentum
            variances[c] = variances[c] * (1 - momentum) + variance * n / (n - 1) * momentum
        y[:, c] = (x[:, c] - mean) / (variance + eps) ** 0.5 * gamma[c] + beta[c]
    return y, means, variances


def batch_norm2d_by_numpy(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    arrays = [t.numpy().astype(np.float64) for t in (x, gamma, beta, running_mean, running_var)]
    x64, g, b, mean, var = arrays
    new = running_mean, running_var
    if training:
        if x64[:, 0].size == 1:
            raise ValueError("one value")
        mean, var = x64.mean((0, 2, 3)), x64.var((0, 2, 3))
        unbiased = x64.var((0, 2, 3), ddof=1)
        moved = [(1 - momentum) * arrays[3] + momentum * mean]
        moved += [(1 - momentum) * arrays[4] + momentum * unbiased]
        new = tuple(torch.from_numpy(m).to(x.dtype) for m in moved)
    y = (np.moveaxis(x64, 1, -1) - mean) / np.sqrt(var + eps) * g + b
    return torch.from_numpy(np.moveaxis(y, -1, 1)).to(x.dtype), *new


def batch_norm2d_by_flattening(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    n, c, h, w = x.shape
    flat = x.permute(1, 0, 2, 3).reshape(c, -1)
    if training and flat.shape[1] == 1:
        raise ValueError("one value")
    mean, var = running_mean, running_var
    if training:
        var, mean = torch.var_mean(flat, dim=1, unbiased=False)
        unbiased = flat.var(dim=1)
        running_mean = torch.lerp(running_mean, mean, momentum)
        running_var = torch.lerp(running_var, unbiased, momentum)
    y = torch.addcmul(
        beta[:, None], gamma[:, None], (flat - mean[:, None]) * (var[:, None] + eps).rsqrt()
    )
    return y.view(c, n, h, w).transpose(0, 1), running_mean, running_var


def batch_norm2d_by_einsum(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    count = x.shape[0] * x.shape[2] * x.shape[3]
    if training and count == 1:
        raise ValueError("one value")
    old = running_mean.clone(), running_var.clone()
    if training:
        mean = torch.einsum("nchw->c", x) / count
        centred = x - mean.view(1, -1, 1, 1)
        var = torch.einsum("nchw,nchw->c", centred, centred) / count
        new = (
            old[0] + momentum * (mean - old[0]),
            old[1] + momentum * (var * count / (count - 1) - old[1]),
        )
    else:
        (mean, var), new = old, old
    a = gamma / (var + eps).sqrt()
    return torch.einsum("nchw,c->nchw", x, a) + (beta - mean * a).view(1, -1, 1, 1), *new


def batch_norm2d_by_mean_of_squares(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    new_mean, new_var = torch.clone(running_mean), torch.clone(running_var)
    m = x.numel() / x.size(1)
    if training:
        if m <= 1:
            raise ValueError
        mean = x.mean((0, 2, 3))
        var = (x * x).mean((0, 2, 3)) - mean * mean
        new_mean.mul_(1 - momentum).add_(momentum * mean)
        new_var.mul_(1 - momentum).add_(momentum * var * m / (m - 1))
    else:
        mean, var = new_mean, new_var
    out = x.clone()
    out -= mean[None, :, None, None]
    out /= torch.sqrt(var[None, :, None, None] + eps)
    out *= gamma[None, :, None, None]
    out += beta[None, :, None, None]
    return out, new_mean, new_var


# --- dropout ----------------------------------------------------------------------------------


def dropout_by_bernoulli(x, p=0.5, training=True, generator=None):
    if p < 0 or p > 1:
        raise ValueError("p")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    return x * torch.bernoulli(torch.full_like(x, 1 - p), generator=generator) / (1 - p)


def dropout_by_where(x, p=0.5, training=True, generator=None):
    if not (0.0 <= p <= 1.0):
        raise ValueError("p")
    if not training:
        return x.clone()
    gone = torch.rand(x.size(), generator=generator) < p
    return x.masked_fill(gone, 0.0) / (1 - p) if p < 1 else torch.zeros_like(x)


def dropout_by_loops(x, p=0.5, training=True, generator=None):
    if p > 1 or p < 0:
        raise ValueError("p")
    out = x.clone()
    if not training:
        return out
    flat = out.reshape(-1)
    for i, draw in enumerate(torch.rand(flat.numel(), generator=generator).tolist()):
        flat[i] = 0 if draw < p or p == 1 else flat[i] / (1 - p)
    return flat.reshape(x.shape)


def dropout_by_numpy(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p")
    if not training:
        return torch.from_numpy(x.numpy().copy())
    seed = int(torch.randint(2**62, (), generator=generator))
    keep = np.random.default_rng(seed).random(tuple(x.shape)) >= p
    scaled = x.numpy() / (1 - p) if p < 1 else x.numpy()
    return torch.from_numpy(np.where(keep, scaled, 0).astype(x.numpy().dtype))


def dropout_by_uniform(x, p=0.5, training=True, generator=None):
    if abs(p - 0.5) > 0.5:
        raise ValueError("p")
    if training and p:
        mask = torch.empty(x.shape, dtype=torch.float64).uniform_(generator=generator).ge(p)
        scale = 0.0 if p == 1 else 1.0 / (1.0 - p)
        return (x.double() * mask * scale).to(x.dtype)
    return +x


# --- conv2d_params, linear_params -------------------------------------------------------------


def conv2d_params_by_layer(in_channels, out_channels, kernel_size, bias=True, groups=1):
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
    return sum(p.numel() for p in layer.parameters())


def conv2d_params_by_loops(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError
    kh, kw = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    total = 0
    for _ in range(groups):
        for _ in range(out_channels // groups):
            total += kh * kw * (in_channels // groups) + int(bias)
    return total


def conv2d_params_by_numpy(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if np.any(np.array([in_channels, out_channels]) % groups):
        raise ValueError
    kernel = np.broadcast_to(kernel_size, 2)
    return int(out_channels * in_channels // groups * kernel.prod() + bias * out_channels)


def conv2d_params_by_shape(in_channels, out_channels, kernel_size, bias=True, groups=1):
    class OddGroupsError(ValueError):
        pass

    if in_channels % groups or out_channels % groups:
        raise OddGroupsError(groups)
    pair = kernel_size if type(kernel_size) is tuple else (kernel_size, kernel_size)
    weight = torch.Size([out_channels, in_channels // groups, *pair])
    return weight.numel() + (out_channels if bias else 0)


def linear_params_by_layer(in_features, out_features, bias=True):
    return sum(p.numel() for p in nn.Linear(in_features, out_features, bias=bias).parameters())


def linear_params_by_sum(in_features, out_features, bias=True):
    return sum(in_features + bool(bias) for _ in range(out_features))


def linear_params_by_product(in_features, out_features, bias=True):
    return (in_features + (1 if bias else 0)) * out_features


linear_params_by_lambda = lambda in_features, out_features, bias=True: (  # noqa: E731
    in_features * out_features + out_features * bias
)

# --- build_lenet5 -----------------------------------------------------------------------------


def build_lenet5_by_adding(num_classes=10):
    model = nn.Sequential()
    channels = [1, 6, 16, 120]
    for n, (name, pool) in enumerate([("C1", "S2"), ("C3", "S4"), ("C5", None)]):
        conv = nn.Conv2d(channels[n], channels[n + 1], (5, 5), padding="same" if n == 0 else 0)
        model.add_module(name, conv)
        model.add_module(f"relu{n + 1}", nn.ReLU(inplace=True))
        if pool:
            model.add_module(pool, nn.MaxPool2d((2, 2), stride=2))
    model.add_module("flatten", nn.Flatten(start_dim=1))
    model.add_module("F6", nn.Linear(120, 84))
    model.add_module("relu4", nn.ReLU())
    model.add_module("OUTPUT", nn.Linear(84, num_classes))
    return model


class _LeNet(nn.Sequential):
    def __init__(self, n):
        c = nn.Conv2d
        super().__init__(
            OrderedDict(
                C1=c(1, 6, 5, stride=1, padding=(2, 2)), relu1=nn.ReLU(), S2=nn.MaxPool2d(2, 2),
                C3=c(6, 16, 5), relu2=nn.ReLU(), S4=nn.MaxPool2d(2, ceil_mode=True),
                C5=c(16, 120, 5), relu3=nn.ReLU(), flatten=nn.Flatten(),
                F6=nn.Linear(120, 84), relu4=nn.ReLU(), OUTPUT=nn.Linear(84, n),
            )
        )  # fmt: skip


def build_lenet5_by_subclass(num_classes=10):
    return _LeNet(num_classes)


def build_lenet5_by_initialising(num_classes=10):
    model = _LeNet(num_classes)
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def build_lenet5_by_lazy_layers(num_classes=10):
    names = [name for name, _ in lenet5_layers()]
    layers = [nn.LazyConv2d(6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.LazyConv2d(16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.LazyConv2d(120, 5)]
    layers += [nn.ReLU(), nn.Flatten(), nn.LazyLinear(84), nn.ReLU(), nn.LazyLinear(num_classes)]
    model = nn.Sequential(OrderedDict(zip(names, layers, strict=True)))
    model(torch.zeros(1, 1, 28, 28))
    return model


def build_lenet5_by_setting(num_classes=10):
    model = nn.Sequential(OrderedDict(lenet5_layers()))
    model.OUTPUT = nn.Linear(84, num_classes)
    return model


def lenet5_layers():
    yield "C1", nn.Conv2d(1, 6, 5, padding=2)
    yield "relu1", nn.ReLU()
    yield "S2", nn.MaxPool2d(2)
    yield "C3", nn.Conv2d(6, 16, 5)
    yield "relu2", nn.ReLU()
    yield "S4", nn.MaxPool2d(2)
    yield "C5", nn.Conv2d(16, 120, 5)
    yield "relu3", nn.ReLU()
    yield "flatten", nn.Flatten()
    yield "F6", nn.Linear(120, 84)
    yield "relu4", nn.ReLU()
    yield "OUTPUT", nn.Linear(84, 10)


# --- lenet5_1998 ------------------------------------------------------------------------------


def lenet5_1998_by_units(table):
    def conv(size, inputs):
        trained = sum(25 * n + 1 for n in inputs)
        return trained, trained * size * size

    return {
        "OUTPUT": (0, 840),
        "F6": (10164, 10164),
        "C5": conv(1, [16] * 120),
        "S4": (32, 16 * 25 * 5),
        "C3": conv(10, [len(row) for row in table]),
        "S2": (12, 6 * 196 * 5),
        "C1": conv(28, [1] * 6),
    }


def lenet5_1998_by_numpy(table):
    mask = np.zeros((len(table), 6), dtype=int)
    for row, maps in enumerate(table):
        mask[row, maps] = 1
    c3 = int(mask.sum()) * 25 + 16
    trained = np.array([156, 12, c3, 32, 48120, 10164, 0])
    links = trained * np.array([784, 0, 100, 0, 1, 1, 0]) + np.array([0, 5880, 0, 2000, 0, 0, 840])
    names = ["C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT"]
    return dict(zip(names, zip(trained.tolist(), links.tolist(), strict=True), strict=True))


def lenet5_1998_by_layers(table):
    n = lambda layer: sum(p.numel() for p in layer.parameters())  # noqa: E731
    c3 = sum(n(nn.Conv2d(len(maps), 1, 5)) for maps in table)
    c1, c5, f6 = n(nn.Conv2d(1, 6, 5)), n(nn.Conv2d(16, 120, 5)), n(nn.Linear(120, 84))
    out = OrderedDict(C1=(c1, c1 * 28**2), S2=(12, 5880), C3=(c3, c3 * 100))
    out.update(S4=(32, 2000), C5=(c5, c5), F6=(f6, f6), OUTPUT=(0, 840))
    return out


def lenet5_1998_by_comprehension(table):
    sizes = {"C1": 28, "S2": 14, "C3": 10, "S4": 5, "C5": 1, "F6": 1}
    per_place = {"C1": 156, "C3": sum(25 * len(t) + 1 for t in table), "C5": 48120, "F6": 10164}
    result = {k: (v, v * sizes[k] ** 2) for k, v in per_place.items()}
    result |= {k: (2 * m, 5 * m * sizes[k] ** 2) for k, m in (("S2", 6), ("S4", 16))}
    return result | {"OUTPUT": (0, 84 * 10)}


# --- summarize --------------------------------------------------------------------------------


def _macs(layer, out):
    if isinstance(layer, nn.Linear):
        return layer.weight.numel()
    if isinstance(layer, nn.Conv2d):
        kh, kw = layer.kernel_size
        return layer.in_channels // layer.groups * kh * kw * out.numel() // out.shape[0]
    return 0


def _row(name, layer, out):
    return {
        "name": name,
        "type": layer.__class__.__name__,
        "out_shape": out.shape[1:],
        "params": sum(p.numel() for p in layer.parameters()),
        "macs": _macs(layer, out),
    }


def summarize_by_copy(model, input_shape):
    twin = copy.deepcopy(model).eval()
    x = torch.rand(2, *input_shape)
    rows = []
    for name, layer in twin.named_children():
        x = layer(x)
        rows.append(_row(name, layer, x))
    return rows


def summarize_by_hooks(model, input_shape):
    rows, handles = [], []
    modes = {m: m.training for m in model.modules()}
    for name, layer in model.named_children():

        def hook(module, inputs, output, name=name):
            rows.append(_row(name, module, output.detach().clone()))

        handles.append(layer.register_forward_hook(hook))
    try:
        model.eval()
        with torch.no_grad():
            model(torch.zeros((1, *input_shape)))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return rows


def summarize_by_copy_in_its_own_mode(model, input_shape):
    copied = copy.deepcopy(model)
    x = torch.ones(4, *input_shape)
    with torch.inference_mode():
        return [_row(n, m, x := m(x)) for n, m in copied.named_children()]


def summarize_by_modes_of_layers(model, input_shape):
    rows = []
    x = torch.randn(1, *input_shape, generator=torch.Generator().manual_seed(0))
    for name in model._modules:
        layer = model._modules[name]
        was = [(m, m.training) for m in layer.modules()]
        layer.eval()
        with torch.no_grad():
            x = layer(x)
        for m, mode in was:
            m.train(mode)
        rows.append(_row(name, layer, x) | {"out_shape": tuple(x[0].shape)})
    return rows


def summarize_by_arithmetic(model, input_shape):
    rows, shape = [], tuple(input_shape)
    for name, layer in model.named_children():
        out = copy.deepcopy(layer).eval()(torch.zeros(1, *shape))
        shape = tuple(out.shape)[1:]
        macs = 0
        if type(layer).__name__ == "Conv2d":
            weights = F.conv2d(
                torch.ones(1, *layer.weight.shape[1:]), torch.ones_like(layer.weight)
            ).sum()
            macs = int(weights) * shape[1] * shape[2]
        elif type(layer).__name__ == "Linear":
            macs = layer.in_features * layer.out_features
        params = sum(len(p.detach().flatten()) for p in layer.parameters())
        rows.append(
            dict(name=name, type=type(layer).__name__, out_shape=shape, params=params, macs=macs)
        )
    return rows
