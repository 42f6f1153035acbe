"""Right answers that only look as if they called what is forbidden."""

import torch
import torch.nn.functional as F
from a1_answers.right_sliding import conv2d_by_matrix, cross_correlate2d_by_windows
from torch import nn


def correlate(window, kernel):
    return (window * kernel).sum()


def unfold(image, kernel_size, stride):
    (height, width), (kh, kw) = image.shape, kernel_size
    return [
        [image[i : i + kh, j : j + kw] for j in range(0, width - kw + 1, stride)]
        for i in range(0, height - kh + 1, stride)
    ]


def fold(rows):
    return torch.stack([torch.stack(row) for row in rows])


def with_helpers_of_forbidden_names(x, kernel, stride=1, padding=0):
    windows = unfold(F.pad(x, (padding,) * 4), kernel.shape, stride)
    return fold([[correlate(window, kernel) for window in row] for row in windows])


def with_forbidden_names_in_text(x, kernel, stride=1, padding=0):
    """Do what F.conv2d(x), x.unfold(0, 3, 1), np.correlate or scipy.signal.convolve2d would."""
    # F.conv2d(x[None, None], kernel[None, None]) is not allowed here, and F.fold neither
    note = "torch.conv2d, nn.Unfold, np.convolve"
    assert note
    return cross_correlate2d_by_windows(x, kernel, stride, padding)


def with_local_names(x, kernel, stride=1, padding=0):
    unfold, convolve, conv2d = [], (lambda window: (window * kernel).sum()), "F.conv2d"
    padded = F.pad(x, (padding,) * 4)
    (kh, kw), conv1d = kernel.shape, len(conv2d)
    for fold in range(0, padded.shape[0] - kh + 1, stride):
        columns = range(0, padded.shape[1] - kw + 1, stride)
        unfold.append([convolve(padded[fold : fold + kh, j : j + kw]) for j in columns])
    assert conv1d
    return torch.stack([torch.stack(row) for row in unfold])


class Conv2d(nn.Module):
    def forward(self, x, kernel, stride, padding):
        return cross_correlate2d_by_windows(x, kernel, stride, padding)

    @staticmethod
    def convolve(x):
        return x


def with_own_layer(x, kernel, stride=1, padding=0):
    return Conv2d()(Conv2d.convolve(x), kernel, stride, padding)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d_by_matrix(x, weight, bias, stride, padding, dilation, groups)


def with_own_conv2d(x, kernel, stride=1, padding=0):
    return conv2d(x[None, None], kernel[None, None], None, stride, padding)[0, 0]


INNOCENT = {
    "helpers": with_helpers_of_forbidden_names,
    "text": with_forbidden_names_in_text,
    "local names": with_local_names,
    "own layer": with_own_layer,
    "own conv2d": with_own_conv2d,
}
