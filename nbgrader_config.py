"""nbgrader's settings: run its commands from the folder of this file."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821

# nbgrader starts alembic by name: find the one beside the Python that runs.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

c.CourseDirectory.course_id = "convolutions"
c.CourseDirectory.source_directory = "solutions"

# A stub that runs: check says "not started yet", and nothing turns red before its time.
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError()"}

# Seconds for one cell; a cell that takes longer is stopped, and the others still run.
c.ExecutePreprocessor.timeout = 60
c.ExecutePreprocessor.interrupt_on_timeout = True
c.ExecutePreprocessor.error_on_timeout = {
    "ename": "Timeout",
    "evalue": "the cell took longer than 60 seconds",
    "traceback": ["the cell took longer than 60 seconds"],
}

# Writers wait for one another instead of losing a record.
c.CourseDirectory.db_url = "sqlite:///gradebook.db?timeout=60"
