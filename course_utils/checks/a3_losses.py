"""Assignment 3, second half: the losses of labels, from log-probabilities and from logits."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.checks.a3_losses_mistakes import (
    CROSS_ENTROPY_MISCONCEPTIONS,
    NLL_MISCONCEPTIONS,
)
from course_utils.checks.a3_oracles import cross_entropy, nll_loss
from course_utils.checks.a3_rules import LESSON_LABELS, LESSON_LOGITS, NO_LIBRARY
from course_utils.checks.drawing import (
    DTYPES,
    FORMS,
    Form,
    image_tensor,
    random_size,
    random_tensor,
)
from course_utils.checks.exercise import REFUSALS, Case, Exercise

F64 = torch.float64
INF = float("inf")
MEAN, REDUCED, WEIGHTED, IGNORING = "mean", "sum and none", "weights", "ignored rows"
LARGE, SMOOTHED = "large logits", "label smoothing"

_LOGITS = torch.tensor(LESSON_LOGITS)
_LABELS = torch.tensor(LESSON_LABELS)
_LOG_PROBS = torch.log_softmax(_LOGITS, 1)
_CLASS_WEIGHTS = torch.tensor([1.0, 1.0, 2.0])


def _logs(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return logarithms of weights that need not add up to 1."""
    return (image_tensor(*shape, start=start, dtype=dtype) - 12) / 5


def _numbers(*shape: int, start: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return image_tensor(*shape, start=start, dtype=dtype) / 4


def _labels(*classes: int) -> Tensor:
    return torch.tensor(classes)


def _with_infinite_rows(log_probs: Tensor, *rows: int) -> Tensor:
    """Return rows of -inf at the places given."""
    result = log_probs.clone()
    result[list(rows)] = -INF
    return result


_WEIGHTS4 = torch.tensor([0.5, 3.0, 0.25, 1.5])
_SMALL_WEIGHTS = torch.tensor([0.05, 0.1, 0.02, 0.3])

_NLL_CASES = (
    Case(MEAN, (_LOG_PROBS, _LABELS)),
    Case(MEAN, (_logs(4, 5, start=3), _labels(4, 0, 2, 2))),
    Case(MEAN, (_logs(3, 3, start=5), _labels(2, 0, 1))),
    Case(MEAN, (_logs(1, 4, start=2), _labels(3))),
    Case(REDUCED, (_LOG_PROBS, _LABELS), {"reduction": "sum"}),
    Case(REDUCED, (_LOG_PROBS, _LABELS), {"reduction": "none"}),
    Case(REDUCED, (_logs(4, 3, start=7), _labels(1, 0, 2, 1)), {"reduction": "sum"}),
    Case(REDUCED, (_logs(1, 4, start=6), _labels(2)), {"reduction": "none"}),
    Case(WEIGHTED, (_LOG_PROBS, _LABELS, _CLASS_WEIGHTS)),
    Case(WEIGHTED, (_logs(4, 4, start=2), _labels(1, 0, 1, 3), _WEIGHTS4)),
    Case(WEIGHTED, (_logs(3, 4, start=9), _labels(1, 3, 2)), {"weight": _SMALL_WEIGHTS}),
    Case(WEIGHTED, (_logs(5, 4, start=4), _labels(3, 2, 1, 3, 0), _WEIGHTS4, -100, "sum")),
    Case(
        WEIGHTED,
        (_logs(4, 3, start=8), _labels(2, 1, 0, 1)),
        {"weight": torch.tensor([2.0, 0.0, 0.5]), "reduction": "none"},
    ),
    Case(
        WEIGHTED,
        (_logs(4, 3, start=3), _labels(1, 1, 0, 2)),
        {"weight": torch.tensor([2.0, 0.0, 0.5])},
    ),
    Case(IGNORING, (_LOG_PROBS, _labels(0, -100, 1, 2, 1))),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(4, 3, start=5), 1), _labels(2, -100, 0, 1)),
        {"reduction": "sum"},
    ),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(4, 3, start=2), 0, 2), _labels(-100, 1, -100, 2)),
        {"reduction": "none"},
    ),
    Case(IGNORING, (_with_infinite_rows(_logs(4, 4, start=6), 3), _labels(1, 0, 3, -100))),
    Case(IGNORING, (_logs(5, 3, start=4), _labels(1, 0, 2, 1, 0)), {"ignore_index": 1}),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(4, 3, start=8), 0, 2), _labels(0, 2, 0, 1), None, 0, "none"),
    ),
    Case(
        IGNORING,
        (_logs(4, 3, start=9), _labels(2, -1, 0, -1)),
        {"ignore_index": -1, "reduction": "sum"},
    ),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(3, 3, start=7), 1), _labels(0, -1, 2)),
        {"ignore_index": -1},
    ),
    Case(IGNORING, (_logs(4, 3, start=3), _labels(255, 1, 2, 255)), {"ignore_index": 255}),
    Case(
        IGNORING,
        (_logs(4, 4, start=5), _labels(1, 0, 3, 0)),
        {"weight": _WEIGHTS4, "ignore_index": 0},
    ),
    Case(IGNORING, (_logs(4, 4, start=2), _labels(-100, 1, 2, -100), _WEIGHTS4)),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(4, 4, start=4), 1), _labels(2, 1, 3, 1), _WEIGHTS4, 1, "none"),
    ),
    Case(
        IGNORING,
        (_logs(4, 4, start=8), _labels(3, -100, 1, -100), _WEIGHTS4),
        {"reduction": "sum"},
    ),
    Case(IGNORING, (_logs(3, 3, start=2), _labels(-100, -100, -100))),
    Case(
        IGNORING,
        (_with_infinite_rows(_logs(2, 3), 0, 1), _labels(2, 2)),
        {"ignore_index": 2, "reduction": "sum"},
    ),
    Case(IGNORING, (_logs(2, 3), _labels(-100, -100)), {"reduction": "none"}),
    Case(DTYPES, (_logs(4, 3, start=5, dtype=F64) / 3, _labels(2, 0, 1, 1))),
    Case(
        DTYPES,
        (_logs(4, 3, start=6, dtype=F64) / 3, _labels(2, 0, -100, 1)),
        {"weight": torch.tensor([0.3, 1.7, 0.9], dtype=F64)},
    ),
    Case(DTYPES, (_logs(3, 4, start=7).T, _labels(2, 7, 0, 7, 1, 7, 1, 7)[::2])),
    Case(
        DTYPES,
        (),
        {
            "log_probs": _logs(4, 6, start=3)[:, ::2],
            "target": _labels(0, 2, 2, 1),
            "weight": torch.tensor([1.5, 9.0, 0.5, 9.0, 2.0, 9.0])[::2],
            "reduction": "none",
        },
    ),
    *(
        Case(
            REFUSALS,
            (_LOG_PROBS, _LABELS),
            {"reduction": reduction},
            f'"{reduction}" is no reduction',
        )
        for reduction in ("average", "batchmean", "", "max")
    ),
)


_CROSS_ENTROPY_CASES = (
    Case(MEAN, (_LOGITS, _LABELS)),
    Case(MEAN, (_numbers(4, 5, start=3), _labels(4, 0, 2, 2))),
    Case(MEAN, (_numbers(3, 3, start=5), _labels(2, 0, 1))),
    Case(MEAN, (_numbers(1, 4, start=2), _labels(3))),
    Case(LARGE, (torch.tensor([[1000.0, 0.0, -1000.0]]), _labels(2))),
    Case(LARGE, (torch.tensor([[0.0, -200.0], [1.0, 2.0]]), _labels(1, 0))),
    Case(LARGE, (torch.tensor([[95.0, 96.0, 93.0]]), _labels(2))),
    Case(LARGE, (torch.tensor([[95.0, 96.0, 93.0], [-120.0, -121.0, -123.0]]), _labels(2, 1))),
    Case(LARGE, (torch.tensor([[3e4, 0.0], [1.0, 2.0], [-1e-4, 2e-4]]), _labels(0, 0, 1))),
    Case(LARGE, (torch.tensor([[0.0, 50.0, -50.0], [-3.0, 40.0, 20.0]]), _labels(0, 2))),
    Case(LARGE, (torch.tensor([[5e3, 5e3 + 1], [0.25, -900.0]], dtype=F64), _labels(0, 1))),
    Case(REDUCED, (_LOGITS, _LABELS), {"reduction": "sum"}),
    Case(REDUCED, (_LOGITS, _LABELS), {"reduction": "none"}),
    Case(REDUCED, (_numbers(4, 3, start=7), _labels(1, 0, 2, 1)), {"reduction": "sum"}),
    Case(REDUCED, (_numbers(1, 4, start=6), _labels(2)), {"reduction": "none"}),
    Case(WEIGHTED, (_LOGITS, _LABELS, _CLASS_WEIGHTS)),
    Case(WEIGHTED, (_numbers(4, 4, start=2), _labels(1, 0, 1, 3), _WEIGHTS4)),
    Case(WEIGHTED, (_numbers(3, 4, start=9), _labels(1, 3, 2)), {"weight": _SMALL_WEIGHTS}),
    Case(WEIGHTED, (_numbers(5, 4, start=4), _labels(3, 2, 1, 3, 0), _WEIGHTS4, -100, "sum")),
    Case(
        WEIGHTED,
        (_numbers(4, 3, start=8), _labels(2, 1, 0, 1)),
        {"weight": torch.tensor([2.0, 0.0, 0.5]), "reduction": "none"},
    ),
    Case(IGNORING, (_LOGITS, _labels(0, -100, 1, 2, 1))),
    Case(IGNORING, (_numbers(4, 3, start=2), _labels(-100, 1, -100, 2)), {"reduction": "none"}),
    Case(IGNORING, (_numbers(5, 3, start=4), _labels(1, 0, 2, 1, 0)), {"ignore_index": 1}),
    Case(IGNORING, (_numbers(4, 3, start=8), _labels(0, 2, 0, 1), None, 0, "sum")),
    Case(IGNORING, (_numbers(4, 3, start=9), _labels(2, -1, 0, -1)), {"ignore_index": -1}),
    Case(IGNORING, (_numbers(4, 3, start=3), _labels(255, 1, 2, 255)), {"ignore_index": 255}),
    Case(
        IGNORING,
        (_numbers(4, 4, start=5), _labels(1, 0, 3, 0)),
        {"weight": _WEIGHTS4, "ignore_index": 0},
    ),
    Case(IGNORING, (_numbers(4, 4, start=2), _labels(-100, 1, 2, -100), _WEIGHTS4)),
    Case(
        IGNORING,
        (_numbers(4, 4, start=8), _labels(3, -100, 1, -100), _WEIGHTS4),
        {"reduction": "none"},
    ),
    Case(IGNORING, (_numbers(3, 3, start=2), _labels(-100, -100, -100))),
    Case(IGNORING, (_numbers(2, 3), _labels(2, 2)), {"ignore_index": 2, "reduction": "sum"}),
    Case(IGNORING, (_numbers(2, 3), _labels(-100, -100)), {"reduction": "none"}),
    Case(SMOOTHED, (_LOGITS, _LABELS), {"label_smoothing": 0.1}),
    Case(SMOOTHED, (_numbers(4, 5, start=3), _labels(4, 0, 2, 2)), {"label_smoothing": 0.3}),
    Case(
        SMOOTHED,
        (_numbers(4, 3, start=7), _labels(1, 0, 2, 1)),
        {"label_smoothing": 0.2, "reduction": "none"},
    ),
    Case(
        SMOOTHED,
        (_numbers(3, 4, start=6), _labels(1, 0, 2)),
        {"label_smoothing": 0.5, "reduction": "sum"},
    ),
    Case(SMOOTHED, (_numbers(3, 4, start=2), _labels(3, 3, 1)), {"label_smoothing": 1.0}),
    Case(
        SMOOTHED,
        (_numbers(4, 4, start=4), _labels(1, 0, 1, 3)),
        {"label_smoothing": 0.2, "weight": _WEIGHTS4},
    ),
    Case(
        SMOOTHED,
        (_numbers(4, 4, start=5), _labels(2, 0, 1, 3)),
        {"label_smoothing": 0.3, "weight": _WEIGHTS4, "reduction": "none"},
    ),
    Case(
        SMOOTHED,
        (_numbers(4, 3, start=9), _labels(2, -100, 0, -100)),
        {"label_smoothing": 0.4},
    ),
    Case(
        SMOOTHED,
        (_numbers(4, 3, start=3), _labels(1, 0, 2, 1)),
        {"label_smoothing": 0.4, "ignore_index": 1, "reduction": "none"},
    ),
    Case(SMOOTHED, (_numbers(5, 4), _labels(1, -100, 2, 0, 3), _WEIGHTS4, -100, "mean", 0.25)),
    Case(SMOOTHED, (_numbers(4, 4, start=8), _labels(1, 3, 0, 0), _WEIGHTS4, 0, "sum", 0.1)),
    Case(DTYPES, (_numbers(4, 3, start=5, dtype=F64) / 3, _labels(2, 0, 1, 1))),
    Case(
        DTYPES,
        (_numbers(4, 3, start=6, dtype=F64) / 3, _labels(2, 0, -100, 1)),
        {"weight": torch.tensor([0.3, 1.7, 0.9], dtype=F64), "label_smoothing": 0.1},
    ),
    Case(DTYPES, (_numbers(3, 4, start=7).T, _labels(2, 7, 0, 7, 1, 7, 1, 7)[::2])),
    Case(
        DTYPES,
        (),
        {
            "logits": _numbers(4, 6, start=3)[:, ::2],
            "target": _labels(0, 2, 2, 1),
            "weight": torch.tensor([1.5, 9.0, 0.5, 9.0, 2.0, 9.0])[::2],
            "reduction": "none",
        },
    ),
)


def _batch(
    rng: np.random.Generator,
    *,
    form: Form = FORMS[0],
    weighted: bool = False,
    ignore_index: int | None = None,
    logs: bool = False,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Draw rows, labels, and the settings; at least one row is kept, and one ignored if asked."""
    rows, classes = random_size(rng, 3, 6), random_size(rng, 3, 5)
    values = random_tensor(rng, rows, classes, form=form)
    labels = torch.from_numpy(rng.integers(classes, size=rows))
    settings: dict[str, Any] = {}
    if weighted:
        settings["weight"] = torch.from_numpy(rng.uniform(0.2, 3, classes)).to(form[0])
    if ignore_index is not None:
        labels[labels == ignore_index] = (ignore_index + 1) % classes
        order = torch.from_numpy(rng.permutation(rows))
        labels[order[: random_size(rng, 1, rows - 2)]] = ignore_index
        if ignore_index != -100:
            settings["ignore_index"] = ignore_index
    if logs:
        values = -values.abs() - 0.1
        if ignore_index is not None:
            values[labels == ignore_index] = -INF
    return values, labels, settings


def _draw_batches(rng: np.random.Generator, *, logs: bool) -> list[Case]:
    """Draw what the losses from log-probabilities and from logits have in common."""

    def case(group: str, **kinds: Any) -> Case:
        reduction = kinds.pop("reduction", "mean")
        values, labels, settings = _batch(rng, logs=logs, **kinds)
        if reduction != "mean":
            settings["reduction"] = reduction
        return Case(group, (values, labels), settings)

    reductions = ("mean", "sum", "none")
    cases = [case(MEAN) for _ in range(2)]
    cases += [case(REDUCED, reduction=reduction) for reduction in ("sum", "none")]
    cases += [case(WEIGHTED, weighted=True, reduction=reduction) for reduction in reductions]
    for reduction in reductions:
        ignored = [-100, int(rng.integers(3)), int(rng.choice([-1, -7, 99, 255]))]
        cases += [
            case(IGNORING, ignore_index=index, weighted=rng.random() < 0.5, reduction=reduction)
            for index in ignored
        ]
        values, _, settings = _batch(rng, logs=logs)
        everything = torch.full((len(values),), -100)
        cases.append(Case(IGNORING, (values, everything), {**settings, "reduction": reduction}))
    cases += [
        case(DTYPES, form=form, weighted=weighted, reduction=reduction)
        for form in FORMS[1:]
        for weighted, reduction in ((False, "mean"), (True, "mean"), (True, "none"))
    ]
    return cases


def _draw_nll(rng: np.random.Generator) -> list[Case]:
    cases = _draw_batches(rng, logs=True)
    for reduction in ("average", "total", "median"):
        values, labels, _ = _batch(rng, logs=True)
        settings = {"reduction": reduction}
        cases.append(Case(REFUSALS, (values, labels), settings, f'"{reduction}" is no reduction'))
    return cases


def _draw_cross_entropy(rng: np.random.Generator) -> list[Case]:
    cases = _draw_batches(rng, logs=False)
    for reduction in ("mean", "sum", "none"):
        for weighted, index in ((False, None), (True, None), (False, -100), (True, 1)):
            values, labels, settings = _batch(rng, weighted=weighted, ignore_index=index)
            settings["label_smoothing"] = round(float(rng.uniform(0.05, 0.9)), 2)
            if reduction != "mean":
                settings["reduction"] = reduction
            cases.append(Case(SMOOTHED, (values, labels), settings))
    for scale in (300.0, 1e4):
        steps = torch.from_numpy(rng.permutation(4)).float() - 2
        wrong = int(rng.choice([n for n in range(4) if steps[n] < 1]))
        cases.append(Case(LARGE, ((steps * scale)[None], torch.tensor([wrong]))))
        small = torch.from_numpy(rng.standard_normal((2, 3)))
        shift = torch.tensor([[scale], [-scale]])
        labels = torch.from_numpy(rng.integers(3, size=2))
        cases.append(Case(LARGE, (small + shift, labels)))
    return cases


def _trace(
    values: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> str:
    result = f"({len(target)},)" if reduction == "none" else "(), a tensor without dimensions"
    return (
        f"Shapes on the way: {tuple(values.shape)}; one value picked for each row, "
        f"({len(target)},); with reduction {reduction!r} the result is {result}."
    )


def _trace_nll(log_probs: Tensor, target: Tensor, *settings: Any, **more: Any) -> str:
    return _trace(log_probs, target, *settings, **more)


def _trace_cross_entropy(logits: Tensor, target: Tensor, *settings: Any, **more: Any) -> str:
    return _trace(logits, target, *settings, **more)


EXERCISES = (
    Exercise(
        "nll_loss",
        8,
        nll_loss,
        _NLL_CASES,
        _draw_nll,
        NLL_MISCONCEPTIONS,
        NO_LIBRARY,
        {MEAN: 1, REDUCED: 1, WEIGHTED: 2, IGNORING: 2, DTYPES: 1, REFUSALS: 1},
        _trace_nll,
    ),
    Exercise(
        "cross_entropy",
        9,
        cross_entropy,
        _CROSS_ENTROPY_CASES,
        _draw_cross_entropy,
        CROSS_ENTROPY_MISCONCEPTIONS,
        NO_LIBRARY,
        {MEAN: 1, LARGE: 1, REDUCED: 1, WEIGHTED: 2, IGNORING: 1, SMOOTHED: 2, DTYPES: 1},
        _trace_cross_entropy,
    ),
)
