"""Loads what workers need in one process that they are forked from, while the command still loads."""

import multiprocessing
import os
from multiprocessing import forkserver
from pathlib import Path

WORTH_A_WORKER = 10  # submissions: starting one takes seconds
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
AHEAD = ["distributed", "course_utils.grading.scale"]


def load_ahead(submitted: Path, workers: int | None) -> None:
    """Begin to load, if the folder holds so many submissions that they get workers."""
    count = sum(1 for _ in submitted.glob("*"))
    if CAN_FORK and (workers or os.cpu_count() or 1) > 1 and count > WORTH_A_WORKER:
        multiprocessing.set_forkserver_preload(AHEAD)
        forkserver.ensure_running()
