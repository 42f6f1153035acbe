"""Judge many submissions: here, on this machine's cores, or on a Dask cluster.

A task is a pure function of the submission, the release and the seed, so it does not matter where
it runs, or whether it runs twice.
"""

import gc
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
from course_utils.grading.judging import judge_sheet, papers_of, sandbox_for
from course_utils.grading.release import Release
from course_utils.grading.sandbox import Sandbox, SandboxError
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Flag, Verdict

IN_FLIGHT = 2  # tasks a worker has at a time
TOGETHER = 8  # submissions of one task: sending it takes longer than some answers
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
    master, sandbox = _workplace(handed.assignment, release, seed)
    try:
        sheet = recover(handed, master)
    except Exception as error:  # a submission costs no other one
        LOG.exception("the submission of %s could not be read", handed.student)
        sheet = recover(_failed(handed, FAILED.format(type(error).__name__)), master)
    try:
        return judge_sheet(sheet, master, seed, sandbox, version).to_json()
    except SandboxError as error:
        raise CourseError(str(error)) from error


def judge_some(
    handed: Iterable[Handed], release: str, seed: int, version: str
) -> list[dict[str, Any]]:
    """Return the verdicts on a few submissions as JSON's types; runs in whichever process."""
    return [judge_task(one, release, seed, version) for one in handed]


@lru_cache(maxsize=1)
def _workplace(assignment: str, release: str, seed: int) -> tuple[Release, Sandbox]:
    """
    Return what a process needs to judge submissions; it is kept for the next one.

    With the papers, all that stays is there: no collection of garbage looks at it again.
    """
    master = Release.parse(assignment, release)
    sandbox = sandbox_for(master)
    papers_of(master, seed, sandbox)
    gc.freeze()
    return master, sandbox


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
    """
    Keep every worker busy with a few tasks, and yield what comes back.

    A task is a few submissions, and one only towards the end, so that all workers end together.
    Those that were with a worker when it died, again and again, are tried in the end, one at a
    time: of them it was one.
    """
    from distributed import KilledWorker, as_completed

    waiting, suspects = deque(handed), deque[Handed]()
    running: dict[Any, list[Handed]] = {}
    alone: list[Handed] = []
    width = max(1, sum(client.nthreads().values()))

    def submit() -> list[Any]:
        nonlocal alone
        size = max(1, min(TOGETHER, len(waiting) // (2 * IN_FLIGHT * width)))
        some = [waiting.popleft() for _ in range(size) if waiting]
        if not some and suspects and not running:
            some = alone = [suspects.popleft()]
        if not some:
            return []
        # the release goes with each: what is kept on workers is gone when all of them have died
        future = client.submit(judge_some, some, release, seed, version, pure=False, retries=1)
        running[future.key] = some
        return [future]

    queue: Any = as_completed([one for _ in range(IN_FLIGHT * width) for one in submit()])
    for future in queue:
        some = running.pop(future.key)
        try:
            yield from map(Verdict.from_json, future.result())
        except KilledWorker:
            if some is alone:
                yield _lost(some[0], release, seed, version)
            else:
                suspects += some
        queue.update(submit())


def _lost(one: Handed, release: str, seed: int, version: str) -> Verdict:
    """Return the verdict on a submission that no worker survived: nothing, for a person to see."""
    return Verdict.from_json(judge_task(_failed(one, LOST), release, seed, version))


def _failed(handed: Handed, problem: str) -> Handed:
    return replace(handed, problem=problem, flags=(*handed.flags, Flag("lost", "", problem)))
