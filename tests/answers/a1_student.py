"""Mistakes that students make in assignment 1, written from its prompts alone."""

import math

import numpy as np
import torch


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def size(n, k, p=0, s=1, d=1):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def refuse(n, k, p, s, d):
    if min(n, k, s, d) < 1 or p < 0 or d * (k - 1) + 1 > n + 2 * p:
        raise ValueError("does not fit")


def sizes(formula, refuse=refuse):
    def conv_output_size(n, k, p=0, s=1, d=1):
        refuse(n, k, p, s, d)
        return formula(n, k, p, s, d)

    return conv_output_size


def refuse_below_one(n, k, p, s, d):
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError("too small")


def refuse_by_the_kernel_alone(n, k, p, s, d):
    refuse_below_one(n, k, p, s, d)
    if k > n:
        raise ValueError("kernel too large")


def refuse_with_assert(n, k, p, s, d):
    assert min(n, k, s, d) >= 1
    assert p >= 0
    assert d * (k - 1) + 1 <= n + 2 * p


def refuse_nothing(n, k, p, s, d):
    pass


SIZES = {
    "forgets the one": sizes(lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) // s),
    "pads one side": sizes(lambda n, k, p, s, d: (n + p - d * (k - 1) - 1) // s + 1),
    "has no dilation": sizes(lambda n, k, p, s, d: (n + 2 * p - k) // s + 1),
    "stretches the kernel to d k": sizes(lambda n, k, p, s, d: (n + 2 * p - d * k) // s + 1),
    "rounds up": sizes(lambda n, k, p, s, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1),
    "adds the one before it divides": sizes(
        lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1 + 1) // s
    ),
    "divides the sum of brackets wrongly": sizes(
        lambda n, k, p, s, d: n + (2 * p - d * (k - 1) - 1) // s + 1
    ),
    "divides with a slash": sizes(lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) / s + 1),
    "refuses nothing": sizes(size, refuse_nothing),
    "does not see whether the kernel fits": sizes(size, refuse_below_one),
    "compares the kernel with the bare input": sizes(size, refuse_by_the_kernel_alone),
    "asserts": sizes(size, refuse_with_assert),
}


def shapes(along, order=("kernel_size", "padding", "stride", "dilation"), then=tuple):
    def conv_output_shape(hw, kernel_size, stride=1, padding=0, dilation=1):
        given = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        settings = [pair(given[name]) for name in order]
        return then(along(n, *values) for n, *values in zip(hw, *settings, strict=True))

    return conv_output_shape


def shape_of_ints_only(hw, kernel_size, stride=1, padding=0, dilation=1):
    return tuple(size(n, kernel_size, padding, stride, dilation) for n in hw)


def shape_of_first_settings(hw, kernel_size, stride=1, padding=0, dilation=1):
    first = (pair(value)[0] for value in (kernel_size, padding, stride, dilation))
    k, p, s, d = first
    return size(hw[0], k, p, s, d), size(hw[1], k, p, s, d)


def shape_of_square_images(hw, kernel_size, stride=1, padding=0, dilation=1):
    k, p, s, d = map(pair, (kernel_size, padding, stride, dilation))
    return tuple(size(hw[0], k[i], p[i], s[i], d[i]) for i in (0, 1))


def shape_width_first(hw, kernel_size, stride=1, padding=0, dilation=1):
    k, p, s, d = map(pair, (kernel_size, padding, stride, dilation))
    h, w = hw
    return size(w, k[1], p[1], s[1], d[1]), size(h, k[0], p[0], s[0], d[0])


def shape_horizontal_first(hw, kernel_size, stride=1, padding=0, dilation=1):
    k, p, s, d = (pair(value)[::-1] for value in (kernel_size, padding, stride, dilation))
    return tuple(size(hw[i], k[i], p[i], s[i], d[i]) for i in (0, 1))


def shape_of_pixels(hw, kernel_size, stride=1, padding=0, dilation=1):
    k, p, s, d = map(pair, (kernel_size, padding, stride, dilation))
    return math.prod(size(hw[i], k[i], p[i], s[i], d[i]) for i in (0, 1))


SHAPES = {
    "knows ints only": shape_of_ints_only,
    "takes the first of each pair": shape_of_first_settings,
    "takes the height twice": shape_of_square_images,
    "gives the width first": shape_width_first,
    "reads pairs as horizontal, vertical": shape_horizontal_first,
    "gives the number of pixels": shape_of_pixels,
    "swaps stride and padding": shapes(size, ("kernel_size", "stride", "padding", "dilation")),
    "gives a list": shapes(size, then=list),
    "forgets the dilation": shapes(lambda n, k, p, s, d: size(n, k, p, s)),
    "forgets the padding": shapes(lambda n, k, p, s, d: size(n, k, 0, s, d)),
    "stops at remainders": shapes(
        lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) / s + 1,
    ),
    "rounds": shapes(lambda n, k, p, s, d: round((n + 2 * p - d * (k - 1) - 1) / s + 1)),
}


def padding_by(formula, refuses=True):
    def same_padding(k, d=1):
        if refuses and d * (k - 1) % 2:
            raise ValueError("no such padding")
        return formula(k, d)

    return same_padding


def padding_refusing_even_kernels(k, d=1):
    if k % 2 == 0:
        raise ValueError("even kernel")
    return d * (k - 1) // 2


SAME = {
    "refuses nothing": padding_by(lambda k, d: d * (k - 1) // 2, refuses=False),
    "has no dilation": padding_by(lambda k, d: (k - 1) // 2),
    "halves the kernel": padding_by(lambda k, d: d * k // 2),
    "halves the effective kernel up": padding_by(lambda k, d: (d * (k - 1) + 1) // 2 + 1),
    "counts both sides": padding_by(lambda k, d: d * (k - 1)),
    "divides with a slash": padding_by(lambda k, d: d * (k - 1) / 2),
    "refuses every even kernel": padding_refusing_even_kernels,
    "adds the dilation": padding_by(lambda k, d: (k - 1) // 2 + d - 1),
    "takes k for k minus 1": padding_by(lambda k, d: (d * k - 1) // 2),
}


def transposed(formula, refuses="both"):
    def transposed_output_size(n, k, p=0, s=1, d=1, output_padding=0):
        if refuses in ("both", "output_padding") and output_padding >= max(s, d):
            raise ValueError("output_padding too large")
        if refuses == "stride" and output_padding >= s:
            raise ValueError("output_padding too large")
        result = formula(n, k, p, s, d, output_padding)
        if refuses in ("both", "size", "stride") and result < 1:
            raise ValueError("nothing left")
        return result

    return transposed_output_size


def back(n, k, p, s, d, o):
    return (n - 1) * s - 2 * p + d * (k - 1) + 1 + o


BACKWARDS = {
    "runs the formula forwards": transposed(lambda n, k, p, s, d, o: size(n, k, p, s, d) + o),
    "forgets minus 1": transposed(lambda n, k, p, s, d, o: n * s - 2 * p + d * (k - 1) + 1 + o),
    "forgets output_padding": transposed(lambda n, k, p, s, d, o: back(n, k, p, s, d, 0)),
    "adds the padding": transposed(
        lambda n, k, p, s, d, o: (n - 1) * s + 2 * p + d * (k - 1) + 1 + o
    ),
    "takes off the padding once": transposed(
        lambda n, k, p, s, d, o: (n - 1) * s - p + d * (k - 1) + 1 + o
    ),
    "has no dilation": transposed(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k + o),
    "forgets the last one": transposed(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * (k - 1) + o
    ),
    "doubles output_padding": transposed(lambda n, k, p, s, d, o: back(n, k, p, s, d, 2 * o)),
    "scales output_padding": transposed(lambda n, k, p, s, d, o: back(n, k, p, s, d, s * o)),
    "refuses nothing": transposed(back, refuses="nothing"),
    "gives sizes below 1": transposed(back, refuses="output_padding"),
    "compares with the stride only": transposed(back, refuses="stride"),
}


def correlate(x, kernel, stride=1, padding=0):
    padded = torch.zeros(x.shape[0] + 2 * padding, x.shape[1] + 2 * padding, dtype=x.dtype)
    padded[padding : padding + x.shape[0], padding : padding + x.shape[1]] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded.numpy(), tuple(kernel.shape))
    return (torch.from_numpy(windows[::stride, ::stride].copy()) * kernel).sum((2, 3))


def correlate_in_float32(x, kernel, stride=1, padding=0):
    h, w = x.shape
    padded = torch.zeros(h + 2 * padding, w + 2 * padding)
    padded[padding : padding + h, padding : padding + w] = x
    kh, kw = kernel.shape
    rows, columns = size(h, kh, padding, stride), size(w, kw, padding, stride)
    result = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = padded[i * stride : i * stride + kh, j * stride : j * stride + kw]
            result[i, j] = (window * kernel).sum()
    return result


def correlate_with_steps_of_one(x, kernel, stride=1, padding=0):
    """Has the output size of the stride, but moves by one pixel."""
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    kh, kw = kernel.shape
    rows, columns = size(len(x), kh, padding, stride), size(x.shape[1], kw, padding, stride)
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (padded[i : i + kh, j : j + kw] * kernel).sum()
    return result


def correlate_square_kernels(x, kernel, stride=1, padding=0):
    k = kernel.shape[0]
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    rows = (padded.shape[0] - k) // stride + 1
    columns = (padded.shape[1] - k) // stride + 1
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            window = padded[i * stride : i * stride + k, j * stride : j * stride + k]
            result[i, j] = (window * kernel).sum()
    return result


def correlate_short_of_the_last(x, kernel, stride=1, padding=0):
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    kh, kw = kernel.shape
    rows, columns = size(len(x), kh, padding, stride), size(x.shape[1], kw, padding, stride)
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows - 1):
        for j in range(columns - 1):
            window = padded[i * stride : i * stride + kh, j * stride : j * stride + kw]
            result[i, j] = (window * kernel).sum()
    return result


def correlate_keeping_the_last_product(x, kernel, stride=1, padding=0):
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    kh, kw = kernel.shape
    rows, columns = size(len(x), kh, padding, stride), size(x.shape[1], kw, padding, stride)
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            for u in range(kh):
                for v in range(kw):
                    product = padded[i * stride + u, j * stride + v] * kernel[u, v]
                    result[i, j] = product
    return result


CORRELATIONS = {
    "convolves": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel.flip(0, 1), stride, padding
    ),
    "transposes the kernel": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel.T, stride, padding
    ),
    "averages": lambda x, kernel, stride=1, padding=0: (
        correlate(x, kernel, stride, padding) / kernel.numel()
    ),
    "ignores the padding": lambda x, kernel, stride=1, padding=0: correlate(x, kernel, stride),
    "ignores the stride": lambda x, kernel, stride=1, padding=0: correlate(x, kernel, 1, padding),
    "swaps stride and padding": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel, padding or 1, stride
    ),
    "pads with ones": lambda x, kernel, stride=1, padding=0: correlate(
        torch.nn.functional.pad(x, (padding,) * 4, value=1.0), kernel, stride
    ),
    "pads with copies of the border": lambda x, kernel, stride=1, padding=0: correlate(
        torch.nn.functional.pad(x[None, None], (padding,) * 4, mode="replicate")[0, 0],
        kernel,
        stride,
    ),
    "pads top and left only": lambda x, kernel, stride=1, padding=0: correlate(
        torch.nn.functional.pad(x, (padding, 0, padding, 0)), kernel, stride
    ),
    "works in float32": correlate_in_float32,
    "moves by one pixel": correlate_with_steps_of_one,
    "takes kernels for squares": correlate_square_kernels,
    "stops one early": correlate_short_of_the_last,
    "keeps the last product": correlate_keeping_the_last_product,
    "gives it with axes in front": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel, stride, padding
    )[None, None],
}

CONVOLUTIONS = {
    "does not flip": lambda x, kernel: correlate(x, kernel),
    "flips rows only": lambda x, kernel: correlate(x, kernel.flip(0)),
    "flips columns only": lambda x, kernel: correlate(x, kernel.flip(1)),
    "transposes": lambda x, kernel: correlate(x, kernel.T),
    "negates": lambda x, kernel: -correlate(x, kernel),
    "flips the image": lambda x, kernel: correlate(x.flip(0, 1), kernel),
    "flips the image and the kernel": lambda x, kernel: correlate(x.flip(0, 1), kernel.flip(0, 1)),
    "flips the result": lambda x, kernel: correlate(x, kernel).flip(0, 1),
    "pads to the same size": lambda x, kernel: correlate(
        x, kernel.flip(0, 1), padding=kernel.shape[0] // 2
    ),
    "pads to the full size": lambda x, kernel: correlate(
        x, kernel.flip(0, 1), padding=kernel.shape[0] - 1
    ),
    "turns by a quarter": lambda x, kernel: correlate(x, torch.rot90(kernel)),
    "uses a negative step": lambda x, kernel: correlate(x, kernel[::-1, ::-1]),
}


def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    n, c, h, w = x.shape
    o, share, kh, kw = weight.shape
    if c % groups or o % groups or share != c // groups:
        raise ValueError("groups do not divide")
    (sv, sh), (pv, ph), (dv, dh) = map(pair, (stride, padding, dilation))
    padded = torch.nn.functional.pad(x, (ph, ph, pv, pv))
    rows, columns = size(h, kh, pv, sv, dv), size(w, kw, ph, sh, dh)
    result = torch.zeros(n, o, rows, columns, dtype=x.dtype)
    for f in range(o):
        first = f // (o // groups) * share
        for i in range(kh):
            for j in range(kw):
                window = padded[:, first : first + share, i * dv :: sv, j * dh :: sh]
                result[:, f] += (
                    window[:, :, :rows, :columns] * weight[f, :, i, j].view(-1, 1, 1)
                ).sum(1)
    return result if bias is None else result + bias.view(-1, 1, 1)


def convs(given=None, then=None):
    """Return conv with changed arguments or a changed result."""

    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        settings = {
            "x": x,
            "weight": weight,
            "bias": bias,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }
        result = conv(**{**settings, **(given(**settings) if given else {})})
        return then(result, **settings) if then else result

    return conv2d


def conv_of_ints(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv(x, weight, bias, int(stride), int(padding), int(dilation), groups)


def conv_with_interleaved_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Filter f reads block f mod groups, not the block of its neighbours."""
    conv(x, weight, bias, stride, padding, dilation, groups)
    o, share = weight.shape[:2]
    parts = [
        conv(
            x[:, f % groups * share : (f % groups + 1) * share],
            weight[f : f + 1],
            None if bias is None else bias[f : f + 1],
            stride,
            padding,
            dilation,
        )
        for f in range(o)
    ]
    return torch.cat(parts, 1)


def conv_of_the_first_image(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv(x[:1], weight, bias, stride, padding, dilation, groups)


def conv_refusing_nothing(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    o, share = weight.shape[:2]
    per = max(1, o // groups)
    parts = [
        conv(
            x[:, g * share : (g + 1) * share],
            weight[g * per : (g + 1) * per, : x[:, g * share : (g + 1) * share].shape[1]],
            None,
            stride,
            padding,
            dilation,
        )
        for g in range(groups)
    ]
    result = torch.cat(parts, 1)
    return result if bias is None else result + bias[: result.shape[1]].view(-1, 1, 1)


CONV2D = {
    "forgets the bias": convs(lambda **_: {"bias": None}),
    "adds the bias along the width": convs(
        lambda **_: {"bias": None},
        lambda y, bias, **_: y if bias is None else y + bias.sum(),
    ),
    "ignores the stride": convs(lambda **_: {"stride": 1}),
    "ignores the padding": convs(lambda **_: {"padding": 0}),
    "ignores the dilation": convs(lambda **_: {"dilation": 1}),
    "swaps the pairs": convs(
        lambda stride, padding, dilation, **_: {
            "stride": pair(stride)[::-1],
            "padding": pair(padding)[::-1],
            "dilation": pair(dilation)[::-1],
        }
    ),
    "takes the first of a pair": convs(
        lambda stride, padding, dilation, **_: {
            "stride": pair(stride)[0],
            "padding": pair(padding)[0],
            "dilation": pair(dilation)[0],
        }
    ),
    "knows ints only": conv_of_ints,
    "flips the kernels": convs(lambda weight, **_: {"weight": weight.flip(2, 3)}),
    "interleaves the groups": conv_with_interleaved_groups,
    "computes the first image only": conv_of_the_first_image,
    "takes the first channel only": convs(
        lambda weight, **_: {
            "weight": torch.cat([weight[:, :1], torch.zeros_like(weight[:, 1:])], 1)
        }
    ),
    "averages over the channels": convs(
        lambda **_: {"bias": None},
        lambda y, weight, bias, **_: (
            y / weight.shape[1] + (0 if bias is None else bias.view(-1, 1, 1))
        ),
    ),
    "subtracts the bias": convs(
        lambda bias, **_: {"bias": None if bias is None else -bias},
    ),
    "refuses nothing": conv_refusing_nothing,
    "gives the filters first": convs(then=lambda y, **_: y.transpose(0, 1)),
    "gives an array": convs(then=lambda y, **_: np.asarray(y)),
    "works in float32": convs(then=lambda y, **_: y.float()),
}

WRONG = {
    "conv_output_size": SIZES,
    "conv_output_shape": SHAPES,
    "same_padding": SAME,
    "transposed_output_size": BACKWARDS,
    "cross_correlate2d": CORRELATIONS,
    "convolve2d": CONVOLUTIONS,
    "conv2d": CONV2D,
}
