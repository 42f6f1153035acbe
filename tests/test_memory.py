"""What is laid out in memory before a fork."""

import os
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


BARE = """
import os, resource, threading
from course_utils.grading.worker import _bare_fork

fork = _bare_fork()
child = fork()
if child == 0:
    more = threading.Thread(target=lambda: None)  # Python works on in the child
    more.start()
    more.join()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    fork()
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_a_bare_fork_gives_a_child_that_works_or_an_error():
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n") == ["7", "cannot fork", ""]
