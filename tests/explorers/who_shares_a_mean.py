"""X8 against batch_norm, layer_norm, instance_norm and group_norm."""

import torch
import torch.nn.functional as F

from explorers import Case

WAYS = {
    "batch": lambda x: F.batch_norm(x, None, None, training=True),
    "layer": lambda x: F.layer_norm(x, x.shape[1:]),
    "instance": F.instance_norm,
    "group1": lambda x: F.group_norm(x, 1),
    "group2": lambda x: F.group_norm(x, 2),
    "group4": lambda x: F.group_norm(x, 4),
    "whole": lambda x: F.layer_norm(x, x.shape),
}


def grouped(x, way):
    """Return the batch with one row for each group."""
    n = len(x)
    rows = {"batch": x.transpose(0, 1).reshape(4, -1), "whole": x.reshape(1, -1)}
    count = {"layer": 1, "instance": 4, "group1": 1, "group2": 2, "group4": 4}
    return rows[way] if way in rows else x.reshape(n * count[way], -1)


def nested(x):
    return x.flatten(2).tolist()


def address(images, size, added=0):
    n, c, p = (torch.arange(length, dtype=torch.float64) for length in (images, 4, size**2))
    block = 100 * n[:, None, None] + 10 * c[:, None] + p
    block[-1] += added
    return block.view(images, 4, size, size)


def refuses(way, x):
    try:
        WAYS[way](x)
    except ValueError as error:
        return "Expected more than 1" in str(error)
    return False


def cases():
    rng = torch.Generator().manual_seed(8)
    for images in (1, 2, 3):
        for size in (1, 2):
            block = address(images, size)
            drawn = torch.randn(block.shape, generator=rng, dtype=torch.float64)
            yield Case(
                "makeBlock", ["address", images, size, 70], nested(address(images, size, 70))
            )
            for way in WAYS:
                refused = refuses(way, block)
                yield Case("refused", [way, images, size], refused)
                for x in (drawn, address(images, size, 70)):
                    rows = grouped(x, way)
                    count, mean = rows.shape[1], rows.mean(dim=1).tolist()
                    variance = rows.var(dim=1, correction=0).tolist()
                    expected = [
                        {"mean": m, "variance": v, "count": count}
                        for m, v in zip(mean, variance, strict=True)
                    ]
                    yield Case("statistics", [nested(x), way], expected)
                    if not refused:
                        yield Case("normalise", [nested(x), way], nested(WAYS[way](x)), 1e-7)
                if not refused:
                    differs = (WAYS[way](address(images, size, 70)) - WAYS[way](block)).abs() > 1e-6
                    moved = differs.flatten(1).any(dim=1).nonzero().flatten().tolist()
                    yield Case("changed", ["address", images, size, 70, way], moved)
