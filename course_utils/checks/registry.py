"""Which exercises there are, by assignment and by name."""

from functools import cache
from importlib import import_module

from course_utils.checks.exercise import Exercise

ASSIGNMENTS = {
    "a1_convolution": ("a1_sizes", "a1_sliding"),
    "a2_im2col_pooling": ("a2_im2col", "a2_pooling"),
    "a3_softmax_cross_entropy": ("a3_softmax", "a3_losses", "a3_gradients"),
    "a4_lenet5": ("a4_norm", "a4_dropout", "a4_counts", "a4_lenet", "a4_summary"),
    "a5_training": ("a5_data", "a5_training", "a5_counting"),
    "a6_hooks": ("a6_recording", "a6_gradients", "a6_fine_tuning"),
    "a7_which_bug": ("a7_diagnosing", "a7_repairing"),
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
