"""Expected results are the same whatever vector instructions a processor has."""

import os
import subprocess
import sys

from course_utils.checks.checking import draw_cases
from course_utils.checks.comparison import Refusal, difference
from course_utils.checks.outcomes import Outcome, one_thread, quiet
from course_utils.checks.references import oracle_answer
from course_utils.checks.registry import ASSIGNMENTS, exercises_of
from course_utils.grading import wire

SEEDS = range(3)
PLAIN = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}


def expected_results():
    """Yield every exercise's name, tolerances and expected results, refusals left out."""
    for exercise in (one for assignment in ASSIGNMENTS for one in exercises_of(assignment)):
        with one_thread(), quiet():
            cases = [*exercise.cases, *(c for seed in SEEDS for c in draw_cases(exercise, seed))]
            answers = [oracle_answer(exercise, case) for case in cases]
        yield exercise, [one for one in answers if not isinstance(one, Refusal)]


def test_expected_results_do_not_depend_on_the_processor():
    command = [sys.executable, __file__]
    environment = {**os.environ, **PLAIN}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    plainly = wire.unpack(done.stdout, most_json=1 << 30)

    count = 0
    for exercise, answers in expected_results():
        others = plainly[exercise.name]
        for one, other in zip(answers, others, strict=True):
            assert difference(Outcome(other), one, exercise.tolerances) is None, exercise.name
            count += 1
    assert count > 1000


if __name__ == "__main__":
    sys.stdout.buffer.write(wire.pack({e.name: answers for e, answers in expected_results()}))
