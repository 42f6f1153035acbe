"""Assignment 6, gradients: norms by hooks, dead layers and update ratios."""

import numpy as np

from course_utils.checks.a6_gradients_mistakes import (
    DEAD_MISCONCEPTIONS,
    MONITOR_MISCONCEPTIONS,
    RATIO_MISCONCEPTIONS,
)
from course_utils.checks.a6_gradients_scenes import play_dead, play_monitor, play_ratios
from course_utils.checks.a6_oracles import GradientMonitor, dead_layers, update_ratios
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

NORMS = "norms"
BROUGHT = "what each backward brings"
NOTHING = "frozen and unreached"
AS_IT_WAS = "as it was"

_NETS = {
    "image": "a model of features(conv, relu), flatten, fc",
    "dense": "a model of 0, 1, 2",
    "branches": "a model of trunk(fc, relu1), left, upper, and right, which is not used",
    "twice": "a model that uses its layer fc twice in a pass",
    "norm": "a model with batch norms and mixed modes",
}


def _cleared(net: str, n: int, seed: int, double: bool = False) -> Case:
    times = "one backward" if n == 1 else f"{n} backward passes, gradients cleared before each"
    told = f"{_NETS[net]}, {times}{', float64' if double else ''}"
    return Case(NORMS, ("cleared", seed, net, n, double), told=told)


def _monitor_scenes(seed: int) -> list[Case]:
    ways = {
        "not cleared": "three backward passes without zero_grad",
        "left over": "gradients left over from before the block, three backward passes",
        "filled with zeros": "three backward passes, zero_grad(set_to_none=False) between them",
        "one graph": "two backward passes through one graph, the first with retain_graph",
    }
    kinds = {
        "unreached": "a layer that the loss does not reach, two backward passes",
        "frozen": "a frozen layer, and one that the loss does not reach",
        "frozen, left over": "a frozen and an unreached layer with gradients from before",
        "unreached, left over": "an unreached layer with gradients from before",
    }
    return [
        Case(NORMS, ("dead", seed), told="a layer in front of a dead ReLU, two backward passes"),
        *(
            Case(BROUGHT, ("accumulated", seed, net, way), told=told)
            for net, (way, told) in zip(
                ("dense", "image", "dense", "image"), ways.items(), strict=True
            )
        ),
        *(Case(NOTHING, ("nothing", seed, kind), told=told) for kind, told in kinds.items()),
        *(
            Case(AS_IT_WAS, ("untouched", seed, net), told=f"{_NETS[net]}, and hooks of the caller")
            for net in ("dense", "norm", "branches")
        ),
        Case(AS_IT_WAS, ("failing", seed, "model"), told="a layer of the model raises an error"),
        Case(AS_IT_WAS, ("failing", seed, "block"), told="the code in the block raises an error"),
    ]


_MONITOR_CASES = (
    _cleared("dense", 1, 1),
    _cleared("image", 1, 2),
    _cleared("image", 3, 3),
    _cleared("dense", 2, 4, double=True),
    _cleared("twice", 2, 5),
    *_monitor_scenes(6),
)


def _draw_monitor(rng: np.random.Generator) -> list[Case]:
    def seed() -> int:
        return random_size(rng, 100, 10**6)

    return [
        _cleared("image", random_size(rng, 1, 3), seed()),
        _cleared("dense", random_size(rng, 2, 4), seed()),
        _cleared("image", 2, seed(), double=True),
        _cleared("twice", random_size(rng, 1, 3), seed()),
        *_monitor_scenes(seed()),
    ]


DEAD, MODE, LEFT = "which layers", "evaluation mode", "the model as it was"

_RELUS = ("relu1", "relu2", "relu3")


def _stack(dead: list[str], seed: int, inplace: bool = False) -> Case:
    kind = "in-place ReLUs" if inplace else "ReLUs"
    told = f"three {kind}, far below zero in front of {', '.join(dead) or 'none of them'}"
    return Case(DEAD, ("stack", seed, [inplace, dead]), told=told)


def _dead_scenes(seed: int) -> list[Case]:
    only = {
        "one unit": "a ReLU with one unit above zero in all images",
        "one image": "a ReLU with one unit above zero in the second of three images",
        "first image": "a ReLU with one unit above zero in the first of three images",
        "tiny": "a ReLU whose largest output is 1e-9",
        "zero": "a ReLU that is given only zeros",
        "nothing": "a ReLU that is given only -5",
    }
    both = ["trunk.relu1", "upper"]
    left = ("in train mode", "in eval mode", "with mixed modes")
    return [
        *(Case(DEAD, ("only", seed, what), told=told) for what, told in only.items()),
        Case(DEAD, ("branches", seed, both), told="dead ReLUs that run in another order"),
        Case(DEAD, ("branches", seed, both[:1]), told="a dead ReLU inside a block"),
        Case(DEAD, ("other kinds", seed), told="dead ReLUs, and other layers that give zeros"),
        Case(DEAD, ("one channel", seed), told="a ReLU with one dead and one living channel"),
        Case(DEAD, ("one place", seed), told="a ReLU with both channels above zero at one place"),
        Case(MODE, ("mode", seed, "dropout"), told="a Dropout(1.0) in front of the ReLU"),
        Case(
            MODE,
            ("mode", seed, "batch norm"),
            told="a batch norm in front of the ReLU, far below its running mean",
        ),
        Case(
            MODE,
            ("mode", seed, "batch norm, alive"),
            told="a batch norm in front of the ReLU, far above its running mean",
        ),
        *(Case(LEFT, ("as it was", seed, way), told=f"a model {way}") for way in left),
    ]


_DEAD_CASES = (
    _stack(["relu2"], 1),
    _stack([], 2),
    _stack(["relu1", "relu3"], 3),
    _stack(["relu1", "relu2", "relu3"], 4),
    _stack(["relu2", "relu3"], 5, inplace=True),
    *_dead_scenes(6),
)


def _draw_dead(rng: np.random.Generator) -> list[Case]:
    stacks = [
        _stack(
            [name for name in _RELUS if rng.random() < 0.5],
            random_size(rng, 100, 10**6),
            inplace=n % 2 == 1,
        )
        for n in range(4)
    ]
    return [*stacks, *_dead_scenes(random_size(rng, 100, 10**6))]


RATIOS, WITHOUT, ZERO = "ratios", "without a gradient", "norm 0"


def _ratio(
    group: str, net: str, seed: int, lr: float, what: str = "", double: bool = False
) -> Case:
    names = {"image": "features(conv, relu), flatten, fc", "dense": "0, 1, 2"}
    told = f"lr={lr}, {'float64 ' if double else ''}model of {names[net]}"
    told += {
        "": "",
        "without": ", no gradient in the first and the last parameter",
        "none at all": ", no gradient anywhere",
        "zero gradient": ", a gradient of 0 in the last parameter",
        "frozen": ", the first parameter frozen, with a gradient from before",
        "norm 0": ", the last parameter all 0",
        "norm 0 and zero gradient": ", the last parameter all 0, its gradient too",
    }[what]
    return Case(group, (net, seed, lr, what, double), told=told)


_RATIO_CASES = (
    _ratio(RATIOS, "dense", 1, 0.1),
    _ratio(RATIOS, "image", 2, 0.01),
    _ratio(RATIOS, "image", 3, 1.5),
    _ratio(RATIOS, "dense", 4, 0.3, double=True),
    _ratio(WITHOUT, "dense", 5, 0.1, "without"),
    _ratio(WITHOUT, "image", 6, 0.5, "without"),
    _ratio(WITHOUT, "dense", 7, 0.2, "zero gradient"),
    _ratio(WITHOUT, "image", 8, 0.1, "none at all"),
    _ratio(WITHOUT, "image", 12, 0.2, "frozen"),
    _ratio(ZERO, "dense", 9, 0.1, "norm 0"),
    _ratio(ZERO, "image", 10, 2.0, "norm 0"),
    _ratio(ZERO, "dense", 11, 0.1, "norm 0 and zero gradient"),
)


def _draw_ratios(rng: np.random.Generator) -> list[Case]:
    def drawn(group: str, net: str, what: str = "", double: bool = False) -> Case:
        lr = round(float(rng.uniform(0.01, 2.0)), 3)
        return _ratio(group, net, random_size(rng, 100, 10**6), lr, what, double)

    cases = []
    for net in ("dense", "image"):
        cases += [drawn(RATIOS, net), drawn(RATIOS, net, double=True)]
        cases += [drawn(WITHOUT, net, what) for what in ("without", "zero gradient", "frozen")]
        cases += [drawn(ZERO, net, what) for what in ("norm 0", "norm 0 and zero gradient")]
    return cases


EXERCISES = (
    Exercise(
        "GradientMonitor",
        10,
        GradientMonitor,
        _MONITOR_CASES,
        _draw_monitor,
        MONITOR_MISCONCEPTIONS,
        NO_PACKAGE,
        {NORMS: 4, BROUGHT: 3, NOTHING: 1, AS_IT_WAS: 2},
        probe=play_monitor,
    ),
    Exercise(
        "dead_layers",
        6,
        dead_layers,
        _DEAD_CASES,
        _draw_dead,
        DEAD_MISCONCEPTIONS,
        NO_PACKAGE,
        {DEAD: 3, MODE: 1, LEFT: 2},
        probe=play_dead,
    ),
    Exercise(
        "update_ratios",
        4,
        update_ratios,
        _RATIO_CASES,
        _draw_ratios,
        RATIO_MISCONCEPTIONS,
        NO_PACKAGE,
        {RATIOS: 2, WITHOUT: 1, ZERO: 1},
        probe=play_ratios,
    ),
)
