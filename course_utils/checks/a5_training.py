"""Assignment 5, second part: one step of training, and an evaluation that leaves no trace."""

from typing import Any

import numpy as np
import torch

from course_utils.checks.a5_oracles import evaluate, train_step
from course_utils.checks.a5_training_mistakes import EVALUATE_MISCONCEPTIONS, STEP_MISCONCEPTIONS
from course_utils.checks.a5_training_scenes import look_after, take_steps
from course_utils.checks.drawing import random_size
from course_utils.checks.exercise import NO_PACKAGE, Case, Exercise

# --- train_step -------------------------------------------------------------------------------


def _step_case(group: str, look: str, seed: int, told: str, **settings: Any) -> Case:
    return Case(group, (look, seed), settings, told=told)


_STEP_CASES = (
    _step_case("the step", "changes", 1, "one step of SGD"),
    _step_case("the step", "changes", 2, "one step in float64", dtype=torch.float64),
    _step_case(
        "the step", "changes", 3, "one step with weight decay", optimizer="SGD with weight decay"
    ),
    _step_case("the step", "changes", 9, "one step for a squared error", loss="squared error"),
    _step_case("the step", "changes", 16, "one step with a batch of one", n=1),
    _step_case("left-over gradients", "changes", 4, "gradients left over", leftover=True),
    _step_case("left-over gradients", "changes", 5, "two steps of SGD", n_steps=2),
    _step_case(
        "left-over gradients",
        "changes",
        6,
        "three steps with momentum",
        n_steps=3,
        optimizer="SGD with momentum",
    ),
    _step_case(
        "left-over gradients", "changes", 14, "two steps of Adam", n_steps=2, optimizer="Adam"
    ),
    _step_case("train mode", "changes", 7, "a model with batch norm in eval mode", norm=True),
    _step_case(
        "train mode",
        "changes",
        13,
        "two steps of a model with batch norm in eval mode",
        norm=True,
        n_steps=2,
    ),
    _step_case(
        "train mode",
        "changes",
        15,
        "a model with batch norm in train mode",
        norm=True,
        in_train_mode=True,
    ),
    _step_case("the loss", "losses", 1, "the loss of a step of SGD"),
    _step_case("the loss", "losses", 10, "a squared error", loss="squared error"),
    _step_case("the loss", "losses", 11, "the losses of three steps", n_steps=3),
    _step_case(
        "the loss", "losses", 12, "the loss of a model with batch norm in eval mode", norm=True
    ),
)


def _draw_steps(rng: np.random.Generator) -> list[Case]:
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("the step", "changes", {}),
        ("the step", "changes", {"dtype": torch.float64, "optimizer": "Adam"}),
        ("the step", "changes", {"loss": "squared error"}),
        ("left-over gradients", "changes", {"leftover": True}),
        ("left-over gradients", "changes", {"n_steps": 3, "optimizer": "SGD with momentum"}),
        ("train mode", "changes", {"norm": True}),
        ("train mode", "changes", {"norm": True, "n_steps": 2}),
        ("train mode", "changes", {"norm": True, "in_train_mode": True}),
        ("the loss", "losses", {"n_steps": 2}),
        ("the loss", "losses", {"loss": "squared error"}),
        ("the loss", "losses", {"norm": True}),
    ]
    return [
        _step_case(group, look, random_size(rng, 20, 10_000), "steps of another model", **settings)
        for group, look, settings in kinds
    ]


# --- evaluate ---------------------------------------------------------------------------------


def _evaluation_case(group: str, look: str, seed: int, told: str, **settings: Any) -> Case:
    return Case(group, (look, seed), settings, told=told)


_EVALUATE_CASES = (
    _evaluation_case("the loss", "loss", 1, "ten samples in batches of 4, 4 and 2"),
    _evaluation_case("the loss", "loss", 2, "seven samples in one batch", n=7, batch_size=7),
    _evaluation_case("the loss", "loss", 3, "a squared error", loss="squared error"),
    _evaluation_case("the loss", "loss", 4, "batches of 5 and 1", n=6, batch_size=5),
    _evaluation_case(
        "the loss",
        "loss",
        5,
        "float64, batches of 3, 3 and 2",
        n=8,
        batch_size=3,
        dtype=torch.float64,
    ),
    _evaluation_case("accuracy and n", "accuracy", 6, "ten samples in batches of 4, 4 and 2"),
    _evaluation_case("accuracy and n", "accuracy", 7, "batches of 5 and 1", n=6, batch_size=5),
    _evaluation_case("accuracy and n", "accuracy", 8, "one batch of 9", n=9, batch_size=9),
    _evaluation_case("evaluation mode", "everything", 9, "dropout and batch norm", noisy=True),
    _evaluation_case(
        "evaluation mode",
        "everything",
        10,
        "dropout, batches of 5 and 1",
        noisy=True,
        n=6,
        batch_size=5,
    ),
    _evaluation_case(
        "evaluation mode",
        "everything",
        14,
        "a model in eval mode, but for its dropout",
        noisy=True,
        resting=True,
    ),
    _evaluation_case("left as it was", "traces", 11, "after it, a model in train mode"),
    _evaluation_case("left as it was", "traces", 12, "after it, one part in eval mode", noisy=True),
    _evaluation_case(
        "left as it was", "traces", 13, "after it, in float64", noisy=True, dtype=torch.float64
    ),
    _evaluation_case(
        "left as it was",
        "traces",
        15,
        "after it, a model in eval mode, but for its dropout",
        noisy=True,
        resting=True,
    ),
)


def _draw_evaluations(rng: np.random.Generator) -> list[Case]:
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("the loss", "loss", {}),
        ("the loss", "loss", {"loss": "squared error"}),
        ("the loss", "loss", {"dtype": torch.float64}),
        ("accuracy and n", "accuracy", {}),
        ("accuracy and n", "accuracy", {"dtype": torch.float64}),
        ("evaluation mode", "everything", {"noisy": True}),
        ("evaluation mode", "everything", {"noisy": True, "loss": "squared error"}),
        ("left as it was", "traces", {}),
        ("left as it was", "traces", {"noisy": True}),
        ("left as it was", "traces", {"noisy": True, "resting": True}),
    ]
    cases = []
    for group, look, settings in kinds:
        batch_size = random_size(rng, 3, 5)
        n = 2 * batch_size + random_size(rng, 1, batch_size - 1)  # the last batch is short
        seed = random_size(rng, 20, 10_000)
        told = f"{n} samples in batches of {batch_size}"
        sizes = {"n": n, "batch_size": batch_size}
        cases.append(_evaluation_case(group, look, seed, told, **sizes, **settings))
    return cases


EXERCISES = (
    Exercise(
        "train_step",
        6,
        train_step,
        _STEP_CASES,
        _draw_steps,
        STEP_MISCONCEPTIONS,
        NO_PACKAGE,
        {"the step": 2, "left-over gradients": 1, "train mode": 1, "the loss": 2},
        probe=take_steps,
    ),
    Exercise(
        "evaluate",
        6,
        evaluate,
        _EVALUATE_CASES,
        _draw_evaluations,
        EVALUATE_MISCONCEPTIONS,
        NO_PACKAGE,
        {"the loss": 2, "accuracy and n": 2, "evaluation mode": 1, "left as it was": 1},
        probe=look_after,
        restraints=frozenset({"left as it was"}),
    ),
)
