"""Assignment 4: LeNet-5, the modern one built and the one of 1998 counted."""

import numpy as np

from course_utils.checks.a4_lenet_mistakes import BUILD_MISCONCEPTIONS, COUNT_MISCONCEPTIONS
from course_utils.checks.a4_lenet_scenes import count, play
from course_utils.checks.a4_oracles import build_lenet5, lenet5_1998
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

MODULES, PARAMETERS, SHAPES = "modules", "parameters", "shapes"
BEHAVIOUR, FRESH = "what it computes", "fresh weights"


def _scene(group: str, scene: str, seed: int, **settings: int) -> Case:
    classes = f", {settings['num_classes']} classes" if settings else ""
    told = {
        "modules": "the modules",
        "parameters": "the parameters",
        "shapes": f"{1 + seed % 3} images of 28 x 28",
        "values": "with given weights",
        "fresh": "two models",
    }[scene]
    return Case(group, (scene, seed), settings, told=f"{told}{classes}")


_BUILD_CASES = (
    _scene(MODULES, "modules", 1),
    _scene(MODULES, "modules", 2, num_classes=3),
    _scene(PARAMETERS, "parameters", 3),
    _scene(PARAMETERS, "parameters", 4, num_classes=26),
    _scene(SHAPES, "shapes", 3),
    _scene(SHAPES, "shapes", 5, num_classes=7),
    _scene(BEHAVIOUR, "values", 6),
    _scene(BEHAVIOUR, "values", 7, num_classes=4),
    _scene(FRESH, "fresh", 8),
    _scene(FRESH, "fresh", 9, num_classes=5),
)


def _draw_builds(rng: np.random.Generator) -> list[Case]:
    cases = []
    for group, scene in [
        (MODULES, "modules"),
        (PARAMETERS, "parameters"),
        (SHAPES, "shapes"),
        (BEHAVIOUR, "values"),
        (FRESH, "fresh"),
    ]:
        cases.append(_scene(group, scene, random_size(rng, 20, 9999)))
        classes = random_size(rng, 2, 40)
        cases.append(_scene(group, scene, random_size(rng, 20, 9999), num_classes=classes))
    return cases


PAPER = [
    [int(digit) for digit in row]
    for row in [
        "012",
        "123",
        "234",
        "345",
        "045",
        "015",
        "0123",
        "1234",
        "2345",
        "0345",
        "0145",
        "0125",
        "0134",
        "1245",
        "0235",
        "012345",
    ]
]
CONVOLUTIONS, SUBSAMPLING, ENDING, TABLES = "convolutions", "subsampling", "F6 and OUTPUT", "tables"
_LAYERS = {
    CONVOLUTIONS: ["C1", "C3", "C5"],
    SUBSAMPLING: ["S2", "S4"],
    ENDING: ["F6", "OUTPUT"],
}


def _table(group: str, table: list[list[int]], told: str) -> Case:
    layers = _LAYERS.get(group, [])
    which = f": {', '.join(layers)}" if layers else ""
    return Case(group, (), {"table": table, "layers": layers}, told=f"{told}{which}")


_DENSE = [list(range(6)) for _ in range(16)]
_ONE = [[n % 6] for n in range(16)]
_MIXED = [[5, 0], [1], [2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [3], [4, 2, 0], *PAPER[6:]]

_COUNT_CASES = (
    *(_table(group, PAPER, "the paper's table") for group in _LAYERS),
    _table(TABLES, PAPER, "the paper's table"),
    _table(TABLES, _DENSE, "every C3 map reads all six"),
    _table(TABLES, _ONE, "every C3 map reads one"),
    _table(TABLES, _MIXED, "a table of another length in each row"),
)


def _draw_tables(rng: np.random.Generator) -> list[Case]:
    cases = []
    for _ in range(4):
        table = [rng.permutation(6)[: random_size(rng, 1, 6)].tolist() for _ in range(len(PAPER))]
        n_links = sum(map(len, table))
        cases += [
            _table(group, table, f"a table of {n_links} links") for group in (*_LAYERS, TABLES)
        ]
    return cases


EXERCISES = (
    Exercise(
        "build_lenet5",
        8,
        build_lenet5,
        _BUILD_CASES,
        _draw_builds,
        BUILD_MISCONCEPTIONS,
        NO_PACKAGE,
        {MODULES: 2, PARAMETERS: 1, SHAPES: 1, BEHAVIOUR: 3, FRESH: 1},
        probe=play,
    ),
    Exercise(
        "lenet5_1998",
        5,
        lenet5_1998,
        _COUNT_CASES,
        _draw_tables,
        COUNT_MISCONCEPTIONS,
        NO_PACKAGE,
        {CONVOLUTIONS: 1, SUBSAMPLING: 1, ENDING: 1, TABLES: 2},
        probe=count,
    ),
)
