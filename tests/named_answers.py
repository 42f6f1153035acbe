"""All wrong answers of ``answers`` and ``a1_answers``, and the name that each of them gets.

``names.json`` holds the names; ``make named`` prints how many have one, and writes them anew.
"""

import json
from importlib import import_module
from pathlib import Path

from course_utils.checks.registry import ASSIGNMENTS

FILE = Path(__file__).parent / "answers" / "names.json"
SETS = {"wrong": "around the registry", "student": "from the prompts alone"}


def wrong_answers(assignment, kind):
    """Return exercise -> what is wrong -> answer."""
    number = assignment[:2]
    around_a1 = (number, kind) == ("a1", "wrong")
    return import_module("a1_answers.wrong" if around_a1 else f"answers.{number}_{kind}").WRONG


def all_wrong_answers():
    """Yield assignment, kind, exercise, what is wrong and the answer."""
    for assignment in ASSIGNMENTS:
        for kind in SETS:
            for name, by_what in wrong_answers(assignment, kind).items():
                for what, answer in by_what.items():
                    yield assignment, kind, name, what, answer


def stored_names():
    """Return kind -> exercise -> what is wrong -> name or None."""
    return json.loads(FILE.read_text())
