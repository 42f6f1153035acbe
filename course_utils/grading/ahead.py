"""Loads what workers need in one process that they are forked from, while the command still loads."""

import gc
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path

WORTH_A_WORKER = 10  # submissions: starting one takes seconds
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
AHEAD = ["course_utils.grading.loaded"]


def load_ahead(submitted: Path, workers: int | None) -> None:
    """Begin to load, if the folder holds so many submissions that they get workers."""
    count = sum(1 for _ in submitted.glob("*"))
    if CAN_FORK and (workers or os.cpu_count() or 1) > 1 and count > WORTH_A_WORKER:
        multiprocessing.set_forkserver_preload(AHEAD)
        forkserver.ensure_running()


@contextmanager
def for_good() -> Iterator[None]:
    """Load modules in the block: no collection of garbage looks at them, now or at the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
