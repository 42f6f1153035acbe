"""What wrong results have in common: each relation holds where it should, and nowhere else."""

import math

import pytest
import torch
from a1_answers.right_sizes import conv_output_size_by_formula as by_formula
from a1_answers.right_sliding import convolve2d_by_flip
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from course_utils.checks import examine
from course_utils.checks.arrangement import shifted
from course_utils.checks.diagnosis import explain
from course_utils.checks.exercise import Case, Exercise, Forbidden, Misconception, Place
from course_utils.checks.likenesses import LAST_LIKENESSES, LIKENESSES, PLACES
from course_utils.checks.outcomes import run_case
from course_utils.checks.parts import Part, wrong_parts
from course_utils.checks.references import oracle_answer
from course_utils.checks.relations import relate

PLACE = Place("01_filters", "anywhere")


def exercise_of(oracle, *cases, misconceptions=(), probe=None):
    """Return an exercise with one group of cases, given as tuples of arguments."""
    cases = tuple(case if isinstance(case, Case) else Case("g", case) for case in cases)
    groups = dict.fromkeys((case.group for case in cases), 1)
    return Exercise(
        "f",
        len(groups),
        oracle,
        cases,
        lambda rng: [],
        tuple(Misconception(name, wrong, "", PLACE) for name, wrong in misconceptions),
        Forbidden(""),
        groups,
        probe=probe,
    )


def runs_of(exercise, answer):
    return [
        (case, run_case(answer, case, probe=exercise.probe), oracle_answer(exercise, case))
        for case in exercise.cases
    ]


def relation_of(exercise, answer):
    return relate(exercise, runs_of(exercise, answer))


def name_of(exercise, answer):
    relation = relation_of(exercise, answer)
    return relation and relation.name


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plus(x: Tensor) -> Tensor:
    """Stand for an oracle; what an answer does to its result is no slip with the argument."""
    return x.exp() + x**3 - 1


IMAGES = exercise_of(plus, (numbers(2, 3, 4, 5),), (numbers(3, 2, 5, 4, seed=1),))
POSITIVE = exercise_of(
    lambda x: x.abs() + 0.5, (numbers(3, 4),), (numbers(2, 5, seed=1),), (numbers(6, seed=2),)
)


def columns_in_order(y):
    return y.sort(-1).values


CHANGES = {
    "all-zeros": lambda y: 0 * y,
    "sign-turned": lambda y: -y,
    "without-signs": torch.abs,
    "nothing-below-zero": torch.relu,
    "one-minus": lambda y: 1 - y,
    "constant-factor": lambda y: 3 * y,
    "constant-offset": lambda y: y - 2,
    "scaled-and-shifted": lambda y: 2 * y + 3,
    "rounded": lambda y: y.round(decimals=2),
    "centred": lambda y: y - y.mean(),
    "added-up-on-the-way": lambda y: y.cumsum(-1),
    "transposed": lambda y: y.mT,
    "flipped": lambda y: y.flip(1),
    "turned-by-half": lambda y: y.flip(2, 3),
    "axes-exchanged": lambda y: y.permute(1, 2, 0, 3),
    "first-for-all": lambda y: y[:1].expand_as(y),
    "shifted": lambda y: y.roll(1, 2),
    "other-shape": lambda y: y.flatten(1),
    "one-axis-less": lambda y: y.mean(1),
    "cut-off": lambda y: y[:, :1],
    "too-much": lambda y: torch.nn.functional.pad(y, (1, 1, 1, 1)),
    "other-order": columns_in_order,
    "clipped": lambda y: y.clamp(-1, 1),
    "wrong-where-negative": lambda y: torch.where(y < 0, y * y + 1, y),
    "left-at-zero": lambda y: torch.where(y > 1, 0, y),
    "only-first-right": lambda y: torch.cat([y[:1], y[1:].cos()]),
    "only-last-wrong": lambda y: torch.cat([y[..., :-1], y[..., -1:].cos()], -1),
    "only-first-wrong": lambda y: torch.cat([y[:, :, :1].cos(), y[:, :, 1:]], 2),
    "nearly-right": lambda y: y + 1e-5 * y.cos(),
    "all-the-same": lambda y: torch.ones_like(y),
}


def with_border(y):
    changed = y.cos()
    changed[..., 1:-1, 1:-1] = y[..., 1:-1, 1:-1]
    return changed


@pytest.mark.parametrize("name", CHANGES)
def test_a_likeness_has_its_name_if_it_holds_in_every_result(name):
    assert name_of(IMAGES, lambda x: CHANGES[name](plus(x))) == name


def test_a_wrong_border_is_seen_where_there_is_something_inside():
    assert name_of(IMAGES, lambda x: with_border(plus(x))) == "only-border-wrong"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("turned-over", torch.reciprocal),
        ("squared", torch.square),
        ("root-taken", torch.sqrt),
        ("logarithm-taken", torch.log),
        ("exponential-taken", torch.exp),
        ("scaled-to-sum-1", lambda y: y / y.sum()),
        ("scaled-to-largest-1", lambda y: y / y.max()),
    ],
)
def test_a_likeness_of_positive_numbers_has_its_name(name, change):
    assert name_of(POSITIVE, lambda x: change(POSITIVE.oracle(x))) == name


def test_places_where_zero_or_infinity_is_right_are_told():
    cut = exercise_of(lambda x: x.clamp_min(0) / (x < 1), (numbers(9),), (numbers(8, seed=3),))

    assert name_of(cut, lambda x: torch.where(x < 0, x.cos(), cut.oracle(x))) == "not-left-at-zero"
    assert name_of(cut, lambda x: cut.oracle(x).nan_to_num(posinf=7.0)) == "wrong-where-infinite"


def test_every_likeness_is_tried_by_these_tests():
    tried = {*CHANGES, "only-border-wrong", "not-left-at-zero", "wrong-where-infinite"}
    tried |= {"turned-over", "squared", "root-taken", "logarithm-taken", "exponential-taken"}
    tried |= {"scaled-to-sum-1", "scaled-to-largest-1", "size-factor", "in-reverse-order"}
    tried |= {"one-column-wrong", "always-too-large", "always-too-small"}

    assert tried == {likeness.name for likeness in (*LIKENESSES, *PLACES, *LAST_LIKENESSES)}


def test_a_right_answer_has_no_relation():
    assert relation_of(IMAGES, plus) is None
    assert relation_of(POSITIVE, POSITIVE.oracle) is None


def test_a_likeness_that_fails_in_one_result_is_not_named():
    def one_of_two(x):
        return -plus(x) if len(x) == 2 else plus(x).cos()

    assert name_of(IMAGES, one_of_two) is None


def test_other_factors_in_other_calls_are_no_constant_factor():
    assert name_of(IMAGES, lambda x: plus(x) * (1 + len(x) ** 0.5)) is None


@given(st.floats(-50, 50), st.integers(0, 99))
def test_any_factor_is_told_and_no_other_number(factor, seed):
    assume(abs(factor) > 1e-2)
    assume(min(abs(factor - 1), abs(factor + 1)) > 1e-2)
    exercise = exercise_of(plus, (numbers(2, 3, seed=seed),), (numbers(4, seed=seed + 1),))

    relation = relation_of(exercise, lambda x: factor * plus(x))

    assert relation.name == "constant-factor"
    assert f"times {factor:.5g}," in relation.message


@given(st.permutations(range(3)), st.integers(0, 99))
def test_axes_in_another_order_are_told(order, seed):
    assume(order != [0, 1, 2])
    exercise = exercise_of(plus, (numbers(2, 3, 4, seed=seed),), (numbers(5, 3, 2, seed=seed + 1),))

    expected = "transposed" if order == [0, 2, 1] else "axes-exchanged"
    assert name_of(exercise, lambda x: plus(x).permute(order)) == expected


@given(st.integers(0, 99))
def test_unlike_numbers_of_the_same_shape_are_not_named(seed):
    stream = torch.Generator().manual_seed(seed)

    assert name_of(IMAGES, lambda x: torch.randn(x.shape, generator=stream).to(x)) is None


def test_one_wrong_number_is_chance():
    exercise = exercise_of(lambda n: 7 * n + 3, (1,), (2,), (4,))

    assert name_of(exercise, lambda n: 7 * n + 3 + (n == 4)) is None
    assert name_of(exercise, lambda n: 7 * n + 5) == "constant-offset"


def test_a_sum_for_a_mean_is_told_by_the_size_of_the_call():
    exercise = exercise_of(
        lambda x: x.exp().mean(1), (numbers(4, 3),), (numbers(4, 5, seed=1),), (numbers(4, 7),)
    )

    relation = relation_of(exercise, lambda x: x.exp().sum(1))

    assert relation.name == "size-factor"
    assert "multiplied by `x.shape[1]`" in relation.message


def test_a_part_of_a_result_is_told_by_its_place_or_its_name():
    pair = exercise_of(lambda x: (x.exp(), x.cos()), (numbers(3),), (numbers(4, seed=1),))
    seen = exercise_of(
        lambda x: {"mean": x.mean().item(), "kind": "x", "peak": x.max().item()},
        (numbers(3),),
        (numbers(4, seed=1),),
        (numbers(5, seed=2),),
    )

    assert "in result 1 is the right one times 2," in (
        relation_of(pair, lambda x: (x.exp(), 2 * x.cos())).message
    )
    assert name_of(pair, lambda x: (x.exp(), x.tan())) == "only-result-1-wrong"
    assert name_of(seen, lambda x: {**seen.oracle(x), "kind": "y"}) == "only-kind-wrong"
    assert name_of(seen, lambda x: {**seen.oracle(x), "more": 1}) == "key-too-many"
    assert "in “mean” is the right one times 2" in (
        relation_of(seen, lambda x: {**seen.oracle(x), "mean": 2 * x.mean().item()}).message
    )


def test_what_comes_before_the_first_wrong_observation_is_right():
    def oracle(n):
        return {"input": n, "after conv": n + 0.5, "after relu": n + 0.25, "after fc": n + 0.75}

    exercise = exercise_of(oracle, (1.0,), (2.0,), (5.0,))

    def wrong_from_relu(n):
        return {**oracle(n), "after relu": math.cos(n), "after fc": math.tan(n)}

    assert name_of(exercise, wrong_from_relu) == "wrong-from-relu"


def test_rows_of_numbers_have_columns_and_no_axes():
    exercise = exercise_of(
        lambda n: [(n, n + 2, 0.5 * n), (n + 3, 2 * n, 1.5 + n)], (1.0,), (2.0,), (4.0,)
    )

    def change(place, by):
        def answer(n):
            return [
                tuple(by(number) if at == place else number for at, number in enumerate(row))
                for row in exercise.oracle(n)
            ]

        return answer

    assert name_of(exercise, change(2, math.cos)) == "one-column-wrong"
    assert name_of(exercise, lambda n: exercise.oracle(n)[::-1]) == "other-order"


def test_a_tuple_the_other_way_round_is_in_reverse_order():
    exercise = exercise_of(lambda h, w: (h + 1, 2 * w), (3, 4), (5, 8), (2, 9))

    assert name_of(exercise, lambda h, w: (2 * w, h + 1)) == "in-reverse-order"


def test_counts_that_are_too_high_are_told_if_nothing_else_is():
    exercise = exercise_of(lambda words: len(words) ** 2, ("to",), ("tea",), ("four",), ("seven",))
    more = {2: 1, 3: 7, 4: 3, 5: 20}

    def answer(sign):
        return lambda words: len(words) ** 2 + sign * more[len(words)]

    assert name_of(exercise, answer(1)) == "always-too-large"
    assert name_of(exercise, answer(-1)) == "always-too-small"


# --- slips with an argument -------------------------------------------------------------------


def size(n: int, k: int | tuple[int, int] = 3, p: int = 0, s: int = 1, rate: float = 0.5) -> float:
    """Return a number in which every setting counts, whatever it is."""
    kernel = k if isinstance(k, tuple) else (k, k)
    return float(n * 7 + kernel[0] * 1.3 + kernel[1] * 2.9 + 11 * p**2 - s * 5.5 + 17 * rate)


SIZES = exercise_of(
    size,
    (9,),
    (8, (3, 5)),
    (7, (2, 3), 1),
    (6, 4, 2, 3),
    (5, (5, 1), 3, 2, 0.25),
    (4, 2, 1, 4, 0.75),
)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("p-ignored", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, 0, s, rate)),
        ("p-and-s-ignored", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, 0, 1, rate)),
        ("all-settings-ignored", lambda n, k=3, p=0, s=1, rate=0.5: size(n)),
        ("p-and-s-exchanged", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, s, p, rate)),
        ("n-one-more", lambda n, k=3, p=0, s=1, rate=0.5: size(n + 1, k, p, s, rate)),
        ("s-doubled", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, p, 2 * s, rate)),
        ("p-at-most-1", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, min(p, 1), s, rate)),
        ("rate-one-minus", lambda n, k=3, p=0, s=1, rate=0.5: size(n, k, p, s, 1 - rate)),
        (
            "k-turned-round",
            lambda n, k=3, p=0, s=1, rate=0.5: size(
                n, k[::-1] if isinstance(k, tuple) else k, p, s, rate
            ),
        ),
        (
            "k-first-only",
            lambda n, k=3, p=0, s=1, rate=0.5: size(
                n, k[0] if isinstance(k, tuple) else k, p, s, rate
            ),
        ),
    ],
)
def test_a_slip_with_a_setting_has_its_name(name, answer):
    relation = relation_of(SIZES, answer)

    assert relation.name == name
    assert relation.message.startswith("Your result is what comes out if ")


def dot(x: Tensor, weight: Tensor) -> Tensor:
    """Return a product that no change of the result can make for a change of an argument."""
    return (x.exp() * weight.cumsum(0)).cumsum(0).sum(-1) + x[..., 0]


DOTS = exercise_of(
    dot,
    (numbers(3, 4), numbers(3, 4, seed=1)),
    (numbers(5, 2, seed=2), numbers(5, 2, seed=3)),
    (numbers(4, 4, seed=4), numbers(4, 4, seed=5)),
)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("weight-flipped", lambda x, weight: dot(x, weight.flip(0, 1))),
        ("weight-negated", lambda x, weight: dot(x, -weight)),
        ("x-turned-left-to-right", lambda x, weight: dot(x.flip(1), weight)),
        ("weight-first-for-all", lambda x, weight: dot(x, weight[:1].expand_as(weight))),
        ("x-and-weight-exchanged", lambda x, weight: dot(weight, x)),
    ],
)
def test_a_slip_with_a_tensor_has_its_name(name, answer):
    assert name_of(DOTS, answer) == name


def test_a_slip_in_some_calls_only_is_told_of_these():
    def answer(n, k=3, p=0, s=1, rate=0.5):
        return size(n, k, 0 if s > 1 else p, s, rate)

    relation = relation_of(SIZES, answer)

    assert relation.name == "p-ignored"
    assert relation.message.startswith("In the calls that go wrong: your result is what comes out")


def test_an_argument_that_comes_back_is_told():
    assert name_of(DOTS, lambda x, weight: weight) == "weight-given-back"


def test_what_is_kept_from_the_call_before_is_told():
    kept = [torch.zeros(3)]

    def answer(x):
        kept.append(plus(x))
        return kept[-2]

    cases = [(numbers(3, seed=seed),) for seed in range(4)]
    exercise = exercise_of(plus, Case("g", (torch.zeros(3),)), *cases)

    assert name_of(exercise, answer) == "result-of-the-call-before"


# --- in which calls ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wrong-if-p-set", lambda n, k, p, s: p > 0),
        ("wrong-if-s-not-set", lambda n, k, p, s: s == 1),
        ("wrong-if-s-above-2", lambda n, k, p, s: s > 2),
        ("wrong-if-k-uneven-pair", lambda n, k, p, s: isinstance(k, tuple)),
    ],
)
def test_wrong_calls_are_told_by_what_they_have_in_common(name, wrong):
    def answer(n, k=3, p=0, s=1, rate=0.5):
        return math.cos(n) if wrong(n, k, p, s) else size(n, k, p, s, rate)

    several = exercise_of(size, *((*case.args,) for case in SIZES.cases), (12,), (3, 2, 0, 3))
    relation = relation_of(several, answer)

    assert relation.name in (name, "wrong-if-k-pair" if "pair" in name else name)
    assert "all others are right" in relation.message


def test_wrong_calls_with_nothing_in_common_are_not_told():
    def answer(n, *settings):
        return math.cos(n) if n in (9, 4) else size(n, *settings)

    assert name_of(SIZES, answer) is None


# --- misconceptions before relations ----------------------------------------------------------


def test_a_misconception_that_gives_all_wrong_results_is_named_for_these():
    doubling = exercise_of(plus, *IMAGES.cases, misconceptions=[("double", lambda x: 2 * plus(x))])
    runs = runs_of(doubling, lambda x: 2 * plus(x) if len(x) == 2 else plus(x))
    several = exercise_of(
        plus,
        *IMAGES.cases,
        (numbers(2, 3, seed=9),),
        misconceptions=[("double", lambda x: 2 * plus(x))],
    )
    more = runs_of(several, lambda x: 2 * plus(x) if len(x) == 2 else plus(x))

    assert explain(doubling, runs) == (None, "")  # one wrong result
    assert explain(several, more)[0].name == "double"
    assert explain(several, more)[1] == "In the calls that go wrong: "


def test_two_misconceptions_that_give_all_wrong_results_are_not_named():
    several = exercise_of(
        plus,
        *IMAGES.cases,
        (numbers(2, 3, seed=9),),
        misconceptions=[
            ("double", lambda x: 2 * plus(x)),
            ("double where two", lambda x: plus(x) * (2 if len(x) == 2 else 3)),
        ],
    )

    found, _ = explain(several, runs_of(several, lambda x: plus(x) * (2 if len(x) == 2 else 1)))

    assert found is None


def test_a_relation_is_told_in_the_report_and_says_nothing_of_drawn_numbers():
    def convolve2d(x, kernel):
        return 3 * convolve2d_by_flip(x, kernel)

    report, drawn = (examine(convolve2d, name="convolve2d", seed=seed) for seed in (None, 4))

    assert report.misconception == drawn.misconception == "constant-factor"
    assert report.message.splitlines()[-1] == drawn.message.splitlines()[-1]


# --- parts and faults -------------------------------------------------------------------------


def test_parts_are_what_differs_by_the_names_that_lead_there():
    found = wrong_parts(
        {"a": (1.0, torch.ones(2)), "b": "x", "c": 2}, {"a": (1.0, torch.zeros(2)), "b": "y"}
    )

    assert [part.names for part in found] == [("a", "result 1"), ("b",), ("a key too many",)]


def test_numbers_of_another_dtype_are_no_numbers_to_compare():
    assert Part((), torch.ones(2), torch.ones(2, dtype=torch.float64)).numbers() is None
    assert Part((), "two", 2).numbers() is None


def test_a_shift_needs_numbers_that_differ():
    flat = Part((), torch.ones(5), torch.ones(5)).numbers()
    moved = Part((), torch.arange(5.0), torch.arange(1.0, 6.0)).numbers()

    assert shifted(flat) == set()
    assert shifted(moved) == {"further on along axis -1"}


def asserting(n, k, p=0, s=1, d=1):
    try:
        return by_formula(n, k, p, s, d)
    except ValueError:
        raise AssertionError("no") from None


def renaming(n, k, padding=0, stride=1, dilation=1):
    return by_formula(n, k, padding, stride, dilation)


def stopping(n, k, p=0, s=1, d=1):
    return by_formula(n, k, p, s, d)[0]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (asserting, "refused-by-another-error"),
        (renaming, "other-arguments"),
        (stopping, "stops-with-an-error"),
    ],
)
def test_what_stops_an_answer_has_a_name(answer, name):
    assert examine(answer, name="conv_output_size").misconception == name


def test_an_answer_that_refuses_what_is_allowed_is_told_so():
    def same_padding(k, d=1):
        if k in (5, 7) or d * (k - 1) % 2:
            raise ValueError(f"no padding for {k}")
        return d * (k - 1) // 2

    report = examine(same_padding)

    assert report.misconception == "allowed-calls-refused"
    assert "Your own check refuses what is allowed" in report.message
