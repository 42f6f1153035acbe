"""Assignment 6, fine-tuning: freezing by prefix, and training what is left."""

import numpy as np

from course_utils.checks.a6_fine_tuning_mistakes import (
    FREEZE_MISCONCEPTIONS,
    TUNE_MISCONCEPTIONS,
)
from course_utils.checks.a6_fine_tuning_scenes import play_fine_tune, play_freeze
from course_utils.checks.a6_oracles import fine_tune, freeze
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, REFUSALS, Case, Exercise

WHICH, COUNT = "which parameters", "count"

_MODEL = "of block1(fc, out), norm, block10, block2, head(block1, scaled(scale, fc))"
_NO_MATCH = "a prefix matches nothing"


def _freeze(
    group: str, prefixes: list[str], seed: int, frozen: tuple[str, ...] = (), what: str = "flags"
) -> Case:
    told = f"prefixes={prefixes}, {_MODEL}"
    if frozen:
        told += f", where {' and '.join(frozen)} is frozen already"
    if what == "backward":
        told += ", and a backward afterwards"
    if group == COUNT:
        what = "count"
    return Case(group, (seed, what, prefixes, list(frozen)), told=told)


def _refused(prefixes: list[str], seed: int) -> Case:
    told = f"prefixes={prefixes}, {_MODEL}"
    return Case(REFUSALS, (seed, "count", prefixes, []), refusal=_NO_MATCH, told=told)


_FREEZE_CASES = (
    _freeze(WHICH, ["block1"], 1),
    _freeze(WHICH, ["block1.fc"], 2),
    _freeze(WHICH, ["block10", "norm"], 3),
    _freeze(WHICH, ["head"], 4),
    _freeze(WHICH, ["head.scaled"], 5),
    _freeze(WHICH, ["block2"], 6, ("block10",)),
    _freeze(WHICH, ["block1", "block1.out", "head.block1"], 7, ("norm", "block1.fc")),
    _freeze(WHICH, ["block1", "block2"], 8, what="backward"),
    _freeze(COUNT, ["block1"], 9),
    _freeze(COUNT, ["norm"], 10),
    _freeze(COUNT, ["head.scaled", "block2"], 11),
    _freeze(COUNT, ["block1", "block10"], 12, ("block1",)),
    _freeze(COUNT, ["block2", "block2.fc", "block2"], 13),
    _freeze(COUNT, ["block10"], 14, ("norm", "block2")),
    _refused(["conv"], 15),
    _refused(["block"], 16),
    _refused(["block1", "block3"], 17),
    _refused(["Block1", "block2"], 18),
    _refused(["scaled"], 19),
    _refused(["block1.fc.weight"], 20),
    _refused(["block1.f"], 21),
)


def _draw_freeze(rng: np.random.Generator) -> list[Case]:
    names = ["block1", "block1.fc", "norm", "block10", "block10.out", "block2", "block2.fc"]
    names += ["head", "head.block1", "head.scaled", "head.scaled.fc"]

    def some(most: int) -> list[str]:
        return [names[n] for n in rng.permutation(len(names))[: random_size(rng, 1, most)]]

    def seed() -> int:
        return random_size(rng, 100, 10**6)

    frozen = ("block1", "norm", "block10")
    wrong = ["block3", "bloc", "fc", "weight", "head.block", "norm.weight", "block1.fc.bias"]
    cases = [_freeze(WHICH, some(3), seed()) for _ in range(3)]
    cases += [_freeze(WHICH, some(2), seed(), (name,)) for name in frozen]
    cases += [_freeze(WHICH, some(2), seed(), what="backward")]
    cases += [_freeze(COUNT, some(4), seed()) for _ in range(3)]
    cases += [_freeze(COUNT, some(2), seed(), (name,)) for name in frozen]
    cases += [_freeze(COUNT, ["block1", *some(2), "block1"], seed())]
    for name in rng.permutation(wrong)[:4].tolist():
        cases += [_refused([name], seed()), _refused([*some(2), name], seed())]
    return cases


HEAD, STEPS, LOSSES, FROZEN = "the head", "steps", "losses", "what is frozen"


def _steps(frozen: list[str], epochs: int, lr: float, seed: int, left_over: bool = False) -> Case:
    told = f"7 samples in batches of 3, epochs={epochs}, lr={lr}, "
    told += f"{' and '.join(frozen) or 'nothing'} frozen in fc1, relu1, fc2, relu2, out"
    if left_over:
        told += ", gradients left over from before"
    return Case(STEPS, ("trained", seed, frozen, epochs, lr, left_over), told=told)


def _losses(sizes: tuple[int, int], epochs: int, lr: float, seed: int) -> Case:
    told = f"{sizes[0]} samples in batches of {sizes[1]}, epochs={epochs}, lr={lr}"
    return Case(LOSSES, ("losses", seed, sizes, epochs, lr), told=told)


def _head_scenes(seed: int) -> list[Case]:
    told = {
        ("plain", ""): "a model whose last child is called out",
        ("numbered", ""): "a model whose children are called 0, 1, 2",
        ("plain", "deep"): "a new head of three layers",
    }
    return [Case(HEAD, ("head", seed, *kind), told=text) for kind, text in told.items()]


def _frozen_scenes(seed: int) -> list[Case]:
    cases = []
    for frozen, left_over, mode in [
        (["fc1", "bn1"], False, "train"),
        (["fc1", "bn1", "fc2", "bn2"], True, "train"),
        (["bn2"], True, "train"),
        (["fc1"], True, "train"),
        (["fc1", "bn1"], False, "eval"),
        ([], False, "eval"),
    ]:
        told = f"{', '.join(frozen) or 'nothing'} frozen in fc1, bn1, relu1, fc2, bn2, out"
        if left_over:
            told += ", gradients left over from before"
        if mode == "eval":
            told += ", the model given in eval mode"
        cases.append(Case(FROZEN, ("bits", seed, frozen, left_over, mode), told=told))
    return cases


_TUNE_CASES = (
    *_head_scenes(1),
    _steps([], 1, 0.1, 2),
    _steps(["fc1"], 2, 0.2, 3),
    _steps(["fc2"], 2, 0.1, 4),
    _steps(["fc1", "fc2", "out"], 3, 0.5, 5),
    _steps([], 2, 0.1, 6, left_over=True),
    _steps(["fc1"], 1, 0.1, 7, left_over=True),
    _losses((7, 3), 1, 0.1, 8),
    _losses((5, 4), 3, 0.3, 9),
    _losses((3, 5), 2, 0.2, 10),
    *_frozen_scenes(11),
)


def _draw_tuning(rng: np.random.Generator) -> list[Case]:
    def seed() -> int:
        return random_size(rng, 100, 10**6)

    def lr() -> float:
        return round(float(rng.uniform(0.05, 0.4)), 2)

    return [
        *_head_scenes(seed()),
        *(
            _steps(frozen, random_size(rng, 1, 3), lr(), seed(), left_over)
            for frozen in ([], ["fc1"], ["fc2"], ["fc1", "fc2"])
            for left_over in (False, True)
        ),
        _losses((random_size(rng, 4, 5), 3), random_size(rng, 1, 3), lr(), seed()),
        _losses((random_size(rng, 5, 7), 4), 2, lr(), seed()),
        *_frozen_scenes(seed()),
    ]


EXERCISES = (
    Exercise(
        "freeze",
        4,
        freeze,
        _FREEZE_CASES,
        _draw_freeze,
        FREEZE_MISCONCEPTIONS,
        NO_PACKAGE,
        {WHICH: 2, COUNT: 1, REFUSALS: 1},
        probe=play_freeze,
    ),
    Exercise(
        "fine_tune",
        4,
        fine_tune,
        _TUNE_CASES,
        _draw_tuning,
        TUNE_MISCONCEPTIONS,
        NO_PACKAGE,
        {HEAD: 1, STEPS: 1, LOSSES: 1, FROZEN: 1},
        probe=play_fine_tune,
    ),
)
