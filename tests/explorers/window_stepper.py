"""X2 against F.conv2d."""

import torch
import torch.nn.functional as F

from explorers import Case


def cases():
    rng = torch.Generator().manual_seed(2)
    for height, width in [(3, 3), (7, 7), (4, 9), (8, 5)]:
        image = torch.randint(-9, 10, (height, width), generator=rng).double()
        kernel = torch.randint(-4, 5, (3, 3), generator=rng).double()
        outputs = F.conv2d(image[None, None], kernel[None, None])[0, 0]
        yield Case("correlate", [image.tolist(), kernel.tolist()], outputs.tolist())
        yield Case("turn", [kernel.tolist()], kernel.flip(0, 1).tolist())
        row, column = height - 3, width - 3
        window = image[row:, column:] * kernel
        arguments = [image.tolist(), kernel.tolist(), row, column]
        yield Case("products", arguments, window.flatten().tolist())
