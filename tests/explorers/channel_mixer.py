"""X4 against F.conv2d with channels and groups."""

import torch
import torch.nn.functional as F

from explorers import Case


def example():
    """Return the image, weight and bias of chapter 4."""
    rng = torch.Generator().manual_seed(4)
    image = torch.randint(0, 10, (1, 3, 6, 6), generator=rng).double()
    weight = torch.randint(-2, 3, (2, 3, 3, 3), generator=rng).double()
    return image[0], weight, torch.tensor([10.0, -10.0]).double()


def cases():
    image, weight, bias = example()
    chapter = {"image": image.tolist(), "weight": weight.tolist(), "bias": bias.tolist()}
    yield Case("example", [], chapter)
    yield Case("channelSums", [chapter | {"groups": 1}, 0, 0, 1], [[0, 10], [1, 32], [2, -14]])
    rng = torch.Generator().manual_seed(44)
    for channels, filters, groups, size in [(3, 2, 1, 3), (3, 3, 3, 3), (4, 6, 2, 2), (4, 2, 2, 1)]:
        image = torch.randn(channels, 6, 5, generator=rng, dtype=torch.float64)
        shape = (filters, channels // groups, size, size)
        weight = torch.randn(shape, generator=rng, dtype=torch.float64)
        bias = torch.randn(filters, generator=rng, dtype=torch.float64)
        layer = {"image": image.tolist(), "weight": weight.tolist(), "bias": bias.tolist()}
        layer |= {"groups": groups}
        for terms in range(channels + 2):
            heard = image * (torch.arange(channels) < terms)[:, None, None]
            added = bias if terms > channels else None
            outputs = F.conv2d(heard[None], weight, added, groups=groups)[0]
            yield Case("outputMaps", [layer, terms], outputs.tolist())
        for filter_index in range(filters):
            # which channels a filter sees: the gradient of its map with respect to the image
            leaf = image.clone().requires_grad_()
            F.conv2d(leaf[None], weight, groups=groups)[0, filter_index].sum().backward()
            first = int(leaf.grad.abs().sum((1, 2)).nonzero()[0])
            yield Case("firstChannel", [filter_index, layer], first)
            seen = range(first, first + channels // groups)
            sums = [
                [
                    c,
                    F.conv2d(image[None, [c]], weight[[filter_index]][:, [c - first]])[
                        0, 0, 1, 2
                    ].item(),
                ]
                for c in seen
            ]
            yield Case("channelSums", [layer, filter_index, 1, 2], sums)
