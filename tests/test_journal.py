"""A journal keeps every verdict, whatever happens to the process that writes it."""

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from handmade import A1, A7, ROOT, SEED, new_course, release_of, verdict_of
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.grading import journal as journal_module
from course_utils.grading.intake import Handed
from course_utils.grading.journal import Journal, grading_version
from course_utils.grading.stock import CourseError
from course_utils.grading.verdict import Flag


@pytest.fixture(scope="module")
def release():
    return release_of(A1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "grading" / A1


def opened(root, release, seed=SEED):
    """Return a journal whose lock is given back: a test is alone."""
    with Journal.open(root, release.assignment) as journal:
        journal.start(release.digest, seed)
    return journal


def test_a_verdict_is_found_by_student_and_content_in_every_later_run(tmp_path, release):
    verdict = verdict_of(release, "ana \ud800", flags=["odd \x00"], convolve2d="\udcff")
    opened(tmp_path, release).add(verdict)

    journal = opened(tmp_path, release)

    assert journal.find(verdict.student, verdict.source) == verdict
    assert journal.find("bia", verdict.source) is None
    assert journal.find(verdict.student, "other") is None
    assert journal.verdicts() == {verdict.student: verdict}


def test_another_release_seed_or_version_is_another_verdict(tmp_path, release, monkeypatch):
    verdict = verdict_of(release)
    opened(tmp_path, release).add(verdict)
    path = tmp_path / "grading" / A1 / "run.json"

    other = Journal(tmp_path, A1)
    other.start("another release")
    assert other.find("ana", verdict.source) is None
    monkeypatch.setattr(journal_module, "grading_version", lambda: "another version")
    assert opened(tmp_path, release).find("ana", verdict.source) is None
    monkeypatch.undo()
    path.unlink()
    assert opened(tmp_path, release, seed=7).find("ana", verdict.source) is None
    path.unlink()
    assert opened(tmp_path, release).find("ana", verdict.source) == verdict


def test_a_verdict_of_another_run_is_refused(tmp_path, release):
    journal = opened(tmp_path, release)

    with pytest.raises(ValueError, match="the verdict on ana has another release, seed or version"):
        journal.add(verdict_of(release, seed=SEED + 1))


def test_the_last_verdict_on_a_student_counts_also_if_it_was_known_before(tmp_path, release):
    first, second = verdict_of(release, content=b"1"), verdict_of(release, content=b"22")
    journal = opened(tmp_path, release)
    journal.add(first)
    journal.add(second)
    journal.add(second)
    assert journal.path.read_bytes().count(b"\n") == 2

    journal.add(first)

    assert opened(tmp_path, release).latest("ana") == first


def test_a_submission_judged_anew_replaces_what_stood_there(tmp_path, release):
    journal = opened(tmp_path, release)
    journal.add(verdict_of(release, flags=["the machine was busy"]))

    journal.add(verdict_of(release))

    assert opened(tmp_path, release).find("ana", verdict_of(release).source) == verdict_of(release)


@settings(deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True), noise=st.binary(max_size=20))
def test_a_line_that_was_not_finished_is_forgotten(tmp_path_factory, release, cut, noise):
    root = tmp_path_factory.mktemp("torn")
    first, second = verdict_of(release, "ana"), verdict_of(release, "bia")
    journal = opened(root, release)
    journal.add(first)
    whole = journal.path.stat().st_size
    journal.add(second)
    content = journal.path.read_bytes()
    torn = content[: whole + int(cut * (len(content) - whole))] + noise.replace(b"\n", b"")
    journal.path.write_bytes(torn)

    journal = opened(root, release)

    assert journal.verdicts() == {"ana": first}
    journal.add(second)
    assert journal.path.read_bytes() == content
    assert opened(root, release).verdicts() == {"ana": first, "bia": second}
    shutil.rmtree(root)


def test_who_only_reads_takes_nothing_away(tmp_path, release):
    with Journal.open(tmp_path, A1) as journal:
        journal.start(release.digest, SEED)
        journal.add(verdict_of(release))
        with journal.path.open("ab") as file:
            file.write(b'{"key": "')
        before = journal.path.read_bytes()

        found = Journal(tmp_path, A1).verdicts()

        assert found == {"ana": verdict_of(release)}
        assert journal.path.read_bytes() == before
    assert Journal(tmp_path / "nowhere", A1).verdicts() == {}


def test_another_reason_why_nothing_can_be_read_is_another_submission():
    handed = Handed("ana", A1, b"", problem="there is no notebook")
    flagged = replace(handed, flags=(Flag("link", "", "x is a link \udcff"),))
    other = replace(handed, problem="the zip is broken")

    digests = {one.digest for one in (handed, flagged, other, Handed("ana", A1, b""))}

    assert len(digests) == 4
    assert Handed("bia", A1, b"", problem="there is no notebook").digest == handed.digest


@pytest.mark.parametrize("damage", [b"\0" * 40, b"{}", b'{"key": 1}', "é".encode("latin-1")])
def test_a_line_that_the_disk_has_lost_is_judged_again(tmp_path, release, damage):
    journal = opened(tmp_path, release)
    journal.add(verdict_of(release, "ana"))
    journal.add(verdict_of(release, "bia"))
    lines = journal.path.read_bytes().split(b"\n")
    for broken in (damage, lines[0][:300] + damage):
        journal.path.write_bytes(b"\n".join([broken, *lines[1:]]))

        found = opened(tmp_path, release)

        assert found.find("ana", verdict_of(release).source) is None
        assert set(found.verdicts()) == {"bia"}


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path, release):
    journal = opened(tmp_path, release)
    journal.add(verdict_of(release))
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            journal.add(verdict_of(release, "bia", flags=["x" * 200_000]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert caught.value.filename == str(journal.path)
    assert journal.path.read_bytes() == before
    assert opened(tmp_path, release).verdicts() == {"ana": verdict_of(release)}


def test_the_seed_is_drawn_once(tmp_path, release):
    first = opened(tmp_path, release, seed=None).run
    other = opened(tmp_path / "other", release, seed=None).run

    assert opened(tmp_path, release, seed=None).run == first
    assert first.seed != other.seed
    assert 0 <= first.seed < 2**53
    assert (first.release, first.version) == (release.digest, grading_version())


def test_a_seed_is_kept_with_a_new_release(tmp_path, release):
    journal = opened(tmp_path, release, seed=None)

    assert journal.start("another release").seed == opened(tmp_path, release, None).run.seed


def test_another_seed_than_the_first_is_refused(tmp_path, release, folder):
    opened(tmp_path, release)

    with pytest.raises(CourseError, match="is being graded with another seed") as caught:
        opened(tmp_path, release, seed=SEED + 1)

    assert str(folder / "run.json") in str(caught.value)
    assert f"{SEED}" not in str(caught.value).replace(str(folder), "")


def test_a_run_that_cannot_be_read_is_told_in_a_sentence(tmp_path, release, folder):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"seed": ')

    with pytest.raises(CourseError, match=r"run\.json cannot be read .* holds the seed"):
        opened(tmp_path, release)


def test_two_runs_at_once_are_told_apart(tmp_path):
    with (
        Journal.open(tmp_path, A1),
        Journal.open(tmp_path, A7),
        pytest.raises(CourseError, match="a1_convolution is being graded by another process"),
        Journal.open(tmp_path, A1),
    ):
        pass

    with Journal.open(tmp_path, A1):
        pass


def test_the_version_changes_with_what_decides_a_grade(tmp_path, monkeypatch):
    package = tmp_path / "course_utils"
    shutil.copytree(ROOT / "course_utils", package, ignore=shutil.ignore_patterns("data"))
    monkeypatch.setattr(journal_module, "PACKAGE", package)
    versions = [grading_version.__wrapped__()]
    for name in ("grading/feedback.py", "grading/cli.py", "checks/a1_oracles.py", "hooks.py"):
        with (package / name).open("a") as file:
            file.write("\n")
        versions.append(grading_version.__wrapped__())

    assert versions[0] == versions[1] == versions[2]
    assert len(set(versions[2:])) == 3


def results(course):
    """Return every byte that a student or a grader sees, and the gradebook's contents."""
    from nbgrader.api import Gradebook

    files = {
        path.relative_to(course).as_posix(): path.read_bytes()
        for path in course.glob("autograded/**/*")
        if path.is_file()
    }
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grades = sorted(
            (submission.student.id, grade.name, grade.auto_score, grade.needs_manual_grade)
            for submission in book.assignment_submissions(A7)
            for notebook in submission.notebooks
            for grade in notebook.grades
        )
        comments = sorted(
            (submission.student.id, comment.name, comment.auto_comment)
            for submission in book.assignment_submissions(A7)
            for notebook in submission.notebooks
            for comment in notebook.comments
        )
    return files, grades, comments


@pytest.mark.slow
def test_runs_that_are_killed_lose_nothing_and_do_nothing_twice(tmp_path):
    whole, killed = (new_course(tmp_path / name) for name in ("whole", "killed"))
    result = subprocess.run(
        [sys.executable, "killed_runs.py", whole, killed],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    runs = json.loads(result.stdout.splitlines()[-1])

    assert len(runs) > 8
    assert len({tuple(run["known"]) for run in runs}) > 5
    for run in runs:
        assert set(run["known"]).isdisjoint(run["judged"])
        assert len(set(run["judged"])) == len(run["judged"])
    assert results(killed) == results(whole)
    assert len(results(whole)[0]) == 100
