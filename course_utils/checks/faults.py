"""Faults of form: what is wrong with every wrong result, whatever its numbers are."""

from collections.abc import Sequence

from course_utils.checks.comparison import Refusal
from course_utils.checks.diagnosis import Run
from course_utils.checks.outcomes import Failure
from course_utils.checks.report import CaseResult

# By reason code; the sentence of the first wrong result names what is wrong and what to do.
FAULTS = {
    "none": "nothing-returned",
    "printed": "printed-not-returned",
    "changed": "input-changed",
    "type": "wrong-type",
    "dtype": "wrong-dtype",
    "precision": "precision-lost",
    "accepted": "not-refused",
}
LAST_FAULTS = {"shape": "wrong-shape", "finite": "not-finite"}
ANOTHER_ERROR = "refused-by-another-error"
OTHER_ARGUMENTS = "other-arguments"
ALLOWED_REFUSED = "allowed-calls-refused"
ERROR = "stops-with-an-error"
FAULT_NAMES = frozenset(
    {*FAULTS.values(), *LAST_FAULTS.values()}
    | {ANOTHER_ERROR, OTHER_ARGUMENTS, ALLOWED_REFUSED, ERROR}
)


def fault_of_form(results: Sequence[CaseResult]) -> str | None:
    """Return the name of the fault of form that explains every wrong result, if one does."""
    return FAULTS.get(_only_code(results))


def _only_code(results: Sequence[CaseResult]) -> str:
    codes = {result.code for result in results if not result.right}
    if len(codes) > 1:
        codes.discard("accepted")  # who returns the wrong thing everywhere has not refused either
    return codes.pop() if len(codes) == 1 else ""


def last_fault(
    runs: Sequence[Run], results: Sequence[CaseResult], note: str
) -> tuple[str | None, str]:
    """
    Return the name of a fault that says less, and a sentence; it is asked for last.

    ``note`` says that the arguments are not those that were fixed.
    """
    wrong = [run for run, result in zip(runs, results, strict=True) if not result.right]
    code = _only_code(results)
    if code == "exception":
        return _stopped(wrong, note)
    if all(isinstance(run[2], Refusal) for run in wrong):
        return "not-refused", ""
    codes = [result.code for result in results if not result.right]
    code = code or codes[0]
    if code in {**FAULTS, **LAST_FAULTS} and 2 * codes.count(code) >= len(codes):
        return {**FAULTS, **LAST_FAULTS}[code], ""
    return None, ""


def _stopped(wrong: Sequence[Run], note: str) -> tuple[str, str]:
    """Return what stops an answer in all calls that go wrong."""
    failures = [run[1].value for run in wrong if isinstance(run[1].value, Failure)]
    if all(isinstance(run[2], Refusal) for run in wrong):
        return ANOTHER_ERROR, (
            "Your answer notices these calls, but raises another exception than it has to."
        )
    kinds = {failure.type_names[0] for failure in failures}
    if note and kinds == {"TypeError"}:
        return OTHER_ARGUMENTS, ""
    if all(failure.line.startswith(("raise ", "assert ")) for failure in failures):
        return ALLOWED_REFUSED, (
            "Your own check refuses what is allowed: every call that goes wrong ends there."
        )
    kind = f", always with {kinds.pop()}" if len(kinds) == 1 else ""
    return ERROR, f"Every call that goes wrong stops with an error{kind}."
