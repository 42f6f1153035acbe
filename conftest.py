"""Settings for every test and for the kernels that run the chapters."""

import os

import pytest

pytest_plugins = ["trusted_numbers"]  # in tests/: the marker and the fixture `number`

os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output that changes
os.environ.setdefault("PYTHONHASHSEED", "0")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say at the end what was left out and why."""
    skipped = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}
    reasons = "; ".join(sorted(reason.removeprefix("Skipped: ") for reason in skipped))
    terminalreporter.write_line(f"Left out: {reasons or 'nothing'}")
