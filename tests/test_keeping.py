"""What observing relies on is put back, whether or not Python lets us see cheaply what changed."""

import builtins
import gc
import signal
import sys
import time
from types import ModuleType

import pytest
import torch
from torch.overrides import TorchFunctionMode

from course_utils.grading import keeping
from course_utils.grading.keeping import Everything, Kept, calm

SOURCE = """
LIMIT = 3

def scaled(x, factor=2, *, shift=1):
    return factor * x + shift

class Box:
    def size(self, n=1):
        return n
"""


@pytest.fixture(params=[True, False], ids=["seen", "compared"])
def module(request, monkeypatch):
    """Return a module of our own; changes are seen in memory, or by comparing everything."""
    for name in ("_ARE_SEEN", "_ARE_COUNTED"):
        monkeypatch.setattr(keeping, name, getattr(keeping, name) and request.param)
    made = ModuleType("scenes")
    exec(SOURCE, made.__dict__)
    made.Box.__module__ = "scenes"
    return made


def test_this_python_is_one_whose_changes_are_seen():
    assert keeping._ARE_SEEN
    assert ((3, 11) <= sys.version_info < (3, 13)) == keeping._ARE_COUNTED


def test_bodies_of_functions_and_methods_are_put_back(module):
    kept = Kept([module])
    module.scaled.__code__ = (lambda x, factor=2, *, shift=1: -1).__code__
    module.scaled.__defaults__ = (7,)
    module.scaled.__kwdefaults__ = {"shift": 9}
    module.Box.size.__code__ = (lambda self, n=1: -1).__code__
    kept.put_back()

    assert (module.scaled(1), module.scaled.__kwdefaults__) == (3, {"shift": 1})
    assert module.Box().size() == 1


@pytest.mark.parametrize("part", ["__code__", "__defaults__", "__kwdefaults__"])
def test_each_part_of_a_function_alone_is_seen(module, part):
    kept, before = Kept([module]), getattr(module.scaled, part)
    others = {
        "__code__": (lambda x, factor=2, *, shift=1: -1).__code__,
        "__defaults__": (2,),
        "__kwdefaults__": {"shift": 1},
    }
    others["__defaults__"] = tuple([*others["__defaults__"]])  # equal, and another object
    setattr(module.scaled, part, others[part])
    kept.put_back()

    assert getattr(module.scaled, part) is before


def test_names_are_put_back_and_new_ones_stay(module):
    kept, scaled = Kept([module]), module.scaled
    module.LIMIT, module.more, module.Box.size = 4, 5, None
    del module.scaled
    kept.put_back()

    assert (module.LIMIT, module.more, module.scaled) == (3, 5, scaled)
    assert module.Box().size() == 1


def test_what_python_itself_looks_up_is_put_back(module, monkeypatch):
    kept, before = Everything([module]), (len, sys.modules, sys.modules["json"], sys.path[:])
    monkeypatch.setattr(builtins, "len", None)
    monkeypatch.setitem(sys.modules, "json", None)
    monkeypatch.setattr(sys, "path", [])
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 1)
    kept.put_back()

    assert (len, sys.modules, sys.modules["json"], sys.path) == before
    assert sys.getrecursionlimit() == depth


def test_what_a_class_hides_of_another_is_taken_away(module):
    class Small(module.Box):
        pass

    kept = Kept([], (Small,))
    Small.size, Small.more = (lambda self: "hidden"), 5
    kept.put_back()

    assert (Small().size(), Small.more) == (1, 5)


def test_what_was_left_running_is_stopped():
    rang, hooked = [], []
    signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    torch.nn.modules.module.register_module_forward_hook(lambda *_: hooked.append(1))
    gc.callbacks.append(lambda *_: hooked.append(2))
    before, traced = sys.gettrace(), []
    sys.settrace(lambda *_: traced.append(1))
    Unequal().__enter__()
    calm()
    traced.clear()

    assert torch.equal(torch.ones(1), torch.ones(1))
    torch.nn.ReLU()(torch.ones(1))
    gc.collect()
    time.sleep(0.05)
    assert (rang, hooked, traced) == ([], [], [])
    sys.settrace(before)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


class Unequal(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return False
