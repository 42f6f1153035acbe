"""Assignment 6, recording: what layers give, and what can be said of it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a6_oracles import ActivationRecorder, feature_stats
from course_utils.checks.a6_recording_mistakes import RECORDER_MISCONCEPTIONS, STATS_MISCONCEPTIONS
from course_utils.checks.a6_recording_scenes import play, statistic
from course_utils.checks.drawing import DTYPES, FORMS, random_size, random_tensor
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

OUTPUTS = "outputs"
COPIES = "detached copies"
MODEL = "the model as it was"
HOOKS = "hooks and errors"
AGAIN = "entered again"


def _passes(names: list[str], sizes: list[int], settings: str, seed: int) -> Case:
    kind, _, rest = settings.partition(" ")
    nets = {"image": "features(conv, relu), flatten, fc", "dense": "0, 1, 2"}
    net = nets.get(kind, "trunk(fc, relu1), left, right, upper")
    batches = ", ".join(map(str, sizes))
    told = f"a model of {net}, recording {', '.join(names)}, batches of {batches}"
    if rest:
        told += {"no_grad": ", under no_grad", "double": ", float64"}[rest]
    return Case(OUTPUTS, ("passes", seed, names, sizes, settings), told=told)


def _scenes(seed: int) -> list[Case]:
    """Return every scene but the passes, with its own random numbers."""
    one, one_more = [2], [2, 1]
    return [
        Case(
            COPIES,
            ("overwritten", seed, "grad", one),
            told="a layer in front of an in-place ReLU",
        ),
        Case(
            COPIES,
            ("overwritten", seed, "no_grad", one_more),
            told="a layer in front of an in-place ReLU, two passes under no_grad",
        ),
        Case(
            COPIES,
            ("changed later", seed, "output"),
            told="the caller writes into the model's result after each pass",
        ),
        Case(
            COPIES,
            ("changed later", seed, "input"),
            told="a Flatten in front, and the caller writes into its images after each pass",
        ),
        Case(COPIES, ("detached", seed, one), told="one pass with gradients enabled"),
        Case(COPIES, ("detached", seed, one_more), told="two passes with gradients enabled"),
        Case(COPIES, ("graph", seed, one_more), told="two passes whose results are dropped"),
        Case(MODEL, ("modes", seed, True), told="a model in train mode with one layer in eval"),
        Case(MODEL, ("modes", seed, False), told="a model in eval mode"),
        Case(MODEL, ("gradients", seed, "inside"), told="backward inside the block"),
        Case(MODEL, ("gradients", seed, "after"), told="backward after the block"),
        Case(MODEL, ("grad mode", seed, True), told="gradients enabled"),
        Case(MODEL, ("grad mode", seed, False), told="gradients disabled by the caller"),
        Case(MODEL, ("as it was", seed), told="a model with a hook of the caller's own"),
        Case(
            HOOKS,
            ("left behind", seed, ["features.conv", "fc"], 2),
            told="a model with two hooks of the caller's own",
        ),
        Case(
            HOOKS,
            ("left behind", seed, ["features", "fc"], 0),
            told="a block without any pass",
        ),
        Case(HOOKS, ("two", seed), told="two recorders on one model, one block inside the other"),
        Case(HOOKS, ("error", seed, "model"), told="a layer of the model raises an error"),
        Case(HOOKS, ("error", seed, "block"), told="the code in the block raises an error"),
        Case(AGAIN, ("again", seed, [[2], [1]]), told="one recorder used for two blocks"),
        Case(
            AGAIN,
            ("again", seed, [[1, 2], [2], [3, 1]]),
            told="one recorder used for three blocks",
        ),
        Case(AGAIN, ("again after error", seed), told="used again after an error in a pass"),
        *(
            Case(
                HOOKS,
                ("unknown", seed, names),
                told=f"layer_names={names}, of features(conv, relu), flatten, fc",
            )
            for names in (
                ["pool"],
                ["fc", "fc2"],
                ["conv", "fc"],
                ["features.pool", "features.conv"],
                ["fc.weight"],
                ["forward"],
            )
        ),
    ]


_RECORDER_CASES = (
    _passes(["fc"], [2], "image", 1),
    _passes(["features.conv", "fc"], [3], "image", 2),
    _passes(["fc", "features.relu", "flatten"], [2], "image no_grad", 3),
    _passes(["features", "fc"], [2, 3, 1], "image", 4),
    _passes(["0", "1", "2"], [1, 2, 2], "dense", 5),
    _passes(["2", "0"], [2, 1], "dense double", 6),
    _passes(["left", "trunk.fc", "upper"], [1, 3], "branches", 7),
    *_scenes(8),
)


def _draw_scenes(rng: np.random.Generator) -> list[Case]:
    def seed() -> int:
        return random_size(rng, 100, 10**6)

    def sizes(n: int) -> list[int]:
        return [random_size(rng, 1, 4) for _ in range(n)]

    def some(names: list[str]) -> list[str]:
        return [names[n] for n in rng.permutation(len(names))[: random_size(rng, 2, len(names))]]

    image = ["features", "features.conv", "features.relu", "flatten", "fc"]
    return [
        _passes(some(image), sizes(1), "image", seed()),
        _passes(some(image), sizes(3), "image no_grad", seed()),
        _passes(some(image), sizes(2), "image double", seed()),
        _passes(some(["0", "1", "2"]), [2, 1, 3], "dense", seed()),
        _passes(some(["trunk", "trunk.fc", "trunk.relu1", "left"]), sizes(2), "branches", seed()),
        *_scenes(seed()),
    ]


MEAN, STD, ZEROS, DEAD = "mean", "std", "frac_zero", "dead_channels"

_LESSON_MAPS = torch.zeros(2, 3, 2, 2)  # two images, three channels, as in chapter 13
_LESSON_MAPS[0, 0, 1, 1] = 4.0
_LESSON_MAPS[0, 2] = torch.eye(2)
_LESSON_MAPS[1, 2, 0] = 3.0
_FEATURES = torch.tensor([[0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
_CANCELLING = torch.tensor(  # a channel whose sum is 0, a dead one, a living one
    [
        [[[1.0, -1.0]], [[0.0, 0.0]], [[1.5, 0.0]]],
        [[[-2.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.5]]],
    ]
)
_SMALL = torch.tensor([[1e-9, 0.0, 0.5], [0.0, 0.0, -0.25]])
_ALIVE = torch.tensor([[[[0.5, 1.5]], [[-1.0, 2.0]]]])
_ONE_IMAGE = torch.tensor([[[[0.0, 0.0]], [[3.0, 0.0]], [[0.0, 0.0]]]])
_WIDE = torch.tensor([[0.0, 0.0, 4.0, 0.0, -1.0, 0.0]])
_DOUBLE = _LESSON_MAPS.double() / 3 - torch.eye(3, dtype=torch.float64)[None, :, :1, None]
_STRIDED = _LESSON_MAPS.transpose(2, 3)[..., ::2]


def _stats(outputs: dict[str, Tensor], group: str = "") -> list[Case]:
    """Return a case for each statistic."""
    given = " and ".join(f"{name} {tuple(value.shape)}" for name, value in outputs.items())
    return [
        Case(group or name, (outputs, [name]), told=f"{name} of {given}")
        for name in ([MEAN, STD, ZEROS, DEAD] if not group else [])
    ] or [Case(group, (outputs, [MEAN, STD, ZEROS, DEAD]), told=f"all of {given}, {group}")]


_STATS_CASES = (
    *_stats({"relu1": _LESSON_MAPS}),
    *_stats({"relu2": _FEATURES}),
    *_stats({"conv": _CANCELLING, "fc": _SMALL}),
    *_stats({"conv1": _ALIVE}),
    *_stats({"relu1": _ONE_IMAGE, "fc1": _WIDE}),
    *_stats({"fc": torch.tensor([[2.0]])}),
    *_stats({"relu1": _DOUBLE}, DTYPES),
    *_stats({"relu1": _STRIDED, "fc": _FEATURES.T}, DTYPES),
)


def _draw_stats(rng: np.random.Generator) -> list[Case]:
    def layer(maps: bool, form: Any = FORMS[0]) -> Tensor:
        n, channels = random_size(rng, 2, 4), random_size(rng, 3, 6)
        shape = (n, channels, random_size(rng, 2, 3), random_size(rng, 2, 4))
        made = random_tensor(rng, *(shape if maps else shape[:2]), form=form)
        dead = torch.from_numpy(rng.permutation(channels)[: random_size(rng, 1, 2)])
        made.clamp_(min=0) if rng.random() < 0.7 else made.sub_(2)
        made[:, dead] = 0.0
        made[random_size(rng, 0, n - 1), random_size(rng, 0, channels - 1)] = 0.0
        return made

    cases = []
    for _ in range(2):
        cases += _stats({"conv": layer(True)}) + _stats({"fc": layer(False)})
        cases += _stats({"relu1": layer(True), "relu2": layer(False), "fc": layer(False)})
    for form in FORMS[1:]:
        cases += _stats({"relu": layer(True, form), "fc": layer(False, form)}, DTYPES)
    return cases


EXERCISES = (
    Exercise(
        "ActivationRecorder",
        16,
        ActivationRecorder,
        _RECORDER_CASES,
        _draw_scenes,
        RECORDER_MISCONCEPTIONS,
        NO_PACKAGE,
        {OUTPUTS: 5, COPIES: 3, MODEL: 3, HOOKS: 3, AGAIN: 2},
        probe=play,
    ),
    Exercise(
        "feature_stats",
        6,
        feature_stats,
        _STATS_CASES,
        _draw_stats,
        STATS_MISCONCEPTIONS,
        NO_PACKAGE,
        {MEAN: 1, STD: 2, ZEROS: 1, DEAD: 1, DTYPES: 1},
        probe=statistic,
    ),
)
