"""Assignment 7, repairing: the mended piece of each run brings back the reference result."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from course_utils.checks.a7_network import fill, network
from course_utils.checks.a7_pieces import is_dead
from course_utils.checks.a7_repairing_mistakes import MISTAKES
from course_utils.checks.a7_repairing_scenes import ALONE, RUN, Numbers, put_in_place, training_part
from course_utils.checks.a7_rules import ONLY_RUNS
from course_utils.checks.a7_trainer import CASE_OF, CASES, FAULT_OF, FAULTS, NAME_OF
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import Case, Exercise

POINTS = dict(zip(FAULTS, (1, 2, 1, 2, 1, 1, 2, 2), strict=True))

# Seeds whose network is dead for every line image; dead for the training part of the settings
# below, and for no larger one; alive.
DEAD = (42, 67, 145, 246, 271, 284, 344, 379, 386, 630, 816, 885)
FEW_IMAGES = (6, 3, 1)
DEAD_FOR_FEW = (71, 96, 121, 134, 136, 196, 334, 369, 474, 477)
ALIVE = (13, 5, 7, 8, 9, 10, 12, 14)


def repair(case: str) -> Callable[..., Any]:
    """Return the mended piece of a run."""
    return partial(FAULT_OF[NAME_OF[case]].mended)  # a bare function of ours is refused


def _run(fault: str, settings: Numbers, seeds: Numbers = (13,)) -> Case:
    case = CASE_OF[fault]
    return Case(
        case,
        (case, RUN, (*settings, *seeds)),
        told=f"{case}, the piece put into a run: {settings[0]} images, model seeds {list(seeds)}",
    )


def _alone(fault: str, told: str, *numbers: int) -> Case:
    case = CASE_OF[fault]
    return Case(case, (case, ALONE, numbers), told=f"{case}, the piece by itself: {told}")


def _loss(seed: int, n_images: int, n_classes: int) -> Case:
    return _alone(
        FAULTS[0],
        f"logits of shape {(n_images, n_classes)}, float64",
        *(seed, n_images, n_classes),
    )


def _step(seed: int, data_seed: int, n_images: int) -> Case:
    told = f"three steps with {n_images} images and a squared margin loss, model in eval mode"
    return _alone(FAULTS[1], told, seed, data_seed, n_images)


def _optimizer(seed: int, n_features: int) -> Case:
    return _alone(FAULTS[2], f"another model, for {n_features} features", seed, n_features)


def _model(fault: str, part: Numbers, *seeds: int) -> Case:
    told = f"{len(training_part(*part))} training images, seeds {list(seeds)}"
    return _alone(fault, told, *part, *seeds)


def _split(fault: str, n_images: int, data_seed: int, split_seed: int) -> Case:
    told = f"{n_images} images, seed {split_seed}"
    return _alone(fault, told, n_images, data_seed, split_seed)


def _evaluation(seed: int, data_seed: int, n_images: int, batch_size: int) -> Case:
    told = f"{n_images} images in batches of {batch_size}, a squared margin loss"
    return _alone(FAULTS[7], told, seed, data_seed, n_images, batch_size)


def _visible() -> list[Case]:
    _, _, _, dead, shuffled, copied, twice, _ = FAULTS
    cases = [
        _run(fault, (40, 17, 8, 42, epochs), (42, 13) if fault == dead else (13,))
        for fault, epochs in zip(FAULTS, (1, 2, 1, 1, 1, 1, 1, 2), strict=True)
    ]
    cases += [_run(fault, (33, 4, 3, 1, 1), (8,)) for fault in FAULTS[1::6]]
    cases += [
        _loss(1, 6, 3),
        _loss(2, 7, 4),
        _step(13, 5, 12),
        _step(7, 2, 5),
        _optimizer(1, 4),
        _optimizer(2, 2),
        _run(dead, (33, 4, 3, 1, 1), (67, 145, 10, 13)),
        _model(dead, (60, 17, 8), 42, 13),
        _model(dead, (40, 5, 2), 5, 9, 13, 8),
        _model(dead, (40, 5, 2), 271, 246, 42, 9, 14),
        _model(dead, FEW_IMAGES, 71, 12, 5),
        _model(dead, (40, 5, 2), 71, 12, 5),
        _model(twice, (40, 5, 2), 13),
        _model(twice, (24, 1, 1), 7, 9),
        _evaluation(13, 5, 40, 16),
        _evaluation(8, 9, 13, 4),
    ]
    for fault in (shuffled, copied):
        cases += [_split(fault, 24, 17, 8), _split(fault, 20, 2, 1)]
    return sorted(cases, key=lambda case: CASES.index(case.group))


def draw(rng: np.random.Generator) -> list[Case]:
    """Draw runs and pieces for every fault."""
    _, _, _, dead, shuffled, copied, twice, _ = FAULTS
    cases = []
    for fault in FAULTS:
        settings = (random_size(rng, 30, 45), *_seeds(rng, 3), 1 + (fault in FAULTS[1::6]))
        seeds = _with_dead(rng, 1) if fault == dead else (_alive(rng, settings[:3]),)
        cases.append(_run(fault, settings, seeds))
    few = FEW_IMAGES
    sizes = [random_size(rng, 4, 20) for _ in range(4)]
    cases += [
        _loss(_seed(rng), sizes[0], 3),
        _loss(_seed(rng), sizes[1], 5),
        _step(_alive(rng, (40, 5, 2)), _seed(rng), sizes[2]),
        _optimizer(_seed(rng), sizes[3]),
        _model(dead, (random_size(rng, 30, 50), *_seeds(rng, 2)), *_with_dead(rng, 0)),
        _model(dead, (random_size(rng, 30, 50), *_seeds(rng, 2)), *_with_dead(rng, 2)),
        _model(dead, few, int(rng.choice(DEAD_FOR_FEW)), *_with_dead(rng, 1)),
        _model(twice, (40, *_seeds(rng, 2)), _alive(rng, (40, 5, 2))),
        _split(shuffled, random_size(rng, 20, 40), _seed(rng), _seed(rng)),
        _split(copied, random_size(rng, 20, 40), _seed(rng), _seed(rng)),
        _evaluation(_seed(rng), _seed(rng), random_size(rng, 30, 50), random_size(rng, 6, 12)),
    ]
    return sorted(cases, key=lambda case: CASES.index(case.group))


def _seeds(rng: np.random.Generator, count: int) -> Numbers:
    return tuple(int(seed) for seed in rng.integers(0, 1000, count))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 1000))


def _alive(rng: np.random.Generator, part: Numbers) -> int:
    """Draw a seed whose network is alive for some training images."""
    while True:
        seed = int(rng.integers(0, 1000))
        if not is_dead(fill(network(), seed), training_part(*part)):
            return seed


def _with_dead(rng: np.random.Generator, n_dead: int) -> Numbers:
    """Draw dead seeds and, behind them, two that are alive."""
    chosen = [*rng.choice(DEAD, n_dead, replace=False), *rng.choice(ALIVE, 2, replace=False)]
    return tuple(int(seed) for seed in chosen)


EXERCISES = (
    Exercise(
        name="repair",
        points=12,
        oracle=repair,
        cases=tuple(_visible()),
        draw=draw,
        misconceptions=MISTAKES,
        forbidden=ONLY_RUNS,
        groups={case: POINTS[NAME_OF[case]] for case in CASES},
        probe=put_in_place,
    ),
)
