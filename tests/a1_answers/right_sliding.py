"""Right answers to exercises 5 to 7, written as different students would: <exercise>_by_<way>."""

import functools
import itertools

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

# --- cross_correlate2d ------------------------------------------------------------------------


def cross_correlate2d_by_numbers(x, kernel, stride=1, padding=0):
    (height, width), (kh, kw) = x.shape, kernel.shape
    rows, columns = (
        (n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape, kernel.shape, strict=True)
    )
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for a in range(kh):
                for b in range(kw):
                    row, column = i * stride + a - padding, j * stride + b - padding
                    if 0 <= row < height and 0 <= column < width:
                        total += x[row, column] * kernel[a, b]
            result[i, j] = total
    return result


def cross_correlate2d_by_windows(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    kh, kw = kernel.shape
    starts = [range(0, n - k + 1, stride) for n, k in zip(padded.shape, kernel.shape, strict=True)]
    rows = ([(padded[i : i + kh, j : j + kw] * kernel).sum() for j in starts[1]] for i in starts[0])
    return torch.stack([torch.stack(row) for row in rows])


def cross_correlate2d_by_strides(x, kernel, stride=1, padding=0):
    padded = nn.ZeroPad2d(padding)(x[None])[0].contiguous()
    down, across = padded.stride()
    places = [(n - k) // stride + 1 for n, k in zip(padded.shape, kernel.shape, strict=True)]
    steps = (down * stride, across * stride, down, across)
    return torch.einsum("ijab,ab->ij", padded.as_strided((*places, *kernel.shape), steps), kernel)


def cross_correlate2d_by_numpy(x, kernel, stride=1, padding=0):
    padded = np.pad(x.numpy(), padding)
    windows = sliding_window_view(padded, tuple(kernel.shape))[::stride, ::stride]
    return torch.from_numpy(np.einsum("ijab,ab->ij", windows, kernel.numpy()).astype(padded.dtype))


def cross_correlate2d_by_fft(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    size = tuple(padded.shape)
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel, s=size).conj()
    full = torch.fft.irfft2(spectrum, s=size)
    height, width = (n - k + 1 for n, k in zip(size, kernel.shape, strict=True))
    return full[:height:stride, :width:stride]


def cross_correlate2d_by_float64_lists(x, kernel, stride=1, padding=0):
    print("working on", x)
    image, weights = F.pad(x, (padding,) * 4).tolist(), kernel.tolist()

    def sums():
        for i in range(0, len(image) - len(weights) + 1, stride):
            yield [
                sum(
                    weight * pixel
                    for weight_row, pixel_row in zip(weights, image[i:], strict=False)
                    for weight, pixel in zip(weight_row, pixel_row[j:], strict=False)
                )
                for j in range(0, len(image[0]) - len(weights[0]) + 1, stride)
            ]

    return torch.tensor(list(sums()), dtype=x.dtype)


def cross_correlate2d_by_matrix(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    rows, columns = (
        torch.arange(0, n - k + 1, stride) for n, k in zip(padded.shape, kernel.shape, strict=True)
    )
    down = rows[:, None, None, None] + torch.arange(kernel.shape[0])[:, None]
    across = columns[:, None, None] + torch.arange(kernel.shape[1])
    patches = padded[down, across].reshape(len(rows) * len(columns), -1)
    return (patches @ kernel.reshape(-1)).view(len(rows), len(columns))


def cross_correlate2d_by_rolling(x, kernel, stride=1, padding=0):
    padded = F.pad(x, (padding,) * 4)
    total = torch.zeros_like(padded)
    for a, b in itertools.product(*map(range, kernel.shape)):
        total += torch.roll(padded, shifts=(-a, -b), dims=(0, 1)) * kernel[a, b]
    height, width = (n - k + 1 for n, k in zip(padded.shape, kernel.shape, strict=True))
    return total[:height:stride, :width:stride]


def cross_correlate2d_by_recursion(x, kernel, stride=1, padding=0):
    if padding:
        return cross_correlate2d_by_recursion(F.pad(x, (1, 1, 1, 1)), kernel, stride, padding - 1)
    if kernel.shape[0] > 1:
        top = cross_correlate2d_by_recursion(
            x[: x.shape[0] - kernel.shape[0] + 1], kernel[:1], stride
        )
        return top + cross_correlate2d_by_recursion(x[1:], kernel[1:], stride)
    starts = range(0, x.shape[1] - kernel.shape[1] + 1, stride)
    return torch.stack([(x[::stride, j : j + kernel.shape[1]] * kernel).sum(1) for j in starts], 1)


class _Correlation(nn.Module):
    def forward(self, x, kernel, stride=1, padding=0):
        return cross_correlate2d_by_strides(x, nn.Parameter(kernel), stride, padding)


cross_correlate2d_by_module = _Correlation()
cross_correlate2d_by_partial = functools.partial(cross_correlate2d_by_matrix)

# --- convolve2d -------------------------------------------------------------------------------


def convolve2d_by_flip(x, kernel):
    return cross_correlate2d_by_windows(x, torch.flip(kernel, dims=[0, 1]))


convolve2d_by_lambda = lambda x, kernel: cross_correlate2d_by_strides(x, kernel.rot90(2))  # noqa: E731


def convolve2d_by_numpy(x, kernel):
    windows = sliding_window_view(x.numpy(), tuple(kernel.shape))
    return torch.from_numpy(
        np.tensordot(windows, kernel.numpy()[::-1, ::-1], 2).astype(windows.dtype)
    )


def convolve2d_by_numbers(x, kernel):
    kh, kw = kernel.shape
    result = x.new_empty(x.shape[0] - kh + 1, x.shape[1] - kw + 1)
    for i, j in itertools.product(*map(range, result.shape)):
        result[i, j] = sum(
            kernel[a, b] * x[i + kh - 1 - a, j + kw - 1 - b] for a in range(kh) for b in range(kw)
        )
    return result


def convolve2d_by_spreading(x, kernel):
    """Add the kernel at every pixel, and keep the places where it fits whole."""
    kh, kw = kernel.shape
    full = x.new_zeros(x.shape[0] + kh - 1, x.shape[1] + kw - 1)
    for i, row in enumerate(kernel):
        for j, weight in enumerate(row):
            full[i : i + x.shape[0], j : j + x.shape[1]] += weight * x
    return full[kh - 1 : x.shape[0], kw - 1 : x.shape[1]]


@torch.no_grad()
def convolve2d_by_fft(x, kernel):
    size = tuple(x.shape)
    full = np.fft.irfft2(np.fft.rfft2(x.numpy()) * np.fft.rfft2(kernel.numpy(), s=size), s=size)
    return torch.tensor(full[kernel.shape[0] - 1 :, kernel.shape[1] - 1 :], dtype=x.dtype)


# --- conv2d -----------------------------------------------------------------------------------


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)


def _refuse(x, weight, groups):
    if x.shape[1] % groups or weight.shape[0] % groups:
        raise ValueError("groups")
    if x.shape[1] // groups != weight.shape[1]:
        raise ValueError("channels")


def _places(padded, weight, stride, dilation):
    return [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], weight.shape[2:], stride, dilation, strict=True)
    ]


def conv2d_by_windows(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _refuse(x, weight, groups)
    (sv, sh), (pv, ph), (dv, dh) = map(_pair, (stride, padding, dilation))
    padded = F.pad(x, (ph, ph, pv, pv))
    filters, share, kh, kw = weight.shape
    rows, columns = _places(padded, weight, (sv, sh), (dv, dh))
    result = torch.zeros(len(x), filters, rows, columns, dtype=x.dtype)
    for n, o, i, j in itertools.product(*map(range, result.shape)):
        first = o // (filters // groups) * share
        down = slice(i * sv, i * sv + dv * (kh - 1) + 1, dv)
        across = slice(j * sh, j * sh + dh * (kw - 1) + 1, dh)
        window = padded[n, first : first + share, down, across]
        result[n, o, i, j] = (window * weight[o]).sum() + (0 if bias is None else bias[o])
    return result


def conv2d_by_strides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _refuse(x, weight, groups)
    stride, (pv, ph), dilation = map(_pair, (stride, padding, dilation))
    padded = F.pad(x, (ph, ph, pv, pv)).contiguous()
    filters, share, *kernel_size = weight.shape
    image, channel, down, across = padded.stride()
    shape = (len(x), groups, share, *_places(padded, weight, stride, dilation), *kernel_size)
    steps = (image, channel * share, channel, down * stride[0], across * stride[1])
    windows = padded.as_strided(shape, (*steps, down * dilation[0], across * dilation[1]))
    blocks = weight.reshape(groups, filters // groups, share, *kernel_size)
    result = torch.einsum("ngchwij,gocij->ngohw", windows, blocks).flatten(1, 2)
    return result if bias is None else result + bias[None, :, None, None]


def conv2d_by_numpy(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _refuse(x, weight, groups)
    (sv, sh), (pv, ph), (dv, dh) = map(_pair, (stride, padding, dilation))
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (pv, pv), (ph, ph)))
    spans = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], (dv, dh), strict=True)]
    windows = sliding_window_view(padded, spans, axis=(2, 3))[:, :, ::sv, ::sh, ::dv, ::dh]
    parts = [
        np.tensordot(channels, kernels, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
        for channels, kernels in zip(
            np.split(windows, groups, axis=1), np.split(weight.numpy(), groups), strict=True
        )
    ]
    result = np.concatenate(parts, axis=1)
    if bias is not None:
        result = result + bias.numpy().reshape(1, -1, 1, 1)
    return torch.from_numpy(np.ascontiguousarray(result))


def conv2d_by_matrix(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _refuse(x, weight, groups)
    (sv, sh), (pv, ph), (dv, dh) = map(_pair, (stride, padding, dilation))
    padded = nn.functional.pad(x, (ph, ph, pv, pv), "constant", 0.0)
    filters, share, kh, kw = weight.shape
    rows, columns = _places(padded, weight, (sv, sh), (dv, dh))
    down = (torch.arange(rows) * sv)[:, None, None, None] + (torch.arange(kh) * dv)[:, None]
    across = (torch.arange(columns) * sh)[:, None, None] + torch.arange(kw) * dh
    patches = padded[:, :, down, across].permute(0, 1, 4, 5, 2, 3)
    patches = patches.reshape(len(x), groups, share * kh * kw, rows * columns)
    result = weight.reshape(groups, filters // groups, -1) @ patches
    result = result.reshape(len(x), filters, rows, columns)
    return result if bias is None else result + bias.view(-1, 1, 1)


def conv2d_by_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    match groups:
        case 1 if x.size(1) == weight.size(1):
            return conv2d_by_matrix(x, weight, bias, stride, padding, dilation)
        case 1:
            raise ValueError("channels")
    if x.size(1) != weight.size(1) * groups or len(weight) % groups:
        raise ValueError("groups")
    biases = [None] * groups if bias is None else bias.chunk(groups)
    parts = zip(x.chunk(groups, 1), weight.chunk(groups), biases, strict=True)
    return torch.cat([conv2d_by_groups(*part, stride, padding, dilation) for part in parts], 1)


def conv2d_by_fft(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _refuse(x, weight, groups)
    (sv, sh), (pv, ph), (dv, dh) = map(_pair, (stride, padding, dilation))
    padded = F.pad(x, (ph, ph, pv, pv)).double()
    filters, share, kh, kw = weight.shape
    spread = torch.zeros(filters, share, dv * (kh - 1) + 1, dh * (kw - 1) + 1, dtype=padded.dtype)
    spread[:, :, ::dv, ::dh] = weight
    size = padded.shape[2:]
    images = torch.fft.rfft2(padded).unflatten(1, (groups, share))
    kernels = torch.fft.rfft2(spread, s=size).conj().unflatten(0, (groups, -1))
    result = torch.einsum("ngchw,gochw->ngohw", images, kernels).flatten(1, 2)
    result = torch.fft.irfft2(result, s=size)
    height, width = (n - k + 1 for n, k in zip(size, spread.shape[2:], strict=True))
    result = result[:, :, :height:sv, :width:sh].to(x.dtype)
    if bias is not None:
        result += bias.reshape(1, -1, 1, 1)
    return result


def logged(function):
    def wrapper(*args, **kwargs):
        print("called with", len(args), "arguments")
        return function(*args, **kwargs)

    return wrapper


class _Layer:
    def __call__(self, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        x, weight, dtype = x.double(), weight.double(), x.dtype
        result = conv2d_by_strides(x, weight, None, stride, padding, dilation, groups)
        for number in range(0 if bias is None else len(bias)):
            result[:, number] += bias[number]
        return result.to(dtype)


conv2d_by_object = _Layer()
conv2d_by_method = _Layer().__call__
conv2d_by_decorator = logged(conv2d_by_matrix)
