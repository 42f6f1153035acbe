"""Assignment 4: wrong batch norms, each with a name and what it shows."""

import torch
from torch import Tensor

from course_utils.checks.a4_rules import (
    AFFINE,
    BATCH_IN_EVAL,
    BIASED,
    EACH_IMAGE,
    EPSILON,
    MOMENTUM,
    ONE_VALUE,
    PER_CHANNEL,
    READ_ONLY,
    WHOLE_TENSOR,
)
from course_utils.checks.exercise import Misconception

_CHANNEL = (0, 2, 3)


def _plane(vector):
    return vector[:, None, None]


def _one_value(x):
    return x.shape[0] * x.shape[2] * x.shape[3] == 1


def _per_channel(values, n):
    """Return statistics of any axes as one number per channel."""
    if values.shape[1] == 1:
        return values.mean().expand(n).clone()
    return values.mean(dim=_CHANNEL)


def _divide(centred, variance, eps):
    return centred / (variance + eps).sqrt()


def _affine(y, gamma, beta):
    return _plane(gamma) * y + _plane(beta)


def _norm(
    *,
    axes=_CHANNEL,
    divide=_divide,
    affine=_affine,
    spread=lambda x, mean, axes: ((x - mean) ** 2).mean(axes, keepdim=True),
    output_unbiased=False,
    buffer_unbiased=True,
    stored=lambda variance, eps: variance,
    new_share=lambda momentum: (momentum, momentum),
    old_share=lambda share: 1 - share,
    eps_as=lambda eps: eps,
    uses=lambda training: "batch" if training else "running",
    updates=lambda training: training,
    refuses=lambda x, training: training and _one_value(x),
    result=lambda y, mean, variance: (y, mean, variance),
):
    """Return a wrong batch norm: other axes, other formula, other statistics."""

    def answer(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
        if refuses(x, training):
            raise ValueError("one value per channel")
        eps = eps_as(eps)
        mean = x.mean(axes, keepdim=True)
        variance = spread(x, mean, axes)
        n = x.numel() // mean.numel()
        unbiased = variance * n / (n - 1) if n > 1 else variance
        new_mean, new_var = running_mean.clone(), running_var.clone()
        if updates(training):
            shares = new_share(momentum)
            batch_mean = _per_channel(mean, x.shape[1])
            batch_var = _per_channel(unbiased if buffer_unbiased else variance, x.shape[1])
            new_mean = old_share(shares[0]) * running_mean + shares[0] * batch_mean
            new_var = old_share(shares[1]) * running_var + shares[1] * stored(batch_var, eps)
        source = uses(training)
        if source == "batch":
            middle, width = mean, unbiased if output_unbiased else variance
        elif source == "running":
            middle, width = _plane(running_mean), _plane(running_var)
        else:
            middle, width = _plane(new_mean), _plane(new_var)
        y = affine(divide(x - middle, width, eps), gamma, beta)
        return result(y, new_mean, new_var)

    return answer


def _plain_in_evaluation(x, gamma, beta, running_mean, running_var, training, *settings, **named):
    if not training:
        gamma, beta = torch.ones_like(gamma), torch.zeros_like(beta)
    return _norm()(x, gamma, beta, running_mean, running_var, training, *settings, **named)


def _no_eps_in_evaluation(
    x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5
):
    used = eps if training else 0.0
    return _norm()(x, gamma, beta, running_mean, running_var, training, momentum, used)


def _absolute_deviation(x: Tensor, mean: Tensor, axes: tuple[int, ...]) -> Tensor:
    return (x - mean).abs().mean(axes, keepdim=True) ** 2


NORM_MISCONCEPTIONS = (
    Misconception(
        "whole-tensor-statistics",
        _norm(axes=(0, 1, 2, 3)),
        "Your mean and variance are those of the whole tensor, so every channel is shifted and "
        "scaled alike. Each channel has its own, over the images, rows and columns.",
        WHOLE_TENSOR,
    ),
    Misconception(
        "each-image-by-itself",
        _norm(axes=(2, 3)),
        "Each of your images is normalised by its own mean and variance: that is instance "
        "normalisation. Batch normalisation averages over the images as well.",
        EACH_IMAGE,
    ),
    Misconception(
        "layer-statistics",
        _norm(axes=(1, 2, 3)),
        "Your mean and variance run over the channels of an image: that is layer normalisation. "
        "Batch normalisation has one pair per channel, over all images.",
        EACH_IMAGE,
    ),
    Misconception(
        "each-pixel-by-itself",
        _norm(axes=(0,)),
        "Each pixel of your maps has a mean and a variance of its own, over the images only. All "
        "places of a channel share one pair.",
        PER_CHANNEL,
    ),
    Misconception(
        "each-column-by-itself",
        _norm(axes=(0, 2)),
        "Your statistics differ from column to column. All places of a channel share one pair.",
        PER_CHANNEL,
    ),
    Misconception(
        "each-row-by-itself",
        _norm(axes=(0, 3)),
        "Your statistics differ from row to row. All places of a channel share one pair.",
        PER_CHANNEL,
    ),
    Misconception(
        "mean-not-taken-off-the-variance",
        _norm(spread=lambda x, mean, axes: (x**2).mean(axes, keepdim=True)),
        "Your variance is the mean of the squares. It is the mean of the squared distances from "
        "the mean.",
        PER_CHANNEL,
    ),
    Misconception(
        "absolute-deviation",
        _norm(spread=_absolute_deviation),
        "Your spread is the mean distance from the mean. The variance is the mean of the squared "
        "distances.",
        PER_CHANNEL,
    ),
    Misconception(
        "eps-outside-the-root",
        _norm(divide=lambda centred, variance, eps: centred / (variance.sqrt() + eps)),
        "Your eps is added to the standard deviation. It is added to the variance, before the "
        "root.",
        EPSILON,
    ),
    Misconception(
        "eps-forgotten",
        _norm(divide=lambda centred, variance, eps: centred / variance.sqrt()),
        "Your result does not depend on eps, so a channel without spread is divided by zero. The "
        "variance gets eps added under the root.",
        EPSILON,
    ),
    Misconception(
        "eps-forgotten-in-evaluation",
        _no_eps_in_evaluation,
        "In evaluation your result does not depend on eps. It is added to the running variance as "
        "it is to a batch's.",
        EPSILON,
    ),
    Misconception(
        "eps-always-1e-5",
        _norm(eps_as=lambda eps: 1e-5),
        "Your result is the one for eps = 1e-5, whatever eps is given.",
        EPSILON,
    ),
    Misconception(
        "eps-squared",
        _norm(divide=lambda centred, variance, eps: centred / (variance + eps**2).sqrt()),
        "Your eps is squared under the root. It is added to the variance as it is.",
        EPSILON,
    ),
    Misconception(
        "eps-stored-in-the-variance",
        _norm(stored=lambda variance, eps: variance + eps),
        "Your running variance contains eps. It protects the division only; what is stored is the "
        "batch's variance.",
        EPSILON,
    ),
    Misconception(
        "divided-by-the-variance",
        _norm(divide=lambda centred, variance, eps: centred / (variance + eps)),
        "Your values are divided by the variance. The divisor is its root.",
        PER_CHANNEL,
    ),
    Misconception(
        "only-centred",
        _norm(divide=lambda centred, variance, eps: centred),
        "Your values have lost their mean but kept their spread. Normalising divides by the "
        "spread, too.",
        PER_CHANNEL,
    ),
    Misconception(
        "gamma-and-beta-forgotten",
        _norm(affine=lambda y, gamma, beta: y),
        "Your result does not depend on gamma and beta. The normalised values are scaled and "
        "shifted, channel by channel.",
        AFFINE,
    ),
    Misconception(
        "gamma-forgotten",
        _norm(affine=lambda y, gamma, beta: y + _plane(beta)),
        "Your result does not depend on gamma, the scale of each channel.",
        AFFINE,
    ),
    Misconception(
        "beta-forgotten",
        _norm(affine=lambda y, gamma, beta: _plane(gamma) * y),
        "Your result does not depend on beta, the shift of each channel.",
        AFFINE,
    ),
    Misconception(
        "gamma-and-beta-along-the-width",
        _norm(affine=lambda y, gamma, beta: gamma * y + beta),
        "Your gamma and beta follow the columns of a map: a vector is lined up with the last axis. "
        "The channels are axis 1.",
        AFFINE,
    ),
    Misconception(
        "gamma-and-beta-swapped",
        _norm(affine=lambda y, gamma, beta: _affine(y, beta, gamma)),
        "Your values are scaled by beta and shifted by gamma. It is the other way round.",
        AFFINE,
    ),
    Misconception(
        "shift-scaled-too",
        _norm(affine=lambda y, gamma, beta: _plane(gamma) * (y + _plane(beta))),
        "Your beta is multiplied by gamma. The shift comes after the scale, and is not scaled.",
        AFFINE,
    ),
    Misconception(
        "one-gamma-for-all-channels",
        _norm(affine=lambda y, gamma, beta: y * gamma[0] + beta[0]),
        "All your channels get the gamma and beta of the first. Each has its own.",
        AFFINE,
    ),
    Misconception(
        "no-gamma-and-beta-in-evaluation",
        _plain_in_evaluation,
        "In evaluation your values are neither scaled by gamma nor shifted by beta. Both are used "
        "in either mode.",
        AFFINE,
    ),
    Misconception(
        "unbiased-in-the-output",
        _norm(output_unbiased=True),
        "Your output is divided by the root of the unbiased variance (n - 1). The batch's own "
        "variance, over n, normalises it; the unbiased one is only stored.",
        BIASED,
    ),
    Misconception(
        "biased-in-the-buffer",
        _norm(buffer_unbiased=False),
        "Your running variance collects the biased variance (over n). What is stored is the "
        "unbiased one (over n - 1).",
        BIASED,
    ),
    Misconception(
        "both-variances-swapped",
        _norm(output_unbiased=True, buffer_unbiased=False),
        "You normalise with the variance over n - 1 and store the one over n. It is the other way "
        "round.",
        BIASED,
    ),
    Misconception(
        "deviation-in-the-buffer",
        _norm(stored=lambda variance, eps: variance.sqrt()),
        "Your running variance collects standard deviations. What is stored is the variance.",
        BIASED,
    ),
    Misconception(
        "momentum-reversed",
        _norm(new_share=lambda momentum: (1 - momentum, 1 - momentum)),
        "Your momentum multiplies the old running statistics. Here it is the weight of the new "
        "batch.",
        MOMENTUM,
    ),
    Misconception(
        "new-share-only-added",
        _norm(old_share=lambda share: 1),
        "Your running statistics grow from batch to batch: the new share is added, and nothing of "
        "the old is taken off. The two shares, 1 - momentum and momentum, add up to 1.",
        MOMENTUM,
    ),
    Misconception(
        "momentum-always-0.1",
        _norm(new_share=lambda momentum: (0.1, 0.1)),
        "Your running statistics move by a tenth, whatever momentum is given.",
        MOMENTUM,
    ),
    Misconception(
        "momentum-only-for-the-mean",
        _norm(new_share=lambda momentum: (momentum, 1.0)),
        "Your running variance is the batch's alone. It moves by momentum, like the mean.",
        MOMENTUM,
    ),
    Misconception(
        "running-variance-never-moved",
        _norm(new_share=lambda momentum: (momentum, 0.0)),
        "Your running variance comes back as it was given. In training it moves by momentum, like "
        "the mean.",
        MOMENTUM,
    ),
    Misconception(
        "batch-replaces-the-running",
        _norm(new_share=lambda momentum: (1.0, 1.0)),
        "Your running statistics are those of this batch alone. They keep a share of 1 - momentum "
        "of what they were.",
        MOMENTUM,
    ),
    Misconception(
        "running-never-moved",
        _norm(updates=lambda training: False),
        "In training your running statistics come back as they were given. They move towards the "
        "batch's by momentum.",
        MOMENTUM,
    ),
    Misconception(
        "running-used-in-training",
        _norm(uses=lambda training: "running"),
        "In training your output is normalised with the running statistics. It is normalised with "
        "the batch's own.",
        PER_CHANNEL,
    ),
    Misconception(
        "updated-running-used-in-training",
        _norm(uses=lambda training: "updated"),
        "In training your output is normalised with the running statistics after their update. It "
        "is normalised with the batch's own.",
        PER_CHANNEL,
    ),
    Misconception(
        "batch-statistics-in-evaluation",
        _norm(uses=lambda training: "batch"),
        "In evaluation your output depends on the rest of the batch. It is normalised with the "
        "running statistics.",
        BATCH_IN_EVAL,
    ),
    Misconception(
        "running-moved-in-evaluation",
        _norm(updates=lambda training: True),
        "In evaluation your running statistics move. They are read, and come back as they were.",
        READ_ONLY,
    ),
    Misconception(
        "always-training",
        _norm(uses=lambda training: "batch", updates=lambda training: True),
        "Your result does not depend on training. In evaluation the running statistics are used "
        "and come back as they were.",
        READ_ONLY,
    ),
    Misconception(
        "always-evaluation",
        _norm(
            uses=lambda training: "running",
            updates=lambda training: False,
            refuses=lambda x, training: False,
        ),
        "Your result does not depend on training. In training the batch's own statistics are used, "
        "and the running ones move.",
        PER_CHANNEL,
    ),
    Misconception(
        "modes-swapped",
        _norm(
            uses=lambda training: "running" if training else "batch",
            updates=lambda training: not training,
            refuses=lambda x, training: not training and _one_value(x),
        ),
        "You do in training what belongs to evaluation, and the reverse.",
        READ_ONLY,
    ),
    Misconception(
        "mean-and-variance-swapped",
        _norm(result=lambda y, mean, variance: (y, variance, mean)),
        "Your second and third result are swapped: the running mean comes before the running "
        "variance.",
        MOMENTUM,
    ),
    Misconception(
        "one-value-accepted",
        _norm(refuses=lambda x, training: False),
        "You give a result for one value per channel in training. It would be beta for every "
        "input, and the unbiased variance 0/0; so it is refused.",
        ONE_VALUE,
    ),
    Misconception(
        "one-value-refused-in-evaluation",
        _norm(refuses=lambda x, training: _one_value(x)),
        "You refuse one value per channel in evaluation as well. There nothing is averaged, so "
        "one value is enough.",
        ONE_VALUE,
    ),
    Misconception(
        "batch-of-one-refused",
        _norm(refuses=lambda x, training: training and x.shape[0] == 1),
        "In training you refuse a batch of one image. Its rows and columns give enough values; "
        "only one value per channel is too few.",
        ONE_VALUE,
    ),
    Misconception(
        "maps-of-one-pixel-refused",
        _norm(refuses=lambda x, training: training and x.shape[2:].numel() == 1),
        "In training you refuse maps of one pixel. Several images give enough values; only one "
        "value per channel is too few.",
        ONE_VALUE,
    ),
)
