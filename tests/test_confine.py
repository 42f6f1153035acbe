"""What a confined process may not do any more, and that it still works."""

import platform
import subprocess
import sys

import pytest

from course_utils.grading.confine import MACHINES

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES,
    reason="system calls are refused on Linux only",
)
START = "import ctypes, os, resource, socket\nfrom course_utils.grading.confine import confine\n"


def confined(code):
    """Return what code prints in a confined process of its own."""
    source = f"{START}assert confine()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.strip()


def attempt(call):
    return f"try:\n    {call}\n    print('done')\nexcept OSError as error:\n    print(error.errno)"


@pytest.mark.parametrize(
    "call",
    [
        "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9))",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
        "os.memfd_create('left')",
        "socket.socket(40, socket.SOCK_STREAM)",
        "socket.socket(16, socket.SOCK_RAW)",
    ],
)
def test_other_processes_and_what_is_not_counted_cannot_be_reached(call):
    assert confined(attempt(call)) == "1"


@pytest.mark.parametrize(
    ("name", "number", "argument"),
    [
        ("shmget", {"x86_64": 29, "aarch64": 194}, 0),
        ("add_key", {"x86_64": 248, "aarch64": 217}, 0),
        ("ptrace", {"x86_64": 101, "aarch64": 117}, 0),
        ("clone into a namespace", {"x86_64": 56, "aarch64": 220}, 0x10000000),
        ("another table of calls", {"x86_64": 0x40000000 + 29, "aarch64": 194}, 0),
    ],
)
def test_calls_of_the_system_are_refused_whoever_makes_them(name, number, argument):
    code = (
        "library = ctypes.CDLL(None, use_errno=True)\n"
        f"print(library.syscall({number[platform.machine()]}, {argument}, 0, 0, 0, 0))\n"
        "print(ctypes.get_errno())"
    )

    assert confined(code).split() == ["-1", "1"]


@pytest.mark.parametrize(
    "call",
    [
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "socket.socketpair()",
        "os.waitpid(os.fork() or os._exit(0), 0)",
        "__import__('threading').Thread(target=print).start()",
        "__import__('subprocess').run(['/bin/true'], check=True)",
        "__import__('torch').ones(300, 300).mm(__import__('torch').ones(300, 300))",
    ],
)
def test_what_an_answer_may_need_still_works(call):
    assert confined(attempt(call)).endswith("done")
