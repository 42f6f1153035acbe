"""Probes run beside a student's code, so what they import holds no answer, no mistake, no case."""

import inspect
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils.checks import examine
from course_utils.checks.a7_diagnosing import VERDICT
from course_utils.checks.checking import judge
from course_utils.checks.exercise import Case
from course_utils.checks.outcomes import Foreign, Outcome, meaning, run_case
from course_utils.checks.references import observe, oracle_answer
from course_utils.checks.registry import exercises_by_name

ROOT = Path(__file__).parents[1]
EXERCISES = exercises_by_name()
PROBED = {name: pair for name, pair in EXERCISES.items() if pair[1].probe is not None}
DIAGNOSE = EXERCISES["diagnose"][1]
ENGINE = {"exercise", "outcomes", "comparison", "steps"}
# What the notebook of assignment 7 imports itself, by way of broken_runs.
RUNS = {"checks.a7_network", "checks.a7_pieces", "checks.a7_broken", "checks.a7_trainer"}
ALLOWED = {
    "a6_hooks": {"checks.a6_models"},
    "a7_which_bug": RUNS | {"datasets", "hooks", "arithmetic"},
}
LOADING = """
import importlib, json, sys
import torch
loaded = {}
for module in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith("course_utils")]:
        del sys.modules[name]
    importlib.import_module(module)
    loaded[module] = [name for name in sys.modules if name.startswith("course_utils.")]
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded():
    """Return what each probe's module loads of this package, in a Python that has loaded none."""
    modules = sorted({exercise.probe.__module__ for _, exercise in PROBED.values()})
    command = [sys.executable, "-c", LOADING, *modules]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", PROBED)
def test_a_probe_is_a_plain_function_of_a_module_of_scenes(name):
    probe = PROBED[name][1].probe

    assert inspect.isfunction(probe)
    assert probe.__module__.startswith("course_utils.checks.")
    assert probe.__module__.endswith("_scenes")
    assert getattr(sys.modules[probe.__module__], probe.__qualname__) is probe


@pytest.mark.parametrize("name", PROBED)
def test_a_module_of_scenes_loads_no_answer_no_mistake_and_no_case(name, loaded):
    assignment, exercise = PROBED[name]
    names = {name.removeprefix("course_utils.") for name in loaded[exercise.probe.__module__]}

    others = {name for name in names if not name.endswith("_scenes")}
    others -= {"checks", *(f"checks.{name}" for name in ENGINE)}

    assert exercise.probe.__module__.removeprefix("course_utils.") in names
    assert others <= ALLOWED.get(assignment, set())


@pytest.mark.parametrize("name", EXERCISES)
def test_cases_are_data_that_tell_no_function(name):
    _, exercise = EXERCISES[name]

    for case in exercise.cases:
        for value in (*case.args, *case.kwargs.values()):
            assert not callable(value), case


# --- readings ---------------------------------------------------------------------------------


def test_a_probe_of_diagnose_tells_the_names_and_the_reading_whether_they_fit():
    right, wrong = DIAGNOSE.oracle("run-1"), DIAGNOSE.oracle("run-2")
    case = Case("run-1", ("run-1", 2))

    names = run_case(lambda case: wrong, case, probe=DIAGNOSE.probe).value

    assert names == [wrong, wrong]
    assert meaning(DIAGNOSE, case, names) == {VERDICT: f"{wrong!r} does not fit"}
    assert meaning(DIAGNOSE, case, [right, right]) == {VERDICT: "it fits"}
    assert observe(DIAGNOSE, case) == {VERDICT: "it fits"}


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        (["it fits"], "asked for 2 times, and gave something else"),
        ([["a dead network"], 3], "asked for 2 times, and gave something else"),
        ({VERDICT: "it fits"}, "asked for 2 times, and gave something else"),
        ("it fits", "asked for 2 times, and gave something else"),
        (None, "asked for 2 times, and gave something else"),
        (["dead", "dead"], "'dead' is none of the names in FAULTS"),
        (["dead", "alive"], "it is another one each time: alive, dead"),
    ],
)
def test_a_reading_takes_whatever_a_process_claims_to_have_observed(observed, verdict):
    read = meaning(DIAGNOSE, Case("run-1", ("run-1", 2)), observed)

    assert verdict in read[VERDICT]


def test_a_failure_and_a_foreign_value_have_no_other_meaning():
    case = DIAGNOSE.cases[0]

    def stop(case):
        raise ValueError("on purpose")

    failure = run_case(stop, case, probe=DIAGNOSE.probe).value

    assert meaning(DIAGNOSE, case, failure) is failure
    assert meaning(DIAGNOSE, case, Foreign("set")) == Foreign("set")


def test_what_was_observed_is_read_before_it_is_judged_and_explained():
    exercise = replace(DIAGNOSE)
    names = {case: DIAGNOSE.oracle(case) for case in exercise.groups} | {"run-7": "learning rate 1"}
    outcomes = [Outcome([names[case.args[0]]] * case.args[1]) for case in exercise.cases]
    expected = [oracle_answer(exercise, case) for case in exercise.cases]

    report = judge(exercise, exercise.cases, outcomes, expected, n_visible=len(outcomes))

    assert report.points == 14
    assert "'learning rate 1' does not fit" in report.message
    assert report.misconception == "dead-taken-for-rate-1"


def test_without_a_reading_an_observation_means_itself():
    _, exercise = EXERCISES["softmax"]

    assert meaning(exercise, exercise.cases[0], "whatever") == "whatever"


# --- one group --------------------------------------------------------------------------------


def test_a_mistake_of_one_group_explains_no_answer_that_is_wrong_elsewhere():
    _, exercise = EXERCISES["repair"]
    halved = next(wrong for wrong in exercise.misconceptions if wrong.group)
    other = next(case for case in exercise.groups if case != halved.group)

    def also_elsewhere(case):
        return (lambda *args: None) if case == other else halved.answer(case)

    assert examine(halved.answer, name="repair").misconception == halved.name
    assert examine(also_elsewhere, name="repair").misconception != halved.name
