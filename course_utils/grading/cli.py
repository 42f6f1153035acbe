"""The ``course`` command: release, grade, feedback, export, doctor."""

import argparse
import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from course_utils.grading import stock
from course_utils.grading.bundle import write_bundle
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Verdict

NO_SANDBOX = (
    "a submission could read this machine's files and reach its network; grade on Linux with "
    "bubblewrap installed, or only what you trust"
)


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
    sub.add_argument("--rerun", action="store_true", help="judge again what was judged")
    sub.add_argument(
        "--workers", type=int, help="processes; as many as there are cores if left out"
    )
    sub.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster to use")
    sub.add_argument("--seed", type=int, help="of the drawn inputs; drawn once if left out")
    sub = command("collect", _collect, "Sort what Moodle or Canvas packed into submitted/.")
    sub.add_argument("assignment")
    sub.add_argument("download", type=Path, help="the zip")
    sub = command("feedback", _feedback, "Make a page of feedback for each graded submission.")
    sub.add_argument("assignment")
    sub.add_argument("--student", help="make only this one")
    sub = command("export", _export, "Write all grades to a CSV file.")
    sub.add_argument("assignment", nargs="*", help="names; all of them if left out")
    sub.add_argument(
        "--format",
        choices=("nbgrader", "moodle", "canvas"),
        default="nbgrader",
        help="who reads it",
    )
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
    """Judge what was handed in, record it, and say what a person should look at."""
    from course_utils.grading.ahead import for_good, load_ahead

    if not (options.student or options.scheduler):
        load_ahead(stock.course_root() / "submitted", options.workers)
    with for_good():
        from course_utils.grading.grading import grade

    with grade(
        options.assignment,
        options.student,
        seed=options.seed,
        again=options.rerun,
        workers=options.workers,
        scheduler=options.scheduler,
    ) as (total, verdicts):
        found = list(tqdm(verdicts, "grading", total=total, unit="submission", leave=False))
    for line in summary(found):
        print(line)
    return 1 if any(verdict.problem for verdict in found) else 0


def summary(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield a line on each submission, how many there are, and what was flagged and why."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.student)
    for verdict in verdicts:
        if not verdict.problem:
            yield f"{verdict.student}: {verdict.points:g} of {verdict.max_points:g}"
    flagged = [verdict for verdict in verdicts if verdict.flags or verdict.problem]
    graded = sum(not verdict.problem for verdict in verdicts)
    yield f"{graded} graded, {len(flagged)} flagged"
    for verdict in flagged:
        sentences = [flag.sentence for flag in verdict.flags] or [verdict.problem]
        yield from (f"  {verdict.student}: {one}" for one in dict.fromkeys(sentences))
    if any(verdict.sandbox != "bubblewrap" for verdict in verdicts):
        yield f"graded with no sandbox: {NO_SANDBOX}"


def _collect(options: argparse.Namespace) -> int:
    """Sort what an LMS packed into ``submitted``."""
    from course_utils.grading.archives import ArchiveError
    from course_utils.grading.downloads import collect_download

    stock.check_assignment(options.assignment)
    try:
        found = collect_download(options.download, stock.course_root(), options.assignment)
    except ArchiveError as error:
        raise CourseError(str(error)) from error
    for one in found:
        print(one.sentence)
    return 1 if any(one.path is None for one in found) else 0


def _feedback(options: argparse.Namespace) -> int:
    from course_utils.grading.feedback import write_feedback
    from course_utils.grading.grading import released
    from course_utils.grading.journal import Journal

    root, assignment = stock.course_root(), options.assignment
    stock.check_assignment(assignment)
    with Journal.open(root, assignment) as journal:
        verdicts = journal.verdicts()
    if options.student:
        verdicts = {name: one for name, one in verdicts.items() if name == options.student}
    if not verdicts:
        who = f" of {options.student}" if options.student else ""
        raise CourseError(f"nothing{who} is graded; run course grade {assignment}")
    for page in write_feedback(root, released(root, assignment), verdicts.values()):
        print(_short(page))
    return 0


def _export(options: argparse.Namespace) -> int:
    from course_utils.grading.exports import export_grades

    for assignment in options.assignment:
        stock.check_assignment(assignment)
    path = options.to.resolve()
    waiting = export_grades(stock.course_root(), path, options.format, options.assignment)
    print(_short(path))
    if waiting:
        print(f"{waiting} submissions still wait for points by hand: use nbgrader formgrader")
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
