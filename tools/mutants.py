"""Change our own comparators in one place at a time, and see whether a test notices.

Usage: python tools/mutants.py [MODULE ...]     modules of course_utils.checks; all judges if none

Each mutant runs the tests of the engine in a fork, so PyTorch is loaded once. A
mutant that no test notices is printed; the command ends with 1 unless all of those are listed
below, with the reason why nobody could notice them.
"""

import ast
import copy
import importlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import numpy  # noqa: F401 - loaded before forking, as PyTorch is
import pytest
import torch
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
TESTS = [
    "tests/test_comparison.py",
    "tests/test_outcomes.py",
    "tests/test_diagnosis.py",
    "tests/test_checks.py",
]
MODULES = ("comparison", "diagnosis", "outcomes")
SECONDS = 20  # of the processor for one mutant; one that never ends is noticed too

# What no test can notice, because it changes nothing that can be seen.
A_MODE = "a default device that is set, though it is the same, only makes every call slower"
NO_FLOATS = "without a finite float there is none that a tolerance is asked for"
EQUIVALENT = {
    "comparison._Brief: 60 -> 61 in self.maxtuple = self.maxlist = self.maxdict = 60": (
        "sixty items take more than the 120 signs that are told"
    ),
    "comparison._largest: 0.0 -> 1.0 in default=0.0": NO_FLOATS,
    "comparison.close: 0.0 -> 1.0 in finite.abs().max().item() if finite.numel() else 0.0": (
        NO_FLOATS
    ),
    "outcomes.quiet: if device.type != 'cpu': -> if True:": A_MODE,
    "outcomes.quiet: if torch.get_default_device() != device: -> if True:": A_MODE,
    "outcomes.quiet: None if device.type == 'cpu' else device -> None if False else device": A_MODE,
    "outcomes.escaped: if text.isprintable(): -> if False:": (
        "a short way for text of which nothing is escaped"
    ),
    "outcomes.copy_argument: if copy.stride() == argument.stride(): -> if False:": (
        "a short way for tensors whose memory is theirs alone"
    ),
    "outcomes.copy_argument: 0 -> 1 in torch.empty(0, dtype=argument.dtype, device='cpu')": (
        "the empty tensor takes the size of the memory that it is given"
    ),
}

SWAPPED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        changed = copy.deepcopy(node)
        changed.ops[0] = SWAPPED[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and type(node.op) in SWAPPED):
        changed = copy.deepcopy(node)
        changed.op = SWAPPED[type(node.op)]()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            changed = copy.deepcopy(node)
            changed.test = ast.Constant(value)
            yield changed
    elif isinstance(node, ast.Return) and not is_none(node.value):
        yield ast.Return(ast.Constant(None))


def is_none(node: ast.AST | None) -> bool:
    """Return whether nothing is returned, in words or without."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, source) for every place inside a function."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for function in functions:
        for node in ast.walk(function):
            for field, value in ast.iter_fields(node):
                if field in ("annotation", "returns", "decorator_list", "msg"):
                    continue
                for position, child in enumerate(value if isinstance(value, list) else [value]):
                    if not isinstance(child, ast.AST):
                        continue
                    for other in replacements(child):
                        yield (
                            described(function, node, child, other),
                            patched(tree, node, field, value, position, other),
                        )


def described(function: ast.AST, around: ast.AST, old: ast.AST, new: ast.AST) -> str:
    """Return where and what was changed, in one line; a number with what it stands in."""
    parts = [ast.unparse(part).partition("\n")[0][:70] for part in (old, new)]
    place = f" in {ast.unparse(around)[:70]}" if isinstance(old, ast.Constant) else ""
    return f"{function.name}: {parts[0]} -> {parts[1]}{place}"  # type: ignore[attr-defined]


def patched(
    tree: ast.AST, node: ast.AST, field: str, value: object, position: int, other: ast.AST
) -> str:
    """Return the source with one node exchanged."""
    if isinstance(value, list):
        old, value[position] = value[position], other
        source = ast.unparse(tree)
        value[position] = old
    else:
        setattr(node, field, other)
        source = ast.unparse(tree)
        setattr(node, field, value)
    return source


def tests_of(module: str) -> list[str]:
    """Return the tests, those of the module first, since the first that fails ends the run."""
    return sorted(TESTS, key=lambda path: module not in path)


def survives(module: str, source: str) -> bool:
    """Return whether the tests pass with this source of a module, in a fork."""
    child = os.fork()
    if child == 0:
        signal.alarm(10 * SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        name = f"course_utils.checks.{module}"
        spec = find_spec(name)
        changed = module_from_spec(spec)
        sys.modules[name] = changed
        setattr(importlib.import_module("course_utils.checks"), module, changed)
        try:
            exec(compile(source, spec.origin, "exec"), changed.__dict__)
            failed = pytest.main(
                ["-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", *tests_of(module)]
            )
        except BaseException:
            failed = 1
        os._exit(1 if failed else 0)
    _, status = os.waitpid(child, 0)
    return status == 0


def main(modules: list[str]) -> int:
    """Try every mutant; print those that no test notices."""
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes longer than the tests
    torch.set_num_threads(1)
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))  # its first call loads a lot
    todo = []
    for module in modules or MODULES:
        source = Path(f"course_utils/checks/{module}.py").read_text()
        if not survives(module, ast.unparse(ast.parse(source))):
            sys.stderr.write(f"the tests fail without any change of {module}; mend them first\n")
            return 2
        todo += [(module, what, changed) for what, changed in mutants(source)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(
            tqdm(
                pool.map(lambda mutant: survives(mutant[0], mutant[2]), todo),
                "mutants",
                total=len(todo),
            )
        )
    survivors = [
        f"{module}.{what}" for (module, what, _), lives in zip(todo, alive, strict=True) if lives
    ]
    known = [what for what in survivors if what in EQUIVALENT]
    sys.stdout.write(
        f"{len(todo)} mutants: {len(todo) - len(survivors)} noticed, {len(known)} equivalent, "
        f"{len(survivors) - len(known)} unnoticed\n"
    )
    for what in survivors:
        sys.stdout.write(f"{'equivalent' if what in EQUIVALENT else 'UNNOTICED'}: {what}\n")
    return 1 if len(survivors) > len(known) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
