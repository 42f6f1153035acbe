"""Mistakes that students make in assignment 2, written from its prompts alone."""

import math

import torch
import torch.nn.functional as F


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def padded(x, top, left, value=0.0):
    return F.pad(x, (left, left, top, top), value=value)


def windows_of(x, kernel_size, stride=1, padding=0, dilation=1):
    """Return windows, (N, C, kh, kw, rows, columns)."""
    (kh, kw), (sv, sh), (pv, ph), (dv, dh) = map(pair, (kernel_size, stride, padding, dilation))
    found = padded(x, pv, ph).unfold(2, dv * (kh - 1) + 1, sv).unfold(3, dh * (kw - 1) + 1, sh)
    return found[..., ::dv, ::dh].permute(0, 1, 4, 5, 2, 3)


def table(x, kernel_size, stride=1, padding=0, dilation=1):
    windows = windows_of(x, kernel_size, stride, padding, dilation)
    return windows.flatten(4).flatten(1, 3)


def tables(given=None, then=None):
    def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
        settings = {
            "x": x,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        changed = {**settings, **(given(**settings) if given else {})}
        return then(windows_of(**changed)) if then else table(**changed)

    return im2col


def table_by_loops(x, kernel_size, stride=1, padding=0, dilation=1):
    """Steps through the image by one pixel, whatever the stride is."""
    (kh, kw), (sv, sh), (pv, ph), (dv, dh) = map(pair, (kernel_size, stride, padding, dilation))
    x = padded(x, pv, ph)
    rows = (x.shape[2] - dv * (kh - 1) - 1) // sv + 1
    columns = (x.shape[3] - dh * (kw - 1) - 1) // sh + 1
    result = []
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, i : i + dv * (kh - 1) + 1 : dv, j : j + dh * (kw - 1) + 1 : dh]
            result.append(window.flatten(1))
    return torch.stack(result, 2)


def table_in_float32(x, kernel_size, stride=1, padding=0, dilation=1):
    good = table(x, kernel_size, stride, padding, dilation)
    result = torch.zeros(good.shape)
    result[:] = good
    return result


IM2COL = {
    "one window in each row": tables(then=lambda w: w.flatten(4).flatten(1, 3).transpose(1, 2)),
    "channels last in a window": tables(
        then=lambda w: w.permute(0, 2, 3, 1, 4, 5).flatten(4).flatten(1, 3)
    ),
    "kernel columns first": tables(
        then=lambda w: w.permute(0, 1, 3, 2, 4, 5).flatten(4).flatten(1, 3)
    ),
    "places down, then right": tables(then=lambda w: w.transpose(4, 5).flatten(4).flatten(1, 3)),
    "reshapes without permuting": tables(
        then=lambda w: w.permute(0, 1, 4, 5, 2, 3).reshape(w.shape[0], -1, w.shape[4] * w.shape[5])
    ),
    "ignores the padding": tables(lambda **_: {"padding": 0}),
    "ignores the dilation": tables(lambda **_: {"dilation": 1}),
    "ignores the stride": tables(lambda **_: {"stride": 1}),
    "swaps stride and dilation": tables(
        lambda stride, dilation, **_: {"stride": dilation, "dilation": stride}
    ),
    "swaps all pairs": tables(
        lambda kernel_size, stride, padding, dilation, **_: {
            "kernel_size": pair(kernel_size)[::-1],
            "stride": pair(stride)[::-1],
            "padding": pair(padding)[::-1],
            "dilation": pair(dilation)[::-1],
        }
    ),
    "steps by one": table_by_loops,
    "all images in one table": tables(
        then=lambda w: torch.cat(list(w.flatten(4).flatten(1, 3)), 1)
    ),
    "flips the windows": tables(then=lambda w: w.flip(2, 3).flatten(4).flatten(1, 3)),
    "makes float32": table_in_float32,
}


def gemms(weight_of=None, then=None, **fixed):
    def conv2d_gemm(x, weight, bias=None, stride=1, padding=0):
        stride, padding = fixed.get("stride", stride), fixed.get("padding", padding)
        kh, kw = weight.shape[2:]
        rows = (x.shape[2] + 2 * padding - kh) // stride + 1
        matrix = weight_of(weight) if weight_of else weight.flatten(1)
        product = matrix @ table(x, (kh, kw), stride, padding)
        if then:
            return then(product, bias, rows)
        if bias is not None:
            product = product + bias[:, None]
        return product.reshape(len(x), len(weight), rows, -1)

    return conv2d_gemm


def with_bias(product, bias, shape):
    return (product if bias is None else product + bias[:, None]).reshape(shape)


def gemm_looping(x, weight, bias=None, stride=1, padding=0):
    x = padded(x, padding, padding)
    kh, kw = weight.shape[2:]
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    result = torch.zeros(len(x), len(weight), rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            result[:, :, i, j] = window.flatten(1) @ weight.flatten(1).T
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def gemm_of_one_matrix(x, weight, bias=None, stride=1, padding=0):
    """Puts all images side by side, and cuts the product as if filters came second."""
    kh, kw = weight.shape[2:]
    rows = (x.shape[2] + 2 * padding - kh) // stride + 1
    wide = torch.cat(list(table(x, (kh, kw), stride, padding)), 1)
    product = weight.flatten(1) @ wide
    if bias is not None:
        product = product + bias[:, None]
    return product.reshape(len(x), len(weight), rows, -1)


def gemm_with_square_maps(x, weight, bias=None, stride=1, padding=0):
    product = weight.flatten(1) @ table(x, tuple(weight.shape[2:]), stride, padding)
    if bias is not None:
        product = product + bias[:, None]
    side = math.isqrt(product.shape[-1])
    return product.reshape(len(x), len(weight), side, side)


def gemm_with_square_kernels(x, weight, bias=None, stride=1, padding=0):
    k = weight.shape[2]
    product = weight.flatten(1) @ table(x, k, stride, padding)
    if bias is not None:
        product = product + bias[:, None]
    rows = (x.shape[2] + 2 * padding - k) // stride + 1
    return product.reshape(len(x), len(weight), rows, -1)


GEMM = {
    "forgets the bias": gemms(then=lambda y, bias, rows: y.unflatten(2, (rows, -1))),
    "adds the bias along the places": gemms(
        then=lambda y, bias, rows: (y if bias is None else y + bias).unflatten(2, (rows, -1))
    ),
    "leaves the result flat": gemms(
        then=lambda y, bias, rows: y if bias is None else y + bias[:, None]
    ),
    "reshapes columns first": gemms(
        then=lambda y, bias, rows: (
            with_bias(y, bias, y.shape).unflatten(2, (-1, rows)).transpose(2, 3)
        )
    ),
    "swaps height and width": gemms(
        then=lambda y, bias, rows: with_bias(y, bias, y.shape).unflatten(2, (-1, rows))
    ),
    "ignores the padding": gemms(padding=0),
    "ignores the stride": gemms(stride=1),
    "flips the kernel": gemms(lambda weight: weight.flip(2, 3).flatten(1)),
    "flattens the weight channels last": gemms(
        lambda weight: weight.permute(0, 2, 3, 1).flatten(1)
    ),
    "reshapes the weight instead of transposing": gemms(
        lambda weight: weight.reshape(-1, len(weight)).T
    ),
    "loops over the places": gemm_looping,
    "one product cut wrongly": gemm_of_one_matrix,
    "takes maps for squares": gemm_with_square_maps,
    "takes kernels for squares": gemm_with_square_kernels,
}


def gradients(grad_out, x, weight, stride=1, padding=0):
    h, w = x.shape[2:]
    kh, kw = weight.shape[2:]
    rows, columns = grad_out.shape[2:]
    wide = padded(x, padding, padding)
    dx, dw = torch.zeros_like(wide), torch.zeros_like(weight)
    for u in range(kh):
        for v in range(kw):
            place = (
                slice(None),
                slice(None),
                slice(u, u + (rows - 1) * stride + 1, stride),
                slice(v, v + (columns - 1) * stride + 1, stride),
            )
            dw[:, :, u, v] = torch.einsum("nohw,nchw->oc", grad_out, wide[place])
            dx[place] += torch.einsum("nohw,oc->nchw", grad_out, weight[:, :, u, v])
    return dx[:, :, padding : padding + h, padding : padding + w], dw, grad_out.sum((0, 2, 3))


def backwards(then=lambda dx, dw, db, **_: (dx, dw, db), given=None):
    def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
        settings = {
            "grad_out": grad_out,
            "x": x,
            "weight": weight,
            "stride": stride,
            "padding": padding,
        }
        dx, dw, db = gradients(**{**settings, **(given(**settings) if given else {})})
        return then(dx, dw, db, **settings)

    return conv2d_backward


def backward_with_the_padding_left_on(grad_out, x, weight, stride=1, padding=0):
    dx, dw, db = gradients(grad_out, padded(x, padding, padding), weight, stride, 0)
    return dx, dw, db


def backward_that_writes_over(grad_out, x, weight, stride=1, padding=0):
    """Assigns where windows overlap, instead of adding."""
    _, dw, db = gradients(grad_out, x, weight, stride, padding)
    wide = torch.zeros_like(padded(x, padding, padding))
    kh, kw = weight.shape[2:]
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            wide[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] = torch.einsum(
                "no,ochw->nchw", grad_out[:, :, i, j], weight
            )
    h, w = x.shape[2:]
    return wide[:, :, padding : padding + h, padding : padding + w], dw, db


def backward_without_the_remainder(grad_out, x, weight, stride=1, padding=0):
    """Makes dx as large as the windows reach."""
    dx, dw, db = gradients(grad_out, x, weight, stride, padding)
    h = (grad_out.shape[2] - 1) * stride + weight.shape[2] - 2 * padding
    w = (grad_out.shape[3] - 1) * stride + weight.shape[3] - 2 * padding
    return dx[:, :, :h, :w], dw, db


BACKWARD = {
    "sums db over the batch only": backwards(
        lambda dx, dw, db, grad_out, **_: (dx, dw, grad_out.sum(0))
    ),
    "averages db": backwards(lambda dx, dw, db, grad_out, **_: (dx, dw, grad_out.mean((0, 2, 3)))),
    "averages over the batch": backwards(lambda dx, dw, db, x, **_: (dx, dw / len(x), db / len(x))),
    "turns the kernel for dx": backwards(
        lambda dx, dw, db, grad_out, x, weight, stride, padding: (
            gradients(grad_out, x, weight.flip(2, 3), stride, padding)[0],
            dw,
            db,
        )
    ),
    "flips dw": backwards(lambda dx, dw, db, **_: (dx, dw.flip(2, 3), db)),
    "gives dw, dx, db": backwards(lambda dx, dw, db, **_: (dw, dx, db)),
    "gives no db": backwards(lambda dx, dw, db, **_: (dx, dw)),
    "takes dw of the first image": backwards(
        lambda dx, dw, db, grad_out, x, weight, stride, padding: (
            dx,
            gradients(grad_out[:1], x[:1], weight, stride, padding)[1],
            db,
        )
    ),
    "leaves the padding on": backward_with_the_padding_left_on,
    "writes over overlaps": backward_that_writes_over,
    "cuts the remainder": backward_without_the_remainder,
    "keeps the batch in db": backwards(
        lambda dx, dw, db, grad_out, **_: (dx, dw, grad_out.sum((2, 3)))
    ),
    "negates all": backwards(lambda dx, dw, db, **_: (-dx, -dw, -db)),
    "gives a list": backwards(lambda dx, dw, db, **_: [dx, dw, db]),
}


def pools(
    fill=float("-inf"),
    stride_of=lambda k, stride: k if stride is None else stride,
    index=lambda first, i, j, width, k, s, p: (
        (i * s - p + first // k) * width + j * s - p + first % k
    ),
    last=False,
    refuses=True,
    pads=True,
    ceil=False,
    then=lambda values, indices: (values, indices),
):
    def max_pool2d(x, kernel_size, stride=None, padding=0):
        if refuses and padding > kernel_size // 2:
            raise ValueError("too much padding")
        stride = stride_of(kernel_size, stride)
        wide = padded(x, padding, padding, fill) if pads else x
        if ceil:
            more = [-(size - kernel_size) % stride for size in wide.shape[2:]]
            wide = F.pad(wide, (0, more[1], 0, more[0]), value=fill)
        found = wide.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).flatten(4)
        best = found.amax(-1)
        hits = (found == best[..., None]).to(torch.uint8)
        first = found.shape[-1] - 1 - hits.flip(-1).argmax(-1) if last else hits.argmax(-1)
        i = torch.arange(found.shape[2])[:, None]
        j = torch.arange(found.shape[3])
        p = padding if pads else 0
        return then(best, index(first, i, j, x.shape[3], kernel_size, stride, p))

    return max_pool2d


POOL = {
    "pads with zeros": pools(fill=0.0),
    "has stride 1 by default": pools(stride_of=lambda k, stride: stride or 1),
    "always steps by the kernel": pools(stride_of=lambda k, stride: k),
    "counts inside the window": pools(index=lambda first, i, j, *rest: first + 0 * i),
    "counts in the padded map": pools(
        index=lambda first, i, j, width, k, s, p: (
            (i * s + first // k) * (width + 2 * p) + j * s + first % k
        )
    ),
    "forgets to take the padding off": pools(
        index=lambda first, i, j, width, k, s, p: (i * s + first // k) * width + j * s + first % k
    ),
    "multiplies by the height of the window": pools(
        index=lambda first, i, j, width, k, s, p: (
            (i * s - p + first // k) * k + j * s - p + first % k
        )
    ),
    "takes the last of equals": pools(last=True),
    "refuses nothing": pools(refuses=False),
    "rounds the size up": pools(ceil=True),
    "gives the values only": pools(then=lambda values, indices: values),
    "gives the indices first": pools(then=lambda values, indices: (indices, values)),
    "gives int32 indices": pools(then=lambda values, indices: (values, indices.int())),
    "ignores the padding": pools(pads=False),
    "takes the mean": pools(then=lambda values, indices: (values * 0 + values.mean(), indices)),
    "takes the smallest": lambda x, kernel_size, stride=None, padding=0: (
        lambda values, indices: (-values, indices)
    )(*pools()(-x, kernel_size, stride, padding)),
}


def unpool(grad_out, indices, input_shape):
    n, c, h, w = input_shape
    flat = torch.zeros(n, c, h * w, dtype=grad_out.dtype)
    return flat.scatter_add(2, indices.flatten(2), grad_out.flatten(2)).reshape(input_shape)


def unpool_without_adding(grad_out, indices, input_shape):
    n, c, h, w = input_shape
    flat = torch.zeros(n, c, h * w, dtype=grad_out.dtype)
    return flat.scatter(2, indices.flatten(2), grad_out.flatten(2)).reshape(input_shape)


def unpool_into_one_map(grad_out, indices, input_shape):
    """Takes the indices as places in the whole batch."""
    flat = torch.zeros(math.prod(input_shape), dtype=grad_out.dtype)
    return flat.index_add(0, indices.flatten(), grad_out.flatten()).reshape(input_shape)


def unpool_with_the_height(grad_out, indices, input_shape):
    result = torch.zeros(input_shape, dtype=grad_out.dtype)
    n, c, h, _ = input_shape
    for a in range(n):
        for b in range(c):
            for index, value in zip(
                indices[a, b].flatten().tolist(), grad_out[a, b].flatten(), strict=True
            ):
                result[a, b, index // h, index % h] += value
    return result


def unpool_counting_winners(grad_out, indices, input_shape):
    return unpool(torch.ones_like(grad_out), indices, input_shape)


def unpool_first_channel(grad_out, indices, input_shape):
    return unpool(grad_out, indices[:, :1].expand_as(indices), input_shape)


UNPOOL = {
    "writes over": unpool_without_adding,
    "takes the batch for one map": unpool_into_one_map,
    "divides by the height": unpool_with_the_height,
    "counts the winners": unpool_counting_winners,
    "uses the first channel's indices": unpool_first_channel,
    "leaves the map flat": lambda grad_out, indices, input_shape: unpool(
        grad_out, indices, input_shape
    ).flatten(2),
    "makes float32": lambda grad_out, indices, input_shape: unpool(
        grad_out.float(), indices, input_shape
    ),
    "averages": lambda grad_out, indices, input_shape: (
        unpool(grad_out, indices, input_shape)
        / unpool(torch.ones_like(grad_out), indices, input_shape).clamp_min(1)
    ),
    "swaps rows and columns": lambda grad_out, indices, input_shape: unpool(
        grad_out,
        indices % input_shape[3] * input_shape[2] + indices // input_shape[3],
        input_shape,
    ),
}


def fields(step, start=(1, 1, 0.0), then=lambda rows: rows):
    def receptive_field(layers):
        size, jump, centre = start
        found = []
        for k, s, p, d in layers:
            size, jump, centre = step(size, jump, centre, k, s, p, d)
            found.append((size, jump, centre))
        return then(found)

    return receptive_field


def seen(size, jump, centre, k, s, p, d):
    steps = d * (k - 1)
    return size + steps * jump, jump * s, centre + (steps / 2 - p) * jump


FIELDS = {
    "uses the new jump": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * (k - 1) * jump * s,
            jump * s,
            centre + (d * (k - 1) / 2 - p) * jump * s,
        )
    ),
    "adds the strides": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * (k - 1) * jump,
            jump + s - 1,
            centre + (d * (k - 1) / 2 - p) * jump,
        )
    ),
    "ignores the dilation": fields(
        lambda size, jump, centre, k, s, p, d: seen(size, jump, centre, k, s, p, 1)
    ),
    "ignores the padding": fields(
        lambda size, jump, centre, k, s, p, d: seen(size, jump, centre, k, s, 0, d)
    ),
    "adds whole kernels": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * k * jump,
            jump * s,
            centre + (d * (k - 1) / 2 - p) * jump,
        )
    ),
    "halves to whole pixels": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * (k - 1) * jump,
            jump * s,
            centre + (d * (k - 1) // 2 - p) * jump,
        )
    ),
    "starts the centre at a half": fields(seen, (1, 1, 0.5)),
    "starts from nothing": fields(seen, (0, 1, 0.0)),
    "gives the last only": fields(seen, then=lambda rows: rows[-1] if rows else []),
    "begins with the input": fields(seen, then=lambda rows: [(1, 1, 0.0), *rows]),
    "goes from the output": lambda layers: fields(seen)(layers[::-1]),
    "gives sizes only": fields(seen, then=lambda rows: [row[0] for row in rows]),
    "gives lists": fields(seen, then=lambda rows: [list(row) for row in rows]),
    "swaps stride and padding": lambda layers: fields(seen)(
        [(k, p, s, d) for k, s, p, d in layers]
    ),
    "adds the padding": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * (k - 1) * jump,
            jump * s,
            centre + (d * (k - 1) / 2 + p) * jump,
        )
    ),
    "takes the centre of the padded image": fields(
        lambda size, jump, centre, k, s, p, d: (
            size + d * (k - 1) * jump,
            jump * s,
            centre + d * (k - 1) / 2 * jump - p,
        )
    ),
}

WRONG = {
    "im2col": IM2COL,
    "conv2d_gemm": GEMM,
    "conv2d_backward": BACKWARD,
    "max_pool2d": POOL,
    "max_pool2d_backward": UNPOOL,
    "receptive_field": FIELDS,
}
