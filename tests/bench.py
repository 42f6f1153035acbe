"""`make bench`: the budgets, measured one after the other in one run on this machine."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench_grading import compare

from course_utils.checks.checking import examine
from course_utils.checks.registry import ASSIGNMENTS, exercises_of
from course_utils.grading.sources import reference_answers

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def seconds(*command: str) -> float:
    """Run a command to its end and return how long it took; stop if it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}
    start = time.perf_counter()
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return time.perf_counter() - start


def check_latencies() -> list[float]:
    """Return the seconds of a check for each exercise: right, stub, and every misconception."""
    times = []
    for assignment in ASSIGNMENTS:
        answers = reference_answers(assignment, ROOT / "solutions")
        for exercise in exercises_of(assignment):
            wrong = [misconception.answer for misconception in exercise.misconceptions]
            for answer in [answers[exercise.name], *wrong]:
                start = time.perf_counter()
                examine(answer, name=exercise.name)
                times.append(time.perf_counter() - start)
    return times


def row(what: str, measured: str, budget: str) -> None:
    """Print one line of the table."""
    sys.stdout.write(f"| {what} | {measured} | {budget} |\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print the table."""
    cores = os.cpu_count()
    sys.stdout.write(f"| what, on {cores} cores | measured | budget |\n|---|---|---|\n")
    times = check_latencies()
    row(
        f"check, {len(times)} answers",
        f"median {statistics.median(times):.3f} s, longest {max(times):.3f} s",
        "median 0.2 s, none over 1 s",
    )
    row("make book, after install", f"{seconds('make', 'book'):.0f} s", "60 s")
    nbval = (str(BIN / "pytest"), "-q", "-n", "2", "--dist", "loadscope", "--nbval", "chapters")
    row("all chapters by nbval", f"{seconds(*nbval):.0f} s", "300 s")
    for line in ["", *compare(n_stock=12, n_ours=400)]:
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
