"""Damaged submissions, drawn by seed: each ends with a verdict, and none stops the run.

CORRUPTED=1000 pytest tests/test_corrupted.py draws as many.
"""

import os
import random
from collections import Counter

import pytest
from corruptions import corrupt, still_there
from good_submissions import content_of, release_of, submission

from course_utils.grading.judging import grade_one, sandbox_for
from course_utils.grading.verdict import Verdict

ASSIGNMENT = "a1_convolution"
WRONG = {"same-padding": "def same_padding(k, d=1):\n    return k // 2"}
COUNT = int(os.environ.get("CORRUPTED", "200"))


@pytest.mark.slow
def test_every_damaged_submission_has_a_verdict_with_a_reason():
    release = release_of(ASSIGNMENT)
    rng = random.Random(2026)
    bases = [content_of(submission(ASSIGNMENT, answers)) for answers in ({}, WRONG)]
    kinds: Counter[str] = Counter()

    with sandbox_for(release) as sandbox:
        whole = [grade_one(base, "ana", release, 3, sandbox) for base in bases]
        for number in range(COUNT):
            which = number % len(bases)
            kind, content = corrupt(bases[which], rng)
            verdict = grade_one(content, "ana", release, 3, sandbox)

            assert_reasoned(verdict, kind)
            if still_there(kind):
                found = {one.exercise: (one.points, one.code) for one in verdict.exercises}
                assert found == {
                    one.exercise: (one.points, one.code) for one in whole[which].exercises
                }, kind
            kinds[kind] += 1

    assert [one.points for one in whole] == [40, 38]
    assert sum(kinds.values()) == COUNT
    assert len(kinds) >= 25


def assert_reasoned(verdict: Verdict, kind: str) -> None:
    """Assert that every exercise has a verdict, and none is zero without a reason in words."""
    assert len(verdict.exercises) == 7, kind
    for one in verdict.exercises:
        if one.points < one.max_points:
            assert one.code not in ("", "right"), (kind, one.text)
            assert len(one.text.splitlines()) >= 2, (kind, one.text)
