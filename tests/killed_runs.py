"""Grade with a fake judge, kill the process at random moments, grade again: for test_journal."""

import json
import math
import os
import random
import signal
import sys
import threading
from pathlib import Path

from handmade import A7, SEED, Handed, release_of, verdict_of

from course_utils.grading.journal import Journal
from course_utils.grading.record import grade_all

N_STUDENTS = 100
HANDED = [Handed(f"s{n:02}", b"x" * n) for n in range(N_STUDENTS)]


def grade(course, log, release, n_before_death=math.inf, moment=0.0):
    """Grade what is not in the journal; the log says what was judged, and death comes in it."""

    def judge(work):
        for n_judged, one in enumerate(work):
            if n_judged == n_before_death + 5:  # however fast this machine is
                os.kill(os.getpid(), signal.SIGKILL)
            if n_judged == n_before_death:
                threading.Timer(moment, os.kill, (os.getpid(), signal.SIGKILL)).start()
            with log.open("a") as file:
                file.write(f"{one.student}\n")
            yield verdict_of(release, one.student, content=one.content)

    with Journal.open(course, A7) as journal:
        journal.start(release.digest, SEED)
        for _ in grade_all(course, release, journal, HANDED, judge):
            pass


def in_journal(course):
    """Return whose lines are whole, read without our own code."""
    path = course / "grading" / A7 / "journal.jsonl"
    content = path.read_bytes() if path.exists() else b""
    return {json.loads(line)["student"] for line in content.split(b"\n")[:-1]}


def grade_killed(course, release, moments):
    """Kill runs until one ends before its death; return what each found, and had to judge."""
    runs, status = [], None
    while status != 0:
        log = course / f"judged-{len(runs)}"
        log.touch()
        known = in_journal(course)
        n_before_death, moment = moments.randrange(5), moments.uniform(0, 0.02)
        child = os.fork()
        if not child:
            grade(course, log, release, n_before_death, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0 or os.WIFSIGNALED(status)
        runs.append({"known": sorted(known), "judged": log.read_text().split()})
    return runs


def main(whole, killed):
    release = release_of(A7)
    runs = grade_killed(killed, release, random.Random(5))
    grade(whole, whole / "judged", release)
    print(json.dumps(runs))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
