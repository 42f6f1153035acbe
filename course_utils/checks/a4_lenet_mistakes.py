"""Assignment 4: wrong LeNets, each with a name and what it shows."""

from collections import OrderedDict

import torch
from torch import nn

from course_utils.checks.a4_oracles import lenet5_1998, lenet5_layers
from course_utils.checks.a4_rules import (
    C5,
    CONNECTED,
    DISTANCES,
    GUARDS,
    ONE_MAP,
    PADDED,
    PARAMETERS,
    SHAPES,
    SOFTMAX,
    SUBSAMPLING,
    TABLE,
    TANH,
    THEN,
    TRAINED,
    TWICE,
)
from course_utils.checks.exercise import Misconception


class _TrainedSubsampling(nn.Module):
    """The sum of four pixels, times a weight, plus a bias, map by map."""

    def __init__(self, n_maps):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(n_maps, 1, 1))
        self.bias = nn.Parameter(torch.rand(n_maps, 1, 1))

    def forward(self, maps):
        return 4 * nn.functional.avg_pool2d(maps, 2) * self.weight + self.bias


def _build(change):
    """Return a builder whose layers are changed: a dict of replacements, or a function."""

    def answer(num_classes=10):
        layers = change(lenet5_layers(num_classes), num_classes)
        return nn.Sequential(OrderedDict(layers))

    return answer


def _with(**others):
    return _build(lambda layers, n: layers | {name: make() for name, make in others.items()})


def _without(*names):
    return _build(lambda layers, n: {k: v for k, v in layers.items() if k not in names})


def _ending(name, make):
    return _build(lambda layers, n: {**layers, name: make()})


def _renamed(rename):
    return _build(
        lambda layers, n: {rename(name, k): v for k, (name, v) in enumerate(layers.items())}
    )


def _same_name(layers, n):
    """Use the name of the second rectifier for the third: the first entry is replaced in place."""
    return {"relu2" if name == "relu3" else name: module for name, module in layers.items()}


def _flatten_first(layers, n):
    before = {name: layers[name] for name in ("C1", "relu1", "S2", "C3", "relu2", "S4", "flatten")}
    return {
        **before,
        "C5": nn.Linear(400, 120),
        **{name: layers[name] for name in ("relu3", "F6", "relu4", "OUTPUT")},
    }


def _pooled_first(layers, n):
    order = ["C1", "S2", "relu1", "C3", "S4", "relu2", *list(layers)[6:]]
    return {name: layers[name] for name in order}


def _fixed_seed(num_classes=10):
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(lenet5_layers(num_classes)))


_KEPT: dict[int, nn.Sequential] = {}


def _one_for_all(num_classes=10):
    if num_classes not in _KEPT:
        _KEPT[num_classes] = nn.Sequential(OrderedDict(lenet5_layers(num_classes)))
    model = _KEPT[num_classes]
    for layer in model:
        if hasattr(layer, "reset_parameters"):
            layer.float().reset_parameters()
    return model


def _zeros(num_classes=10):
    model = nn.Sequential(OrderedDict(lenet5_layers(num_classes)))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def _frozen(num_classes=10):
    return nn.Sequential(OrderedDict(lenet5_layers(num_classes))).requires_grad_(False)


def _as_module(num_classes=10):
    class LeNet5(nn.Module):
        def __init__(self):
            super().__init__()
            for name, layer in lenet5_layers(num_classes).items():
                self.add_module(name, layer)

        def forward(self, x):
            for layer in self.children():
                x = layer(x)
            return x

    return LeNet5()


def _as_list(num_classes=10):
    return nn.ModuleDict(lenet5_layers(num_classes))


_RELUS = ("relu1", "relu2", "relu3", "relu4")

BUILD_MISCONCEPTIONS = (
    Misconception(
        "name-used-twice",
        _build(_same_name),
        "Your model has 11 modules and no rectifier between C5 and F6, which makes them one affine "
        "map. A name used twice does that: the later module takes the place of the first.",
        TWICE,
    ),
    Misconception(
        "relu3-lets-everything-through",
        _with(relu3=nn.Identity),
        "Your relu3 changes nothing, so C5 and F6 together are one affine map.",
        ONE_MAP,
    ),
    Misconception(
        "no-relu-after-F6",
        _without("relu4"),
        "Your model has no rectifier after F6, so F6 and OUTPUT together are one affine map.",
        ONE_MAP,
    ),
    Misconception(
        "no-names",
        _renamed(lambda name, k: str(k)),
        "Your modules have numbers for names. The names C1 to OUTPUT are fixed.",
        GUARDS,
    ),
    Misconception(
        "lower-case-names",
        _renamed(lambda name, k: name.lower()),
        "Your names are in lower case. The paper's names have capitals, and the rectifiers and "
        "flatten have none.",
        SHAPES,
    ),
    Misconception(
        "lessons-names",
        _renamed(lambda name, k: name.replace("relu", "func")),
        "Your rectifiers are called func. Here they are called relu1 to relu4.",
        SHAPES,
    ),
    Misconception(
        "softmax-at-the-end",
        _ending("softmax", lambda: nn.Softmax(dim=1)),
        "Your model ends in a softmax. It has to give logits: the loss takes the softmax itself.",
        SOFTMAX,
    ),
    Misconception(
        "log-softmax-at-the-end",
        _ending("softmax", lambda: nn.LogSoftmax(dim=1)),
        "Your model ends in logarithms of probabilities. It has to give logits: the loss does the "
        "rest.",
        SOFTMAX,
    ),
    Misconception(
        "softmax-inside-OUTPUT",
        _build(
            lambda layers, n: layers | {"OUTPUT": nn.Sequential(layers["OUTPUT"], nn.Softmax(1))}
        ),
        "Your OUTPUT gives probabilities. It has to give logits: the loss takes the softmax itself.",
        SOFTMAX,
    ),
    Misconception(
        "relu-after-OUTPUT",
        _ending("relu5", nn.ReLU),
        "Your model ends in a rectifier, so no logit can be negative. OUTPUT is the last module.",
        SHAPES,
    ),
    Misconception(
        "C1-not-padded",
        _with(C1=lambda: nn.Conv2d(1, 6, 5)),
        "Your C1 has no padding: 28 pixels become 24 instead of staying 28.",
        PADDED,
    ),
    Misconception(
        "C1-of-three-pixels",
        _with(C1=lambda: nn.Conv2d(1, 6, 3, padding=1)),
        "Your C1 has kernels of 3 x 3. LeNet-5's have 5 x 5 weights.",
        PARAMETERS,
    ),
    Misconception(
        "C3-padded",
        _with(C3=lambda: nn.Conv2d(6, 16, 5, padding=2)),
        "Your C3 keeps its 14 pixels. It has no padding, so that S4 gives C5 a map of 5 x 5.",
        SHAPES,
    ),
    Misconception(
        "C1-reads-three-channels",
        _with(C1=lambda: nn.Conv2d(3, 6, 5, padding=2)),
        "Your C1 reads three channels. A digit has one.",
        SHAPES,
    ),
    Misconception(
        "average-pooling",
        _with(S2=lambda: nn.AvgPool2d(2), S4=lambda: nn.AvgPool2d(2)),
        "Your S2 and S4 give the mean of four pixels. Here they give the largest.",
        SUBSAMPLING,
    ),
    Misconception(
        "average-pooling-in-S2",
        _with(S2=lambda: nn.AvgPool2d(2)),
        "Your S2 gives the mean of four pixels. Here it gives the largest, as S4 does.",
        SUBSAMPLING,
    ),
    Misconception(
        "average-pooling-in-S4",
        _with(S4=lambda: nn.AvgPool2d(2)),
        "Your S4 gives the mean of four pixels. Here it gives the largest, as S2 does.",
        SUBSAMPLING,
    ),
    Misconception(
        "trained-subsampling",
        _with(S2=lambda: _TrainedSubsampling(6), S4=lambda: _TrainedSubsampling(16)),
        "Your S2 and S4 have weights, as in 1998. In the modern network they give the largest of "
        "four pixels and learn nothing.",
        SUBSAMPLING,
    ),
    Misconception(
        "pooling-of-three-pixels",
        _with(S2=lambda: nn.MaxPool2d(3, 2, 1), S4=lambda: nn.MaxPool2d(3, 2, 1)),
        "Your pooling windows overlap: they have 3 x 3 pixels. Here they have 2 x 2.",
        SHAPES,
    ),
    Misconception(
        "pooling-at-stride-1",
        _with(S2=lambda: nn.MaxPool2d(2, stride=1)),
        "Your S2 moves by one pixel and does not halve the map. Its stride is its size, 2.",
        SHAPES,
    ),
    Misconception(
        "tanh",
        _with(**dict.fromkeys(_RELUS, nn.Tanh)),
        "Your relu1 to relu4 are tanh, as in 1998 but for its scale. Here they are rectifiers.",
        TANH,
    ),
    Misconception(
        "sigmoid",
        _with(**dict.fromkeys(_RELUS, nn.Sigmoid)),
        "Your relu1 to relu4 are sigmoids. Here they are rectifiers.",
        TANH,
    ),
    Misconception(
        "leaky-relu",
        _with(**dict.fromkeys(_RELUS, nn.LeakyReLU)),
        "Your rectifiers let a part of the negative values through. A ReLU gives zero there.",
        SHAPES,
    ),
    Misconception(
        "linear-C5",
        _build(_flatten_first),
        "Your C5 is a linear layer behind flatten. It is a convolution with kernels of 5 x 5, and "
        "flatten comes after it.",
        C5,
    ),
    Misconception(
        "pooling-before-relu",
        _build(_pooled_first),
        "Your S2 and S4 stand before the rectifiers. The order of the names is fixed: relu1 before "
        "S2, relu2 before S4.",
        SHAPES,
    ),
    Misconception(
        "no-bias-in-the-convolutions",
        _with(
            C1=lambda: nn.Conv2d(1, 6, 5, padding=2, bias=False),
            C3=lambda: nn.Conv2d(6, 16, 5, bias=False),
            C5=lambda: nn.Conv2d(16, 120, 5, bias=False),
        ),
        "Your convolutions have no biases. Each output channel has one.",
        PARAMETERS,
    ),
    Misconception(
        "no-bias-in-OUTPUT",
        _build(lambda layers, n: layers | {"OUTPUT": nn.Linear(84, n, bias=False)}),
        "Your OUTPUT has no biases. Each logit has one.",
        PARAMETERS,
    ),
    Misconception(
        "always-ten-classes",
        _with(OUTPUT=lambda: nn.Linear(84, 10)),
        "Your model gives ten logits whatever num_classes is.",
        SHAPES,
    ),
    Misconception(
        "one-class-too-many",
        _build(lambda layers, n: layers | {"OUTPUT": nn.Linear(84, n + 1)}),
        "Your model has one logit more than there are classes.",
        SHAPES,
    ),
    Misconception(
        "no-flatten",
        _without("flatten"),
        "Your model has no flatten: F6 gets maps of 1 x 1 instead of 120 numbers.",
        SHAPES,
    ),
    Misconception(
        "batch-flattened-too",
        _with(flatten=lambda: nn.Flatten(0)),
        "Your flatten runs the images of a batch together. The batch stays, and the rest becomes "
        "one axis.",
        SHAPES,
    ),
    Misconception(
        "dropout-added",
        _build(
            lambda layers, n: {
                **dict(list(layers.items())[:-1]),
                "drop": nn.Dropout(),
                "OUTPUT": layers["OUTPUT"],
            }
        ),
        "Your model has a dropout. LeNet-5 has none.",
        SHAPES,
    ),
    Misconception(
        "a-module-class",
        _as_module,
        "Your model is a class of its own. Here it is an nn.Sequential, whose modules run one "
        "after the other.",
        SHAPES,
    ),
    Misconception(
        "a-dictionary-of-modules",
        _as_list,
        "Your result is a dictionary of modules, which cannot be called. An nn.Sequential takes an "
        "OrderedDict of them.",
        GUARDS,
    ),
    Misconception(
        "always-the-same-weights",
        _fixed_seed,
        "Your model sets the seed, so every model starts from the same weights. The seed belongs "
        "to the caller.",
        SHAPES,
    ),
    Misconception(
        "one-model-for-all-calls",
        _one_for_all,
        "Two of your models are one: training the first changes the second. Each call builds a new "
        "one.",
        SHAPES,
    ),
    Misconception(
        "weights-of-zero",
        _zeros,
        "Your weights do not depend on the seed: they are set to one number. Units with equal "
        "weights learn the same; PyTorch's layers draw theirs.",
        SHAPES,
    ),
    Misconception(
        "nothing-to-train",
        _frozen,
        "None of your parameters asks for a gradient, so nothing can be trained.",
        PARAMETERS,
    ),
)


def _counts(**changes):
    """Return a count in which some layers are counted wrongly, from the links of the table."""

    def answer(table):
        return lenet5_1998(table) | {name: change(table) for name, change in changes.items()}

    return answer


def _links(table):
    return sum(map(len, table))


def _c3(table, weights, biases):
    return (weights + biases, (weights + biases) * 100)


_DENSE_LINKS = 16 * 6

COUNT_MISCONCEPTIONS = (
    Misconception(
        "dense-C3",
        _counts(C3=lambda table: _c3(table, 25 * _DENSE_LINKS, 16)),
        "Your C3 reads all six S2 maps for each of its own. The table says which ones it reads.",
        TABLE,
    ),
    Misconception(
        "always-the-papers-table",
        _counts(C3=lambda table: (1516, 151_600)),
        "Your C3 does not depend on the table that is given.",
        TABLE,
    ),
    Misconception(
        "first-row-for-all",
        _counts(C3=lambda table: _c3(table, 25 * 16 * len(table[0]), 16)),
        "Your C3 reads as many maps for each of its own as for the first. Rows of the table have "
        "different lengths.",
        TABLE,
    ),
    Misconception(
        "map-numbers-added",
        _counts(C3=lambda table: _c3(table, 25 * sum(map(sum, table)), 16)),
        "You add up the numbers of the maps in the table. They are names; what counts is how many "
        "there are.",
        TABLE,
    ),
    Misconception(
        "C3-without-biases",
        _counts(C3=lambda table: _c3(table, 25 * _links(table), 0)),
        "Your C3 has no biases. Each of its 16 maps has one.",
        TABLE,
    ),
    Misconception(
        "C3-bias-per-link",
        _counts(C3=lambda table: _c3(table, 25 * _links(table), _links(table))),
        "Your C3 has a bias for every link. A map adds up its kernels and has one bias.",
        TABLE,
    ),
    Misconception(
        "links-without-kernels",
        _counts(C3=lambda table: _c3(table, _links(table), 16)),
        "Your C3 has one weight for every link. A link is a kernel of 5 x 5.",
        TABLE,
    ),
    Misconception(
        "subsampling-without-weights",
        _counts(S2=lambda table: (0, 5880), S4=lambda table: (0, 2000)),
        "Your S2 and S4 learn nothing. In 1998 each map had a trained weight and a bias.",
        SUBSAMPLING,
    ),
    Misconception(
        "subsampling-weight-without-bias",
        _counts(S2=lambda table: (6, 4704), S4=lambda table: (16, 1600)),
        "Your S2 and S4 have no biases. In 1998 each map had a trained weight and a bias.",
        SUBSAMPLING,
    ),
    Misconception(
        "four-weights-of-subsampling",
        _counts(S2=lambda table: (30, 5880), S4=lambda table: (80, 2000)),
        "Your S2 and S4 have four weights a map. The four pixels are added up first and share one.",
        SUBSAMPLING,
    ),
    Misconception(
        "subsampling-without-its-bias-link",
        _counts(S2=lambda table: (12, 4704), S4=lambda table: (32, 1600)),
        "Your S2 and S4 have four connections a unit. The bias is the fifth.",
        CONNECTED,
    ),
    Misconception(
        "two-connections-of-subsampling",
        _counts(S2=lambda table: (12, 2352), S4=lambda table: (32, 800)),
        "Your S2 and S4 have two connections a unit, one for each number that is learned. A unit "
        "is connected with four pixels and the bias.",
        CONNECTED,
    ),
    Misconception(
        "connections-without-biases",
        _counts(
            C1=lambda table: (156, 117_600),
            S2=lambda table: (12, 4704),
            C3=lambda table: (25 * _links(table) + 16, 2500 * _links(table)),
            S4=lambda table: (32, 1600),
            C5=lambda table: (48_120, 48_000),
            F6=lambda table: (10_164, 10_080),
        ),
        "Your connections leave the biases out: those are multiply-adds. The paper counts a bias as "
        "a connection.",
        CONNECTED,
    ),
    Misconception(
        "convolutions-without-bias-links",
        _counts(
            C1=lambda table: (156, 117_600),
            C3=lambda table: (25 * _links(table) + 16, 2500 * _links(table)),
            C5=lambda table: (48_120, 48_000),
        ),
        "The connections of your convolutions leave the biases out. The paper counts a bias as a "
        "connection.",
        CONNECTED,
    ),
    Misconception(
        "biases-forgotten",
        _counts(
            C1=lambda table: (150, 117_600),
            C3=lambda table: _c3(table, 25 * _links(table), 0),
            C5=lambda table: (48_000, 48_000),
            F6=lambda table: (10_080, 10_080),
        ),
        "Your layers have no biases. Each map, and each unit of F6, has one.",
        TRAINED,
    ),
    Misconception(
        "connections-are-parameters",
        lambda table: {name: (n, n or 840) for name, (n, _) in lenet5_1998(table).items()},
        "Your connections are as many as the parameters. In a convolution each weight is used at "
        "every place of the map, and each use is a connection.",
        CONNECTED,
    ),
    Misconception(
        "parameters-of-unshared-layers",
        lambda table: {
            name: (n if name == "OUTPUT" else links, links)
            for name, (n, links) in lenet5_1998(table).items()
        },
        "Your parameters are as many as the connections. The units of a map share their weights.",
        TRAINED,
    ),
    Misconception(
        "map-of-the-input-not-of-the-output",
        _counts(
            C1=lambda table: (156, 156 * 32 * 32),
            C3=lambda table: (
                25 * _links(table) + 16,
                (25 * _links(table) + 16) * 14 * 14,
            ),
        ),
        "You count the connections of your convolutions at every pixel that they read. They have "
        "as many places as their output has pixels.",
        CONNECTED,
    ),
    Misconception(
        "C1-shrinks",
        _counts(C1=lambda table: (156, 156 * 24 * 24)),
        "Your C1 gives maps of 24 x 24. The paper's input has 32 x 32 pixels, so C1 gives 28 x 28.",
        PADDED,
    ),
    Misconception(
        "trained-OUTPUT",
        _counts(OUTPUT=lambda table: (850, 850)),
        "Your OUTPUT is a trained linear layer. In 1998 it measured distances to bitmaps that were "
        "set by hand.",
        DISTANCES,
    ),
    Misconception(
        "trained-OUTPUT-without-bias",
        _counts(OUTPUT=lambda table: (840, 840)),
        "The weights of your OUTPUT are trained. In 1998 its bitmaps were set by hand.",
        DISTANCES,
    ),
    Misconception(
        "OUTPUT-without-connections",
        _counts(OUTPUT=lambda table: (0, 0)),
        "Your OUTPUT has no connections. Its numbers are set by hand, and still each of its units "
        "reads all of F6.",
        DISTANCES,
    ),
    Misconception(
        "OUTPUT-with-bias-links",
        _counts(OUTPUT=lambda table: (0, 850)),
        "Your OUTPUT has a bias. A distance has none.",
        DISTANCES,
    ),
    Misconception(
        "modern-network",
        lambda table: {
            "C1": (156, 122_304),
            "S2": (0, 0),
            "C3": (2416, 241_600),
            "S4": (0, 0),
            "C5": (48_120, 48_120),
            "F6": (10_164, 10_164),
            "OUTPUT": (850, 850),
        },
        "Your numbers are those of the modern network with its 61,706 parameters. The one of 1998 "
        "had a sparse C3, trained subsampling and a fixed output.",
        THEN,
    ),
    Misconception(
        "pair-reversed",
        lambda table: {name: (b, a) for name, (a, b) in lenet5_1998(table).items()},
        "Your pairs are (connections, parameters). It is the other way round.",
        CONNECTED,
    ),
    Misconception(
        "total-added",
        lambda table: (
            lenet5_1998(table)
            | {"total": tuple(map(sum, zip(*lenet5_1998(table).values(), strict=True)))}
        ),
        "Your counts are right, and there is a row too many: the keys are the seven layers.",
        CONNECTED,
    ),
)
