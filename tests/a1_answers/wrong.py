"""Wrong answers that students write; none is copied from the registered misconceptions."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from a1_answers.right_sizes import conv_output_size_by_formula, transposed_output_size_by_formula
from a1_answers.right_sliding import (
    conv2d_by_matrix,
    convolve2d_by_flip,
    cross_correlate2d_by_windows,
)

correlate, convolve = cross_correlate2d_by_windows, convolve2d_by_flip


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


# --- sizes ------------------------------------------------------------------------------------


def _size(formula):
    """Return an answer with a wrong formula that refuses all that must be refused."""

    def answer(n, k, p=0, s=1, d=1):
        conv_output_size_by_formula(n, k, p, s, d)
        return formula(n, k, p, s, d)

    return answer


def _size_unless(refused, error=ValueError):
    """Return an answer with the right formula that refuses something else."""

    def answer(n, k, p=0, s=1, d=1):
        if refused(n, k, p, s, d):
            raise error("refused")
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    return answer


def _size_or(instead):
    """Return an answer that gives something where it must raise ValueError."""

    def answer(n, k, p=0, s=1, d=1):
        try:
            return conv_output_size_by_formula(n, k, p, s, d)
        except ValueError as error:
            return instead(error)

    return answer


def _wanted(n, k, p, s, d):
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def _out_of_range(n, k, p, s, d):
    return min(n, k, s, d) < 1 or p < 0


def _too_large(n, k, p, s, d):
    return d * (k - 1) + 1 > n + 2 * p


SIZES = {
    "rounds": _size(lambda n, k, p, s, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1),
    "forgets brackets": _size(lambda n, k, p, s, d: n + 2 * p - d * (k - 1) - 1 // s + 1),
    "divides into floats": _size(lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) / s + 1),
    "gives numpy's int": _size(lambda *settings: np.int64(_wanted(*settings))),
    "gives a tensor": _size(lambda *settings: torch.tensor(_wanted(*settings))),
    "rounds up without the 1": _size(
        lambda n, k, p, s, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s)
    ),
    "keeps the size": _size(lambda n, k, p, s, d: math.ceil(n / s)),
    "uses n and k only": _size(lambda n, k, p, s, d: n - k + 1),
    "ignores padding and dilation": _size(lambda n, k, p, s, d: (n - k) // s + 1),
    "counts one place more": _size(lambda *settings: _wanted(*settings) + 1),
    "dilates the padding": _size(lambda n, k, p, s, d: (n + 2 * p * d - d * (k - 1) - 1) // s + 1),
    "dilates the stride": _size(lambda n, k, p, s, d: (n + 2 * p - d * (k - 1) - 1) // (s * d) + 1),
    "takes the padding off": _size(lambda n, k, p, s, d: (n - 2 * p - d * (k - 1) - 1) // s + 1),
    "halves the kernel": _size(lambda n, k, p, s, d: (n + 2 * p - 2 * d * (k // 2) - 1) // s + 1),
    "refuses no padding": _size_unless(lambda n, k, p, s, d: min(n, k, p, s, d) < 1),
    "refuses a kernel that just fits": _size_unless(
        lambda n, k, p, s, d: _out_of_range(n, k, p, s, d) or d * (k - 1) + 1 >= n + 2 * p
    ),
    "forgets the stride": _size_unless(
        lambda n, k, p, s, d: min(n, k, d) < 1 or p < 0 or _too_large(n, k, p, s, d)
    ),
    "refuses negative numbers only": _size_unless(
        lambda n, k, p, s, d: min(n, k, p, s, d) < 0 or _too_large(n, k, p, s, d)
    ),
    "asserts": _size_unless(
        lambda *settings: _out_of_range(*settings) or _too_large(*settings), AssertionError
    ),
    "raises TypeError": _size_unless(
        lambda *settings: _out_of_range(*settings) or _too_large(*settings), TypeError
    ),
    "returns the error": _size_or(lambda error: error),
    "prints the error": _size_or(print),
    "returns -1": _size_or(lambda error: -1),
    "swaps stride and padding": lambda n, k, s=1, p=0, d=1: conv_output_size_by_formula(
        n, k, p, s, d
    ),
    "pads by default": lambda n, k, p=1, s=1, d=1: conv_output_size_by_formula(n, k, p, s, d),
    "names the arguments differently": lambda n, k, padding=0, stride=1, dilation=1: (
        conv_output_size_by_formula(n, k, padding, stride, dilation)
    ),
    "refuses everything": lambda *args, **kwargs: int("nothing"),
}


def _shape(as_pairs=_pair, size=_wanted, result=tuple):
    """Return an answer with another reading of pairs, another formula or another result."""

    def answer(hw, kernel_size, stride=1, padding=0, dilation=1):
        k, p, s, d = (as_pairs(value) for value in (kernel_size, padding, stride, dilation))
        return result(size(hw[axis], k[axis], p[axis], s[axis], d[axis]) for axis in range(2))

    return answer


def _shape_with(name, change):
    """Return an answer that reads the pair of one setting wrongly."""

    def answer(hw, kernel_size, stride=1, padding=0, dilation=1):
        settings = {
            "kernel_size": kernel_size,
            "padding": padding,
            "stride": stride,
            "dilation": dilation,
        }
        settings = {key: _pair(value) for key, value in settings.items()}
        settings[name] = change(settings[name])
        return tuple(map(_wanted, hw, *settings.values()))

    return answer


SHAPES = {
    "gives a list": _shape(result=list),
    "gives a generator": _shape(result=lambda sizes: sizes),
    "gives a tensor": _shape(result=lambda sizes: torch.tensor(list(sizes))),
    "gives floats": _shape(size=lambda *settings: float(_wanted(*settings))),
    "gives the height": _shape(result=next),
    "gives four numbers": _shape(result=lambda sizes: (1, 1, *sizes)),
    "takes ints only": _shape(as_pairs=lambda value: (value, value)),
    "takes pairs only": _shape(as_pairs=lambda value: value),
    "adds pairs up": _shape(as_pairs=lambda value: (sum(_pair(value)),) * 2),
    "takes the larger of a pair": _shape(as_pairs=lambda value: (max(_pair(value)),) * 2),
    "rounds": _shape(
        size=lambda n, k, p, s, d: math.floor((n + 2 * p - d * (k - 1) - 1) / s + 0.5) + 1
    ),
    "adds the 1 before dividing": _shape(size=lambda n, k, p, s, d: (n + 2 * p - d * (k - 1)) // s),
    "uses the kernel size only": _shape(size=lambda n, k, p, s, d: n - k + 1),
    "counts skipped pixels": _shape(
        size=lambda n, k, p, s, d: (n + 2 * p - (k + d * (k - 1))) // s + 1
    ),
    "swaps the kernel's sides": _shape_with("kernel_size", lambda pair: pair[::-1]),
    "swaps the strides": _shape_with("stride", lambda pair: pair[::-1]),
    "swaps the paddings": _shape_with("padding", lambda pair: pair[::-1]),
    "swaps the dilations": _shape_with("dilation", lambda pair: pair[::-1]),
    "has one stride": _shape_with("stride", lambda pair: (pair[0], pair[0])),
    "has one padding": _shape_with("padding", lambda pair: (pair[1], pair[1])),
    "swaps padding and stride": lambda hw, kernel_size, padding=0, stride=1, dilation=1: _shape()(
        hw, kernel_size, stride, padding, dilation
    ),
    "steps by the kernel": lambda hw, kernel_size, stride=None, padding=0, dilation=1: _shape()(
        hw, kernel_size, kernel_size if stride is None else stride, padding, dilation
    ),
}


def _padding_unless(refused, padding=lambda k, d: d * (k - 1) // 2, error=ValueError):
    """Return an answer with the right padding that refuses something else."""

    def answer(k, d=1):
        if refused(k, d):
            raise error("refused")
        return padding(k, d)

    return answer


def _even_span(k, d):
    return d * (k - 1) % 2 == 1


SAME = {
    "gives floats": lambda k, d=1: d * (k - 1) / 2,
    "rounds up": lambda k, d=1: math.ceil(d * (k - 1) / 2),
    "gives None": lambda k, d=1: None if _even_span(k, d) else d * (k - 1) // 2,
    "gives -1": lambda k, d=1: -1 if _even_span(k, d) else d * (k - 1) // 2,
    "gives both ends": lambda k, d=1: (d * (k - 1) // 2,) * 2,
    "gives a word": lambda k, d=1: "same",
    "counts skipped pixels": lambda k, d=1: (k + d * (k - 1) - 1) // 2,
    "is one too small": _padding_unless(_even_span, lambda k, d: d * (k - 1) // 2 - 1),
    "multiplies twice": _padding_unless(_even_span, lambda k, d: d * d * (k - 1) // 2),
    "halves d times k": _padding_unless(_even_span, lambda k, d: (d * k - 1) // 2),
    "asserts": _padding_unless(_even_span, error=AssertionError),
    "refuses even dilations": _padding_unless(lambda k, d: d % 2 == 0),
    "refuses anything even": _padding_unless(lambda k, d: k % 2 == 0 or d % 2 == 0),
    "refuses if both are even": _padding_unless(lambda k, d: k % 2 == 0 and d % 2 == 0),
    "refuses what is allowed": _padding_unless(lambda k, d: not _even_span(k, d)),
    "refuses a kernel of 1": _padding_unless(lambda k, d: k == 1 or _even_span(k, d)),
    "knows no dilation": lambda k: (k - 1) // 2,
    "swaps the arguments": lambda d, k=1: _padding_unless(_even_span)(k, d),
    "searches without end": lambda k, d=1: next(
        p for p in range(50) if 28 + 2 * p - d * (k - 1) == 28
    ),
}


def _backwards(formula=lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * (k - 1) + 1 + o):
    """Return an answer with a wrong formula that refuses all that must be refused."""

    def answer(n, k, p=0, s=1, d=1, output_padding=0):
        transposed_output_size_by_formula(n, k, p, s, d, output_padding)
        return formula(n, k, p, s, d, output_padding)

    return answer


def _backwards_unless(refused, least=1):
    """Return an answer with the right formula that refuses something else."""

    def answer(n, k, p=0, s=1, d=1, output_padding=0):
        size = (n - 1) * s - 2 * p + d * (k - 1) + 1 + output_padding
        if refused(s, d, output_padding) or size < least:
            raise ValueError("refused")
        return size

    return answer


BACKWARDS = {
    "gives floats": _backwards(
        lambda n, k, p, s, d, o: (n - 1.0) * s - 2 * p + d * (k - 1) + 1 + o
    ),
    "is one too large": _backwards(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * (k - 1) + 2 + o
    ),
    "knows the textbook's formula": _backwards(lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k),
    "divides by the stride": _backwards(
        lambda n, k, p, s, d, o: (n - 1) // s - 2 * p + d * (k - 1) + 1
    ),
    "takes the largest": _backwards(lambda n, k, p, s, d, o: n * s - 2 * p + d * (k - 1) - o),
    "counts skipped pixels": _backwards(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + k + d * (k - 1) + o
    ),
    "takes the kernel off": _backwards(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p - d * (k - 1) + o
    ),
    "adds strides": _backwards(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p + d * (k - 1) + 1 + o * s
    ),
    "dilates the padding": _backwards(
        lambda n, k, p, s, d, o: (n - 1) * s - 2 * p * d + d * (k - 1) + 1 + o
    ),
    "asks for two pixels": _backwards_unless(lambda s, d, o: o >= max(s, d), least=2),
    "never refuses too little": _backwards_unless(lambda s, d, o: o >= max(s, d), least=-100),
    "compares with the dilation": _backwards_unless(lambda s, d, o: o >= d),
    "compares with the product": _backwards_unless(lambda s, d, o: o >= s * d),
    "refuses what is allowed": _backwards_unless(lambda s, d, o: o < max(s, d)),
    "swaps stride and padding": lambda n, k, s=1, p=0, d=1, output_padding=0: _backwards()(
        n, k, p, s, d, output_padding
    ),
    "names the last argument differently": lambda n, k, p=0, s=1, d=1, o=0: _backwards()(
        n, k, p, s, d, o
    ),
    "makes the size positive": lambda n, k, p=0, s=1, d=1, output_padding=0: max(
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + output_padding, 1
    ),
}

# --- windows ----------------------------------------------------------------------------------


def _padded(pad):
    """Return a correlation that makes its border wrongly."""
    return lambda x, kernel, stride=1, padding=0: correlate(pad(x, padding), kernel, stride)


def _result(change):
    """Return a correlation whose result is changed."""
    return lambda x, kernel, stride=1, padding=0: change(correlate(x, kernel, stride, padding))


def _summed(value_of):
    """Return a correlation that does something else with each window."""

    def answer(x, kernel, stride=1, padding=0):
        padded = F.pad(x, (padding,) * 4)
        kh, kw = kernel.shape
        rows = range(0, padded.shape[0] - kh + 1, stride)
        columns = range(0, padded.shape[1] - kw + 1, stride)
        return torch.tensor(
            [[value_of(padded[i : i + kh, j : j + kw], kernel) for j in columns] for i in rows],
            dtype=x.dtype,
        )

    return answer


def _correlate_by_negative_indices(x, kernel, stride=1, padding=0):
    rows = range(-padding, x.shape[0] + padding - kernel.shape[0] + 1, stride)
    columns = range(-padding, x.shape[1] + padding - kernel.shape[1] + 1, stride)
    return torch.tensor(
        [
            [
                sum(
                    float(x[i + a, j + b] * kernel[a, b])
                    for a in range(kernel.shape[0])
                    for b in range(kernel.shape[1])
                    if i + a < x.shape[0] and j + b < x.shape[1]
                )
                for j in columns
            ]
            for i in rows
        ],
        dtype=x.dtype,
    )


def _correlate_with_negative_slice(x, kernel, stride=1, padding=0):
    padded = x.new_zeros([size + 2 * padding for size in x.shape])
    padded[padding:-padding, padding:-padding] = x
    return correlate(padded, kernel, stride)


CORRELATIONS = {
    "is always float32": _result(lambda result: result.float()),
    "is always float64": _result(lambda result: result.double()),
    "gives whole numbers": _result(lambda result: result.round().long()),
    "gives an array": _result(lambda result: result.numpy()),
    "gives lists": _result(lambda result: result.tolist()),
    "keeps batch and channel": _result(lambda result: result[None, None]),
    "is flat": _result(torch.flatten),
    "has rows and columns mixed": _result(lambda result: result.T.reshape(result.shape)),
    "sums the window": _summed(lambda window, kernel: window.sum()),
    "takes the largest product": _summed(lambda window, kernel: (window * kernel).max()),
    "adds the kernel": _summed(lambda window, kernel: (window + kernel).sum()),
    "subtracts the mean": _summed(lambda window, kernel: ((window - window.mean()) * kernel).sum()),
    "divides by both norms": _summed(
        lambda window, kernel: (window * kernel).sum() / (window.norm() * kernel.norm() + 1)
    ),
    "reads the first row": _summed(lambda window, kernel: (window[0] * kernel[0]).sum()),
    "pads twice": _padded(lambda x, p: F.pad(x, (2 * p,) * 4)),
    "pads half": _padded(lambda x, p: F.pad(x, (p // 2,) * 4)),
    "pads at one end": _padded(lambda x, p: F.pad(x, (2 * p, 0, 2 * p, 0))),
    "pads with the mean": _padded(lambda x, p: F.pad(x, (p,) * 4, value=x.mean().item())),
    "pads with nan": _padded(lambda x, p: F.pad(x, (p,) * 4, value=math.nan)),
    "always pads": _padded(lambda x, p: F.pad(x, (1,) * 4)),
    "counts from the end": _correlate_by_negative_indices,
    "slices up to -0": _correlate_with_negative_slice,
    "flips and forgets the stride": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel.flip(0, 1), 1, padding
    ),
    "flips and forgets the padding": lambda x, kernel, stride=1, padding=0: correlate(
        x, kernel.flip(0, 1), stride
    ),
    "forgets both settings": lambda x, kernel, stride=1, padding=0: correlate(x, kernel),
    "swaps the settings": lambda x, kernel, padding=0, stride=1: correlate(
        x, kernel, stride, padding
    ),
    "steps by two": lambda x, kernel, stride=2, padding=0: correlate(x, kernel, stride, padding),
    "swaps image and kernel": lambda kernel, x, stride=1, padding=0: correlate(
        x, kernel, stride, padding
    ),
    "takes no settings": lambda x, kernel: correlate(x, kernel),
}


def _circular(x, kernel):
    size = tuple(x.shape)
    return torch.fft.irfft2(torch.fft.rfft2(x) * torch.fft.rfft2(kernel, s=size), s=size)


def _turned_while_read(x, kernel):
    turned = kernel.clone()
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            turned[i, j] = turned[-1 - i, -1 - j]
    return correlate(x, turned)


CONVOLUTIONS = {
    "negates": lambda x, kernel: -convolve(x, kernel),
    "flips the image": lambda x, kernel: correlate(x.flip(0, 1), kernel),
    "flips the image's rows": lambda x, kernel: correlate(x.flip(0), kernel),
    "flips both": lambda x, kernel: correlate(x.flip(0, 1), kernel.flip(0, 1)),
    "flips twice": lambda x, kernel: correlate(x, kernel.flip(0).flip(0)),
    "flips squares only": lambda x, kernel: (
        convolve(x, kernel) if kernel.shape[0] == kernel.shape[1] else correlate(x, kernel)
    ),
    "transposes the image": lambda x, kernel: convolve(x.T, kernel),
    "transposes the result": lambda x, kernel: convolve(x, kernel).T,
    "rolls the kernel": lambda x, kernel: correlate(x, torch.roll(kernel, (1, 1), (0, 1))),
    "overwrites while turning": _turned_while_read,
    "wraps round": _circular,
    "keeps what wraps round": lambda x, kernel: _circular(x, kernel)[
        : x.shape[0] - kernel.shape[0] + 1, : x.shape[1] - kernel.shape[1] + 1
    ],
    "pads by half the kernel": lambda x, kernel: convolve(
        F.pad(x, (kernel.shape[1] // 2,) * 2 + (kernel.shape[0] // 2,) * 2), kernel
    ),
    "misses the last places": lambda x, kernel: convolve(x, kernel)[:-1, :-1],
    "averages": lambda x, kernel: convolve(x, kernel) / kernel.numel(),
    "loses the sign": lambda x, kernel: convolve(x, kernel).abs(),
    "rectifies": lambda x, kernel: convolve(x, kernel).clamp(min=0),
    "is always float32": lambda x, kernel: convolve(x, kernel).float(),
    "slices backwards": lambda x, kernel: correlate(x, kernel[::-1, ::-1]),
    "returns nothing": lambda x, kernel: convolve(x, kernel) and None,
    "turns the caller's kernel": lambda x, kernel: correlate(
        x, kernel.copy_(kernel.flip(0, 1).clone())
    ),
    "swaps image and kernel": lambda kernel, x: convolve(x, kernel),
}


def _conv(change):
    """Return a conv2d that hands changed arguments to a right one."""

    def answer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        settings = {
            "x": x,
            "weight": weight,
            "bias": bias,
            "stride": _pair(stride),
            "padding": _pair(padding),
            "dilation": _pair(dilation),
            "groups": groups,
        }
        return conv2d_by_matrix(**{**settings, **change(**settings)})

    return answer


def _conv_result(change):
    """Return a conv2d whose result, without the bias, is changed; the bias comes last."""

    def answer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        result = conv2d_by_matrix(x, weight, None, stride, padding, dilation, groups)
        return change(result, bias, groups)

    return answer


def _with_bias(add):
    return _conv_result(lambda result, bias, groups: result if bias is None else add(result, bias))


def _conv_without_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if x.shape[1] != weight.shape[1]:
        raise ValueError("channels")
    return conv2d_by_matrix(x, weight, bias, stride, padding, dilation)


def _conv_refusing_with_runtime_error(
    x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1
):
    if x.shape[1] != weight.shape[1] * groups or len(weight) % groups:
        raise RuntimeError("mismatch")
    return conv2d_by_matrix(x, weight, bias, stride, padding, dilation, groups)


CONV2D = {
    "is always float32": _conv_result(lambda result, bias, groups: result.float()),
    "gives an array": _conv_result(lambda result, bias, groups: result.numpy()),
    "squeezes": _conv_result(lambda result, bias, groups: result.squeeze()),
    "sums the images": _conv_result(lambda result, bias, groups: result.sum(0, keepdim=True)),
    "sums the filters": _conv_result(lambda result, bias, groups: result.sum(1, keepdim=True)),
    "swaps batch and channels": _conv_result(lambda result, bias, groups: result.transpose(0, 1)),
    "mixes groups": _conv_result(
        lambda result, bias, groups: result.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
    ),
    "adds the bias twice": _with_bias(lambda result, bias: result + 2 * bias.view(-1, 1, 1)),
    "adds the bias along the width": _with_bias(lambda result, bias: result + bias),
    "adds the bias along the height": _with_bias(lambda result, bias: result + bias[:, None]),
    "adds all of the bias": _with_bias(lambda result, bias: result + bias.sum()),
    "multiplies by the bias": _with_bias(lambda result, bias: result * bias.view(-1, 1, 1)),
    "reverses the bias": _with_bias(lambda result, bias: result + bias.flip(0).view(-1, 1, 1)),
    "asks whether the bias is true": _with_bias(
        lambda result, bias: result + bias.view(-1, 1, 1) if bias else result
    ),
    "changes the bias": _with_bias(
        lambda result, bias: result + bias.mul_(2).view(-1, 1, 1) - bias.view(-1, 1, 1) / 2
    ),
    "swaps the strides": _conv(lambda stride, **_: {"stride": stride[::-1]}),
    "swaps the paddings": _conv(lambda padding, **_: {"padding": padding[::-1]}),
    "swaps the dilations": _conv(lambda dilation, **_: {"dilation": dilation[::-1]}),
    "has one padding": _conv(lambda padding, **_: {"padding": padding[0]}),
    "pads by the pair": _conv(lambda x, padding, **_: {"x": F.pad(x, padding), "padding": 0}),
    "pads twice": _conv(lambda padding, **_: {"padding": tuple(2 * p for p in padding)}),
    "pads with ones": _conv(
        lambda x, padding, **_: {
            "x": F.pad(x, (padding[1],) * 2 + (padding[0],) * 2, value=1.0),
            "padding": 0,
        }
    ),
    "dilates the image": _conv(
        lambda x, dilation, **_: {"x": x[:, :, :: dilation[0], :: dilation[1]], "dilation": 1}
    ),
    "steps down only": _conv(lambda stride, **_: {"stride": (stride[0], 1)}),
    "flips all axes": _conv(lambda weight, **_: {"weight": weight.flip(1, 2, 3)}),
    "averages": _conv(lambda weight, **_: {"weight": weight / weight[0].numel()}),
    "flips and forgets the bias": _conv(
        lambda weight, **_: {"weight": weight.flip(2, 3), "bias": None}
    ),
    "reverses the groups": _conv(
        lambda x, groups, **_: {"x": torch.cat(x.chunk(groups, 1)[::-1], 1)}
    ),
    "compares with all channels": _conv_without_groups,
    "raises RuntimeError": _conv_refusing_with_runtime_error,
    "takes the bias last": lambda x, weight, stride=1, padding=0, dilation=1, groups=1, bias=None: (
        conv2d_by_matrix(x, weight, bias, stride, padding, dilation, groups)
    ),
    "asks for a bias": lambda x, weight, bias, stride=1, padding=0, dilation=1, groups=1: (
        conv2d_by_matrix(x, weight, bias, stride, padding, dilation, groups)
    ),
    "knows no groups": lambda x, weight, bias=None, stride=1, padding=0, dilation=1: (
        conv2d_by_matrix(x, weight, bias, stride, padding, dilation)
    ),
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
