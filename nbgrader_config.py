"""nbgrader's settings: run its commands from the folder of this file."""

import glob
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

# nbgrader autograde, and formgrader's button, grade as `course grade` does: what was handed in is
# not executed by nbgrader, or even read; Judge does that, outside of this process.
ours = "course_utils.grading.preprocessors"
c.Autograde.exporter_class = f"{ours}.MasterExporter"
c.Autograde.pre_convert_hook = f"{ours}.prepare"
c.Autograde.sanitize_preprocessors = []  # the exporter hands on the master, which is clean
c.Autograde.autograde_preprocessors = [f"{ours}.Judge", f"{ours}.Record"]

# Nothing beside the notebook is copied from a submission: a link could lead anywhere.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    str(Path(glob.escape(str(Path.cwd())), "submitted", "*", "*")),
]

# What a student wrote is shown, and never obeyed.
c.GenerateFeedback.exporter_class = "course_utils.grading.stock_pages.FeedbackExporter"
c.HTMLExporter.filters = {"markdown2html": "course_utils.grading.stock_pages.safe_markdown"}
c.HTMLExporter.sanitize_html = True

# Writers wait for one another instead of losing a record.
c.CourseDirectory.db_url = "sqlite:///gradebook.db?timeout=60"
