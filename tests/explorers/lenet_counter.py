"""X9 against layers whose inputs, weights and biases are all 1: their outputs sum to the lines."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import models
from explorers import Case

SPARSE = "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
DENSE = " ".join(["012345"] * 16)
INPUTS = {"32": (32, 0), "28": (28, 2), "bare": (28, 0), "48": (48, 0)}


def mask_of(table):
    mask = torch.zeros(16, 6, 1, 1, dtype=torch.float64)
    for row, word in zip(mask, table.split(" "), strict=True):
        row[[int(digit) for digit in word if digit != "-"]] = 1
    return mask


def ones_in(layer):
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
    return layer.double()


def entry(name, layer, signal, parameters=None):
    """Return what is counted of a layer, and its output with all numbers 1."""
    if parameters is None:
        parameters = sum(parameter.numel() for parameter in layer.parameters())
    found = {"name": name, "shape": None, "parameters": parameters, "connections": 0}
    if signal is None or (min(signal.shape[2:]) < 5 and name == "C5"):
        return found, None
    output = layer(torch.ones_like(signal))
    found |= {"shape": list(output.shape[1:]), "connections": int(output.sum())}
    return found, output


def layers(table, pooling, output, name_of_input):
    size, padding = INPUTS[name_of_input]
    mask = mask_of(table)
    c3 = ones_in(nn.Conv2d(6, 16, 5))
    c3.weight.data *= mask

    def pool(maps):
        bias = 1 if pooling == "trained" else 0
        return 4 * F.avg_pool2d(maps, 2) + bias

    trained = pooling == "trained"
    last = ones_in(nn.Conv2d(84, 10, 1, bias=output == "linear"))
    chain = [
        ("C1", ones_in(nn.Conv2d(1, 6, 5, padding=padding)), None),
        ("S2", pool, 12 * trained),
        ("C3", c3, int(c3.weight.count_nonzero()) + 16),
        ("S4", pool, 32 * trained),
        ("C5", ones_in(nn.Conv2d(16, 120, 5)), None),
        ("F6", ones_in(nn.Conv2d(120, 84, 1)), None),
        ("OUTPUT", last, None if output == "linear" else 0),
    ]
    signal, found = torch.ones(1, 1, size, size, dtype=torch.float64), []
    pad = nn.ConstantPad2d(padding, 1.0)  # a padded zero has a line as well
    signal, chain[0][1].padding = pad(signal), (0, 0)
    for name, layer, parameters in chain:
        counts, signal = entry(name, layer, signal, parameters)
        found.append(counts)
    return found


def cases():
    rng = torch.Generator().manual_seed(9)
    tables = [SPARSE, DENSE, " ".join(["-"] * 16)]
    for _ in range(4):
        drawn = torch.randint(0, 2, (16, 6), generator=rng).tolist()
        words = ["".join(str(at) for at in range(6) if row[at]) or "-" for row in drawn]
        tables.append(" ".join(words))
    for table in tables:
        yield Case("links", [table], (mask_of(table)[:, :, 0, 0] == 1).tolist())
        cut = mask_of(table)[:, :, 0, 0]
        cut[3, 2] = 1 - cut[3, 2]
        again = ["".join(map(str, row.nonzero().flatten().tolist())) or "-" for row in cut]
        yield Case("toggled", [table, 3, 2], " ".join(again))
        for pooling in ("trained", "max"):
            for output in ("rbf", "linear"):
                for name in INPUTS:
                    expected = layers(table, pooling, output, name)
                    yield Case("layers", [table, pooling, output, name], expected)
    known = {60_000: (SPARSE, "trained", "rbf", "32"), 61_706: (DENSE, "max", "linear", "28")}
    for total, setting in known.items():
        assert sum(layer["parameters"] for layer in layers(*setting)) == total
    assert sum(layer["connections"] for layer in layers(*known[60_000])) == 340_908
    today = [parameter.numel() for parameter in models.lenet5().parameters()]
    assert sum(today) == 61_706
