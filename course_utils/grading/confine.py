"""System calls that no answer needs, taken away from a process for good, where Linux can do that.

With them one exercise could leave something for the next (keys, shared memory of System V, limits
and priorities of the server), see or stop its neighbours, or use more memory than is counted.
"""

import ctypes
import errno
import platform
import struct
import sys
from functools import cache

# Number of each call on x86-64 and on ARM64.
REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
PRLIMIT = (302, 261)
SOCKET = (41, 198)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, name in a filter

NEW_NAMESPACES = 0x7E020080
LAST_FAMILY = 10  # of sockets: local ones and those of the Internet, which is not there
OTHER_NUMBERS = 0x40000000  # x86-64 has all calls a second time from here on

LOAD, EQUAL, AT_LEAST, ABOVE, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x25, 0x45, 0x06
ARCHITECTURE, NUMBER, ARGUMENT = 4, 0, 16  # where they stand
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NOT_PERMITTED, NOT_THERE = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2

Step = tuple[int, int, int, int]  # code, steps to skip if so, if not, constant


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def confine() -> bool:
    """Refuse the calls to this process and all that it starts; return whether the system can."""
    made = program()
    if made is None:
        return False
    call = ctypes.CDLL(None).prctl
    kept = call(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    return kept and bool(call(PR_SET_SECCOMP, FILTER, ctypes.byref(made), 0, 0) == 0)


@cache
def program() -> _Program | None:
    """Return the filter as the system takes it, or None where there is none; it is made once."""
    if sys.platform != "linux" or platform.machine() not in MACHINES or sys.maxsize < 2**32:
        return None
    steps = _steps(*MACHINES[platform.machine()])
    return _Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))


def _steps(column: int, architecture: int) -> list[Step]:
    """Return the filter: it runs at every call, and ends in what becomes of it."""
    steps: list[Step] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, NOT_PERMITTED),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, OTHER_NUMBERS),
        (RETURN, 0, 0, NOT_PERMITTED),
        (EQUAL, 0, 1, CLONE3[column]),  # its settings cannot be seen; libraries fall back to clone
        (RETURN, 0, 0, NOT_THERE),
    ]
    for numbers in REFUSED.values():
        steps += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, NOT_PERMITTED)]
    for numbers, test, value in (
        (CLONE, ANY_BIT, NEW_NAMESPACES),
        (SOCKET, ABOVE, LAST_FAMILY),
        (PRLIMIT, ABOVE, 0),  # of any process but this one
    ):
        steps += [
            (EQUAL, 0, 4, numbers[column]),
            (LOAD, 0, 0, ARGUMENT),
            (test, 0, 1, value),
            (RETURN, 0, 0, NOT_PERMITTED),
            (RETURN, 0, 0, ALLOW),
        ]
    return [*steps, (RETURN, 0, 0, ALLOW)]
