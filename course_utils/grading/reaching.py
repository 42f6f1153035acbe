"""What in the text of an answer reaches for the process that runs it: for a person to look at.

It costs no points. What an answer gives back is judged outside of its process, but what is observed
while it runs (a hook that stays, an input that changes, a forbidden call) is observed inside.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from course_utils.grading.definitions import parse

# Names by which code gets at frames, at others' code, at memory, at processes, at operators.
FRAMES = {"_getframe", "_current_frames", "currentframe", "tb_frame", "gi_frame"}
FRAMES |= {"f_back", "f_globals", "f_locals", "f_builtins", "settrace", "setprofile"}
OBJECTS = {"__globals__", "__code__", "__closure__", "cell_contents", "__subclasses__"}
OBJECTS |= {"__builtins__", "get_objects", "get_referrers", "get_referents"}
IMPORTS = {"meta_path", "path_hooks", "__import__", "import_module"}
PROCESSES = {"fork", "_exit", "execv", "kill", "killpg", "setitimer"}
DISPATCHER = {"_C", "redispatch"}  # by which an operator may run unseen
NAMES = FRAMES | OBJECTS | IMPORTS | PROCESSES | DISPATCHER
BUILT_IN = {"eval", "exec", "compile"}  # models and patterns have such methods too
MODULES = {"ctypes", "gc", "importlib", "builtins", "signal", "subprocess", "socket", "atexit"}
MODULES |= {"multiprocessing", "threading", "_thread", "mmap", "faulthandler", "resource", "pty"}
OTHERS = {"torch", "nn", "F", "np", "numpy", "os", "sys", "math", "inspect"}  # changed in place
MOST_SHOWN = 5


def reaches(sources: Iterable[str]) -> list[str]:
    """Return what cells name that reaches beyond an answer, each once and a few only."""
    found: dict[str, None] = {}
    for source in sources:
        found |= dict.fromkeys(_reached(source))
    return list(found)[:MOST_SHOWN]


@lru_cache(maxsize=64)
def _reached(source: str) -> tuple[str, ...]:
    tree = parse(source)
    return tuple(name for node in (ast.walk(tree) if tree else ()) for name in _names(node))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            names = _imported(alias.name for alias in aliases)
        case ast.ImportFrom(module=module, names=aliases):
            names = _imported(f"{module}.{alias.name}" for alias in aliases)
        case ast.Attribute(value=ast.Name(id="sys"), attr="modules"):
            names = {"sys.modules"}
        case ast.Attribute(value=ast.Name(id=owner), attr=attr, ctx=ast.Store() | ast.Del()):
            names = {f"{owner}.{attr}"} if owner in OTHERS else set()
        case ast.Name(id=name):
            names = {name} & (NAMES | BUILT_IN)
        case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            names = {name} & NAMES
        case _:
            return
    yield from sorted(names)


def _imported(paths: Iterable[str]) -> set[str]:
    parts = [path.split(".") for path in paths]
    return {one[0] for one in parts} & MODULES | {name for one in parts for name in one} & NAMES
