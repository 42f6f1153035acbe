"""Which exercises there are, by assignment and by name."""

from functools import cache
from importlib import import_module

from course_utils.checks.exercise import Exercise

ASSIGNMENTS = {
    "a1_convolution": ("a1_sizes", "a1_sliding"),
    "a2_im2col_pooling": ("a2_im2col", "a2_pooling"),
}


@cache
def exercises_of(assignment: str) -> tuple[Exercise, ...]:
    """
    Return the exercises of an assignment, in the order of its notebook.

    Raises
    ------
    ValueError
        If there is no such assignment.
    """
    if assignment not in ASSIGNMENTS:
        raise ValueError(
            f"no assignment is called {assignment!r}; there are {', '.join(ASSIGNMENTS)}"
        )
    modules = (import_module(f"course_utils.checks.{name}") for name in ASSIGNMENTS[assignment])
    return tuple(exercise for module in modules for exercise in module.EXERCISES)


@cache
def exercises_by_name() -> dict[str, tuple[str, Exercise]]:
    """Return (assignment, exercise) by the name of the function to write."""
    return {
        exercise.name: (assignment, exercise)
        for assignment in ASSIGNMENTS
        for exercise in exercises_of(assignment)
    }
