"""Start the worker in bubblewrap, send it requests and take what comes back."""

import ast
import atexit
import contextlib
import hashlib
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from course_utils.grading import wire
from course_utils.grading.limits import CPU_SECONDS

PACKAGE = Path(__file__).parents[1]
# What the worker itself needs of this package.
WORKER = "course_utils.grading.worker"
CHECKING = "course_utils.checks.checking"  # another stands in its place inside
LENGTH = struct.Struct(">I")
MOST_BYTES = 64 << 20  # of what a child may send
MOST_FRAMES = 10_000
MOST_PAPERS = 100  # that a worker keeps
START_SECONDS = 120
REMEMBERED = 256  # requests
LONGEST = 180  # for one request, whatever the worker says
READ_SECONDS = 0.02
# Nothing is shared with this machine, no right is left, and all ends with the grader.
WALLS = (
    *("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"),
    *("--hostname", "sandbox", "--new-session", "--die-with-parent", "--as-pid-1", "--clearenv"),
)
NEWER = ("--disable-userns",)  # since bubblewrap 0.8: no other namespaces inside
SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
CHECK = '''"""In place of the checks while answers are graded."""


def check(answer, *, name=None):
    """Say nothing: the verdict is made elsewhere."""
    return 0.0


examine = check
'''
RUN = f"""import gc, os, sys
gc.disable()  # what is imported is no garbage
sys.path.insert(0, os.path.dirname(__file__))
from {WORKER} import main
main()
"""
INSIDE = "/course"


class SandboxError(Exception):
    """The sandbox cannot be started."""


@dataclass(frozen=True)
class Sent:
    """
    What a request led to: the bytes that the child sent, and how it ended.

    ``end`` is "done", "timeout", "idle", "killed", "memory", "processes" or "flood".
    """

    content: bytes
    end: str

    @cached_property
    def digest(self) -> bytes:
        """What tells the content apart from others."""
        return hashlib.sha256(self.content).digest()

    def values(self) -> tuple[tuple[Any, ...], bool]:
        """Return the values of all whole frames, and whether there was nothing else."""
        return _values(self.content)


# --- what lies inside -------------------------------------------------------------------------


@cache
def imports_of(*modules: str) -> tuple[str, ...]:
    """Return modules of this package and all that they import of it, what is imported first."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in seen or name == CHECKING or not (path := _path_of(name)):
            return
        seen.add(name)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for imported in names:
                visit(imported)
        found[name] = None

    seen: set[str] = set()
    for module in modules:
        visit(module)
    return tuple(found)


def source_of(module: str) -> str:
    """Return the text of a module of this package."""
    path = _path_of(module)
    if path is None:
        raise ModuleNotFoundError(module)
    return path.read_text()


def _path_of(module: str) -> Path | None:
    """Return the file of a module of this package."""
    top, _, rest = module.partition(".")
    if top != "course_utils":
        return None
    base = PACKAGE.joinpath(*rest.split(".")) if rest else PACKAGE
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _stage(folder: Path, modules: Iterable[str]) -> None:
    """Write the part of this package that the sandbox gets, and nothing else of it."""
    for module in modules:
        if path := _path_of(module):
            target = folder / path.relative_to(PACKAGE.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            for data in path.parent.glob(f"{path.stem.partition('_')[0]}_*.json"):
                shutil.copyfile(data, target.with_name(data.name))
    for name in ("checks", "grading"):
        (folder / "course_utils" / name / "__init__.py").write_text("")
    (folder / "course_utils" / "checks" / "__init__.py").write_text(CHECK)
    (folder / "run.py").write_text(RUN)


# --- the process ------------------------------------------------------------------------------


@cache
def bubblewrap() -> tuple[str, ...]:
    """Return how bubblewrap is called on this machine, or nothing if it does not work here."""
    path = shutil.which("bwrap")
    if path is None or sys.platform != "linux":
        return ()
    for newer in (NEWER, ()):
        command = (path, *newer, *WALLS)
        probe = [*command, *_folders([]), "--", "/bin/true"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run(probe, capture_output=True, timeout=30).returncode == 0:
                return command
    return ()


def _folders(folders: Iterable[Path], course: Path | None = None) -> list[str]:
    """Return bubblewrap's arguments: what can be read, and two empty folders to write in."""
    seen = [Path(name) for name in SYSTEM]
    arguments = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp"]
    for name in SYSTEM:
        arguments += ["--ro-bind-try", name, name]
    if _is_under(Path.cwd(), seen):
        arguments += _emptied(Path.cwd())
    for folder in folders:
        arguments += ["--ro-bind", str(folder), str(folder)]
        seen.append(folder)
    for package in _packages():
        if _is_under(package, seen):
            arguments += _emptied(package)
    if course:
        arguments += ["--ro-bind", str(course), INSIDE]
    for name in ("/proc", "/dev", "/"):  # root's sandbox could change the system in /proc/sys
        arguments += ["--remount-ro", name]
    return [*arguments, "--chdir", "/tmp"]


def _is_under(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _emptied(folder: Path) -> list[str]:
    return ["--tmpfs", str(folder), "--remount-ro", str(folder)]


def _packages() -> set[Path]:
    """Return where this package lies: the one that runs, and others that are installed."""
    installed = {Path(sysconfig.get_path(name), PACKAGE.name) for name in ("purelib", "platlib")}
    return {PACKAGE, *(folder for folder in installed if folder.is_dir())}


def _python_folders() -> list[Path]:
    """Return the folders that hold Python and its libraries, the outermost only."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)}
    folders |= {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib")}
    folders.add(Path(sys.executable).resolve().parent)
    for name in ("torch", "numpy"):
        if (spec := find_spec(name)) and spec.origin:
            folders.add(Path(spec.origin).parents[1])
    kept = {folder.absolute() for folder in folders}
    return sorted(
        folder
        for folder in kept
        if not any(folder != other and folder.is_relative_to(other) for other in kept)
        and not any(folder.is_relative_to(name) for name in SYSTEM)
    )


class Sandbox:
    """
    A worker with everything loaded, that runs one request at a time.

    Parameters
    ----------
    modules : iterable of str
        Modules of this package that answers may import.
    preload : iterable of str
        Modules that are imported before anything is forked.
    walled : bool or None
        Whether bubblewrap is used; as the machine allows if left out.
    cpu_seconds : int
        Processor time that an exercise has.

    Attributes
    ----------
    kind : str
        "bubblewrap" or "no sandbox".
    modules : tuple of str
        Modules of this package that are inside.
    seconds : float
        Processor time that the worker and its children have used.

    Raises
    ------
    SandboxError
        If the worker does not start.
    """

    def __init__(
        self,
        modules: Iterable[str] = (),
        preload: Iterable[str] = (),
        walled: bool | None = None,
        cpu_seconds: int = CPU_SECONDS,
    ) -> None:
        if not hasattr(os, "fork"):
            raise SandboxError(
                "grading needs a system that can fork, as Linux and macOS can; on Windows, run it "
                "in WSL"
            )
        self.walled = bool(bubblewrap()) if walled is None else walled
        self.kind = "bubblewrap" if self.walled else "no sandbox"
        self.modules = imports_of(WORKER, *modules)
        self._folder = Path(tempfile.mkdtemp(prefix="course-sandbox-"))
        self._folder.chmod(0o755)
        _stage(self._folder, self.modules)
        self._preload = [*preload, *modules]
        self._cpu_seconds = cpu_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._done: dict[bytes, Sent] = {}
        self._loaded: set[bytes] = set()  # papers that the worker has
        self._owner = os.getpid()
        self.seconds = 0.0
        atexit.register(self.close)

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and remove what was made for it."""
        if os.getpid() != self._owner:
            return
        self._stop(kill=False)
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def run(self, paper: bytes, cells: list[list[str]]) -> Sent:
        """
        Run cells and the cases of a paper in a child of its own and return what it sent.

        What ended well is remembered: many hand in the same stub.

        Raises
        ------
        SandboxError
            If the worker cannot start, or cannot load what the exercise needs.
        """
        name = hashlib.sha256(paper).digest()
        request = wire.pack((name, cells))
        whole = hashlib.sha256(request).digest()
        if whole in self._done:
            return self._done[whole]
        if len(self._loaded) >= MOST_PAPERS:
            self._stop()
        if self._process is None:
            self._start()
        try:
            if name not in self._loaded:
                self._load(name, paper)
            sent = self._run(request)
        except (OSError, EOFError, ValueError):
            self._stop()  # the next request starts another worker
            return Sent(b"", "killed")
        if sent.end == "done":
            self._done[whole] = sent
            while len(self._done) > REMEMBERED:
                del self._done[next(iter(self._done))]
        return sent

    def _start(self) -> None:
        folder = INSIDE if self.walled else self._folder
        worker = [sys.executable, "-P", "-s", "-B", f"{folder}/run.py"]
        ours: list[int] = []
        theirs: list[int] = []
        for forward in (True, False, True, False):  # requests, results, orders, answers
            read, write = os.pipe()
            ours.append(write if forward else read)
            theirs.append(read if forward else write)
        requests, results, orders, answers = theirs
        worker += [str(orders), str(answers), "alone" if self.walled else ""]
        worker += [str(self._cpu_seconds), *self._preload]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "MPLBACKEND": "agg",
            "MPLCONFIGDIR": "/tmp",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "LANG": "C.UTF-8",
        }
        if self.walled:
            walls = [*bubblewrap(), *_folders(_python_folders(), self._folder)]
            settings = [part for pair in environment.items() for part in ("--setenv", *pair)]
            worker = [*walls, *settings, "--", *worker]
        self._process = subprocess.Popen(
            worker,
            stdin=requests,
            stdout=results,
            stderr=subprocess.PIPE,
            pass_fds=(orders, answers),
            env=environment,
            cwd="/",
        )
        for file in theirs:
            os.close(file)
        self._requests, self._results, self._orders, self._answers = ours
        os.set_blocking(self._requests, False)
        os.set_blocking(self._results, False)
        import fcntl  # not on Windows, where nobody comes to this line

        with contextlib.suppress(AttributeError, OSError):  # as large as the system allows
            fcntl.fcntl(self._results, fcntl.F_SETPIPE_SZ, 1 << 20)
        if self._wait_for_answer(START_SECONDS) != b"ready\n":
            self._process.kill()
            reason = (self._process.stderr.read() if self._process.stderr else b"").decode()
            self._stop()
            raise SandboxError(f"the sandbox did not start: {(reason.splitlines() or [''])[-1]}")

    def _stop(self, *, kill: bool = True) -> None:
        """End the worker, at once or by closing what it listens to."""
        if self._process is None:
            return
        for file in (self._orders, self._requests, self._results, self._answers):
            os.close(file)
        try:
            self._process.wait(0 if kill else 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._process = None
        self._loaded.clear()

    def _wait_for_answer(self, seconds: float) -> bytes:
        """Return a line of the server, or b"" if it has ended or says nothing for so long."""
        line, end = b"", time.monotonic() + seconds
        while not line.endswith(b"\n"):
            if not select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]:
                return b""
            part = os.read(self._answers, 4096)
            if not part:
                return b""
            line += part
        return line

    def _load(self, name: bytes, paper: bytes) -> None:
        """Give the worker a paper to keep."""
        os.write(self._orders, b"L")
        content = memoryview(LENGTH.pack(len(name) + len(paper)) + name + paper)
        while content:
            select.select([], [self._requests], [], LONGEST)
            content = content[os.write(self._requests, content[: 1 << 16]) :]
        answer = self._wait_for_answer(START_SECONDS)
        if not answer:
            raise EOFError("the worker is gone")
        if answer != b"loaded\n":
            raise SandboxError(f"the worker cannot run the exercise: {answer.decode().strip()}")
        self._loaded.add(name)

    def _run(self, request: bytes) -> Sent:
        os.write(self._orders, b"F")
        waiting = memoryview(LENGTH.pack(len(request)) + request)
        received = bytearray()
        end = time.monotonic() + LONGEST
        flooded = answered = False
        while not answered:
            left = end - time.monotonic()
            if left <= 0:
                raise EOFError("no answer")
            # What is sent case by case is read now and then: to wake for each would take longer.
            writing = [self._requests] if waiting else []
            ready, free, _ = select.select([self._answers], writing, [], min(left, READ_SECONDS))
            answered = bool(ready)
            if free:
                waiting = waiting[os.write(self._requests, waiting[: 1 << 16]) :]
            with contextlib.suppress(BlockingIOError):
                while len(received) <= MOST_BYTES and (part := os.read(self._results, 1 << 16)):
                    received += part
            if len(received) > MOST_BYTES and not flooded:
                flooded = True
                if not answered:
                    os.write(self._orders, b"K")
        state = json.loads(self._wait_for_answer(1))
        self.seconds = float(state["seconds"])
        if waiting or flooded or state.get("dirty"):
            self._stop()  # what is left in the pipes or in memory belongs to this child
        return Sent(bytes(received), "flood" if flooded else str(state["end"]))


def _values(received: bytes) -> tuple[tuple[Any, ...], bool]:
    values: list[Any] = []
    at = 0
    while at + LENGTH.size <= len(received) and len(values) < MOST_FRAMES:
        (length,) = LENGTH.unpack_from(received, at)
        frame = received[at + LENGTH.size : at + LENGTH.size + length]
        if len(frame) < length:
            break
        try:
            values.append(wire.unpack(frame))
        except wire.WireError:
            return tuple(values), False
        at += LENGTH.size + length
    return tuple(values), at == len(received)
