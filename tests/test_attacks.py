"""Every attack and every fault of the corpus ends in the verdict of the answer inside of it."""

import json
import os
import tomllib
from functools import cache

import pytest
from corpus import FOLDER, Attack, attacks
from corpus_answers import TARGETS, cut_release

from course_utils.checks.registry import exercises_of
from course_utils.grading.collecting import collect
from course_utils.grading.intake import recover
from course_utils.grading.judging import grade_one, judge_sheet, sandbox_for
from course_utils.grading.sandbox import bubblewrap

SEED = 7
SHORT = 1  # seconds of processor time, for attacks that use it all
EVERYWHERE = os.environ.get("CORPUS") == "all"  # on every exercise: takes an hour
NO_ATTACK = Attack("none", "none", "")

walls = pytest.mark.skipif(not bubblewrap(), reason="bubblewrap is not installed")
named = pytest.mark.parametrize


@pytest.fixture(scope="module")
def room():
    """Return a function that gives a sandbox for a target: one at a time, of one kind."""
    held = {}

    def sandbox(target, *, walled=True, seconds=10):
        key = target.assignment, target.name, walled, seconds
        if key not in held:
            for one in held.values():
                one.close()
            held.clear()
            held[key] = sandbox_for(release_of(target), walled, cpu_seconds=seconds)
        return held[key]

    yield sandbox
    for one in held.values():
        one.close()


def release_of(target):
    return cut_release(target.assignment, target.name, target.beside)


def handed_in(attack, target, answer):
    answers = {**target.answers, target.name: answer}
    return attack.handed_in(release_of(target).notebook(), answers, target.name)


def graded(attack, target, answer, sandbox):
    content = handed_in(attack, target, answer)
    return grade_one(content, "ana", release_of(target), SEED, sandbox)


def points(verdict):
    return {one.exercise: one.points for one in verdict.exercises}


@cache
def without_attack(target):
    """Return the points of the right and of the wrong answer, by themselves."""
    with sandbox_for(release_of(target)) as sandbox:
        return [points(graded(NO_ATTACK, target, a, sandbox)) for a in (target.right, target.wrong)]


def check_verdict(attack, target, verdict, expected):
    earned, wanted = points(verdict)[target.name], expected[target.name]
    right = {"answer": earned == wanted, "at most": earned <= wanted, "nothing": earned == 0}
    assert right[attack.verdict], verdict.exercises
    assert points(verdict)[target.beside] == expected[target.beside]
    texts = [one.text for one in verdict.exercises] + [one.sentence for one in verdict.flags]
    assert all(sign.isprintable() or sign in "\n\t" for text in texts for sign in text)
    assert all(len(text) < 5000 for text in texts)
    json.dumps(verdict.to_json()).encode()


def targets_of(attack, number):
    """Return the targets that an attack is tried on: one, in turn, or all that it fits."""
    fitting = [one for one in TARGETS.values() if attack.fits(one.right, one.name)]
    return fitting if EVERYWHERE else [fitting[number % len(fitting)]]


TRIED = sorted(
    (
        (target, attack)
        for number, attack in enumerate(attacks())
        for target in targets_of(attack, number)
        if not attack.folder
    ),
    key=lambda pair: (list(TARGETS).index(pair[0].name), pair[1].slow),
)


@walls
@named(
    ("target", "attack"),
    [
        pytest.param(target, attack, id=f"{attack.kind}: {attack.name}")
        for target, attack in TRIED
        if not attack.open
    ],
)
def test_an_attack_changes_no_verdict(room, target, attack):
    expected = without_attack(target)
    sandbox = room(target, seconds=SHORT if attack.slow else 10)

    for answer, wanted in zip((target.right, target.wrong), expected, strict=True):
        verdict = graded(attack, target, answer, sandbox)

        check_verdict(attack, target, verdict, wanted)
    assert points(graded(NO_ATTACK, target, target.right, sandbox)) == expected[0]


@walls
@named(("target", "attack"), [pair for pair in TRIED if pair[1].open], ids=str)
def test_of_an_attack_that_gets_through_a_person_is_told(room, target, attack):
    verdict = graded(attack, target, target.wrong, room(target))

    assert "reaches" in [flag.code for flag in verdict.flags]
    assert points(verdict)[target.beside] == without_attack(target)[0][target.beside]


@named("folder", [attack for attack in attacks() if attack.folder], ids=lambda one: one.name)
def test_what_lies_around_the_notebook_changes_no_verdict(room, folder, tmp_path):
    target = TARGETS["conv_output_size"]
    others = tmp_path / "others"
    others.mkdir()
    for name, answer in (("solution", target.right), ("another", target.right)):
        (others / f"{name}.ipynb").write_bytes(handed_in(NO_ATTACK, target, answer))
    for student, answer in (("ana", target.right), ("ben", target.wrong)):
        submitted = tmp_path / "submitted" / student / target.assignment
        path = folder.write(submitted, handed_in(folder, target, answer), others)

        sheet = recover(collect(path, target.assignment), release_of(target))
        verdict = judge_sheet(sheet, release_of(target), SEED, room(target, walled=None))

        expected = without_attack(target)[answer is target.wrong]
        if folder.verdict == "nothing":
            expected = dict.fromkeys(expected, 0.0)
        assert points(verdict) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["others", "submitted"]


@named(
    ("target", "attack"),
    [
        pytest.param(TARGETS["cross_correlate2d"], attack, id=f"{attack.kind}: {attack.name}")
        for attack in attacks()
        if not (attack.danger or attack.slow or attack.open or attack.folder or attack.only)
    ],
)
def test_without_walls_the_verdict_is_the_same(room, target, attack):
    verdict = graded(attack, target, target.wrong, room(target, walled=False))

    assert verdict.sandbox == "no sandbox"
    check_verdict(attack, target, verdict, without_attack(target)[1])


def test_the_targets_are_right_and_wrong_answers():
    for target in TARGETS.values():
        right, wrong = without_attack(target)
        most = {one.name: one.points for one in exercises_of(target.assignment)}

        assert right == {name: most[name] for name in right}
        assert 0 < wrong[target.name] < most[target.name] or target.name == "log_softmax"


def test_the_corpus_is_whole():
    found = attacks()

    assert len({attack.name for attack in found}) == len(found) >= 80
    for attack in found:
        assert attack.verdict in ("answer", "at most", "nothing")
        assert attack.tries
        assert any(attack.fits(one.right, one.name) for one in TARGETS.values()), attack.name


def test_the_readme_names_every_field():
    text = (FOLDER / "README.md").read_text()
    fields = {
        field
        for path in FOLDER.glob("*.toml")
        for entry in tomllib.loads(path.read_text())["attack"]
        for field in entry
    }

    assert all(f"`{field}`" in text for field in fields)
