"""Settings for every test and for the kernels that run the chapters."""

import os

import pytest

pytest_plugins = ["trusted_numbers", "browsers"]  # in tests/: the fixtures `number` and `browser`

os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output that changes
os.environ.setdefault("PYTHONHASHSEED", "0")
os.environ.setdefault("COURSE_EXPLORERS", "page")  # as `make refresh` stores them

# Rooms that take minutes begin first, so that no core waits for one of them at the end.
LONG = ("site", "explorers", "attacks", "assignments", "scale", "registry", "answers", "judging")


def pytest_collection_modifyitems(items):
    """Put the long rooms first; the others stay in their order."""
    ranks = {f"test_{name}.py": rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(LONG)))


@pytest.fixture(autouse=True)
def nothing_failed_inside(caplog):
    """Let no test pass in which a check or the grader caught an error of its own."""
    yield
    records = [one for when in ("setup", "call") for one in caplog.get_records(when)]
    assert [one for one in records if one.name.startswith("course_utils.")] == []


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say at the end what was left out and why."""
    skipped = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}
    reasons = "; ".join(sorted(reason.removeprefix("Skipped: ") for reason in skipped))
    terminalreporter.write_line(f"Left out: {reasons or 'nothing'}")
