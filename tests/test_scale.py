"""However submissions are graded, grades and bytes are the same."""

import os

import pytest
from good_submissions import content_of, release_of, submission
from same_grades import ASSIGNMENT, compare

from course_utils.grading import scale
from course_utils.grading.intake import Handed
from course_utils.grading.scale import judge_all
from course_utils.grading.stock import CourseError


@pytest.mark.slow
def test_every_way_of_grading_gives_the_same_grades_and_bytes():
    results = list(compare(6, 1, few=True))

    assert len(results) == 5
    assert {name: differ for name, _, _, differ in results if differ} == {}
    assert all(graded.startswith("6 of 6") for _, _, graded, _ in results)


def test_nobody_at_the_scheduler_is_told_in_a_sentence():
    handed = [Handed("ana", ASSIGNMENT, b"{}")]
    with pytest.raises(CourseError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(judge_all(handed, release_of(ASSIGNMENT), 1, "", scheduler="tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_of_submissions_judged_together_only_the_one_that_kills_is_lost(monkeypatch):
    def killed(handed, release, seed, version):
        if any(one.student == "student1" for one in handed):
            os._exit(1)
        return judge_some(handed, release, seed, version)

    judge_some = scale.judge_some
    monkeypatch.setattr(scale, "judge_some", killed)
    monkeypatch.setattr(scale, "IN_FLIGHT", 1)  # so that the first tasks are three submissions
    handed = [Handed(f"student{n}", ASSIGNMENT, b"{}") for n in range(12)]
    found = list(judge_all(handed, release_of(ASSIGNMENT), 1, "", workers=2))

    assert sorted(one.student for one in found) == sorted(one.student for one in handed)
    lost = [one.student for one in found if any(flag.code == "lost" for flag in one.flags)]
    assert lost == ["student1"]


def test_a_notebook_on_which_the_grader_fails_costs_no_other_one(monkeypatch, caplog):
    def failing(handed, release):
        if handed.student == "ana" and not handed.problem:
            raise ZeroDivisionError("of the grader")
        return recover(handed, release)

    recover = scale.recover
    monkeypatch.setattr(scale, "recover", failing)
    content = content_of(submission(ASSIGNMENT))
    handed = [Handed(name, ASSIGNMENT, content) for name in ("ana", "ben")]

    ana, ben = judge_all(handed, release_of(ASSIGNMENT), 1, "", workers=1)

    assert [flag.code for flag in ana.flags] == ["lost"]
    assert "the grader failed on it (ZeroDivisionError)" in ana.problem
    assert ana.points == 0
    assert all(one.code == "missing" for one in ana.exercises)
    assert ben.points == 40
    assert len(caplog.records) == 1
    caplog.clear()
