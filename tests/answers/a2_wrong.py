"""Wrong answers to assignment 2 that no misconception is, and answers that let a library work."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.functional import unfold as patches

from answers import a2_right as right

table = right.im2col_by_as_strided
product = right.conv2d_gemm_by_one_product_for_all
gradients = right.conv2d_backward_by_table_and_scatter
pool = right.max_pool2d_by_running_maximum
pool_back = right.max_pool2d_backward_by_index_put
fields = right.receptive_field_by_walking_down


def when(condition, function, change):
    """Return right answers, but changed ones where the condition on the arguments holds."""

    def answer(*args, **kwargs):
        result = function(*args, **kwargs)
        return change(result) if condition(*args, **kwargs) else result

    return answer


def always(function, change):
    return when(lambda *args, **kwargs: True, function, change)


def reversed_along(axis):
    return lambda result: result.flip(axis)


def _in_place(x, kernel_size, stride=1, padding=0, dilation=1):
    result = table(x, kernel_size, stride, padding, dilation).clone()
    x *= 2
    return result


def _of_view(x, kernel_size, stride=1, padding=0, dilation=1):
    flat = x.view(len(x), -1)
    return table(flat.view(x.shape), kernel_size, stride, padding, dilation)


def _assuming_contiguous(x, kernel_size, stride=1, padding=0, dilation=1):
    _, c, h, w = x.shape
    packed = torch.as_strided(x, x.shape, (c * h * w, h * w, w, 1), x.storage_offset())
    return table(packed, kernel_size, stride, padding, dilation)


def _settings(change):
    def answer(x, kernel_size, stride=1, padding=0, dilation=1):
        pairs = map(right._pair, (kernel_size, stride, padding, dilation))
        return table(x, *change(*pairs))

    return answer


def _tuple_of_images(x, kernel_size, stride=1, padding=0, dilation=1):
    return tuple(table(x, kernel_size, stride, padding, dilation))


def is_pair(x, kernel_size, stride=1, padding=0, dilation=1):
    return any(isinstance(value, tuple) for value in (kernel_size, stride, padding, dilation))


def uneven(x, kernel_size, stride=1, padding=0, dilation=1):
    sizes = zip(
        x.shape[2:], *map(right._pair, (kernel_size, stride, padding, dilation)), strict=True
    )
    return any((n + 2 * p - d * (k - 1) - 1) % s for n, k, s, p, d in sizes)


IM2COL = {
    "input doubled": _in_place,
    "a view, which strides refuse": _of_view,
    "contiguous memory taken for granted": _assuming_contiguous,
    "NumPy's array": lambda *a, **k: right.im2col_by_numpy(*a, **k).numpy(),
    "a list": lambda *a, **k: table(*a, **k).tolist(),
    "a tuple of images": _tuple_of_images,
    "float64 always": lambda *a, **k: table(*a, **k).double(),
    "columns in reverse order": always(table, reversed_along(2)),
    "images in reverse order": always(table, reversed_along(0)),
    "padding and stride swapped": _settings(lambda k, s, p, d: (k, p if 0 not in p else s, s, d)),
    "stride capped at two": _settings(lambda k, s, p, d: (k, tuple(min(n, 2) for n in s), p, d)),
    "dilation capped at two": _settings(lambda k, s, p, d: (k, s, p, tuple(min(n, 2) for n in d))),
    "dilation times stride": _settings(
        lambda k, s, p, d: (k, s, p, tuple(m * n for m, n in zip(s, d, strict=True)))
    ),
    "larger of a pair": _settings(lambda *pairs: (max(pair) for pair in pairs)),
    "padding only without stride": _settings(lambda k, s, p, d: (k, s, p if s == (1, 1) else 0, d)),
    "dilation only without padding": _settings(
        lambda k, s, p, d: (k, s, p, d if p == (0, 0) else 1)
    ),
    "pairs raise": when(is_pair, table, lambda result: 1 / 0),
    "zero where the stride leaves a rest": when(uneven, table, lambda result: result * 0),
    "wrong for more than one image": when(
        lambda x, *a, **k: len(x) > 1, table, lambda result: result.roll(1, 0)
    ),
    "wrong for more than two channels": when(
        lambda x, *a, **k: x.shape[1] > 2, table, lambda result: result.flip(1)
    ),
    "wrong in float64": when(
        lambda x, *a, **k: x.dtype == torch.float64, table, lambda result: result * (1 + 1e-8)
    ),
    "nothing returned": always(table, lambda result: None),
    "printed": always(table, print),
}


def _python_positions(x, weight, bias=None, stride=1, padding=0):
    """Make the table window by window, in a helper."""
    kernel = tuple(weight.shape[2:])
    cut = right.im2col_by_loops_over_places(x, kernel, stride, padding)
    shape = len(x), len(weight), *right._sizes(x, kernel, stride, padding)
    result = (weight.flatten(1) @ cut).reshape(shape)
    return result if bias is None else result + bias[:, None, None]


def _numpy_positions(x, weight, bias=None, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    rows, columns = right._sizes(x, (kh, kw), stride, padding)
    image, w = right._padded(x, padding).numpy(), weight.numpy()
    flat = w.reshape(len(w), -1)
    out = np.array(
        [
            image[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw].reshape(
                len(image), -1
            )
            @ flat.T
            for i in range(rows)
            for j in range(columns)
        ]
    )
    out = torch.from_numpy(out).permute(1, 2, 0).reshape(len(x), len(w), rows, columns)
    return out if bias is None else out + bias[:, None, None]


def _mapped_positions(x, weight, bias=None, stride=1, padding=0):
    kernel = tuple(weight.shape[2:])
    columns = table(x, kernel, stride, padding).unbind(2)
    each = list(map(functools.partial(torch.matmul, weight.flatten(1)), [c.T for c in columns]))
    shape = len(weight), len(x), *right._sizes(x, kernel, stride, padding)
    result = torch.stack(each, 2).reshape(shape).transpose(0, 1)
    return result if bias is None else result + bias[:, None, None]


def _recursive_positions(x, weight, bias=None, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    rows, columns = right._sizes(x, (kh, kw), stride, padding)
    padded = right._padded(x, padding)
    out = torch.zeros(len(x), len(weight), rows, columns, dtype=x.dtype)
    position = 0
    while position < rows * columns:
        i, j = divmod(position, columns)
        window = padded[:, None, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
        out[:, :, i, j] = (window * weight).sum((2, 3, 4))
        position += 1
    return out if bias is None else out + bias.view(-1, 1, 1)


def _bias_in_place(x, weight, bias=None, stride=1, padding=0):
    result = product(x, weight, bias, stride, padding)
    if bias is not None:
        bias += 1
    return result


def _weight_in_place(x, weight, bias=None, stride=1, padding=0):
    result = product(x, weight, bias, stride, padding)
    weight.mul_(0.5)
    return result


def _views(x, weight, bias=None, stride=1, padding=0):
    return product(x, weight.view(len(weight), -1).view(weight.shape), bias, stride, padding)


def _bias_always(x, weight, bias=None, stride=1, padding=0):
    return product(x, weight, bias.clone(), stride, padding)


def _bias_kept(x, weight, bias=None, stride=1, padding=0, *, kept=torch.zeros(9)):  # noqa: B008
    """Keep the bias of the last call that had one."""
    if bias is not None:
        kept[: len(bias)] = bias
    return product(x, weight, kept[: len(weight)].to(x.dtype), stride, padding)


GEMM = {
    "window by window in a helper": _python_positions,
    "window by window in NumPy": _numpy_positions,
    "column by column with map": _mapped_positions,
    "while over positions": _recursive_positions,
    "bias changed": _bias_in_place,
    "weight changed": _weight_in_place,
    "weight viewed": _views,
    "bias demanded": _bias_always,
    "bias of an earlier call": _bias_kept,
    "float64 always": lambda *a, **k: product(*a, **k).double(),
    "integers": lambda *a, **k: product(*a, **k).round(),
    "squeezed": lambda *a, **k: product(*a, **k).squeeze(),
    "NumPy's array": lambda *a, **k: product(*a, **k).numpy(),
    "images in reverse order": always(product, reversed_along(0)),
    "filters in reverse order": always(product, reversed_along(1)),
    "map turned": always(product, lambda result: result.flip(2, 3)),
    "bias squared": lambda x, w, bias=None, stride=1, padding=0: product(
        x, w, None if bias is None else bias**2, stride, padding
    ),
    "padding dropped with stride": lambda x, w, bias=None, stride=1, padding=0: product(
        x, w, bias, stride, padding if stride == 1 else 0
    ),
    "bias dropped with stride": lambda x, w, bias=None, stride=1, padding=0: product(
        x, w, bias if stride == 1 else None, stride, padding
    ),
    "stride and padding swapped": lambda x, w, bias=None, stride=1, padding=0: product(
        x, w, bias, padding or 1, stride if padding else 0
    ),
    "wrong for more than one image": when(
        lambda x, *a, **k: len(x) > 1, product, lambda result: result.roll(1, 0)
    ),
    "wrong for rectangles": when(
        lambda x, weight, *a, **k: weight.shape[2] != weight.shape[3],
        product,
        lambda result: result + 1,
    ),
    "noise": always(product, lambda result: result + 1e-3 * result.abs().max()),
}


def _one_gradient(index, change):
    def answer(grad_out, x, weight, stride=1, padding=0):
        parts = list(gradients(grad_out, x, weight, stride, padding))
        parts[index] = change(parts[index])
        return tuple(parts)

    return answer


def _gradients_when(condition, change):
    def answer(grad_out, x, weight, stride=1, padding=0):
        parts = gradients(grad_out, x, weight, stride, padding)
        return change(*parts) if condition(grad_out, x, weight, stride, padding) else parts

    return answer


def _grad_scaled(grad_out, x, weight, stride=1, padding=0):
    result = gradients(grad_out, x, weight, stride, padding)
    grad_out.mul_(2)
    return result


def _left_over(grad_out, x, weight, stride, padding):
    sizes = zip(x.shape[2:], weight.shape[2:], strict=True)
    return any((n + 2 * padding - k) % stride for n, k in sizes)


def _cut_left_over(dx, dw, db):
    return dx[..., :-1, :-1], dw, db


BACKWARD = {
    "input changed": _grad_scaled,
    "dx twice": _one_gradient(0, lambda dx: 2 * dx),
    "dw twice": _one_gradient(1, lambda dw: 2 * dw),
    "db twice": _one_gradient(2, lambda db: 2 * db),
    "dx of the right shape, zero": _one_gradient(0, torch.zeros_like),
    "dw of the right shape, zero": _one_gradient(1, torch.zeros_like),
    "dw not flipped but reversed in channels": _one_gradient(1, lambda dw: dw.flip(1)),
    "dw reversed in filters": _one_gradient(1, lambda dw: dw.flip(0)),
    "db reversed": _one_gradient(2, lambda db: db.flip(0)),
    "db a list": _one_gradient(2, lambda db: db.tolist()),
    "db a float": _one_gradient(2, lambda db: float(db.sum())),
    "no db": _one_gradient(2, lambda db: None),
    "dx flipped": _one_gradient(0, lambda dx: dx.flip(2, 3)),
    "dx shifted": _one_gradient(0, lambda dx: dx.roll(1, 3)),
    "db in float64": _one_gradient(2, lambda db: db.double()),
    "dw in float64": _one_gradient(1, lambda dw: dw.double()),
    "a dict": lambda *a, **k: dict(zip(("dx", "dw", "db"), gradients(*a, **k), strict=True)),
    "one tensor": lambda *a, **k: torch.cat([part.flatten() for part in gradients(*a, **k)]),
    "left over cut off": _gradients_when(_left_over, _cut_left_over),
    "wrong for stride above two": _gradients_when(
        lambda g, x, w, s, p: s > 2, lambda dx, dw, db: (dx, dw * 0.5, db)
    ),
    "wrong for padding above one": _gradients_when(
        lambda g, x, w, s, p: p > 1, lambda dx, dw, db: (dx.roll(1, 2), dw, db)
    ),
    "wrong for rectangles": _gradients_when(
        lambda g, x, w, s, p: w.shape[2] > w.shape[3], lambda dx, dw, db: (dx, dw.flip(3), db)
    ),
    "square padding forgotten with a stride": lambda g, x, w, stride=1, padding=0: gradients(
        g, x, w, stride, padding if stride == 1 else 0
    ),
    "gradient of a mean": lambda g, x, w, stride=1, padding=0: gradients(
        g / g.numel(), x, w, stride, padding
    ),
    "gradient of ones": lambda g, x, w, stride=1, padding=0: gradients(
        torch.ones_like(g), x, w, stride, padding
    ),
}


def _pool_when(condition, change):
    def answer(x, kernel_size, stride=None, padding=0):
        values, indices = pool(x, kernel_size, stride, padding)
        if condition(x, kernel_size, stride, padding):
            return change(values, indices)
        return values, indices

    return answer


def _pool_always(change):
    return _pool_when(lambda *arguments: True, change)


def _refusing_with(error):
    def answer(x, kernel_size, stride=None, padding=0):
        if padding > kernel_size // 2:
            raise error
        return pool(x, kernel_size, stride, padding)

    return answer


def _refuse_negative(x, kernel_size, stride=None, padding=0):
    if x.min() < 0:
        raise ValueError("negative")
    return pool(x, kernel_size, stride, padding)


def _finite_border(x, kernel_size, stride=None, padding=0):
    right._refuse(kernel_size, padding)
    step = kernel_size if stride is None else stride
    return pool(right._padded(x, padding, -100.0), kernel_size, step)


def _unpadded_input_filled(x, kernel_size, stride=None, padding=0):
    result = pool(x, kernel_size, stride, padding)
    x.fill_(0)
    return result


POOL = {
    "input changed": _unpadded_input_filled,
    "border of -100, indices into it": _finite_border,
    "refused with TypeError": _refusing_with(TypeError("padding")),
    "refused with RuntimeError": _refusing_with(RuntimeError("padding")),
    "negative inputs refused": _refuse_negative,
    "values rounded": _pool_always(lambda values, indices: (values.round(), indices)),
    "values in float64": _pool_always(lambda values, indices: (values.double(), indices)),
    "indices as int16": _pool_always(lambda values, indices: (values, indices.short())),
    "indices one too small": _pool_always(lambda values, indices: (values, indices - 1)),
    "indices zero": _pool_always(lambda values, indices: (values, indices * 0)),
    "indices a list": _pool_always(lambda values, indices: (values, indices.tolist())),
    "flattened": _pool_always(lambda values, indices: (values.flatten(2), indices.flatten(2))),
    "stacked": _pool_always(lambda values, indices: torch.stack([values, indices.to(values)])),
    "transposed": _pool_always(lambda *parts: tuple(part.transpose(2, 3) for part in parts)),
    "both flipped": _pool_always(lambda *parts: tuple(part.flip(3) for part in parts)),
    "values of the first image": _pool_always(
        lambda values, indices: (values[:1].expand_as(values), indices)
    ),
    "indices of the first channel": _pool_always(
        lambda values, indices: (values, indices[:, :1].expand_as(indices))
    ),
    "indices of the first image": _pool_always(
        lambda values, indices: (values, indices[:1].expand_as(indices))
    ),
    "wrong for odd kernels": _pool_when(
        lambda x, k, s, p: k % 2, lambda values, indices: (values - 1, indices)
    ),
    "wrong for gaps": _pool_when(
        lambda x, k, s, p: s is not None and s > k, lambda values, indices: (values, indices + 1)
    ),
    "wrong with padding and stride": _pool_when(
        lambda x, k, s, p: p and s not in (None, k), lambda values, indices: (values, indices + 1)
    ),
    "wrong for tall maps": _pool_when(
        lambda x, k, s, p: x.shape[2] > x.shape[3], lambda values, indices: (values + 1, indices)
    ),
    "zero taken for no stride given": lambda x, kernel_size, stride=1, padding=0: pool(
        x, kernel_size, stride, padding
    ),
    "kernel 2 always": lambda x, kernel_size, stride=None, padding=0: pool(
        x, 2, stride or kernel_size, padding
    ),
    "last row-major maximum by index": _pool_when(
        lambda x, k, s, p: len(x.unique()) < 3, lambda values, indices: (values, indices.flip(3))
    ),
}


def _back_when(condition, change):
    return when(condition, pool_back, change)


def _zero_based_by_row(grad_out, indices, input_shape):
    """Take the index for row * H + column."""
    height, width = input_shape[2:]
    moved = (indices // height).clamp(max=height - 1) * width + (indices % height) % width
    return pool_back(grad_out, moved, input_shape)


def _grad_changed(grad_out, indices, input_shape):
    result = pool_back(grad_out, indices, input_shape)
    grad_out.zero_()
    return result


def _indices_changed(grad_out, indices, input_shape):
    offset = torch.arange(indices.shape[1]).view(1, -1, 1, 1) * input_shape[2] * input_shape[3]
    indices += offset
    flat = torch.zeros(input_shape, dtype=grad_out.dtype).flatten(1)
    flat.scatter_add_(1, indices.flatten(1), grad_out.flatten(1))
    return flat.reshape(input_shape)


def _by_plain_assignment(grad_out, indices, input_shape):
    result = torch.zeros(input_shape, dtype=grad_out.dtype).flatten(2)
    n, c = torch.meshgrid(*map(torch.arange, input_shape[:2]), indexing="ij")
    result[n[..., None], c[..., None], indices.flatten(2)] += grad_out.flatten(2)
    return result.reshape(input_shape)


POOL_BACK = {
    "+= with an index list": _by_plain_assignment,
    "gradient changed": _grad_changed,
    "indices changed": _indices_changed,
    "row length is the height": _zero_based_by_row,
    "twice": always(pool_back, lambda result: result * 2),
    "NumPy's array": always(pool_back, lambda result: result.numpy()),
    "float64 always": always(pool_back, lambda result: result.double()),
    "int64": always(pool_back, lambda result: result.long()),
    "flipped": always(pool_back, lambda result: result.flip(2, 3)),
    "images in reverse order": always(pool_back, reversed_along(0)),
    "channels in reverse order": always(pool_back, reversed_along(1)),
    "zero": always(pool_back, torch.zeros_like),
    "first image only": always(pool_back, lambda result: result[:1]),
    "absolute values": always(pool_back, torch.abs),
    "clipped": always(pool_back, lambda result: result.clamp(-5, 5)),
    "normalised": always(pool_back, lambda result: result / result.abs().sum()),
    "a tuple": always(pool_back, lambda result: (result,)),
    "none": always(pool_back, lambda result: None),
    "wrong for two images": _back_when(
        lambda grad_out, *a, **k: len(grad_out) > 1, lambda result: result.roll(1, 0)
    ),
    "smallest of shared": lambda grad_out, indices, input_shape: (
        torch.zeros(input_shape, dtype=grad_out.dtype)
        .flatten(2)
        .scatter_reduce(2, indices.flatten(2), grad_out.flatten(2), "amin", include_self=False)
        .reshape(input_shape)
    ),
}


def _each(change):
    return lambda layers: [change(*row) for row in fields(layers)]


def _layers_as(change):
    return lambda layers: fields([change(*layer) for layer in layers])


def _emptied(layers):
    rows = fields(layers)
    layers.clear()
    return rows


def _centre_of_second(layers):
    return [(size, jump, centre + jump) for size, jump, centre in fields(layers)]


FIELD = {
    "list emptied": _emptied,
    "centre of the second unit": _centre_of_second,
    "sizes odd": _each(lambda r, j, c: (r | 1, j, c)),
    "centre negated": _each(lambda r, j, c: (r, j, -c)),
    "centre rounded": _each(lambda r, j, c: (r, j, float(round(c)))),
    "centre as text": _each(lambda r, j, c: (r, j, str(c))),
    "centre rounded up": _each(lambda r, j, c: (r, j, float(-(-c // 1)))),
    "centre a tensor": _each(lambda r, j, c: (r, j, torch.tensor(c))),
    "centre from one": _each(lambda r, j, c: (r, j, c + 1)),
    "sizes of NumPy": _each(lambda r, j, c: (np.int64(r), j, c)),
    "jumps of floats": _each(lambda r, j, c: (r, float(j), c)),
    "sizes squared": _each(lambda r, j, c: (r * r, j, c)),
    "two numbers": _each(lambda r, j, c: (r, j)),
    "dicts": _each(lambda r, j, c: {"size": r, "jump": j, "centre": c}),
    "a tuple of rows": lambda layers: tuple(fields(layers)),
    "a tensor": lambda layers: torch.tensor(fields(layers)),
    "centre of the size, padding summed": lambda layers: [
        (r, j, (r - 1) / 2 - sum(layer[2] for layer in layers[: n + 1]))
        for n, (r, j, _) in enumerate(fields(layers))
    ],
    "stride and kernel swapped": _layers_as(lambda k, s, p, d: (s, k, p, d)),
    "padding twice": _layers_as(lambda k, s, p, d: (k, s, 2 * p, d)),
    "padding of one": _layers_as(lambda k, s, p, d: (k, s, min(p, 1), d)),
    "dilation of two": _layers_as(lambda k, s, p, d: (k, s, p, min(d, 2))),
    "stride of two": _layers_as(lambda k, s, p, d: (k, min(s, 2), p, d)),
    "odd kernels": _layers_as(lambda k, s, p, d: (k | 1, s, p, d)),
    "an error for no layers": lambda layers: fields(layers) if layers[0] else [],
    "last row missing": lambda layers: fields(layers[:-1]),
    "first layer dropped": lambda layers: fields(layers[1:]),
    "gaps left out": lambda layers: [
        (min(r, max(k for k, *_ in layers) * j), j, c) for r, j, c in fields(layers)
    ],
}

WRONG = {
    "im2col": IM2COL,
    "conv2d_gemm": GEMM,
    "conv2d_backward": BACKWARD,
    "max_pool2d": POOL,
    "max_pool2d_backward": POOL_BACK,
    "receptive_field": FIELD,
}


# --- what is forbidden ------------------------------------------------------------------------


def _im2col_by_module(x, kernel_size, stride=1, padding=0, dilation=1):
    return nn.Unfold(kernel_size, dilation, padding, stride)(x)


def _im2col_by_operator(x, kernel_size, stride=1, padding=0, dilation=1):
    settings = [list(right._pair(value)) for value in (kernel_size, dilation, padding, stride)]
    return getattr(torch.ops.aten, "im2" + "col")(x, *settings)


def _im2col_by_unit_kernels(x, kernel_size, stride=1, padding=0, dilation=1):
    kh, kw = right._pair(kernel_size)
    units = torch.eye(kh * kw, dtype=x.dtype).reshape(kh * kw, 1, kh, kw)
    channels = x.shape[1]
    weight = units.repeat(channels, 1, 1, 1)
    return F.conv2d(x, weight, None, stride, padding, dilation, channels).flatten(2)


def _gemm_by_unfold(x, weight, bias=None, stride=1, padding=0):
    columns = patches(x, tuple(weight.shape[2:]), stride=stride, padding=padding)
    shape = right._sizes(x, tuple(weight.shape[2:]), stride, padding)
    result = (weight.flatten(1) @ columns).unflatten(2, shape)
    return result if bias is None else result + bias[:, None, None]


def _backward_by_autograd(grad_out, x, weight, stride=1, padding=0):
    with torch.enable_grad():
        x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
        bias = torch.zeros(len(weight), dtype=x.dtype, requires_grad=True)
        product(x, weight, bias, stride, padding).backward(grad_out)
    return x.grad, weight.grad, bias.grad


def _backward_by_torch_nn_grad(grad_out, x, weight, stride=1, padding=0):
    dx = nn.grad.conv2d_input(x.shape, weight, grad_out, stride, padding)
    dw = nn.grad.conv2d_weight(x, weight.shape, grad_out, stride, padding)
    return dx, dw, grad_out.sum((0, 2, 3))


def _backward_by_fold(grad_out, x, weight, stride=1, padding=0):
    _, dw, db = gradients(grad_out, x, weight, stride, padding)
    columns = weight.flatten(1).T @ grad_out.flatten(2)
    dx = F.fold(columns, x.shape[2:], weight.shape[2:], padding=padding, stride=stride)
    return dx, dw, db


def _backward_by_vjp(grad_out, x, weight, stride=1, padding=0):
    def forward(x, weight, bias):
        return right.conv2d_gemm_by_einsum(x, weight, None, stride, padding) + bias[:, None, None]

    _, back = torch.func.vjp(forward, x, weight, torch.zeros(len(weight), dtype=x.dtype))
    return back(grad_out)


def _backward_by_transposed_convolution(grad_out, x, weight, stride=1, padding=0):
    _, dw, db = gradients(grad_out, x, weight, stride, padding)
    rest = [
        (n + 2 * padding - k) % stride for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    return F.conv_transpose2d(grad_out, weight, None, stride, padding, rest), dw, db


def _pool_by_library(x, kernel_size, stride=None, padding=0):
    right._refuse(kernel_size, padding)
    return F.max_pool2d(x, kernel_size, stride, padding, return_indices=True)


def _pool_by_module(x, kernel_size, stride=None, padding=0):
    right._refuse(kernel_size, padding)
    return nn.MaxPool2d(kernel_size, stride, padding, return_indices=True)(x)


def _pool_by_hidden_name(x, kernel_size, stride=None, padding=0):
    right._refuse(kernel_size, padding)
    function = getattr(F, "max_" + "pool2d_with_indices")
    return function(x, kernel_size, stride, padding)


def _pool_values_only_by_library(x, kernel_size, stride=None, padding=0):
    _, indices = pool(x, kernel_size, stride, padding)
    return F.max_pool2d(x, kernel_size, stride, padding), indices


def _pool_by_unfold(x, kernel_size, stride=None, padding=0):
    values, indices = pool(x, kernel_size, stride, padding)
    step = stride or kernel_size
    border = F.pad(x, (padding,) * 4, value=-1e9).flatten(0, 1)[:, None]
    best = patches(border, kernel_size, stride=step).amax(1)
    return best.reshape(values.shape), indices


def _pool_in_a_branch(x, kernel_size, stride=None, padding=0):
    if x.shape[0] == 999:
        return torch.max_pool2d(x, kernel_size, stride, padding)
    return pool(x, kernel_size, stride, padding)


def _pool_back_by_unpooling(grad_out, indices, input_shape):
    height, width = input_shape[2:]
    total = torch.zeros(input_shape, dtype=grad_out.dtype)
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            one = np.s_[:, :, i : i + 1, j : j + 1]
            total += F.max_unpool2d(grad_out[one], indices[one], 1, output_size=[height, width])
    return total


def _pool_back_by_autograd(grad_out, indices, input_shape):
    with torch.enable_grad():
        x = torch.zeros(input_shape, dtype=grad_out.dtype, requires_grad=True)
        picked = x.flatten(2).gather(2, indices.flatten(2))
        return torch.autograd.grad(picked, x, grad_out.flatten(2))[0]


def _field_by_gradient(layers):
    with torch.enable_grad():
        row = torch.zeros(4000, requires_grad=True)
        unit = row.sum()
        unit.backward()
    return fields(layers)


def _field_by_the_course(layers):
    from course_utils import arithmetic

    return [(f.size, f.jump, f.first_center) for f in arithmetic.receptive_fields(layers)]


FORBIDDEN = {
    "im2col": {
        "F.unfold": lambda x, kernel_size, stride=1, padding=0, dilation=1: F.unfold(
            x, kernel_size, dilation, padding, stride
        ),
        "nn.Unfold": _im2col_by_module,
        "the operator itself": _im2col_by_operator,
        "convolution with unit kernels": _im2col_by_unit_kernels,
    },
    "conv2d_gemm": {
        "F.conv2d": lambda x, weight, bias=None, stride=1, padding=0: F.conv2d(
            x, weight, bias, stride, padding
        ),
        "F.unfold, renamed": _gemm_by_unfold,
    },
    "conv2d_backward": {
        "autograd": _backward_by_autograd,
        "torch.nn.grad": _backward_by_torch_nn_grad,
        "F.fold": _backward_by_fold,
        "torch.func.vjp": _backward_by_vjp,
        "transposed convolution": _backward_by_transposed_convolution,
    },
    "max_pool2d": {
        "F.max_pool2d": _pool_by_library,
        "nn.MaxPool2d": _pool_by_module,
        "under a hidden name": _pool_by_hidden_name,
        "values only": _pool_values_only_by_library,
        "F.unfold": _pool_by_unfold,
        "in a branch that no case visits": _pool_in_a_branch,
    },
    "max_pool2d_backward": {
        "unpooling": _pool_back_by_unpooling,
        "autograd": _pool_back_by_autograd,
    },
    "receptive_field": {
        "a gradient": _field_by_gradient,
        "the course's own": _field_by_the_course,
    },
}
