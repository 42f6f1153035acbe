"""Grade the exercises themselves: python tools/exercises.py [NAME ...]

Prints a table of the named exercises, or of all, and what is wrong with them: a reference that does
not earn everything, a stub that earns something, a misconception that loses nothing or is not called
by its own name, two misconceptions that nobody can tell apart. Ends with 1 if anything is wrong.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from course_utils.checks.checking import draw_cases, examine
from course_utils.checks.diagnosis import same_result
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.checks.outcomes import meaning, one_thread, run_case
from course_utils.checks.registry import exercises_by_name
from course_utils.grading.sources import reference_answers

ROOT = Path(__file__).parents[1]
SEEDS = (None, 5)
HEADER = (
    "| exercise | points | cases | drawn | misconceptions | killed | named | longest check, CPU |"
)


@dataclass
class Grade:
    """What was found of one exercise."""

    exercise: Exercise
    n_drawn: int = 0
    killed: int = 0
    named: int = 0
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def row(self) -> str:
        """Return the line of the table."""
        exercise, wrong = self.exercise, len(self.exercise.misconceptions)
        cells = [exercise.name, exercise.points, len(exercise.cases), self.n_drawn, wrong]
        cells += [f"{self.killed}/{wrong}", f"{self.named}/{wrong}", f"{max(self.seconds):.2f} s"]
        return f"| {' | '.join(map(str, cells))} |"


def stub(*args: Any, **kwargs: Any) -> None:
    """Stand for an answer that is not started."""
    raise NotImplementedError


def judge(grade: Grade, answer: Any, seed: int | None) -> Any:
    """Return the report on an answer; note how long a check without a seed takes."""
    start = time.process_time()
    report = examine(answer, name=grade.exercise.name, seed=seed)
    if seed is None:
        grade.seconds.append(time.process_time() - start)
    return report


def grade(name: str) -> Grade:
    """Return what is found of the exercise of that name."""
    assignment, exercise = exercises_by_name()[name]
    found = Grade(exercise, n_drawn=len(draw_cases(exercise, 5)))
    reference = reference_answers(assignment, ROOT / "solutions")[name]
    for seed in SEEDS:
        report = judge(found, reference, seed)
        if report.code != "right":
            found.faults.append(f"the reference, seed {seed}: {report.message}")
        if judge(found, stub, seed).points:
            found.faults.append(f"the stub earns points, seed {seed}")
    for wrong in exercise.misconceptions:
        reports = [judge(found, wrong.answer, seed) for seed in SEEDS]
        killed = all(report.points < exercise.points for report in reports)
        named = all(report.misconception == wrong.name for report in reports)
        found.killed += killed
        found.named += named
        if not killed:
            found.faults.append(f"{wrong.name} loses nothing")
        elif not named:
            names = [report.misconception for report in reports]
            found.faults.append(f"{wrong.name} is called {names} on {list(SEEDS)}")
    found.faults += [f"{a} and {b} do the same" for a, b in indistinguishable(exercise)]
    return found


def indistinguishable(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Yield the pairs of misconceptions that give the same results in every case."""
    cases = [*exercise.cases, *draw_cases(exercise, 5)]
    with one_thread():
        results = [
            (wrong.name, results_of(exercise, wrong, cases)) for wrong in exercise.misconceptions
        ]
    for (name, values), (other, others) in itertools.combinations(results, 2):
        pairs = zip(values, others, strict=True)
        if all(same_result(value, twin, exercise.tolerances) for value, twin in pairs):
            yield name, other


def results_of(exercise: Exercise, wrong: Misconception, cases: list[Case]) -> list[Any]:
    """Return what a misconception does in each case."""
    outcomes = [run_case(wrong.answer, case, probe=exercise.probe) for case in cases]
    return [
        meaning(exercise, case, outcome.value)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]


def main(names: list[str]) -> int:
    """Print the table and the faults; return 1 if there are faults."""
    unknown = [name for name in names if name not in exercises_by_name()]
    if unknown:
        sys.stderr.write(
            f"no exercise is called {unknown[0]!r}; there are {', '.join(exercises_by_name())}\n"
        )
        return 2
    chosen = names or list(exercises_by_name())
    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer loads torch._dynamo
    grades = [grade(name) for name in tqdm(chosen, "exercises", file=sys.stderr, leave=False)]
    rows = [HEADER, "|---" * HEADER.count(" | ") + "|---|", *(found.row() for found in grades)]
    totals = [sum(values) for values in zip(*((g.killed, g.named) for g in grades), strict=True)]
    wrong = sum(len(found.exercise.misconceptions) for found in grades)
    seconds = [second for found in grades for second in found.seconds]
    rows.append(
        f"\n{len(grades)} exercises, {sum(found.exercise.points for found in grades)} points, "
        f"{wrong} misconceptions, {totals[0]} killed, {totals[1]} named; "
        f"CPU of a check: median {statistics.median(seconds):.3f} s, longest {max(seconds):.2f} s"
    )
    faults = [f"{found.exercise.name}: {fault}" for found in grades for fault in found.faults]
    sys.stdout.write("\n".join([*rows, "", *(faults or ["Nothing is wrong."])]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
