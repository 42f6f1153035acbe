"""Reference tensors: the oracles' answers to the visible cases, stored beside the exercises.

Run ``python -m course_utils.checks.references`` to make them again. A test holds the stored ones to
the oracles, so a release of PyTorch that changes an answer is noticed.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from course_utils.checks.comparison import Refusal
from course_utils.checks.exercise import Case, Exercise
from course_utils.checks.registry import ASSIGNMENTS, exercises_of

FOLDER = Path(__file__).parent / "references"


def oracle_answer(exercise: Exercise, case: Case) -> Any:
    """Return what the oracle gives, or a Refusal where it raises ValueError."""
    try:
        return exercise.oracle(*case.args, **case.kwargs)
    except ValueError as error:
        return Refusal(case.refusal or str(error))


def reference_answers(assignment: str, exercise: Exercise) -> list[Any]:
    """Return the stored answers to the visible cases of an exercise, in order."""
    stored = _load(assignment)
    answers: list[Any] = []
    for number, case in enumerate(exercise.cases):
        key = f"{exercise.name}/{number}"
        if case.refusal is not None:
            answers.append(Refusal(case.refusal))
        elif key in stored:
            answers.append(_decode(stored, key))
        else:
            raise KeyError(f"no reference for {key}; run python -m course_utils.checks.references")
    return answers


@cache
def _load(assignment: str) -> dict[str, Any]:
    with safe_open(FOLDER / f"{assignment}.safetensors", framework="pt") as file:
        kinds = file.metadata() or {}
        return {key: (kind, file.get_tensor(key)) for key, kind in kinds.items()}


def _decode(stored: dict[str, Any], key: str) -> Any:
    kind, tensor = stored[key]
    if kind == "int":
        return tensor.item()
    if kind == "ints":
        return tuple(tensor.tolist())
    return tensor.clone()


def _encode(value: Any) -> tuple[str, Tensor]:
    if type(value) is int:
        return "int", torch.tensor(value)
    if isinstance(value, tuple):
        return "ints", torch.tensor(value)
    return "tensor", value.contiguous()


def store_references(assignment: str, folder: Path = FOLDER) -> Path:
    """Ask the oracles of an assignment and store what they answer; return the file."""
    kinds: dict[str, str] = {}
    tensors: dict[str, Tensor] = {}
    for exercise in exercises_of(assignment):
        for number, case in enumerate(exercise.cases):
            if case.refusal is None:
                key = f"{exercise.name}/{number}"
                kinds[key], tensors[key] = _encode(exercise.oracle(*case.args, **case.kwargs))
    folder.mkdir(exist_ok=True)
    path = folder / f"{assignment}.safetensors"
    save_file(tensors, path, metadata=kinds)
    return path


if __name__ == "__main__":
    for assignment_name in ASSIGNMENTS:
        store_references(assignment_name)
