"""Assignment 7, diagnosing: each run taken for one with each other fault, and what speaks against it."""

from collections.abc import Callable
from typing import Any

from course_utils.checks.a7_rules import (
    BORN_DEAD,
    COMPANY,
    GUARDS,
    PILE_UP,
    SMALL_GRADIENTS,
    SPLIT,
    STEP,
    UNSEEN,
)
from course_utils.checks.a7_trainer import FAULTS, NAME_OF
from course_utils.checks.broken_runs import REFERENCE, record
from course_utils.checks.exercise import Misconception, Place

Record = dict[str, Any]


def _first_gradient(found: Record) -> str:
    if not any(found["gradients_brought"]["conv1.weight"]):
        return (
            "Two softmaxes make gradients smaller, by a factor of three or more at the start, and "
            "leave them alive. In this record conv1.weight gets exactly 0 in every step"
        )
    brought, healthy = (
        one["gradients_brought"]["fc2.weight"][0] for one in (found, record(REFERENCE))
    )
    return (
        "Two softmaxes make the gradients smaller, by a factor of three or more at the start. In "
        f"this record the first one of fc2.weight is {brought}, in the reference {healthy}"
    )


def _same_gradients(found: Record) -> str:
    return (
        "If nobody clears the gradients, .grad holds the sum of all that came, and gradients_held "
        "leaves gradients_brought behind from the second step on. In this record the two lists "
        f"are equal in all {len(found['step_losses'])} steps"
    )


def _step_length(found: Record) -> str:
    length, held = (found[kind]["fc2.bias"][0] for kind in ("step_lengths", "gradients_held"))
    return (
        "Plain SGD moves a weight by the rate times its gradient, so step_lengths over "
        f"gradients_held is the rate. The first step of fc2.bias is {length}, for a gradient of "
        f"{held}"
    )


def _zero_share(found: Record) -> str:
    return (
        "In a network that is born dead the first ReLU gives zeros alone and conv1 gets no "
        f"gradient at all. In this record the share of zeros of relu1 is at most "
        f"{max(found['zero_share']['relu1'])}, and conv1.weight gets a gradient of "
        f"{found['gradients_brought']['conv1.weight'][0]} in the first step"
    )


def _labels_agree(found: Record) -> str:
    pairs = set(zip(found["train_pictures"], found["train_labels"], strict=True))
    return (
        "If labels are shuffled, copies of one picture get different labels. The training part of "
        f"this record has {len(set(found['train_pictures']))} pictures, and {len(pairs)} different "
        "pairs of picture and label"
    )


def _no_overlap(found: Record) -> str:
    common = set(found["train_pictures"]) & set(found["val_pictures"])
    return (
        "If validation is copied into training, the same pictures stand in both parts. In this "
        f"record {len(common)} pictures do, and training has {len(found['train_labels'])} images, "
        f"as many as in the reference"
    )


def _all_modules(found: Record) -> str:
    return (
        "A name used twice leaves one module less, since the second takes the place of the first. "
        f"This record lists {len(found['modules'])} modules, those of the reference"
    )


def _same_by_batch_size(found: Record) -> str:
    return (
        "Without eval mode the loss of an image depends on its company, so it changes with the "
        "batch size, and batch norm counts the batches of every evaluation. In this record the "
        f"validation loss is {found['val_loss_by_batch_size']['8']} for batches of 8 as for those "
        f"of 96, and bn1 has counted {found['bn1_batches'][-1]} batches in "
        f"{len(found['step_losses'])} steps"
    )


Against = Callable[[Record], str]
AGAINST: tuple[tuple[str, Against, Place], ...] = (  # in the order of FAULTS
    ("softmax", _first_gradient, SMALL_GRADIENTS),
    ("no-zero-grad", _same_gradients, PILE_UP),
    ("rate-1", _step_length, STEP),
    ("dead", _zero_share, BORN_DEAD),
    ("shuffled", _labels_agree, SPLIT),
    ("copied", _no_overlap, UNSEEN),
    ("name-twice", _all_modules, GUARDS),
    ("no-eval", _same_by_batch_size, COMPANY),
)
SHORT = dict(zip(FAULTS, (short for short, _, _ in AGAINST), strict=True))


def _confuse(case: str, claimed: str) -> Callable[[str], str]:
    """Return a diagnosis that is right but for one run."""

    def diagnose(case_: str) -> str:
        return claimed if case_ == case else NAME_OF[case_]

    return diagnose


def _mistakes(case: str) -> list[Misconception]:
    found = record(case)
    return [
        Misconception(
            f"{SHORT[NAME_OF[case]]}-taken-for-{short}",
            _confuse(case, claimed),
            f"You call {case} “{claimed}”. {against(found)}.",
            place,
        )
        for claimed, (short, against, place) in zip(FAULTS, AGAINST, strict=True)
        if claimed != NAME_OF[case]
    ]


MISTAKES = tuple(wrong for case in NAME_OF for wrong in _mistakes(case))
