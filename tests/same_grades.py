"""Grade the same submissions in many ways, and compare every grade and every byte.

Usage: python tests/same_grades.py [--submissions N] [--kills N]

Right, wrong, forbidden, crashing and damaged submissions are graded by 1, 2 and 16 workers, in
another order, by a grader that is killed again and again, by stock `nbgrader autograde` with this
course's settings, and on a Dask cluster that loses a worker. Each way must give the same gradebook
and the same autograded notebooks.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from corruptions import corrupt
from good_submissions import content_of, submission
from nbgrader.api import Gradebook
from test_assignments import CRASHING, FORBIDDEN, VECTORISED, WRONG

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
ASSIGNMENT = "a1_convolution"
SEED = "20261126"
LONGEST = 3600  # seconds that a command may take
COURSE = (PYTHON, "-m", "course_utils.grading.cli")
GRADE = (*COURSE, "grade", ASSIGNMENT, "--seed", SEED)
KINDS = ({}, VECTORISED, WRONG, FORBIDDEN, CRASHING)


def environment() -> dict[str, str]:
    path = f"{Path(PYTHON).parent}:{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": path}


def submissions(count: int) -> dict[str, bytes]:
    """Return by student what is handed in; every fourth one is damaged on the way."""
    rng = random.Random(4)
    found = {}
    for number in range(count):
        content = content_of(submission(ASSIGNMENT, KINDS[number % len(KINDS)]))
        if number % 4 == 3:
            _, content = corrupt(content, rng)
        found[f"student{number:03d}"] = content
    return found


@contextlib.contextmanager
def new_course(handed: dict[str, bytes], release: Path | None = None) -> Iterator[Path]:
    """Yield a course with submissions; released before, or now."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("nbgrader_config.py", "requirements.txt"):
            shutil.copy(ROOT / name, root)
        shutil.copytree(ROOT / "solutions" / ASSIGNMENT, root / "solutions" / ASSIGNMENT)
        if release:
            shutil.copytree(release, root / "release")
        for student, content in handed.items():
            path = root / "submitted" / student / ASSIGNMENT
            path.mkdir(parents=True)
            (path / f"{ASSIGNMENT}.ipynb").write_bytes(content)
        yield root


def run(root: Path, *command: str) -> None:
    """Run a command in a course; submissions that are flagged are no failure."""
    result = subprocess.run(
        command,
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    if result.returncode not in (0, 1) or "Traceback" in result.stderr:
        raise SystemExit(f"{' '.join(command)}:\n{result.stdout}{result.stderr}")


def outcome(root: Path) -> dict[str, str]:
    """Return by student a digest of the autograded notebook, and of the rows in the gradebook."""
    found = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        for one in gradebook.assignment_submissions(ASSIGNMENT):
            rows = [
                (grade.name, grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for notebook in one.notebooks
                for grade in notebook.grades
            ]
            rows += [
                (comment.name, comment.auto_comment)
                for notebook in one.notebooks
                for comment in notebook.comments
            ]
            path = root / "autograded" / one.student.id / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
            text = repr(sorted(map(repr, rows))).encode() + path.read_bytes()
            found[one.student.id] = f"{one.score:g} {hashlib.sha256(text).hexdigest()}"
    return found


def by_workers(count: int) -> Callable[[Path], None]:
    """Return the way of grading with so many processes."""

    def grade(root: Path) -> None:
        run(root, *GRADE, "--workers", str(count))

    return grade


def in_another_order(root: Path) -> None:
    """Grade one student after the other, drawn without order."""
    names = [path.name for path in (root / "submitted").iterdir()]
    random.Random(8).shuffle(names)
    for name in names[: len(names) // 10 + 1]:
        run(root, *GRADE, "--student", name, "--workers", "1")
    run(root, *GRADE)


def killed(times: int) -> Callable[[Path], None]:
    """Return a way of grading in which all processes are killed at random moments."""

    def grade(root: Path) -> None:
        rng = random.Random(9)
        journal = root / "grading" / ASSIGNMENT / "journal.jsonl"
        kills = 0
        while kills < times:
            process = subprocess.Popen(
                GRADE,
                cwd=root,
                env=environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            before = journal.stat().st_size if journal.exists() else 0
            while process.poll() is None:  # from the first new verdict on, at any moment
                if journal.exists() and journal.stat().st_size > before:
                    break
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 1))
            if process.poll() is not None and kills:
                return  # all was graded before it could be killed more often
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        run(root, *GRADE)

    return grade


def by_nbgrader(root: Path) -> None:
    """Grade with nbgrader's own command."""
    folder = root / "grading" / ASSIGNMENT
    run(root, *COURSE, "grade", ASSIGNMENT, "--seed", SEED, "--student", "student000")
    (folder / "journal.jsonl").unlink()
    shutil.rmtree(root / "autograded")
    run(root, str(Path(PYTHON).parent / "nbgrader"), "autograde", ASSIGNMENT)


def on_a_cluster(root: Path) -> None:
    """Grade on a Dask scheduler with two workers, one of which is killed on the way."""
    address = root / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment()}
    with contextlib.ExitStack() as stack:

        def start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [PYTHON, "-m", f"distributed.cli.{module}", *arguments], cwd=root, **quiet
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        start(
            "dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(address),
        )
        workers = [
            start(
                "dask_worker",
                "--scheduler-file",
                str(address),
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
            )
            for _ in range(2)
        ]
        end = time.monotonic() + 120
        while not address.exists() or not address.stat().st_size:
            if time.monotonic() > end:
                raise SystemExit("the Dask scheduler did not start")
            time.sleep(0.1)
        where = json.loads(address.read_text())["address"]
        grading = subprocess.Popen([*GRADE, "--scheduler", where], cwd=root, **quiet)
        stack.callback(grading.kill)
        journal = root / "grading" / ASSIGNMENT / "journal.jsonl"
        while not (journal.exists() and journal.stat().st_size) and grading.poll() is None:
            time.sleep(0.05)
        workers[0].kill()
        if grading.wait(LONGEST) not in (0, 1):
            raise SystemExit("grading on a cluster failed")


def compare(count: int, kills: int, *, few: bool = False) -> Iterator[tuple[str, float, str, int]]:
    """
    Yield each way, its seconds, what it gave in one digest, and how many submissions differ.

    With ``few``, two ways that only differ from others in how much they do are left out.
    """
    handed = submissions(count)
    ways: dict[str, Callable[[Path], None]] = {
        "1 worker": by_workers(1),
        "2 workers": by_workers(2),
        "16 workers": by_workers(16),
        "another order, in two runs": in_another_order,
        f"killed {kills} times": killed(kills),
        "nbgrader autograde": by_nbgrader,
        "a Dask cluster that loses a worker": on_a_cluster,
    }
    if few:
        del ways["16 workers"], ways["another order, in two runs"]
    first: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder) / "release"
        for name, way in ways.items():
            known = release if release.exists() else None
            with new_course(handed, known) as root:
                if known is None:
                    run(root, *COURSE, "release", ASSIGNMENT)
                    shutil.copytree(root / "release", release)
                start = time.perf_counter()
                way(root)
                seconds = time.perf_counter() - start
                found = outcome(root)
            first = first or found
            differ = sum(first.get(key) != found.get(key) for key in first.keys() | found.keys())
            digest = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:12]
            yield name, seconds, f"{len(found)} of {count}, {digest}", differ


def main() -> int:
    """Print the table; end with 1 if any way gave anything else."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    wrong = 0
    sys.stdout.write(
        "| graded by | seconds | graded, digest of all | differ |\n|---|---|---|---|\n"
    )
    for name, seconds, digest, differ in compare(options.submissions, options.kills):
        sys.stdout.write(f"| {name} | {seconds:.0f} | {digest} | {differ} |\n")
        sys.stdout.flush()
        wrong += differ
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
