"""A misconception is named when it explains what an answer did, and by no chance."""

import pytest

from course_utils.checks.comparison import difference
from course_utils.checks.diagnosis import Results, explain, same_result
from course_utils.checks.exercise import REFUSALS, Case, Exercise, Forbidden, Misconception, Place
from course_utils.checks.outcomes import Failure, run_case
from course_utils.checks.references import oracle_answer

PLACE = Place("02_correlation_and_convolution", "The layer")


def failed(*names):
    return Failure(names, "", "")


@pytest.mark.parametrize(
    ("value", "other", "expected"),
    [
        (3, 3, True),
        (3, 4, False),
        (1.0, 1.0 + 1e-7, True),
        (1, 1.0, False),
        (True, 1, False),
        ({"loss": 1.0}, {"loss": 1.05}, True),
        ({"loss": 1.0}, {"loss": 1.2}, False),
        (failed("ValueError"), failed("OddError", "ValueError"), True),
        (failed("TypeError"), failed("IndexError"), True),
        (failed("ValueError"), failed("KeyError"), False),
        (failed("ValueError"), failed("TypeError"), False),
        (failed("TypeError"), failed("KeyError"), False),
        (failed("ValueError"), 3, False),
        (3, failed("ValueError"), False),
    ],
)
def test_two_results_are_the_same_if_a_check_would_take_one_for_the_other(value, other, expected):
    assert same_result(value, other, {"loss": 0.1}) is expected


def right(n):
    if n < 0:
        raise ValueError(n)
    return n


def accepts(n):
    return n


def doubles(n):
    return 2 * right(n)


def doubles_and_accepts(n):
    return 2 * n


def adds_one(n):
    return right(n) + 1


def tens_doubled(n):
    return 2 * right(n) if n >= 10 else n


def stops_at_negative_ones(n):
    return [][n] if n < 0 else n


def exercise_of(*wrong, oracle=right, numbers=(1, 2, 3, 4, 10, 20, 30, 40, -1), groups=None):
    """Return an exercise about one number: small ones, tens, and negative ones to refuse."""
    cases = [
        Case(REFUSALS, (n,), refusal="it is negative")
        if n < 0
        else Case("tens" if n >= 10 else "small", (n,))
        for n in numbers
    ]
    points = {case.group: 1 for case in cases}
    mistakes = tuple(
        Misconception(f.__name__, f, "m", PLACE, (groups or {}).get(f, "")) for f in wrong
    )
    return Exercise(
        "f", len(points), oracle, tuple(cases), lambda rng: [], mistakes, Forbidden(""), points
    )


def named(exercise, answer):
    runs = [
        (case, run_case(answer, case), oracle_answer(exercise, case)) for case in exercise.cases
    ]
    found, phrase = explain(exercise, runs)
    return found and found.name, phrase


SMALL = "In the part “small”: "
TENS = "In the part “tens”: "
WRONG = "In the calls that go wrong: "


@pytest.mark.parametrize(
    ("answer", "misconceptions", "expected"),
    [
        pytest.param(accepts, [accepts, doubles], ("accepts", ""), id="refusals-alone"),
        pytest.param(stops_at_negative_ones, [accepts, doubles], (None, ""), id="another-stop"),
        pytest.param(doubles_and_accepts, [doubles], ("doubles", ""), id="values-first"),
        pytest.param(
            doubles_and_accepts,
            [doubles, doubles_and_accepts],
            ("doubles_and_accepts", ""),
            id="refusals-decide",
        ),
        pytest.param(doubles, [doubles, adds_one], ("doubles", ""), id="all-values"),
        pytest.param(doubles, [adds_one], (None, ""), id="none"),
        pytest.param(
            lambda n: 2 * n if n < 10 else 7, [doubles, adds_one], ("doubles", SMALL), id="group"
        ),
        pytest.param(
            lambda n: 2 * n if n >= 10 else n, [doubles, adds_one], ("doubles", TENS), id="second"
        ),
        pytest.param(
            lambda n: n if n in (3, 30) else 2 * n, [doubles], ("doubles", WRONG), id="wrong-calls"
        ),
        pytest.param(
            lambda n: n if n in (3, 30) else 2 * n,
            [doubles, doubles_and_accepts],
            (None, ""),
            id="two-explain-the-wrong-calls",
        ),
        pytest.param(lambda n: n if n < 30 else 2 * n, [doubles], (None, ""), id="too-few"),
        pytest.param(
            lambda n: 2 * n if n < 4 else n, [doubles], ("doubles", WRONG), id="three-are-enough"
        ),
    ],
)
def test_the_one_misconception_that_explains_the_results_is_named(answer, misconceptions, expected):
    assert named(exercise_of(*misconceptions), answer) == expected


def pair(n):
    return [n, n + 100]


def doubled_pair(n):
    return [2 * n, 2 * n + 200]


@pytest.mark.parametrize(
    ("answer", "numbers", "expected"),
    [
        pytest.param(
            lambda n: doubled_pair(n) if n < 10 else [0, 0],
            (1, 2, 10),
            ("doubled_pair", SMALL),
            id="two-calls-with-four-numbers",
        ),
        pytest.param(
            lambda n: [*doubled_pair(n)[:1], n + 100] if n < 10 else [0, 0],
            (1, 2, 10),
            (None, ""),
            id="two-calls-otherwise",
        ),
    ],
)
def test_the_different_wrong_numbers_count_not_the_calls_alone(answer, numbers, expected):
    exercise = exercise_of(doubled_pair, oracle=pair, numbers=numbers)

    assert named(exercise, answer) == expected


def test_one_call_is_never_enough_however_many_numbers_are_wrong():
    def answer(n):
        return [2 * part for part in row(n)] if n < 10 else [0] * 5

    def doubled_row(n):
        return [2 * part for part in row(n)]

    def row(n):
        return [n + place for place in range(5)]

    exercise = exercise_of(doubled_row, oracle=row, numbers=(1, 10, 20))

    assert named(exercise, answer) == (None, "")


def test_a_misconception_of_one_group_is_taken_to_be_right_elsewhere():
    def answer(n):
        return 2 * n if n >= 10 else n

    assert named(exercise_of(doubles, groups={doubles: "tens"}), answer) == ("doubles", "")
    assert named(exercise_of(doubles, groups={doubles: "small"}), answer) == (None, "")
    assert named(exercise_of(doubles, groups={doubles: "tens"}), doubles) == (None, "")


def test_a_right_value_with_a_changed_input_is_explained_by_no_misconception_about_values():
    def first(numbers):
        return numbers[0]

    def pops(numbers):
        return numbers.pop(0)

    case = Case("g", ([1, 2],))
    mistake = Misconception("twice", lambda numbers: 2 * numbers[0], "m", PLACE)
    exercise = Exercise(
        "f", 1, first, (case,), lambda rng: [], (mistake,), Forbidden(""), {"g": 1}
    )  # fmt: skip
    outcome = run_case(pops, case)

    assert difference(outcome, 1).code == "changed"
    assert explain(exercise, [(case, outcome, 1)]) == (None, "")


def counting(wrong):
    """Return a wrong answer that notes what it was called with, and the notes."""
    calls = []

    def noting(n):
        calls.append(n)
        return wrong(n)

    return noting, calls


def test_a_misconception_is_ruled_out_by_a_wrong_result_first():
    noting, calls = counting(tens_doubled)

    exercise = exercise_of(noting, numbers=(1, 2, 10))

    assert named(exercise, lambda n: 3 * n if n == 10 else n) == (None, "")
    assert calls == [10]


def test_what_a_misconception_does_in_a_case_is_kept_as_long_as_the_case_lives():
    noting, calls = counting(doubles)
    exercise, drawn, remembered = exercise_of(noting), Case("small", (5,)), {}

    for _ in range(2):
        results = Results(exercise, remembered)
        assert results.of("noting", noting, exercise.cases[1]) == 4
        assert results.of("noting", noting, drawn) == 10

    assert calls == [2, 5]
    assert exercise.remembered == {("noting", 1): 4}
    assert remembered == {("noting", id(drawn)): 10}


def test_results_without_a_memory_are_kept_for_themselves():
    noting, calls = counting(doubles)
    exercise, drawn = exercise_of(noting), Case("small", (5,))

    results = Results(exercise)
    for _ in range(2):
        assert results.of("noting", noting, drawn) == 10

    assert calls == [5]
    assert exercise.remembered == {}
