"""Relations: a fact about wrong results that no misconception explains, found by trying."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from course_utils.checks.alteration import Alteration, altered_settings, altered_tensors
from course_utils.checks.comparison import Refusal, difference
from course_utils.checks.diagnosis import Remembered, Results, Run, same_result
from course_utils.checks.exercise import Exercise
from course_utils.checks.likenesses import (
    COUNTED,
    ESTIMATED,
    LAST_LIKENESSES,
    LIKENESSES,
    PLACES,
    Likeness,
)
from course_utils.checks.outcomes import Failure
from course_utils.checks.parts import (
    ENOUGH,
    TOO_MANY,
    Numbers,
    Part,
    count_different,
    slug,
    wrong_parts,
)
from course_utils.checks.whereabouts import Feature, arguments, first_wrong, place, sizes, when


@dataclass(frozen=True)
class Relation:
    """What the wrong results of an answer have in common: a name, and a fact for the student."""

    name: str
    message: str


def relate(
    exercise: Exercise, runs: Sequence[Run], remembered: Remembered | None = None
) -> Relation | None:
    """
    Return what the wrong results have in common, or None.

    First whether they are something else that is known: an argument, the result of another call.
    Then what a setting that is taken for another one does to the right answer; how the numbers
    differ; what a changed tensor does; in which calls, and in which part of the result, the answer
    is wrong. What the oracle does with changed arguments is kept in ``remembered``.
    """
    search = _Search(exercise, runs, Results(exercise, remembered))
    if not search.wrong:
        return None
    return (
        search.given_back()
        or search.of_the_call_before()
        or search.altered(altered_settings(exercise))
        or search.alike(LIKENESSES)
        or search.altered(altered_tensors(exercise))
        or search.alike(PLACES)
        or search.in_some_calls()
        or search.in_some_parts()
        or search.alike(LAST_LIKENESSES)
    )


class _Search:
    """What an answer gave where a value is asked for, and what of it is wrong."""

    def __init__(self, exercise: Exercise, runs: Sequence[Run], results: Results) -> None:
        self.exercise = exercise
        self.results = results
        self.values = [run for run in runs if not isinstance(run[2], Refusal)]
        self.is_wrong = [self._differs(run) for run in self.values]
        self.wrong = [run for run, wrong in zip(self.values, self.is_wrong, strict=True) if wrong]
        self.shown = [run for run in self.wrong if not isinstance(run[1].value, Failure)]
        self.parts = [part for run in self.shown for part in self._parts_of(run)]

    def _differs(self, run: Run) -> bool:
        _, outcome, expected = run
        found = difference(outcome, expected, self.exercise.tolerances)
        return found is not None and found.code != "changed"

    def _parts_of(self, run: Run) -> list[Part]:
        case, outcome, expected = run
        numbers = sizes(arguments(self.exercise, case))
        return wrong_parts(outcome.value, expected, self.exercise.tolerances, numbers)

    @cached_property
    def _n_different(self) -> int:
        return count_different(self.parts)

    @property
    def _mostly_stops(self) -> bool:
        """Whether most of the wrong calls have no result."""
        return 2 * len(self.shown) < len(self.wrong)

    def _say(self, fact: str) -> str:
        """Return a fact with the calls that it is about, and which these are, if that is known."""
        if not all(self.is_wrong):
            fact = f"In the calls that go wrong: {fact[0].lower()}{fact[1:]}"
        return f"{fact} {self._in_which_calls()}" if self._feature else fact

    def _is(self, value: Any, run: Run) -> bool:
        return same_result(run[1].value, value, self.exercise.tolerances)

    # --- something else ---------------------------------------------------------------------------

    def given_back(self) -> Relation | None:
        """Return the argument that comes back as the result."""
        calls = [arguments(self.exercise, case) for case, _, _ in self.shown]
        if len(calls) < 2 or self._mostly_stops or self._n_different < ENOUGH:
            return None
        for name in calls[0]:
            if all(self._is(call[name], run) for call, run in zip(calls, self.shown, strict=True)):
                fact = f"What you return is `{name}`, as it was given."
                return Relation(f"{slug(name)}-given-back", self._say(fact))
        return None

    def of_the_call_before(self) -> Relation | None:
        """Return whether something is kept from call to call."""
        pairs = [
            (before[2], run)
            for before, run, wrong in zip(
                self.values, self.values[1:], self.is_wrong[1:], strict=False
            )
            if wrong and not isinstance(run[1].value, Failure)
        ]
        if len(pairs) < max(2, len(self.shown)) or self._n_different < ENOUGH:
            return None
        if not all(self._is(expected, run) for expected, run in pairs):
            return None
        fact = "What you return is right for the call before. Begin each call with fresh variables."
        return Relation("result-of-the-call-before", self._say(fact))

    # --- what an argument does --------------------------------------------------------------------

    def altered(self, changes: Iterable[Alteration]) -> Relation | None:
        """Return the altered call that gives all results, or else all wrong ones."""
        if len(self.shown) < 2 or self._n_different < 2 or self._mostly_stops:
            return None
        partly: Alteration | None = None
        for change in changes:
            if not self._gives(change, self.shown, some=True):
                continue
            if self._gives(change, self.values):
                return Relation(change.name, _told(change))
            partly = partly or change
        if partly is None or self._n_different < ENOUGH:
            return None
        return Relation(partly.name, self._say(_told(partly)))

    def _gives(self, change: Alteration, runs: Sequence[Run], *, some: bool = False) -> bool:
        """Return whether a change gives the results; ``some`` leaves out what it only refuses."""
        n_left_out = 0
        for run in runs:
            value = self.results.of(f"altered: {change.name}", change.answer, run[0])
            if some and isinstance(value, Failure):
                n_left_out += 1
                if n_left_out * ENOUGH > len(runs):
                    return False
            elif not self._is(value, run):
                return False
        return True

    # --- how numbers differ -----------------------------------------------------------------------

    def alike(self, likenesses: Iterable[Likeness]) -> Relation | None:
        """Return the first likeness that holds in every wrong part of every wrong result."""
        found = [part.numbers() for part in self.parts]
        numbers = [part for part in found if part is not None]
        if not numbers or len(numbers) < len(found) or self._mostly_stops:
            return None
        for likeness in likenesses:
            if _is_evident(likeness, numbers) and (forms := _common_forms(likeness, numbers)):
                fact = likeness.fact.format(form=min(forms), where=self._where())
                return Relation(likeness.name, self._say(fact))
        return None

    def _where(self) -> str:
        if self._place.startswith("result "):
            return f" in {self._place}"
        return f" in “{self._place}”" if self._place else ""

    # --- in which calls and parts -----------------------------------------------------------------

    def in_some_calls(self) -> Relation | None:
        """Return in which calls an answer is wrong."""
        if self._feature is None:
            return None
        return Relation(f"wrong-if-{self._feature[0]}", self._in_which_calls())

    @cached_property
    def _feature(self) -> Feature | None:
        return when(self.exercise, [run[0] for run in self.values], self.is_wrong)

    def _in_which_calls(self) -> str:
        if self._feature is None:
            return ""
        return f"Wrong are exactly the calls in which {self._feature[1]}; all others are right."

    def in_some_parts(self) -> Relation | None:
        """Return the one part of the results that is wrong, or from which on they are."""
        if len(self.shown) < len(self.wrong) or not self.parts:
            return None
        if self._place == TOO_MANY:
            fact = "What is asked for is right, but your result has keys that must not be there."
            return Relation("key-too-many", self._say(fact))
        if self._place:
            return Relation(
                f"only-{slug(self._place)}-wrong",
                f"Only “{self._place}” is wrong; everything else that is looked at is right.",
            )
        if name := first_wrong([(outcome.value, wanted) for _, outcome, wanted in self.shown]):
            return Relation(
                f"wrong-from-{slug(name)}",
                f"What comes before “{name}” is right, and “{name}” is the first to be wrong. "
                "Begin there: what follows may only go on from it.",
            )
        return None

    @cached_property
    def _place(self) -> str:
        return place(self.parts, [(outcome.value, wanted) for _, outcome, wanted in self.values])


def _told(change: Alteration) -> str:
    return f"Your result is what comes out if {change.fact}. Look at what your code does with it."


def _is_evident(likeness: Likeness, numbers: Sequence[Numbers]) -> bool:
    """Return whether there are enough wrong numbers for a likeness to be no chance."""
    if likeness.kind == COUNTED:
        return sum(int(part.wrong.sum()) for part in numbers) > 1
    pairs: set[tuple[float, float]] = set().union(*(part.pairs for part in numbers))
    if likeness.kind == ESTIMATED:
        return len({expected for _, expected in pairs}) >= ENOUGH
    return len(pairs) >= (ENOUGH if len(numbers) == 1 else 2)


def _common_forms(likeness: Likeness, numbers: Sequence[Numbers]) -> set[str]:
    """Return the forms in which a likeness holds in all parts."""
    forms = likeness.forms(numbers[0])
    for part in numbers[1:]:
        forms = forms and forms & likeness.forms(part)
    return forms
