"""The eight broken runs of assignment 7: read their records, run them again."""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

from course_utils.checks.a7_network import fill, lines, network, pictures
from course_utils.checks.a7_trainer import (
    CASES,
    FAULT_OF,
    FAULTS,
    NAME_OF,
    Log,
    Piece,
    Pieces,
    Settings,
    ignore,
    train,
)

__all__ = [
    "CASES",
    "FAULTS",
    "REFERENCE",
    "fill",
    "lines",
    "network",
    "pictures",
    "record",
    "rerun",
]

REFERENCE = "reference"
RECORDS = Path(__file__).parent / "a7_records.json"  # made by tools/make_runs.py


def record(case: str) -> dict[str, Any]:
    """
    Return what was written down of a run.

    Parameters
    ----------
    case : str
        One of ``CASES``, or ``REFERENCE`` for the run in which nothing is broken.

    Returns
    -------
    dict
        Lists of numbers by epoch and by step, the names of the modules, the pictures and labels of
        both parts. It is a copy: change it as you like.

    Raises
    ------
    ValueError
        If there is no such run.
    """
    return copy.deepcopy(_records()[_known(case)])


@cache
def _records() -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = json.loads(RECORDS.read_text())
    return records


def _known(case: str) -> str:
    """Return the case, or say which ones there are."""
    if case not in (*CASES, REFERENCE):
        raise ValueError(f"no run is called {case!r}; there are {', '.join((*CASES, REFERENCE))}")
    return case


def rerun(
    case: str, piece: Piece | None = None, on_model: Callable[[nn.Module], object] = ignore
) -> Log:
    """
    Train a run again, from its first step.

    Parameters
    ----------
    case : str
        One of ``CASES``, or ``REFERENCE``.
    piece : callable, optional
        Stands in place of the piece that is broken; the run is as it was recorded if left out.
    on_model : callable, optional
        Is called with the model before the first step: the place to hang hooks on it.

    Returns
    -------
    dict of str to list of float
        Losses and accuracies by epoch, and losses by step, under the names that they have in
        ``record``.

    Raises
    ------
    ValueError
        If there is no such run.
    """
    if _known(case) == REFERENCE:
        return train(Pieces(), Settings(), on_model)
    fault = FAULT_OF[NAME_OF[case]]
    return train(fault.pieces(piece), Settings(model_seeds=fault.model_seeds), on_model)
