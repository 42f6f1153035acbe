"""Count how many of the tests' wrong answers get a name: python tools/named.py

Prints a table by assignment, of the wrong answers that were written around the registry and of those
that were written from the prompts alone: how many are named by a misconception of the registry, by a
relation, or by a fault of form. Writes the names to tests/answers/names.json, which the tests hold.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from named_answers import FILE, SETS, all_wrong_answers

from course_utils.checks import examine
from course_utils.checks.faults import FAULT_NAMES
from course_utils.checks.registry import exercises_by_name

Names = dict[str, dict[str, dict[str, str | None]]]  # by set, exercise and what is wrong
Counts = dict[tuple[str, str], Counter[str]]  # by set and assignment
NAMED_BY = ("misconception", "relation", "fault of form")


def what_is(exercise: str, name: str) -> str:
    """Return what a name is the name of."""
    _, found = exercises_by_name()[exercise]
    if name in {wrong.name for wrong in found.misconceptions}:
        return "misconception"
    return "fault of form" if name in FAULT_NAMES else "relation"


def ask() -> tuple[Names, Counts]:
    """Return the names of all answers, and how many have one of which kind."""
    names: Names = {kind: defaultdict(dict) for kind in SETS}
    counts: Counts = defaultdict(Counter)
    answers = list(all_wrong_answers())
    for assignment, kind, exercise, what, answer in tqdm(answers, file=sys.stderr, leave=False):
        name = examine(answer, name=exercise).misconception
        names[kind][exercise][what] = name
        named_by = what_is(exercise, name) if name else "nothing"
        for row in (assignment, "all"):
            counts[kind, row].update(("answers", named_by))
    return names, counts


def main() -> None:
    """Print the table and write the names."""
    names, counts = ask()
    FILE.write_text(json.dumps(names, indent=1) + "\n")
    rows = [f"| written | assignment | answers | named | {' | '.join(NAMED_BY)} |"]
    rows.append("|---" * (4 + len(NAMED_BY)) + "|")
    for (kind, assignment), count in sorted(counts.items(), key=lambda item: item[0][::-1]):
        by_kind = [count[named_by] for named_by in NAMED_BY]
        share = f"{sum(by_kind)} ({sum(by_kind) / count['answers']:.0%})"
        cells = [SETS[kind], assignment, count["answers"], share, *by_kind]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
