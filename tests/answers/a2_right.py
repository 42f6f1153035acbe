"""Right answers to assignment 2, each written in another way."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

# --- im2col -----------------------------------------------------------------------------------


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


def _padded(x, padding, value=0.0):
    vertical, horizontal = _pair(padding)
    return F.pad(x, (horizontal, horizontal, vertical, vertical), value=value)


def _sizes(x, kernel_size, stride, padding, dilation=1):
    settings = zip(*map(_pair, (kernel_size, stride, padding, dilation)), strict=True)
    return [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, (k, s, p, d) in zip(x.shape[2:], settings, strict=True)
    ]


def im2col_by_loops_over_places(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (dv, dh) = map(_pair, (kernel_size, stride, dilation))
    rows, columns = _sizes(x, kernel_size, stride, padding, dilation)
    padded = _padded(x, padding)
    windows = [
        padded[
            :,
            :,
            i * sv : i * sv + dv * (kh - 1) + 1 : dv,
            j * sh : j * sh + dh * (kw - 1) + 1 : dh,
        ].flatten(1)
        for i in range(rows)
        for j in range(columns)
    ]
    return torch.stack(windows, 2)


def im2col_by_loops_over_the_kernel(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (dv, dh) = map(_pair, (kernel_size, stride, dilation))
    rows, columns = _sizes(x, kernel_size, stride, padding, dilation)
    padded = _padded(x, padding)
    table = x.new_zeros(*x.shape[:2], kh, kw, rows, columns)
    for u in range(kh):
        for v in range(kw):
            shifted = padded[:, :, u * dv :, v * dh :]
            table[:, :, u, v] = shifted[:, :, ::sv, ::sh][:, :, :rows, :columns]
    return table.view(len(x), -1, rows * columns)


def im2col_by_as_strided(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (dv, dh) = map(_pair, (kernel_size, stride, dilation))
    rows, columns = _sizes(x, kernel_size, stride, padding, dilation)
    padded = _padded(x, padding).contiguous()
    n, c, h, w = padded.stride()
    shape = (*x.shape[:2], kh, kw, rows, columns)
    windows = padded.as_strided(shape, (n, c, dv * h, dh * w, sv * h, sh * w))
    return windows.reshape(len(x), x.shape[1] * kh * kw, rows * columns)


def im2col_by_numpy(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (pv, ph), (dv, dh) = map(_pair, (kernel_size, stride, padding, dilation))
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (pv, pv), (ph, ph)))
    spans = dv * (kh - 1) + 1, dh * (kw - 1) + 1
    windows = sliding_window_view(padded, spans, (2, 3))[:, :, ::sv, ::sh, ::dv, ::dh]
    table = windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kh * kw, -1)
    return torch.from_numpy(np.ascontiguousarray(table))


def im2col_by_tables_of_positions(x, kernel_size, stride=1, padding=0, dilation=1):
    settings = list(zip(*map(_pair, (kernel_size, stride, padding, dilation)), strict=True))
    sizes = _sizes(x, kernel_size, stride, padding, dilation)
    rows, columns = (
        torch.arange(m) * s + (torch.arange(k) * d)[:, None]
        for m, (k, s, _, d) in zip(sizes, settings, strict=True)
    )
    picked = _padded(x, padding)[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return picked.flatten(4).flatten(1, 3)


def im2col_by_float64_and_a_view_of_another_order(x, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sv, sh), (dv, dh) = map(_pair, (kernel_size, stride, dilation))
    wide = _padded(x.double(), padding)
    windows = wide.unfold(2, dv * (kh - 1) + 1, sv).unfold(3, dh * (kw - 1) + 1, sh)
    rows = windows[..., ::dv, ::dh].permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    return rows.transpose(1, 2).to(x.dtype)  # not contiguous


# --- conv2d_gemm ------------------------------------------------------------------------------


def conv2d_gemm_by_a_product_for_each_image(x, weight, bias=None, stride=1, padding=0):
    kernel = tuple(weight.shape[2:])
    rows, columns = _sizes(x, kernel, stride, padding)
    maps = []
    for image in x:
        table = im2col_by_as_strided(image[None], kernel, stride, padding)[0]
        product = torch.mm(weight.reshape(len(weight), -1), table)
        if bias is not None:
            product += bias[:, None]
        maps.append(product.view(len(weight), rows, columns))
    return torch.stack(maps)


def conv2d_gemm_by_one_product_for_all(x, weight, bias=None, stride=1, padding=0):
    kernel = tuple(weight.shape[2:])
    table = im2col_by_loops_over_the_kernel(x, kernel, stride, padding)
    wide = table.transpose(0, 1).flatten(1)
    product = weight.flatten(1) @ wide
    shape = len(weight), len(x), *_sizes(x, kernel, stride, padding)
    result = product.reshape(shape).transpose(0, 1)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def conv2d_gemm_by_einsum(x, weight, bias=None, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    windows = _padded(x, padding).unfold(2, kh, stride).unfold(3, kw, stride)
    result = torch.einsum("nchwuv,ocuv->nohw", windows, weight)
    if bias is not None:
        result += bias.reshape(-1, 1, 1)
    return result


def conv2d_gemm_by_numpy_in_float64(x, weight, bias=None, stride=1, padding=0):
    side = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    padded = np.pad(x.numpy().astype(np.float64), side)
    windows = sliding_window_view(padded, tuple(weight.shape[2:]), (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    result = np.tensordot(windows, weight.numpy().astype(np.float64), ([1, 4, 5], [1, 2, 3]))
    if bias is not None:
        result = result + bias.numpy()
    return torch.from_numpy(result.transpose(0, 3, 1, 2)).to(x.dtype)


def conv2d_gemm_by_rows_of_the_map(x, weight, bias=None, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    rows, columns = _sizes(x, (kh, kw), stride, padding)
    padded = _padded(x, padding)
    result = []
    for i in range(rows):  # a loop over rows is none over positions
        strip = padded[:, :, i * stride : i * stride + kh].unfold(3, kw, stride)
        table = strip.permute(0, 3, 1, 2, 4).reshape(len(x), columns, -1)
        result.append(table @ weight.reshape(len(weight), -1).T)
    out = torch.stack(result, 1).permute(0, 3, 1, 2)
    return out if bias is None else torch.add(out, bias[None, :, None, None])


def conv2d_gemm_by_a_bias_inside_the_matrix(x, weight, bias=None, stride=1, padding=0):
    kernel = tuple(weight.shape[2:])
    table = im2col_by_tables_of_positions(x, kernel, stride, padding)
    matrix = weight.reshape(weight.size(0), -1)
    if bias is not None:
        table = torch.cat([table, torch.ones_like(table[:, :1])], 1)
        matrix = torch.cat([matrix, bias[:, None]], 1)
    product = torch.bmm(matrix.expand(len(x), -1, -1), table)
    return product.unflatten(2, _sizes(x, kernel, stride, padding))


# --- conv2d_backward --------------------------------------------------------------------------


def conv2d_backward_by_loops_over_places(grad_out, x, weight, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    padded = _padded(x, padding)
    dx, dw, db = torch.zeros_like(padded), torch.zeros_like(weight), grad_out.sum((0, 2, 3))
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            place = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
            g = grad_out[:, :, i, j]
            dw += torch.tensordot(g, padded[(..., *place)], ([0], [0]))
            dx[(..., *place)] += torch.tensordot(g, weight, 1)
    height, width = x.shape[2:]
    return dx[:, :, padding : padding + height, padding : padding + width], dw, db


def conv2d_backward_by_table_and_scatter(grad_out, x, weight, stride=1, padding=0):
    kernel = tuple(weight.shape[2:])
    n, channels, height, width = x.shape
    table = im2col_by_loops_over_the_kernel(x, kernel, stride, padding)
    g = grad_out.flatten(2)
    dw = (g @ table.transpose(1, 2)).sum(0).reshape(weight.shape)
    d_table = weight.flatten(1).T @ g
    shape = channels, height + 2 * padding, width + 2 * padding
    numbers = torch.arange(shape[0] * shape[1] * shape[2], dtype=torch.float64).reshape(1, *shape)
    where = im2col_by_loops_over_the_kernel(numbers, kernel, stride, 0).long().flatten()
    flat = torch.zeros(n, numbers.numel(), dtype=x.dtype)
    flat.index_add_(1, where, d_table.flatten(1))
    dx = flat.reshape(n, *shape)[:, :, padding : padding + height, padding : padding + width]
    return dx, dw, g.sum(2).sum(0)


def conv2d_backward_by_correlation_with_turned_kernel(grad_out, x, weight, stride=1, padding=0):
    (height, width), (kh, kw) = x.shape[2:], weight.shape[2:]
    n, filters, rows, columns = grad_out.shape
    spread = torch.zeros(
        n, filters, height + 2 * padding - kh + 1, width + 2 * padding - kw + 1, dtype=x.dtype
    )
    spread[:, :, ::stride, ::stride][:, :, :rows, :columns] = grad_out
    border = F.pad(spread, (kw - 1, kw - 1, kh - 1, kh - 1))
    turned = weight.flip(2, 3)
    dx = torch.einsum("nohwuv,ocuv->nchw", border.unfold(2, kh, 1).unfold(3, kw, 1), turned)
    windows = _padded(x, padding).unfold(2, spread.shape[2], 1).unfold(3, spread.shape[3], 1)
    dw = torch.einsum("ncuvhw,nohw->ocuv", windows, spread)
    return (
        dx[:, :, padding : padding + height, padding : padding + width],
        dw,
        torch.einsum("nohw->o", grad_out),
    )


def conv2d_backward_by_numpy_in_float64(grad_out, x, weight, stride=1, padding=0):
    g, image, w = (tensor.double().numpy() for tensor in (grad_out, x, weight))
    padded = np.pad(image, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw = np.zeros_like(padded), np.zeros(w.shape)
    rows, columns = g.shape[2:]
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            place = np.s_[:, :, u : u + rows * stride : stride, v : v + columns * stride : stride]
            cut = padded[place][:, :, :rows, :columns]
            dw[:, :, u, v] = np.einsum("nohw,nchw->oc", g, cut)
            dx[place][:, :, :rows, :columns] += np.einsum("nohw,oc->nchw", g, w[:, :, u, v])
    height, width = image.shape[2:]
    dx = dx[:, :, padding : padding + height, padding : padding + width]
    return tuple(torch.tensor(part).to(x.dtype) for part in (dx, dw, g.sum((0, 2, 3))))


def conv2d_backward_by_image_and_filter(grad_out, x, weight, stride=1, padding=0):
    dx, dw, db = torch.zeros(x.shape, dtype=x.dtype), torch.zeros_like(weight), []
    padded = _padded(x, padding)
    kernel = tuple(weight.shape[2:])
    for o in range(len(weight)):
        db.append(grad_out[:, o].sum())
        for n in range(len(x)):
            table = im2col_by_tables_of_positions(padded[n : n + 1], kernel, stride)[0]
            dw[o] += (table @ grad_out[n, o].reshape(-1)).reshape(weight.shape[1:])
            back = torch.zeros_like(padded[n])
            for i, line in enumerate(grad_out[n, o]):
                for j, g in enumerate(line):
                    top, left = i * stride, j * stride
                    back[:, top : top + kernel[0], left : left + kernel[1]] += g * weight[o]
            dx[n] += back[:, padding:, padding:][:, : x.shape[2], : x.shape[3]]
    return dx, dw, torch.stack(db)


# --- max_pool2d -------------------------------------------------------------------------------


def _refuse(kernel_size, padding):
    if 2 * padding > kernel_size:
        raise ValueError(f"padding {padding} is more than half of {kernel_size}")


def max_pool2d_by_loops(x, kernel_size, stride=None, padding=0):
    _refuse(kernel_size, padding)
    stride = stride or kernel_size
    n, channels, _, width = x.shape
    rows, columns = _sizes(x, kernel_size, stride, padding)
    values = torch.empty(n, channels, rows, columns, dtype=x.dtype)
    indices = torch.empty(n, channels, rows, columns, dtype=torch.int64)
    for i in range(rows):
        for j in range(columns):
            top, left = max(i * stride - padding, 0), max(j * stride - padding, 0)
            window = x[
                :,
                :,
                top : i * stride - padding + kernel_size,
                left : j * stride - padding + kernel_size,
            ]
            best, where = window.flatten(2).max(2)
            # the first: PyTorch's max does not promise which of equal ones it gives
            equal = window.flatten(2) == best[..., None]
            where = torch.arange(equal.shape[2]).expand_as(equal).masked_fill(~equal, 999).amin(2)
            across = window.shape[3]
            values[:, :, i, j] = best
            indices[:, :, i, j] = (top + where // across) * width + left + where % across
    return values, indices


def max_pool2d_by_pixels_of_python(x, kernel_size, stride=None, padding=0):
    if padding > kernel_size // 2:
        raise ValueError
    if stride is None:
        stride = kernel_size
    maps = x.flatten(0, 1).tolist()
    height, width = x.shape[2:]
    best, where = [], []
    rows, columns = _sizes(x, kernel_size, stride, padding)
    for image in maps:
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride - padding, j * stride - padding
                pixels = [
                    (-image[r][c], r * width + c)
                    for r in range(max(top, 0), min(top + kernel_size, height))
                    for c in range(max(left, 0), min(left + kernel_size, width))
                ]
                value, index = min(pixels)
                best.append(-value)
                where.append(index)
    shape = (*x.shape[:2], rows, columns)
    return torch.tensor(best, dtype=x.dtype).reshape(shape), torch.tensor(where).reshape(shape)


def max_pool2d_by_numpy(x, kernel_size, stride=None, padding=0):
    _refuse(kernel_size, padding)
    step = kernel_size if stride is None else stride
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x.numpy(), sides, constant_values=-np.inf)
    number = np.arange(x.shape[2] * x.shape[3]).reshape(1, 1, *x.shape[2:])
    numbers = np.pad(number, sides, constant_values=-1)
    cut = [
        sliding_window_view(array, (kernel_size, kernel_size), (2, 3))[:, :, ::step, ::step]
        for array in (padded, numbers)
    ]
    windows, places = (array.reshape(*array.shape[:4], -1) for array in cut)
    first = windows.argmax(-1)[..., None]
    values = np.take_along_axis(windows, first, -1)[..., 0]
    indices = np.take_along_axis(np.broadcast_to(places, windows.shape), first, -1)[..., 0]
    return torch.from_numpy(values), torch.from_numpy(indices)


def max_pool2d_by_running_maximum(x, kernel_size, stride=None, padding=0):
    _refuse(kernel_size, padding)
    step = kernel_size if stride is None else stride
    rows, columns = _sizes(x, kernel_size, step, padding)
    padded = _padded(x, padding, -torch.inf)
    width = x.shape[3]
    values = torch.full((*x.shape[:2], rows, columns), -torch.inf, dtype=x.dtype)
    indices = torch.zeros(values.shape, dtype=torch.int64)
    for u in range(kernel_size):
        for v in range(kernel_size):
            pixel = padded[:, :, u : u + rows * step : step, v : v + columns * step : step]
            pixel = pixel[:, :, :rows, :columns]
            where = (torch.arange(rows) * step + u - padding)[:, None] * width
            where = where + torch.arange(columns) * step + v - padding
            better = pixel > values
            values = torch.where(better, pixel, values)
            indices = torch.where(better, where, indices)
    return values, indices


def max_pool2d_by_table_of_windows(x, kernel_size, stride=None, padding=0):
    _refuse(kernel_size, padding)
    step = stride if stride is not None else kernel_size
    n, channels, height, width = x.shape
    rows, columns = _sizes(x, kernel_size, step, padding)
    padded = _padded(x.double(), padding, -torch.inf)
    table = im2col_by_as_strided(padded.reshape(-1, 1, *padded.shape[2:]), kernel_size, step)
    inner = torch.arange(height * width, dtype=torch.float64).reshape(1, 1, height, width)
    places = im2col_by_as_strided(_padded(inner, padding, -1.0), kernel_size, step).long()
    values = table.amax(1)
    first = (table == values[:, None]).cumsum(1).eq(0).sum(1)
    indices = places.expand(len(table), -1, -1).gather(1, first[:, None])[:, 0]
    shape = n, channels, rows, columns
    return values.reshape(shape).to(x.dtype), indices.reshape(shape)


# --- max_pool2d_backward ----------------------------------------------------------------------


def max_pool2d_backward_by_loops(grad_out, indices, input_shape):
    n, channels, _, width = input_shape
    result = torch.zeros(input_shape, dtype=grad_out.dtype)
    for image in range(n):
        for channel in range(channels):
            gradients = grad_out[image, channel].flatten().tolist()
            places = indices[image, channel].flatten().tolist()
            for gradient, place in zip(gradients, places, strict=True):
                row, column = divmod(place, width)
                result[image, channel, row, column] += gradient
    return result


def max_pool2d_backward_by_numpy(grad_out, indices, input_shape):
    n, channels, height, width = input_shape
    maps = np.arange(n * channels).reshape(n, channels, 1, 1) * height * width
    flat = np.zeros(n * channels * height * width)
    np.add.at(flat, (indices.numpy() + maps).ravel(), grad_out.numpy().ravel())
    return torch.from_numpy(flat.reshape(input_shape)).to(grad_out.dtype)


def max_pool2d_backward_by_one_hot(grad_out, indices, input_shape):
    hot = F.one_hot(indices.flatten(2), input_shape[2] * input_shape[3]).to(grad_out.dtype)
    flat = torch.einsum("nclp,ncl->ncp", hot, grad_out.flatten(2))
    return flat.unflatten(2, input_shape[2:])


def max_pool2d_backward_by_index_put(grad_out, indices, input_shape):
    result = torch.zeros(input_shape, dtype=torch.float64)
    n, c = torch.meshgrid(*map(torch.arange, input_shape[:2]), indexing="ij")
    row, column = indices // input_shape[3], indices % input_shape[3]
    where = n[..., None, None].expand_as(row), c[..., None, None].expand_as(row), row, column
    return result.index_put_(where, grad_out.double(), accumulate=True).to(grad_out.dtype)


def max_pool2d_backward_by_bincount(grad_out, indices, input_shape):
    n, channels, height, width = input_shape
    offset = torch.arange(n * channels).view(n, channels, 1, 1) * (height * width)
    flat = torch.bincount(
        (indices + offset).reshape(-1),
        weights=grad_out.reshape(-1),
        minlength=n * channels * height * width,
    )
    return flat.reshape(input_shape).to(grad_out.dtype)


# --- receptive_field --------------------------------------------------------------------------


def receptive_field_by_walking_down(layers):
    rows = []
    for depth in range(1, len(layers) + 1):
        first = last = 0
        next_first = 1
        for k, s, p, d in reversed(layers[:depth]):
            first = first * s - p
            last = last * s - p + d * (k - 1)
            next_first = next_first * s - p
        rows.append((last - first + 1, next_first - first, (first + last) / 2))
    return rows


def receptive_field_by_fractions(layers):
    size, jump, centre = 1, 1, Fraction()
    rows = []
    for k, s, p, d in layers:
        span = d * (k - 1) + 1
        size, centre, jump = (
            size + (span - 1) * jump,
            centre + jump * (Fraction(span - 1, 2) - p),
            jump * s,
        )
        rows.append((size, jump, float(centre)))
    return rows


def receptive_field_by_numpy(layers):
    if not layers:
        return []
    k, s, p, d = np.array(layers).T
    jumps = np.cumprod(s)
    below = np.concatenate([[1], jumps[:-1]])
    sizes = 1 + np.cumsum(d * (k - 1) * below)
    centres = np.cumsum((d * (k - 1) / 2 - p) * below)
    return list(zip(sizes.tolist(), jumps.tolist(), centres.tolist(), strict=True))


def receptive_field_by_recursion(layers):
    if not layers:
        return []
    rows = receptive_field_by_recursion(layers[:-1])
    size, jump, centre = rows[-1] if rows else (1, 1, 0)
    k, s, p, d = layers[-1]
    middle = centre - p * jump + (k - 1) * d * jump / 2
    if middle == int(middle):
        middle = int(middle)  # a whole number is a float's value too
    return [*rows, (size + (k - 1) * d * jump, jump * s, middle)]


def receptive_field_by_sets_of_pixels(layers):
    def seen(depth, unit):
        if depth == 0:
            return {unit}
        k, s, p, d = layers[depth - 1]
        taps = {unit * s - p + d * tap for tap in (0, k - 1)}  # the ends are enough
        return set().union(*(seen(depth - 1, tap) for tap in taps))

    rows = []
    for depth in range(1, len(layers) + 1):
        here, beside = seen(depth, 0), seen(depth, 1)
        size = max(here) - min(here) + 1
        rows.append((size, min(beside) - min(here), (min(here) + max(here)) / 2))
    return rows
