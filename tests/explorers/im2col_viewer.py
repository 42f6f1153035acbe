"""X5 against F.unfold and F.fold."""

import itertools

import torch
import torch.nn.functional as F

from explorers import Case


def cases():
    numbers = torch.arange(40.0, dtype=torch.float64).reshape(1, 2, 4, 5)
    ones = torch.ones(1, 2, 4, 5, dtype=torch.float64)
    axes = [(1, 2, 3), (1, 2, 3), (1, 2, 3), (0, 1), (1, 2)]
    for height, width, stride, padding, dilation in itertools.product(*axes):
        sizes = [
            size + 2 * padding - dilation * (kernel - 1)
            for size, kernel in ((4, height), (5, width))
        ]
        if min(sizes) < 1:
            continue
        common = {"stride": stride, "padding": padding, "dilation": dilation}
        settings = common | {"kernel": [height, width]}
        table = F.unfold(numbers, (height, width), **common)
        yield Case("im2col", [settings], table[0].tolist())
        counts = F.fold(
            F.unfold(ones, (height, width), **common), (4, 5), (height, width), **common
        )
        yield Case("copies", [settings], counts[0].tolist())
        outputs = F.conv2d(numbers, torch.zeros(1, 2, height, width).double(), None, **common)
        yield Case("outputShape", [settings], list(outputs.shape[-2:]))
        for row in range(0, 2 * height * width, 3):
            place = torch.unravel_index(torch.tensor(row), (2, height, width))
            yield Case("rowPlace", [row, [height, width]], [int(part) for part in place])
