"""The ``course`` command: release, grade, feedback, export, doctor."""

import argparse
import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from course_utils.grading import stock
from course_utils.grading.bundle import write_bundle
from course_utils.grading.stock import CourseError, Graded


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an error is one sentence on stderr and exit status 1."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"course: {where}{error.strerror or error}; nothing was removed", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description="Run this course's assignments.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command("release", _release, "Make the students' notebooks from solutions/.")
    sub.add_argument("assignment", nargs="*", help="names; all of them if left out")
    sub = command("grade", _grade, "Grade what lies in submitted/.")
    sub.add_argument("assignment")
    sub.add_argument("--student", help="grade only this one")
    sub = command("feedback", _feedback, "Make a page of feedback for each graded submission.")
    sub.add_argument("assignment")
    sub.add_argument("--student", help="make only this one")
    sub = command("export", _export, "Write all grades to a CSV file.")
    sub.add_argument("--to", type=Path, default=Path("grades.csv"), help="file to write")
    command("doctor", _doctor, "Say what this machine has and what is missing.")
    return parser


def _release(options: argparse.Namespace) -> int:
    for assignment in options.assignment or stock.assignments():
        notebook = stock.release(assignment)
        bundle = write_bundle(notebook, stock.course_root() / "requirements.txt")
        print(f"{assignment}: {_short(notebook)}, {_short(bundle)}")
    return 0


def _grade(options: argparse.Namespace) -> int:
    total = len(stock.submissions(options.assignment, options.student))
    graded: list[Graded] = []
    for result in tqdm(
        stock.grade(options.assignment, options.student),
        "grading",
        total=total,
        unit="submission",
        leave=False,
    ):
        graded.append(result)
    for result in graded:
        if not result.problem:
            print(f"{result.student}: {result.points:g} of {result.max_points:g}")
    flagged = [result for result in graded if result.problem]
    print(f"{len(graded) - len(flagged)} graded, {len(flagged)} flagged")
    for result in flagged:
        print(f"  {result.student}: {result.problem}")
    return 1 if flagged else 0


def _feedback(options: argparse.Namespace) -> int:
    for page in stock.feedback(options.assignment, options.student):
        print(_short(page))
    return 0


def _export(options: argparse.Namespace) -> int:
    print(_short(stock.export(options.to.resolve())))
    return 0


def _doctor(_options: argparse.Namespace) -> int:
    """Compare the machine with what the course needs."""
    root = stock.course_root()
    missing = 0
    for line in (root / "requirements.txt").read_text().splitlines():
        name, pinned, version = line.partition("==")
        if not pinned:
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found.partition("+")[0] != version:
            missing += 1
            print(f"✗ {name} {version} is pinned, found: {found}; run make book")
    for program, reason in [("chromium", "tests of the pages"), ("bwrap", "a sandbox for grading")]:
        if shutil.which(program):
            print(f"✓ {program}")
        else:
            print(f"· {program} is not installed: needed for {reason}")
    print("✓ the pinned packages are installed" if not missing else f"{missing} packages differ")
    return 1 if missing else 0


def _short(path: Path) -> Path:
    """Return a path relative to the course's folder, where it lies inside."""
    root = stock.course_root()
    return path.relative_to(root) if path.is_relative_to(root) else path


if __name__ == "__main__":
    sys.exit(main())
