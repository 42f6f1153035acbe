"""What an answer must not see is marked by canaries; it searches everything and finds none."""

import ast
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import Attack
from corpus_answers import TARGETS, cut_release
from good_submissions import ROOT
from searching import SEARCH

from course_utils.grading.sandbox import bubblewrap

TARGET = TARGETS["conv_output_size"]
SEED = 918_273_645
ORACLES = ("a1_oracles", "a1_sizes", "a1_sizes_mistakes", "registry", "references", "checking")
CANARY = re.compile(r"canary-[a-z]+-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a copy of the course in which whatever is secret has a canary."""
    root = tmp_path_factory.mktemp("course")
    large = shutil.ignore_patterns("data", "explorers", "__pycache__", "*_wrong.py")
    shutil.copytree(ROOT / "course_utils", root / "course_utils", ignore=large)
    (root / "tests").mkdir()
    shutil.copyfile(ROOT / "tests" / "grade_here.py", root / "tests" / "grade_here.py")
    for name in ORACLES:
        path = root / "course_utils" / "checks" / f"{name}.py"
        mark = f'CANARY_{name.upper()} = "{canary("oracle")}"\n'
        path.write_text(f'{path.read_text()}\n\n"{canary("source")}"\n{mark}')
    (root / "course_utils" / "checks" / "references" / "more.json").write_text(canary("reference"))
    solution = root / "solutions" / TARGET.assignment / f"{TARGET.assignment}.ipynb"
    solution.parent.mkdir(parents=True)
    text = (ROOT / "solutions" / TARGET.assignment / solution.name).read_text()
    solution.write_text(
        text.replace("### BEGIN SOLUTION", f"### BEGIN SOLUTION {canary('solution')}")
    )
    another = root / "submitted" / "ben" / TARGET.assignment / solution.name
    another.parent.mkdir(parents=True)
    another.write_text(canary("another"))
    with sqlite3.connect(root / "gradebook.db") as book:
        book.execute("create table grade (secret text)")
        book.execute("insert into grade values (?)", [canary("gradebook")])
    book.close()
    (root / "seed.txt").write_text(f"{SEED} {canary('seed')}")
    release = cut_release(TARGET.assignment, TARGET.name, TARGET.beside)
    (root / "release.ipynb").write_text(release.text)
    return root


def canary(name):
    return f"canary-{name}-{secrets.token_hex(6)}"


def graded(course, *sources, walled):
    """Return the verdicts on answers, as text, by a grader that runs in the course."""
    release = cut_release(TARGET.assignment, TARGET.name, TARGET.beside)
    command = [sys.executable, "tests/grade_here.py", TARGET.assignment, "release.ipynb"]
    command += [str(SEED), "walled" if walled else "open"]
    for number, source in enumerate(sources):
        answers = {**TARGET.answers, TARGET.name: source}
        content = Attack("none", "none", "").handed_in(release.notebook(), answers, TARGET.name)
        (course / "submitted" / f"{number}.ipynb").write_bytes(content)
        command.append(f"submitted/{number}.ipynb")
    environment = {**os.environ, "PYTHONPATH": str(course), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def searching(places):
    """Return an answer that raises what it finds, in the message of each refusal."""
    return (
        f"{SEARCH}\n"
        f"REPORT = search({[str(place) for place in places]!r})\n"
        f"def {TARGET.name}(*args, **settings):\n"
        "    raise RuntimeError(REPORT)\n"
    )


def found_by(verdict):
    """Return the canaries that a search reports, and how much it has looked at."""
    own = next(one for one in json.loads(verdict)["exercises"] if one["exercise"] == TARGET.name)
    text = " ".join(own["text"].split())
    kinds = {name.split("-")[1] for name in CANARY.findall(text)}
    report = re.search(r"in (\{'files'.*?\})", text)
    return kinds, ast.literal_eval(report[1]) if report else {}


def folders_of(course):
    inside = ["/course", "/tmp", "/dev/shm", "/etc", "/run", "/home", "/proc/sys/kernel"]
    return [*inside, course, course / "gradebook.db", ROOT / "solutions", ROOT / "course_utils"]


@pytest.mark.skipif(not bubblewrap(), reason="bubblewrap is not installed")
def test_a_search_of_everything_inside_finds_no_canary(course):
    verdict = graded(course, searching(folders_of(course)), walled=True)

    kinds, looked_at = found_by(verdict)
    assert kinds == set()
    assert CANARY.findall(verdict) == []
    assert str(SEED) not in json.dumps({**json.loads(verdict), "seed": None})
    assert looked_at["files"] > 20
    assert looked_at["memory"] > 20_000_000
    assert looked_at["objects"] > 100  # those of before the fork are not listed


def test_the_same_search_without_walls_finds_them(course):
    verdict = graded(course, searching([course / "gradebook.db", course]), walled=False)

    kinds, _ = found_by(verdict)
    assert kinds


def test_no_canary_is_in_a_verdict(course):
    answers = TARGET.right, TARGET.wrong, "def conv_output_size(*a): pass"

    verdicts = graded(course, *answers, walled=None)

    assert len(verdicts.splitlines()) == len(answers)
    assert CANARY.findall(verdicts) == []


def test_what_is_shown_to_the_sandbox_holds_no_answer():
    """The modules that an exercise takes along are those of the observer, and no others."""
    from course_utils.checks.registry import ASSIGNMENTS, exercises_of
    from course_utils.grading.sandbox import WORKER, imports_of

    secret = re.compile(r"_oracles|_mistakes|registry|references|diagnosis|checking|_rules")
    for assignment in ASSIGNMENTS:
        for exercise in exercises_of(assignment):
            modules = imports_of(WORKER)
            if exercise.probe is not None:
                modules += imports_of(exercise.probe.__module__)
            assert [name for name in modules if secret.search(name)] == [], exercise.name


def test_every_secret_of_the_course_has_a_canary(course):
    kinds = {
        name.split("-")[1]
        for path in course.rglob("*")
        if path.is_file()
        for name in CANARY.findall(path.read_bytes().decode(errors="replace"))
    }

    wanted = {"oracle", "source", "reference", "solution", "another", "gradebook", "seed"}
    assert kinds == wanted
    assert Path(course, "course_utils", "grading", "worker.py").is_file()
