"""Reference tensors: the oracles' answers to the visible cases, stored beside the exercises.

Run ``python -m course_utils.checks.references`` to make them again. A test holds the stored ones to
the oracles, so a release of PyTorch that changes an answer is noticed.
"""

import json
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from course_utils.checks.comparison import Refusal
from course_utils.checks.exercise import Case, Exercise
from course_utils.checks.outcomes import copy_argument, meaning, plain
from course_utils.checks.registry import ASSIGNMENTS, exercises_of

FOLDER = Path(__file__).parent / "references"


def oracle_answer(exercise: Exercise, case: Case) -> Any:
    """Return what the oracle gives, or a Refusal where it raises ValueError."""
    try:
        return observe(exercise, case)
    except (ValueError, KeyError) as error:
        if case.refusal is None:
            raise
        return Refusal(case.refusal, case.error if _is_a(error, case.error) else "another")


def observe(exercise: Exercise, case: Case) -> Any:
    """Return what is observed of the oracle in a case."""
    args = tuple(map(copy_argument, case.args))
    kwargs = {name: copy_argument(value) for name, value in case.kwargs.items()}
    call = partial(exercise.probe, exercise.oracle) if exercise.probe else exercise.oracle
    return meaning(exercise, case, plain(call(*args, **kwargs)))


def _is_a(error: Exception, name: str) -> bool:
    return name in (kind.__name__ for kind in type(error).__mro__)


def reference_answers(assignment: str, exercise: Exercise) -> list[Any]:
    """Return the stored answers to the visible cases of an exercise, in order."""
    stored = _load(assignment)
    answers: list[Any] = []
    for number, case in enumerate(exercise.cases):
        key = f"{exercise.name}/{number}"
        if case.refusal is not None:
            answers.append(Refusal(case.refusal, case.error))
        elif key in stored:
            answers.append(_decode(stored[key], stored["tensors"]))
        else:
            raise KeyError(f"no reference for {key}; run python -m course_utils.checks.references")
    return answers


@cache
def _load(assignment: str) -> dict[str, Any]:
    """Return the stored answers as JSON by key, and the tensors that they name."""
    with safe_open(FOLDER / f"{assignment}.safetensors", framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        answers = json.loads((file.metadata() or {}).get("answers", "{}"))
    return {**answers, "tensors": tensors}


def _decode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the value that ``_encode`` wrote."""
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "tensor":
        return tensors[content].clone()
    if kind == "array":
        return tensors[content].numpy().copy()
    if kind == "dict":
        return {key: _decode(part, tensors) for key, part in content}
    return {"tuple": tuple, "list": list}[kind](_decode(part, tensors) for part in content)


def _encode(value: Any, key: str, tensors: dict[str, Tensor]) -> Any:
    """Return a value as JSON; a list is [kind, content]; tensors go to ``tensors``."""
    if isinstance(value, Tensor | np.ndarray):
        tensors[key] = torch.as_tensor(value).contiguous()
        return ["tensor" if isinstance(value, Tensor) else "array", key]
    if isinstance(value, dict):
        return ["dict", [[k, _encode(part, f"{key}/{k}", tensors)] for k, part in value.items()]]
    if isinstance(value, tuple | list):
        parts = [_encode(part, f"{key}/{n}", tensors) for n, part in enumerate(value)]
        return [type(value).__name__, parts]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{key} cannot be stored: it is {value}; an oracle has to give plain data")


def store_references(assignment: str, folder: Path = FOLDER) -> Path:
    """Ask the oracles of an assignment and store what they answer; return the file."""
    answers: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for exercise in exercises_of(assignment):
        for number, case in enumerate(exercise.cases):
            if case.refusal is None:
                key = f"{exercise.name}/{number}"
                answers[key] = _encode(observe(exercise, case), key, tensors)
    folder.mkdir(exist_ok=True)
    path = folder / f"{assignment}.safetensors"
    save_file(tensors, path, metadata={"answers": json.dumps(answers)})  # one key: same bytes
    return path


if __name__ == "__main__":
    for assignment_name in sys.argv[1:] or ASSIGNMENTS:
        store_references(assignment_name)
