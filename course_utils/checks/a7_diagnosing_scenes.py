"""Assignment 7, diagnosing: a run's fault is asked for; what the names mean is judged elsewhere."""

from course_utils.checks.exercise import Answer
from course_utils.checks.outcomes import WrongFormError


def ask(answer: Answer, case: str, n_times: int) -> list[str]:
    """Return the names that are given for a run, asked for once or several times."""
    names = [answer(case) for _ in range(n_times)]
    for name in names:
        if not isinstance(name, str):
            raise WrongFormError(
                f"diagnose({case!r}) returned {name!r}; it has to return a name, a str"
            )
    return [str.__str__(name) for name in names]
