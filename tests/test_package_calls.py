"""The course's package is no library: an answer that calls it earns nothing, in any assignment."""

import ast
import sys
from pathlib import Path

import nbformat
import pytest
from answers import package
from answers.package import PACKAGE

from course_utils.checks import broken_runs, examine
from course_utils.checks.a7_rules import RUNS
from course_utils.checks.a7_trainer import FAULT_OF, NAME_OF
from course_utils.checks.forbidding import is_banned
from course_utils.checks.outcomes import run_case
from course_utils.checks.registry import ASSIGNMENTS, exercises_by_name, exercises_of

ROOT = Path(__file__).parents[1]
ANSWERS = [
    pytest.param(name, answer, id=f"{name}: {how}")
    for name, by_how in PACKAGE.items()
    for how, answer in by_how.items()
]


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_an_answer_that_calls_the_package_earns_nothing_and_is_told(name, answer):
    report = examine(answer, name=name)

    assert (report.points, report.code) == (0, "forbidden")
    assert report.message.startswith("Your answer calls `")
    assert report.message.endswith(exercises_by_name()[name][1].forbidden.sentence)


def test_every_assignment_has_answers_that_call_the_package():
    assert {exercises_by_name()[name][0] for name in PACKAGE} == set(ASSIGNMENTS)


def test_what_is_called_is_told_as_it_is_written():
    report = examine(package.build_lenet5_by_alias, name="build_lenet5")

    assert report.message == (
        "Your answer calls `m.lenet5`. The course's package is no library here; write it yourself."
    )


def test_a_piece_of_ours_is_refused_where_no_code_can_be_read():
    _, exercise = exercises_by_name()["repair"]
    case = exercise.cases[0]

    outcome = run_case(lambda case: FAULT_OF[NAME_OF[case]].mended, case, probe=exercise.probe)

    assert outcome.value.type_names[0] == "TypeError"
    assert "returned a function of the course; write your own" in outcome.value.message


# --- innocent ---------------------------------------------------------------------------------


def freeze(model, prefixes):
    hooks, models, arithmetic = [], {}, len(prefixes)  # names of our modules, in other hands
    for prefix in prefixes:
        named = dict(model.named_parameters())
        found = [name for name in named if f"{name.rpartition('.')[0]}.".startswith(f"{prefix}.")]
        if not found:
            raise ValueError(f"no course_utils.models here: {prefix}")
        hooks += [named[name] for name in found]
    assert arithmetic
    for parameter in hooks:
        models[parameter] = parameter.requires_grad_(False)
    print("frozen", file=sys.stderr)
    sys.stdout.write("done")
    return sum(parameter.numel() for parameter in models)


def test_names_like_those_of_our_modules_are_no_calls_and_prints_neither():
    report = examine(freeze)

    assert (report.code, report.message) == ("right", "")


def test_a_lambda_is_read_without_the_statement_around_it():
    assert examine(lambda k, d=1: d * (k - 1) // 2, name="same_padding").points == 2


def test_what_the_notebook_of_a7_imports_may_be_used_and_nothing_else_of_it():
    path = ROOT / "solutions" / "a7_which_bug" / "a7_which_bug.ipynb"
    setup = next(cell for cell in nbformat.read(path, as_version=4).cells if cell.id == "setup")
    imports = [
        node for node in ast.walk(ast.parse(setup.source)) if isinstance(node, ast.ImportFrom)
    ]
    paths = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    forbidden = exercises_by_name()["diagnose"][1].forbidden

    assert {path for path in paths if is_banned(path, forbidden)} == set()
    assert set(RUNS) == set(broken_runs.__all__)
    for name in set(vars(broken_runs)) - set(RUNS):
        assert is_banned(f"course_utils.checks.broken_runs.{name}", forbidden)


@pytest.mark.parametrize("assignment", [name for name in ASSIGNMENTS if name[:2] != "a7"])
def test_no_other_assignment_allows_more_than_check(assignment):
    for exercise in exercises_of(assignment):
        assert not is_banned("course_utils.checks.check", exercise.forbidden)
        assert is_banned("course_utils.checks.broken_runs.lines", exercise.forbidden)
        assert is_banned("course_utils.plots", exercise.forbidden)
