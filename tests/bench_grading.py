"""Grade the same submissions with stock nbgrader and with this course, in turn, and compare.

Usage: python tests/bench_grading.py [--stock N] [--ours N]

The assignment has six exercises, whose answers use torch; every submission is another text. Of four
submissions one is right, one has a wrong answer, and two attack the grader from a wrong answer.
In every second four, two answers give numbers that nobody else gives: right ones by a share of
less than 1e-10, wrong ones by more.
"""

import argparse
import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from good_submissions import content_of, references, submission
from nbgrader.api import Gradebook

from course_utils.checks.outcomes import one_thread
from course_utils.checks.registry import exercises_of
from course_utils.grading.judging import paper_of

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ASSIGNMENT = "a2_im2col_pooling"
PR_SET_CHILD_SUBREAPER = 36
STOCK = """c = get_config()
c.CourseDirectory.course_id = "convolutions"
c.CourseDirectory.source_directory = "solutions"
c.ClearSolutions.code_stub = {"python": "# your code here\\nraise NotImplementedError()"}
c.CourseDirectory.db_url = "sqlite:///gradebook.db?timeout=60"
"""
WRONG = "def max_pool2d(x, kernel_size, stride=None, padding=0):\n    {attack}\n    return {own} * x, x\n"
OWN = "\n_by_{name} = {name}\n\ndef {name}(*args, **kwargs):\n    return {own} * _by_{name}(*args, **kwargs)\n"
FORGED = "import sys; sys.displayhook(8.0)"
PATCHED = "import __main__; __main__.check = lambda answer: 8.0"
POINTS = sum(exercise.points for exercise in exercises_of(ASSIGNMENT))
LOST = next(one.points for one in exercises_of(ASSIGNMENT) if one.name == "max_pool2d")
# What the submissions are, and the points that they must get.
KINDS = {
    "right": ("", POINTS),
    "wrong": ("pass", POINTS - LOST),
    "forged": (FORGED, POINTS - LOST),
    "patched": (PATCHED, POINTS - LOST),
}


@dataclass
class Cost:
    """What a command took: seconds on the clock and of the processor, and MB at its peak."""

    wall: float
    cpu: float
    peak: float


def handed_in(number: int) -> bytes:
    """Return a submission; no two have the same text."""
    kind = list(KINDS)[number % len(KINDS)]
    attack, _ = KINDS[kind]
    like_others = number // len(KINDS) % 2 == 0
    own = 1 if like_others else f"(1 + {number} / 1e13)"
    sources = dict(references(ASSIGNMENT))
    if attack:
        sources["max-pool2d"] = WRONG.format(attack=attack, own=1 if like_others else number)
    if not like_others:
        sources["conv2d-gemm"] += OWN.format(name="conv2d_gemm", own=own)
    signed = {name: f"{source}\n# student {number}" for name, source in sources.items()}
    return content_of(submission(ASSIGNMENT, signed))


@contextlib.contextmanager
def course(config: str, count: int) -> Iterator[Path]:
    """Yield a course with so many submissions, released and ready to be graded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "nbgrader_config.py").write_text(config)
        shutil.copy(ROOT / "requirements.txt", root)
        shutil.copytree(ROOT / "solutions" / ASSIGNMENT, root / "solutions" / ASSIGNMENT)
        for number in range(count):
            path = root / "submitted" / f"student{number:04d}" / ASSIGNMENT
            path.mkdir(parents=True)
            (path / f"{ASSIGNMENT}.ipynb").write_bytes(handed_in(number))
        measured(root, "nbgrader", "generate_assignment", ASSIGNMENT)
        yield root


def measured(root: Path, *command: str) -> Cost:
    """Run a command to the end of all its processes; stop if it cannot be run."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(ROOT)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=root,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        peak = [0.0]
        meter = threading.Thread(target=_watch_memory, args=(process.pid, peak), daemon=True)
        meter.start()
        process.wait()
        wall = time.perf_counter() - start
        meter.join()
        with contextlib.suppress(ChildProcessError):
            while True:  # what the command left behind is this process's own now
                os.waitpid(-1, 0)
        output.seek(0)
        if process.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak[0])


def _watch_memory(pid: int, peak: list[float]) -> None:
    """Keep the most memory that a process and its descendants had for themselves, in MB."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            used = 0
            for one in [process, *process.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    memory = one.memory_info()
                    used += memory.rss - memory.shared
            peak[0] = max(peak[0], used / 2**20)
            time.sleep(0.2)


def right_verdicts(root: Path) -> dict[str, tuple[int, int]]:
    """Return by kind how many submissions got the points that they must get, and how many there are."""
    found = {kind: [0, 0] for kind in KINDS}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions(ASSIGNMENT)}
    for folder in (root / "submitted").iterdir():
        kind = list(KINDS)[int(folder.name.removeprefix("student")) % len(KINDS)]
        found[kind][0] += scores.get(folder.name) == KINDS[kind][1]
        found[kind][1] += 1
    return {kind: (good, count) for kind, (good, count) in found.items()}


def own_seconds(runs: int = 20) -> float:
    """Return the CPU seconds of the right answers themselves, called on every input of a grading."""
    namespace: dict[str, Any] = {}
    exec("import math, torch\nimport numpy as np", namespace)
    for source in references(ASSIGNMENT).values():
        exec(source, namespace)
    calls = []
    for exercise in exercises_of(ASSIGNMENT):
        plan = paper_of(ASSIGNMENT, exercise.name, 1, ()).plan
        probe = plan.probe or (lambda answer, *args, **settings: answer(*args, **settings))
        calls += [(probe, namespace[exercise.name], case) for case in plan.cases]
    with one_thread():
        start = time.process_time()
        for _ in range(runs):
            for probe, answer, case in calls:
                with contextlib.suppress(ValueError):
                    probe(answer, *case.args, **case.kwargs)
        return (time.process_time() - start) / runs


def compare(n_stock: int, n_ours: int) -> Iterator[str]:
    """Yield the table, line by line, and what it says."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield "| grader | submissions | wall s | CPU s | peak MB | verdicts right: " + ", ".join(KINDS)
    yield "|---|---|---|---|---|---|"
    config = (ROOT / "nbgrader_config.py").read_text()
    ways = [
        ("nbgrader autograde, stock", STOCK, n_stock, ("nbgrader", "autograde", ASSIGNMENT)),
        ("course grade, 1 worker", config, 4, ("course", "grade", ASSIGNMENT, "--workers", "1")),
        (
            "course grade, 1 worker",
            config,
            n_ours,
            ("course", "grade", ASSIGNMENT, "--workers", "1"),
        ),
        ("course grade, all cores", config, n_ours, ("course", "grade", ASSIGNMENT)),
        (
            "nbgrader autograde, this course's settings",
            config,
            n_stock,
            ("nbgrader", "autograde", ASSIGNMENT),
        ),
    ]
    costs = []
    for name, settings, count, command in ways:
        with course(settings, count) as root:
            cost = measured(root, *command)
            good = ", ".join(f"{a} of {b}" for a, b in right_verdicts(root).values())
        costs.append((count, cost))
        yield (
            f"| {name} | {count} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak:.0f} | {good} |"
        )
    (_, stock), (few, start), (many, one), (_, every), _ = costs
    each = (one.cpu - start.cpu) / (many - few)
    yield ""
    yield f"stock: {n_stock / stock.wall:.2f} submissions a second"
    yield f"ours, all cores, start and all: {many / every.wall:.2f} a second, "
    yield f"  {many / every.wall / (n_stock / stock.wall):.0f} times stock"
    own = own_seconds()
    yield f"ours, once started: {each:.3f} CPU s a submission; {own:.3f} of them take the answers"
    yield f"themselves, so {each - own:.3f} CPU s are the grader's"
    yield f"1,000 submissions on this machine: {1000 * every.wall / many / 60:.1f} minutes"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stock", type=int, default=12, help="submissions for stock nbgrader")
    parser.add_argument("--ours", type=int, default=400, help="submissions for this course")
    options = parser.parse_args()
    for line in compare(options.stock, options.ours):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
