"""Assignment 4: wrong dropouts, each with a name and what it shows."""

import numpy as np
import torch

from course_utils.checks.a4_rules import (
    CHANCE,
    CONNECTIONS,
    FACTOR,
    MASK,
    NOTHING,
    STAY,
    STREAM,
)
from course_utils.checks.exercise import Misconception


def _draw(shape, p, generator):
    return torch.rand(shape, generator=generator, dtype=torch.float64) >= p


def _shared(*axes):
    """Return a mask with one draw for everything along some axes."""

    def draw(shape, p, generator):
        sizes = [1 if n in axes else size for n, size in enumerate(shape)]
        return _draw(sizes, p, generator).expand(shape)

    return draw


def _per_map(shape, p, generator):
    sizes = [*shape[:2], *(1 for _ in shape[2:])]
    return _draw(sizes, p, generator).expand(shape)


def _exact_count(shape, p, generator):
    n = int(np.prod(shape))
    stays = torch.ones(n, dtype=torch.bool)
    stays[torch.randperm(n, generator=generator)[: round(p * n)]] = False
    return stays.reshape(shape)


def _fresh(shape, p, generator):
    return _draw(shape, p, generator or torch.Generator())


def _fixed(shape, p, generator):
    return _draw(shape, p, torch.Generator().manual_seed(0))


def _fixed_global(shape, p, generator):
    if generator is None:
        torch.manual_seed(0)
    return _draw(shape, p, generator)


def _copied_state(shape, p, generator):
    if generator is None:
        return _draw(shape, p, None)
    copy = torch.Generator()
    copy.set_state(generator.get_state())
    return _draw(shape, p, copy)


def _normal(shape, p, generator):
    return torch.randn(shape, generator=generator, dtype=torch.float64) >= p


def _numpy(shape, p, generator):
    return torch.from_numpy(np.random.rand(*shape) >= p)


def _seeds_global(shape, p, generator):
    if generator is not None:
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    return _draw(shape, p, None)


def _scale(x, stays, p):
    return torch.where(stays, x / (1 - p), 0)


def _by(factor):
    return lambda x, stays, p: torch.where(stays, x * factor(p), 0)


def _same(x, p):
    return x.clone()


def _outside(p):
    return not 0 <= p <= 1


def _dropout(
    *,
    draw=_draw,
    scale=_scale,
    evaluation=_same,
    all_gone=lambda x: torch.zeros_like(x),
    refuses=_outside,
    result=lambda y, x: y,
    p_as=lambda p: p,
    always=False,
):
    """Return a wrong dropout: another mask, another factor, another evaluation."""

    def answer(x, p=0.5, training=True, generator=None):
        if refuses(p):
            raise ValueError("p is outside [0, 1]")
        if not (training or always):
            return evaluation(x, p)
        if p == 1 and all_gone is not None:
            return all_gone(x)
        return result(scale(x, draw(x.shape, p_as(p), generator), p), x)

    return answer


def _in_place(y, x):
    return x.copy_(y)


def _noise(x, p=0.5, training=True, generator=None):
    if _outside(p):
        raise ValueError("p is outside [0, 1]")
    if not training or p == 0:
        return x.clone()
    if p == 1:
        return torch.zeros_like(x)
    spread = (p / (1 - p)) ** 0.5
    return x * (1 + spread * torch.randn(x.shape, generator=generator, dtype=x.dtype))


def _off_by_default(x, p=0.5, training=False, generator=None):
    return _dropout()(x, p, training, generator)


def _another_default(x, p=0.1, training=True, generator=None):
    return _dropout()(x, p, training, generator)


DROPOUT_MISCONCEPTIONS = (
    Misconception(
        "off-by-default",
        _off_by_default,
        "Nothing is dropped when training is left out of the call. Its default is True.",
        NOTHING,
    ),
    Misconception(
        "another-p-by-default",
        _another_default,
        "When p is left out of the call, your share of zeros is not one half. Its default is 0.5.",
        CHANCE,
    ),
    Misconception(
        "not-scaled",
        _dropout(scale=_by(lambda p: 1)),
        "Your survivors keep their value, so the result is too small on average. They are divided "
        "by the chance to stay.",
        STAY,
    ),
    Misconception(
        "multiplied-by-the-chance-to-stay",
        _dropout(scale=_by(lambda p: 1 - p)),
        "Your survivors are multiplied by 1 - p. They are divided by it.",
        FACTOR,
    ),
    Misconception(
        "divided-by-p",
        _dropout(scale=_by(lambda p: 1 / p if p else 1)),
        "Your survivors are divided by p, the chance to be dropped. They are divided by the chance "
        "to stay.",
        FACTOR,
    ),
    Misconception(
        "multiplied-by-p",
        _dropout(scale=_by(lambda p: p if p else 1)),
        "Your survivors are multiplied by p. They are divided by the chance to stay.",
        FACTOR,
    ),
    Misconception(
        "variance-kept-not-mean",
        _dropout(scale=_by(lambda p: (1 - p) ** -0.5)),
        "Your survivors are divided by the root of the chance to stay. It is the mean that has to "
        "stay the same, so the root is too much.",
        STAY,
    ),
    Misconception(
        "p-is-the-chance-to-stay",
        _dropout(
            p_as=lambda p: 1 - p,
            scale=_by(lambda p: 1 / p if p else 0),
            all_gone=lambda x: x.clone(),
        ),
        "Your p is the chance to stay. In this course it is the chance to be dropped.",
        CHANCE,
    ),
    Misconception(
        "drops-with-1-minus-p",
        _dropout(p_as=lambda p: 1 - p),
        "Your share of zeros is 1 - p, while the factor is right. The chance to be dropped is p.",
        CHANCE,
    ),
    Misconception(
        "active-in-evaluation",
        _dropout(always=True),
        "Your dropout goes on when training is False. In evaluation the output is the input.",
        NOTHING,
    ),
    Misconception(
        "scaled-down-in-evaluation",
        _dropout(evaluation=lambda x, p: x * (1 - p)),
        "In evaluation your result is multiplied by 1 - p. The survivors were scaled in training, "
        "so nothing is left to do.",
        NOTHING,
    ),
    Misconception(
        "dropout-of-2014",
        _dropout(scale=_by(lambda p: 1), evaluation=lambda x, p: x * (1 - p)),
        "You scale in evaluation and not in training: dropout as it was in 2014. The inverted one "
        "scales in training, and evaluation does nothing.",
        NOTHING,
    ),
    Misconception(
        "scaled-up-in-evaluation",
        _dropout(evaluation=lambda x, p: x / (1 - p) if p < 1 else torch.zeros_like(x)),
        "In evaluation your result is divided by 1 - p. There the output is the input.",
        NOTHING,
    ),
    Misconception(
        "zeros-in-evaluation-at-p-1",
        _dropout(evaluation=lambda x, p: torch.zeros_like(x) if p == 1 else x.clone()),
        "With p = 1 your result is zero in evaluation as well. There the output is the input, "
        "whatever p is.",
        NOTHING,
    ),
    Misconception(
        "nan-at-p-1",
        _dropout(
            scale=lambda x, stays, p: x * stays / torch.tensor(1 - p, dtype=torch.float64),
            all_gone=None,
        ),
        "With p = 1 your result is 0 / 0, not a number. Everything is dropped: zeros.",
        CHANCE,
    ),
    Misconception(
        "p-1-refused",
        _dropout(refuses=lambda p: not 0 <= p < 1),
        "You refuse p = 1. It is allowed, and drops everything.",
        CHANCE,
    ),
    Misconception(
        "p-0-refused",
        _dropout(refuses=lambda p: not 0 < p <= 1),
        "You refuse p = 0. It is allowed, and drops nothing.",
        CHANCE,
    ),
    Misconception(
        "both-ends-refused",
        _dropout(refuses=lambda p: not 0 < p < 1),
        "You refuse p = 0 and p = 1. Both are allowed: the first drops nothing, the second "
        "everything.",
        CHANCE,
    ),
    Misconception(
        "nothing-refused",
        _dropout(refuses=lambda p: False),
        "You give a result for a p outside [0, 1], where it is no probability.",
        CHANCE,
    ),
    Misconception(
        "negative-p-accepted",
        _dropout(refuses=lambda p: p > 1),
        "You give a result for a p below 0, where it is no probability.",
        CHANCE,
    ),
    Misconception(
        "p-above-1-accepted",
        _dropout(refuses=lambda p: p < 0),
        "You give a result for a p above 1, where it is no probability.",
        CHANCE,
    ),
    Misconception(
        "one-mask-for-all-images",
        _dropout(draw=_shared(0)),
        "The same elements are zero in each of your images. Every element of every image has its "
        "own draw.",
        MASK,
    ),
    Misconception(
        "one-mask-for-all-channels",
        _dropout(draw=_shared(1)),
        "The same elements are zero in each of your channels. Every element has its own draw.",
        MASK,
    ),
    Misconception(
        "whole-maps-dropped",
        _dropout(draw=_per_map),
        "Whole maps of yours are zero: that is Dropout2d. Here every element has its own draw.",
        CONNECTIONS,
    ),
    Misconception(
        "whole-columns-dropped",
        _dropout(draw=_shared(2)),
        "The same elements are zero in every row of your maps. Every element has its own draw.",
        MASK,
    ),
    Misconception(
        "whole-rows-dropped",
        _dropout(draw=_shared(3)),
        "Whole rows of your maps are zero. Every element has its own draw.",
        MASK,
    ),
    Misconception(
        "exact-count",
        _dropout(draw=_exact_count),
        "Your number of zeros is the same in every call. Every element has its own draw, so the "
        "number varies around p.",
        MASK,
    ),
    Misconception(
        "drawn-from-normal-numbers",
        _dropout(draw=_normal),
        "Your share of zeros is not p: it is the share of normal numbers below p. Uniform draws "
        "from [0, 1) lie below p with probability p.",
        CHANCE,
    ),
    Misconception(
        "noise-instead-of-zeros",
        _noise,
        "Your result has no zeros: each element is multiplied by normal noise. Dropout sets "
        "elements to zero.",
        STAY,
    ),
    Misconception(
        "generator-ignored",
        _dropout(draw=lambda shape, p, generator: _draw(shape, p, None)),
        "Your mask comes from the global stream even when a generator is given. The draw is asked "
        "of that generator.",
        STREAM,
    ),
    Misconception(
        "new-generator-each-time",
        _dropout(draw=_fresh),
        "Without a generator you get the same mask in every call: a new generator always starts "
        "from the same state. None means the global stream.",
        STREAM,
    ),
    Misconception(
        "always-the-same-mask",
        _dropout(draw=_fixed),
        "Your mask is the same in every call, whatever generator or seed is given. Each call draws "
        "a new one.",
        STREAM,
    ),
    Misconception(
        "seeds-the-global-stream",
        _dropout(draw=_fixed_global),
        "Without a generator you get the same mask in every call, since the global stream is set "
        "back. A function leaves the seed to its caller.",
        STREAM,
    ),
    Misconception(
        "generator-not-moved-on",
        _dropout(draw=_copied_state),
        "Two calls with the same generator give you the same mask. Each call moves the stream on.",
        STREAM,
    ),
    Misconception(
        "global-stream-moved",
        _dropout(draw=_seeds_global),
        "You set the global stream when a generator is given. The generator is a stream of its "
        "own, and the global one is left alone.",
        STREAM,
    ),
    Misconception(
        "numpys-stream",
        _dropout(draw=_numpy),
        "Your mask does not depend on PyTorch's seed or generator. It comes from another library's "
        "stream.",
        STREAM,
    ),
    Misconception(
        "x-overwritten",
        _dropout(result=_in_place),
        "Your result is right, but x is overwritten with it. The caller still needs its data.",
        STAY,
    ),
)
