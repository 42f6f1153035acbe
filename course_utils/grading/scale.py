"""Judge many submissions: here, on this machine's cores, or on a Dask cluster.

A task is a pure function of the submission, the release and the seed, so it does not matter where
it runs, or whether it runs twice.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

from course_utils.grading.ahead import CAN_FORK, WORTH_A_WORKER
from course_utils.grading.intake import Handed, recover
from course_utils.grading.judging import judge_sheet, sandbox_for
from course_utils.grading.release import Release
from course_utils.grading.sandbox import Sandbox, SandboxError
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Flag, Verdict

IN_FLIGHT = 4  # tasks a worker has at a time
LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())  # nothing is written unless somebody listens
FAILED = "the grader failed on it ({}): grade this notebook by hand, and report the error"
LOST = "the grader itself was stopped on it, again and again: look at this notebook by hand"


def judge_all(
    handed: Iterable[Handed],
    release: Release,
    seed: int,
    version: str,
    *,
    workers: int | None = None,
    scheduler: str = "",
) -> Iterator[Verdict]:
    """
    Yield the verdict on each submission, in any order.

    Parameters
    ----------
    handed : iterable
        The submissions.
    release : Release
        What was handed out.
    seed : int
        Draws the cases.
    version : str
        What decides a grade, for the record.
    workers : int, optional
        Processes on this machine; if left out, as many as it has cores, or fewer for few
        submissions.
    scheduler : str
        Address of a Dask scheduler, whose workers are used instead.

    Raises
    ------
    CourseError
        If the sandbox does not start, or nobody answers at the address.
    """
    handed = list(handed)
    worth = -(-len(handed) // WORTH_A_WORKER)
    wanted = min(workers or min(os.cpu_count() or 1, worth), len(handed))
    text = release.text
    if not handed:
        return
    if wanted <= 1 and not scheduler:
        for one in handed:
            yield Verdict.from_json(judge_task(one, text, seed, version))
        return
    with _cluster(scheduler, wanted) as client:
        yield from _on_cluster(client, handed, text, seed, version)


def judge_task(handed: Handed, release: str, seed: int, version: str) -> dict[str, Any]:
    """Return the verdict on one submission as JSON's types; runs in whichever process."""
    master, sandbox = _workplace(handed.assignment, release)
    try:
        sheet = recover(handed, master)
    except Exception as error:  # a submission costs no other one
        LOG.exception("the submission of %s could not be read", handed.student)
        sheet = recover(_failed(handed, FAILED.format(type(error).__name__)), master)
    try:
        return judge_sheet(sheet, master, seed, sandbox, version).to_json()
    except SandboxError as error:
        raise CourseError(str(error)) from error


@lru_cache(maxsize=1)
def _workplace(assignment: str, release: str) -> tuple[Release, Sandbox]:
    """Return what a process needs to judge submissions; it is kept for the next one."""
    master = Release.parse(assignment, release)
    return master, sandbox_for(master)


@contextmanager
def _cluster(scheduler: str, workers: int) -> Iterator[Any]:
    """Yield a client of the scheduler, or of a cluster of this machine's own."""
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {
        "distributed.admin.tick.limit": "1h",
        "distributed.comm.timeouts.connect": "30s",
        "distributed.scheduler.allowed-failures": 2,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": False,
        "distributed.worker.preload": [],
        "distributed.worker.multiprocessing-method": "forkserver" if CAN_FORK else "spawn",
        "distributed.worker.profile.enabled": False,  # it looks at every frame, all the time
    }
    with dask.config.set(settings):
        if scheduler:
            try:
                client = Client(scheduler, timeout=10)
            except (OSError, TimeoutError, ValueError) as error:
                raise CourseError(
                    f"no Dask scheduler answers at {scheduler} ({error}); start one with "
                    "`dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`"
                ) from None
            with client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                host="127.0.0.1",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


def _on_cluster(
    client: Any, handed: list[Handed], release: str, seed: int, version: str
) -> Iterator[Verdict]:
    """Keep every worker busy with a few tasks, and yield what comes back."""
    from distributed import KilledWorker, as_completed

    waiting = deque(handed)
    [text] = client.scatter([release], broadcast=True)
    running: dict[Any, Handed] = {}

    def submit(count: int) -> list[Any]:
        futures = []
        for one in [waiting.popleft() for _ in range(min(count, len(waiting)))]:
            future = client.submit(judge_task, one, text, seed, version, pure=False, retries=1)
            running[future.key] = one
            futures.append(future)
        return futures

    width = max(1, sum(client.nthreads().values()))
    queue: Any = as_completed(submit(IN_FLIGHT * width))
    for future in queue:
        one = running.pop(future.key)
        try:
            verdict = Verdict.from_json(future.result())
        except KilledWorker:
            verdict = _lost(one, release, seed, version)
        yield verdict
        for more in submit(1):
            queue.add(more)


def _lost(one: Handed, release: str, seed: int, version: str) -> Verdict:
    """Return the verdict on a submission that no worker survived: nothing, for a person to see."""
    return Verdict.from_json(judge_task(_failed(one, LOST), release, seed, version))


def _failed(handed: Handed, problem: str) -> Handed:
    return replace(handed, problem=problem, flags=(*handed.flags, Flag("lost", "", problem)))
