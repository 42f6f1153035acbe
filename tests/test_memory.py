"""What is laid out in memory before a fork."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is laid out on Linux only")
SCATTERED = """
from course_utils.grading import memory

def pages():
    new = [bytes(range(200)) + bytes([n % 256]) for n in range(500)]
    return len({id(one) >> 12 for one in new}), new

held = [bytes(201) for _ in range(40_000)]
del held[::7]  # holes all over the place
before, kept = pages()
del kept
memory.settle()
after, _ = pages()
print(before, after)
"""


def test_new_objects_lie_together_where_there_were_holes():
    done = subprocess.run(
        [sys.executable, "-c", SCATTERED], capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stdout.split())

    assert done.stderr == ""
    assert after < before / 2
