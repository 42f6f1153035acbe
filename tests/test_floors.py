"""The house stands: imports go down, packages hold nothing, the library is silent and offline."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import course_utils

PACKAGE = Path(course_utils.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOOR_OF = {
    "arithmetic": 0,
    "datasets": 1,
    "models": 1,
    "hooks": 1,
    "plots": 2,
    "explorers": 2,
    "architecture": 3,
    "checks": 3,
    "grading": 4,
}
NETWORK = {"socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "ftplib"}
PRINTS = {"checks/report.py"}  # check reports on stdout


def name_of(path):
    """Return the path inside the package: ``checks/report.py``."""
    return path.relative_to(PACKAGE).as_posix()


def room_of(path):
    """Return the room that a module is in; the package's own ``__init__`` is in none."""
    return name_of(path).removesuffix(".py").split("/")[0]


def imports_of(path):
    """Yield the full names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            dots = "." * node.level  # a relative import keeps its dots
            yield from (f"{dots}{node.module or ''}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def names_called_in(path):
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if is_call(node))
    return {called.id for called in calls if isinstance(called, ast.Name)}


def is_call(node):
    return isinstance(node, ast.Call)


IN_ROOMS = [path for path in MODULES if path != PACKAGE / "__init__.py"]
BELOW_GRADING = [path for path in IN_ROOMS if FLOOR_OF.get(room_of(path), 0) < 4]
WITH_EXAMPLES = [path for path in MODULES if ">>>" in path.read_text()]


@pytest.mark.parametrize("path", IN_ROOMS, ids=name_of)
def test_module_imports_only_from_lower_floors(path):
    room = room_of(path)
    assert room in FLOOR_OF, f"no floor is given for {room}"

    for name in imports_of(path):
        assert not name.startswith("."), f"relative import {name}"
        package, _, rest = name.partition(".")
        other = rest.split(".")[0]
        if package == "course_utils" and other != room:
            assert FLOOR_OF[other] < FLOOR_OF[room], f"imports {name}"


def test_every_room_is_there():
    assert set(FLOOR_OF) == {room_of(path) for path in IN_ROOMS}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of
)
def test_init_imports_nothing(path):
    assert list(imports_of(path)) == []


@pytest.mark.parametrize(
    "package",
    ["course_utils", "course_utils.checks", "course_utils.explorers", "course_utils.grading"],
)
def test_importing_a_package_loads_nothing_else(package):
    code = (
        f"import sys; before = set(sys.modules); import {package}; "
        "print(*sorted(set(sys.modules) - before))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    ).stdout.split()

    assert package in loaded
    assert [name for name in loaded if not package.startswith(name)] == []


@pytest.mark.parametrize("path", BELOW_GRADING, ids=name_of)
def test_module_below_grading_uses_no_network(path):
    used = {name.split(".")[0] for name in imports_of(path)} & NETWORK

    assert used == set()
    assert "hub" not in path.read_text().split(".")  # torch.hub downloads


@pytest.mark.parametrize(
    "path", [path for path in BELOW_GRADING if name_of(path) not in PRINTS], ids=name_of
)
def test_module_below_grading_prints_nothing_and_warns_of_nothing(path):
    assert "print" not in names_called_in(path)
    assert "warnings.warn" not in path.read_text()


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_examples_in_docstrings_give_what_they_show(path):
    module = importlib.import_module(
        ".".join(["course_utils", *path.relative_to(PACKAGE).with_suffix("").parts])
    )

    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
