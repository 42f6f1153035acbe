"""Grade notebooks in the course that lies in the working directory; print verdicts as JSON."""

import json
import sys
from pathlib import Path

from course_utils.grading.judging import grade_one, sandbox_for
from course_utils.grading.release import Release

if __name__ == "__main__":
    assignment, release, seed, walled, *notebooks = sys.argv[1:]
    master = Release.parse(assignment, Path(release).read_text())
    with sandbox_for(master, walled == "walled") as sandbox:
        for notebook in notebooks:
            found = grade_one(Path(notebook).read_bytes(), "ana", master, int(seed), sandbox)
            print(json.dumps(found.to_json()))
