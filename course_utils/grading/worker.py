"""Runs inside the sandbox: a server that forks once an exercise, and what its child does.

The server reads nothing of a submission. It is told to load a paper, which is the grader's own: how
an exercise is run, and on what. It is told to fork, and the child reads the cells to run. Orders
and answers go over pipes of their own, one byte or one line each; what the child sends the server
never touches.

As the first process of its own world it cannot be signalled from inside, it cannot be traced, and
when a child has ended it ends everything that the child has started.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.abc
import importlib.machinery
import itertools
import json
import linecache
import marshal
import os
import resource
import select
import signal
import struct
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from course_utils.checks import outcomes, watching
from course_utils.checks.exercise import Case, Forbidden
from course_utils.checks.observing import Plan, form_of, read_answer, run_cases
from course_utils.checks.outcomes import Failure
from course_utils.grading import wire
from course_utils.grading.confine import confine
from course_utils.grading.keeping import OURS, Everything, Kept, calm
from course_utils.grading.limits import MEMORY
from course_utils.grading.memory import settle

FORK, LOAD = b"F", b"L"
LENGTH = struct.Struct(">I")
IDLE_SECONDS = 5  # without any work done: it waits for something that never comes
WALL_SECONDS = 120
ALL_MEMORY = 2 << 30  # of all of them, and of the files that they have made
PROCESSES = 32
FILE_SIZE = 1 << 20
MOST_REQUEST = 1 << 30
PAPER_NAME = 32  # bytes
PR_SET_DUMPABLE = 4
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
FOLDERS = (Path("/tmp"), Path("/dev/shm"))  # in which a child may write, if it is alone
MOST_LEFT = 1000  # entries that are worth removing
PROC = Path("/proc")
# What most answers of the course call.
WARM_CALLS = 60
WARM = """
import math
import numpy as np
import torch
import torch.nn.functional as F

def answer(x):
    if x.shape[2] != 4:
        raise ValueError(f"x has to have 4 rows, not {x.shape[2]}")
    x = x.detach().clone().requires_grad_()
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 2), torch.nn.BatchNorm2d(2), torch.nn.ReLU())
    y = F.max_pool2d(F.pad(model(x), (1, 1, 1, 1)), 2).flatten(1) @ torch.ones(8, 3)
    loss = F.cross_entropy(y.log_softmax(1), torch.zeros(1, dtype=torch.int64))
    loss.backward()
    windows = x.detach().unfold(2, 2, 1).unfold(3, 2, 1).reshape(1, 9, 4)
    gathered = torch.einsum("nij,nik->jk", windows, windows).gather(1, torch.zeros(4, 1).long())
    gathered[gathered > 0] = np.float32(math.sqrt(2.0)).item()
    print(gathered.sum().item(), gathered.amax(), torch.where(gathered > 0, gathered, 0.0))
    return F.fold(F.unfold(x.detach(), 2), (4, 4), 2), torch.from_numpy(y.detach().numpy().copy())
"""


# --- the server -------------------------------------------------------------------------------


def serve(
    orders: int, answers: int, requests: int, results: int, *, alone: bool, cpu_seconds: int
) -> None:
    """
    Fork a child for each order until there are none.

    ``alone`` says that this is the first process of its own process namespace.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # the first process ignores what it has no handler for
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    torch.set_num_threads(1)
    sys.meta_path.append(_Absent())
    kept = Everything((*OURS, sys.modules[__name__]))
    _warm_up(kept)
    namespace = _namespace()
    kept = Everything((*OURS, sys.modules[__name__]))
    gc.enable()
    gc.freeze()
    settle()
    os.write(answers, b"ready\n")
    fork = _bare_fork()
    papers: dict[bytes, _Paper] = {}
    before = frozenset(_entries()) if alone else frozenset()
    while order := os.read(orders, 1):
        if order == LOAD:
            os.write(answers, _load(_read_frame(requests), papers))
            kept = Everything((*OURS, sys.modules[__name__]))  # modules were added
            gc.freeze()
        if order != FORK:
            continue
        child = fork()
        if child == 0:
            os.close(orders)
            os.close(answers)
            _run_child(requests, results, cpu_seconds, papers, namespace, kept)
        state = _supervise(child, orders, alone=alone, cpu_seconds=cpu_seconds)
        _end_all(child, alone=alone)
        if alone and not _clean(before):
            state["dirty"] = True
        state["seconds"] = sum(
            sum(resource.getrusage(who)[:2])
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        os.write(answers, json.dumps(state).encode() + b"\n")


def _bare_fork() -> Callable[[], int]:
    """
    Return the system's own fork where Python needs no other.

    What Python's does in the child beside it, for threads, locks and logs that are not there, takes
    a millisecond. It would also seed ``random`` anew; so all children draw the same.
    """
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return os.fork
    library = ctypes.PyDLL(None, use_errno=True)

    def fork() -> int:
        child = int(library.fork())
        if child < 0:
            raise OSError(ctypes.get_errno(), "cannot fork")
        return child

    return fork


class _Paper(NamedTuple):
    """An exercise, ready to be run: what its answer is called, how it runs, what scenes rely on."""

    name: str
    plan: Plan
    scenes: Kept


def _load(frame: bytes, papers: dict[bytes, _Paper]) -> bytes:
    """Keep a paper under the name that it comes with; return what the grader is told."""
    try:
        name, packed = frame[:PAPER_NAME], frame[PAPER_NAME:]
        paper = wire.unpack(packed, most_json=MOST_REQUEST)
        modules = [_load_module(*item) for item in paper["modules"].items()]
        papers[name] = _Paper(paper["name"], _plan(paper), Kept(modules))
        gc.freeze()
    except Exception as error:
        return json.dumps(f"{type(error).__name__}: {error}").encode() + b"\n"
    return b"loaded\n"


def _supervise(child: int, orders: int, *, alone: bool, cpu_seconds: int) -> dict[str, Any]:
    """Wait for the child, for as long as it works and within its limits; say why it ended."""
    start = last_work = time.monotonic()
    done, pause = 0.0, 100  # milliseconds: most have ended before the first look
    watched = select.poll()
    watched.register(orders, select.POLLIN)
    with _process_handle(child) as handle:
        if handle is not None:
            watched.register(handle, select.POLLIN)
        while True:
            ready = [fd for fd, _ in watched.poll(pause)]
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return _end_of(status)
            if orders in ready:
                os.read(orders, 1)
                return {"end": "flood"}
            pause = 200
            now, usage = time.monotonic(), _usage(child, alone=alone)
            if usage.seconds > done or not PROC.exists():
                done, last_work = usage.seconds, now
            if usage.seconds > cpu_seconds:
                return {"end": "timeout"}
            if usage.memory > ALL_MEMORY:
                return {"end": "memory"}
            if now - start > WALL_SECONDS or now - last_work > IDLE_SECONDS:
                return {"end": "idle"}
            if usage.processes > PROCESSES:
                return {"end": "processes"}


@contextlib.contextmanager
def _process_handle(child: int) -> Iterator[int | None]:
    """Yield a handle that can be waited for, where the system has one."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    handle = os.pidfd_open(child)
    try:
        yield handle
    finally:
        os.close(handle)


def _end_of(status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"end": "timeout" if number == signal.SIGXCPU else "killed", "signal": number}
    return {"end": "done" if os.WEXITSTATUS(status) == 0 else "killed"}


class _Usage(NamedTuple):
    """What a child and its kin have used: bytes of memory are those beyond the server's own."""

    seconds: float
    processes: int
    memory: int


def _usage(child: int, *, alone: bool) -> _Usage:
    numbers = [int(path.name) for path in PROC.glob("[0-9]*")] if alone else [child]
    ours = _fields(os.getpid())
    ticks, count, pages = 0, 0, 0
    for number in numbers:
        if number != os.getpid() and (fields := _fields(number)):
            count += 1
            ticks += sum(fields[11:15])  # its own and that of the children it waited for
            pages += max(0, fields[21] - ours[21])
    return _Usage(ticks / TICK, count, pages * PAGE + (_bytes_of_files() if alone else 0))


def _fields(number: int) -> list[int]:
    """Return what the system says of a process, numbered as in proc(5), less 3; [] if it is gone."""
    try:
        content = (PROC / f"{number}/stat").read_bytes()  # its name may be any bytes
    except OSError:
        return []
    return [0, *map(int, content.rpartition(b")")[2].split()[1:])]


def _bytes_of_files() -> int:
    found = map(os.statvfs, FOLDERS)
    return sum((one.f_blocks - one.f_bfree) * one.f_frsize for one in found)


def _end_all(child: int, *, alone: bool) -> None:
    """End everything that the child has started; alone, that is everything there is."""
    for _ in range(1000):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if alone:
                os.kill(-1, signal.SIGKILL)
            else:
                os.killpg(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def _entries() -> list[str]:
    """Return what lies in the folders that a child may write in, at most a few more than allowed."""
    found: list[str] = []
    todo = [str(folder) for folder in FOLDERS]
    while todo and len(found) <= MOST_LEFT:
        with os.scandir(todo.pop()) as entries:
            for entry in itertools.islice(entries, MOST_LEFT + 1):
                if not os.path.ismount(entry.path):  # Python or the course may lie there
                    found.append(entry.path)
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
    return found


def _clean(before: frozenset[str]) -> bool:
    """Return whether the child left nothing behind; remove what it has made in those folders."""
    try:
        left = [path for path in _entries() if path not in before]
        for path in map(Path, reversed(left)):  # what lies in a folder goes before it
            (path.unlink if path.is_symlink() or not path.is_dir() else path.rmdir)()
        if left and not before.issuperset(_entries()):
            return False  # there were more
        tables = [path.read_text().splitlines() for path in (PROC / "sysvipc").glob("*")]
        return all(len(lines) <= 1 for lines in tables)
    except OSError:
        return False


# --- the child --------------------------------------------------------------------------------


def _run_child(
    requests: int,
    results: int,
    cpu_seconds: int,
    papers: dict[bytes, _Paper],
    namespace: dict[str, Any],
    kept: Everything,
) -> None:
    """Read a request, run it, and end; nothing comes back from here."""
    status = 1
    try:
        os.setsid()
        name, cells = wire.unpack(_read_frame(requests), most_json=MOST_REQUEST)
        os.close(requests)
        results = _hide(results)
        _limit(cpu_seconds)
        _answer(papers[name], cells, namespace, results, kept)
        status = 0
    finally:
        os._exit(status)


def _read_frame(file: int) -> bytes:
    (length,) = LENGTH.unpack(_read_exactly(file, LENGTH.size))
    return _read_exactly(file, length)


def _read_exactly(file: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(file, min(length, 1 << 20))
        if not part:
            raise EOFError("the grader went away")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _hide(results: int) -> int:
    """Send what C code prints nowhere; return where the results go."""
    kept = fcntl.fcntl(results, fcntl.F_DUPFD_CLOEXEC, 10)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in {0, 1, 2, results}:
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
    return kept


def _limit(cpu_seconds: int) -> None:
    """Set the limits of this process; none can be raised again."""
    pages = _pages()
    limits = {
        "RLIMIT_CPU": cpu_seconds + 1,
        "RLIMIT_FSIZE": FILE_SIZE,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_NPROC": PROCESSES,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_MEMLOCK": 0,
    }
    if pages:
        limits["RLIMIT_AS"] = pages * PAGE + MEMORY
    for name, limit in limits.items():
        if number := getattr(resource, name, None):
            hard = resource.getrlimit(number)[1]
            with contextlib.suppress(ValueError, OSError):
                top = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
                resource.setrlimit(number, (top, top))
    confine()


def _pages() -> int:
    """Return the pages of memory that this process can reach, or 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - every child is here
            return int(file.read().split()[0])
    except OSError:
        return 0


def _answer(
    paper: _Paper, cells: list[list[str]], namespace: dict[str, Any], results: int, kept: Everything
) -> None:
    """Run cells and then the cases of a paper, and send what happened as it happens."""

    def send(*value: Any) -> None:
        frame = wire.pack(value)
        whole = LENGTH.pack(len(frame)) + frame
        while whole:
            whole = whole[os.write(results, whole) :]

    for number, (label, source) in enumerate(cells):
        failure = _run_cell(label, source, namespace)
        kept.put_back_builtins()
        calm()
        send("cell", number, failure)
    kept.put_back()
    paper.scenes.put_back()
    if paper.name not in namespace:
        send("end")
        return
    answer = namespace[paper.name]
    send("form", *_form(answer))
    if not callable(answer):
        send("end")
        return
    runs = run_cases(answer, paper.plan)
    while (one := next(runs, None)) is not None:
        send("case", *one)
        if paper.plan.probe:  # elsewhere only results count
            kept.put_back()
            paper.scenes.put_back()
    send("read", read_answer(answer, paper.plan))
    send("end")


def _warm_up(kept: Everything) -> None:
    """Run an answer before anything is forked: what the first calls set up is there then."""
    calls = [Case(f"{n}", (torch.ones(1, 1, 4 - n % 2, 4),)) for n in range(WARM_CALLS)]
    forbidden = Forbidden("", "conv", frozenset({"conv2d"}))
    plan = Plan(wire.unpack(wire.pack(calls)), ("x",), None, forbidden, WARM_CALLS)
    state = torch.get_rng_state()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    paper = _Paper("answer", plan, Kept(()))
    _answer(paper, [["warm", WARM]], _namespace(), nowhere, kept)
    os.close(nowhere)
    torch.set_rng_state(state)


def _form(answer: Any) -> tuple[Any, ...]:
    form = form_of(answer)
    return form.kind, form.described, form.parameters


def _load_module(name: str, code: bytes) -> types.ModuleType:
    """Return a module of scenes; it stays loaded."""
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__file__ = f"{name}.py"
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        setattr(sys.modules[parent], last, module)
        exec(marshal.loads(code), module.__dict__)
    return sys.modules[name]


def _plan(paper: dict[str, Any]) -> Plan:
    """Return how the answers to a paper are run."""
    probe = None
    if paper["probe"]:
        module_name, function = paper["probe"]
        probe = getattr(importlib.import_module(module_name), function)
    sentence, operators, banned, allowed = paper["forbidden"]
    forbidden = Forbidden(sentence, operators, frozenset(banned), frozenset(allowed))
    watching.wait_for(operators)
    cases = wire.unpack(paper["cases"], most_json=MOST_REQUEST)
    return Plan(cases, tuple(paper["names"]), probe, forbidden, paper["n_visible"])


def _run_cell(label: str, source: str, namespace: dict[str, Any]) -> Failure | None:
    """Run a cell as a notebook does; return what stopped it."""
    file_name = f"<cell {label}>"
    linecache.cache[file_name] = (len(source), None, source.splitlines(keepends=True), file_name)
    with outcomes.quiet():
        try:
            exec(compile(source, file_name, "exec"), namespace)
        except BaseException as error:
            return outcomes.failure(error)
    return None


def _namespace() -> dict[str, Any]:
    """Return a notebook's namespace: IPython's names are there, and do nothing."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    nothing = _Nothing()
    module.__dict__.update(
        get_ipython=lambda: nothing, display=nothing, In=[], Out={}, exit=nothing
    )
    return module.__dict__


class _Nothing:
    """Takes every call and gives nothing: in place of a notebook's shell."""

    def __call__(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    def __getattr__(self, name: str) -> "_Nothing":
        return self


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands for the parts of the course's package that are not here: importing them is no error."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """Find every module of the package that nothing else found."""
        if name.startswith("course_utils."):
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """Return a module whose functions say that they are not here."""
        return _AbsentModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Leave the module empty."""


class _AbsentModule(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def absent(*_args: Any, **_kwargs: Any) -> None:
            raise RuntimeError(f"{self.__name__}.{name} is not there while answers are graded")

        return absent


def main() -> None:
    """Load what is loaded once, and serve."""
    orders, answers, alone, seconds, *names = sys.argv[1:]
    for name in names:
        importlib.import_module(name)
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for as long as there is a process
    serve(int(orders), int(answers), 0, 1, alone=bool(alone), cpu_seconds=int(seconds))


if __name__ == "__main__":
    main()
