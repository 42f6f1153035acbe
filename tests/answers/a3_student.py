"""Mistakes that students make in assignment 3, written from its prompts alone."""

import numpy as np
import torch

INFINITY = float("inf")

ODDS = {
    "divides the other way": lambda p: (1 - p) / p,
    "gives the probability": lambda p: p,
    "inverts": lambda p: 1 / p,
    "takes the logarithm": lambda p: torch.log(p / (1 - p)),
    "cuts at the end": lambda p: p / (1 - p).clamp_min(1e-7),
    "adds a little": lambda p: p / (1 - p + 1e-8),
    "divides by 1 plus p": lambda p: p / (1 + p),
    "puts 0 where p is 1": lambda p: torch.where(p == 1, torch.zeros_like(p), p / (1 - p)),
}

LOG_ODDS = {
    "base 10": lambda p: torch.log10(p / (1 - p)),
    "base 2": lambda p: torch.log2(p / (1 - p)),
    "log of p only": lambda p: torch.log(p),
    "the odds": lambda p: p / (1 - p),
    "other sign": lambda p: torch.log((1 - p) / p),
    "log1p": lambda p: torch.log1p(p / (1 - p)),
    "adds the logarithms": lambda p: torch.log(p) + torch.log(1 - p),
    "clamps": lambda p: torch.log(p.clamp(1e-7, 1 - 1e-7) / (1 - p.clamp(1e-7, 1 - 1e-7))),
    "divides the logarithms": lambda p: torch.log(p) / torch.log(1 - p),
    "by math": lambda p: torch.tensor([np.log(q / (1 - q)) for q in p.flatten().tolist()]),
}


def soft(logits, dim=-1):
    powers = torch.exp(logits - logits.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


def log_soft(logits, dim=-1):
    return logits - torch.logsumexp(logits, dim, keepdim=True)


SOFTMAX = {
    "does not shift": lambda logits, dim=-1: (
        torch.exp(logits) / torch.exp(logits).sum(dim, keepdim=True)
    ),
    "shifts by the largest of all": lambda logits, dim=-1: (
        torch.exp(logits - logits.max()) / torch.exp(logits - logits.max()).sum(dim, keepdim=True)
    ),
    "sums everything": lambda logits, dim=-1: (
        torch.exp(logits - logits.max()) / torch.exp(logits - logits.max()).sum()
    ),
    "always the last axis": lambda logits, dim=-1: soft(logits, -1),
    "always axis 1": lambda logits, dim=-1: soft(logits, 1),
    "always the first axis": lambda logits, dim=-1: soft(logits, 0),
    "no exponential": lambda logits, dim=-1: logits / logits.sum(dim, keepdim=True),
    "powers of two": lambda logits, dim=-1: (
        2 ** (logits - logits.amax(dim, keepdim=True))
        / (2 ** (logits - logits.amax(dim, keepdim=True))).sum(dim, keepdim=True)
    ),
    "forgets keepdim": lambda logits, dim=-1: (
        torch.exp(logits - logits.amax(dim, keepdim=True))
        / torch.exp(logits - logits.amax(dim, keepdim=True)).sum(dim)
    ),
    "the logarithm": log_soft,
    "clamps the logits": lambda logits, dim=-1: soft(logits.clamp(-80, 80), dim),
    "subtracts the mean": lambda logits, dim=-1: (
        torch.exp(logits - logits.mean(dim, keepdim=True))
        / torch.exp(logits - logits.mean(dim, keepdim=True)).sum(dim, keepdim=True)
    ),
    "sigmoid": lambda logits, dim=-1: 1 / (1 + torch.exp(-logits)),
    "does not divide": lambda logits, dim=-1: torch.exp(logits - logits.amax(dim, keepdim=True)),
    "one hot": lambda logits, dim=-1: (logits == logits.amax(dim, keepdim=True)).to(logits.dtype),
    "rounds": lambda logits, dim=-1: soft(logits, dim).round(decimals=4),
    "softmin": lambda logits, dim=-1: soft(-logits, dim),
    "adds a little": lambda logits, dim=-1: (
        lambda powers: powers / (powers.sum(dim, keepdim=True) + 1e-3)
    )(torch.exp(logits - logits.amax(dim, keepdim=True))),
}

LOG_SOFTMAX = {
    "log of softmax": lambda logits, dim=-1: torch.log(soft(logits, dim)),
    "adds a little": lambda logits, dim=-1: torch.log(soft(logits, dim) + 1e-8),
    "softmax": soft,
    "does not shift": lambda logits, dim=-1: (
        logits - torch.log(torch.exp(logits).sum(dim, keepdim=True))
    ),
    "does not shift the logits": lambda logits, dim=-1: (
        logits
        - torch.log(torch.exp(logits - logits.amax(dim, keepdim=True)).sum(dim, keepdim=True))
    ),
    "only shifts": lambda logits, dim=-1: logits - logits.amax(dim, keepdim=True),
    "always the last axis": lambda logits, dim=-1: log_soft(logits),
    "base 10": lambda logits, dim=-1: log_soft(logits, dim) / np.log(10),
    "minus": lambda logits, dim=-1: -log_soft(logits, dim),
    "clamps": lambda logits, dim=-1: torch.log(soft(logits, dim).clamp_min(1e-12)),
    "forgets the logarithm of the sum": lambda logits, dim=-1: (
        logits
        - logits.amax(dim, keepdim=True)
        - torch.exp(logits - logits.amax(dim, keepdim=True)).sum(dim, keepdim=True)
    ),
    "sums everything": lambda logits, dim=-1: logits - torch.logsumexp(logits.flatten(), 0),
    "means for sums": lambda logits, dim=-1: (
        logits
        - logits.amax(dim, keepdim=True)
        - torch.log(torch.exp(logits - logits.amax(dim, keepdim=True)).mean(dim, keepdim=True))
    ),
}


def nll(log_probs, target, weight=None, ignore_index=-100, reduction="mean", **other):
    """Return the loss; ``other`` says what is done otherwise."""
    if reduction not in ("none", "sum", "mean") and not other.get("accepts"):
        raise ValueError("reduction")
    counts = target != ignore_index if other.get("ignores", True) else target == target
    labels = torch.where(counts, target, 0)
    weights = torch.ones_like(log_probs[0]) if weight is None else weight
    weights = torch.where(counts, weights[labels], 0)
    picked = log_probs[torch.arange(len(labels)), labels]
    losses = torch.where(counts, -other.get("sign", 1) * weights * picked, 0)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.sum() / other.get("divisor", lambda weights, counts: weights.sum())(
        weights, counts
    )


def nlls(**other):
    def nll_loss(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
        return nll(log_probs, target, weight, ignore_index, reduction, **other)

    return nll_loss


def nll_of_probabilities(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    return nll(torch.log(log_probs), target, weight, ignore_index, reduction)


def nll_by_one_hot(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    """Multiplies with zeros, so that an infinite log-probability becomes nan."""
    if reduction not in ("none", "sum", "mean"):
        raise ValueError("reduction")
    one_hot = torch.zeros_like(log_probs)
    counts = target != ignore_index
    one_hot[counts, target[counts]] = 1
    if weight is not None:
        one_hot = one_hot * weight
    losses = -(one_hot * log_probs).sum(1)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / one_hot.sum()


def nll_dropping_rows(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    counts = target != ignore_index
    return nll(log_probs[counts], target[counts], weight, ignore_index, reduction)


def nll_over_the_largest(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    return nll(log_probs, log_probs.argmax(1), weight, ignore_index, reduction)


NLL = {
    "forgets the minus": nlls(sign=-1),
    "divides by all rows": nlls(divisor=lambda weights, counts: len(counts)),
    "divides by the rows that count": nlls(divisor=lambda weights, counts: counts.sum()),
    "forgets the weights": lambda log_probs, target, weight=None, ignore_index=-100, reduction="mean": (
        nll(log_probs, target, None, ignore_index, reduction)
    ),
    "forgets ignore_index": nlls(ignores=False),
    "takes logarithms again": nll_of_probabilities,
    "multiplies with zeros": nll_by_one_hot,
    "drops ignored rows": nll_dropping_rows,
    "takes the largest class": nll_over_the_largest,
    "refuses nothing": nlls(accepts=True),
    "always the mean": lambda log_probs, target, weight=None, ignore_index=-100, reduction="mean": (
        nll(log_probs, target, weight, ignore_index, "mean")
    ),
    "always the sum": lambda log_probs, target, weight=None, ignore_index=-100, reduction="mean": (
        nll(log_probs, target, weight, ignore_index, "sum")
    ),
    "gives a float": lambda log_probs, target, weight=None, ignore_index=-100, reduction="mean": (
        nll(log_probs, target, weight, ignore_index, reduction).sum().item()
    ),
    "ignores -100 only": lambda log_probs, target, weight=None, ignore_index=-100, reduction="mean": (
        nll(log_probs, target, weight, -100, reduction)
    ),
    "gives 0 if all is ignored": nlls(
        divisor=lambda weights, counts: weights.sum() if counts.any() else torch.tensor(1.0)
    ),
}


def cross(
    logits,
    target,
    weight=None,
    ignore_index=-100,
    reduction="mean",
    label_smoothing=0.0,
    of=log_soft,
    part=lambda e, c: (1 - e, e / c),
    spread_weight=lambda weight: weight,
    spread_counts=True,
    spread_mean=lambda spread, weights, counts: spread.sum() / weights.sum(),
):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError("reduction")
    log_probs = of(logits, 1)
    weight = torch.ones_like(logits[0]) if weight is None else weight
    counts = target != ignore_index
    loss = nll(log_probs, target, weight, ignore_index, reduction)
    spread = -(log_probs * spread_weight(weight)).sum(1)
    if spread_counts:
        spread = torch.where(counts, spread, 0)
    if reduction == "sum":
        spread = spread.sum()
    if reduction == "mean":
        spread = spread_mean(spread, weight[target[counts]], counts)
    a, b = part(label_smoothing, logits.shape[1])
    return a * loss + b * spread


def crosses(**other):
    def cross_entropy(
        logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
    ):
        return cross(logits, target, weight, ignore_index, reduction, label_smoothing, **other)

    return cross_entropy


def cross_without(*names):
    def cross_entropy(
        logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
    ):
        given = {
            "weight": weight,
            "ignore_index": ignore_index,
            "reduction": reduction,
            "label_smoothing": label_smoothing,
        }
        return cross(logits, target, **{k: v for k, v in given.items() if k not in names})

    return cross_entropy


CROSS = {
    "forgets the smoothing": cross_without("label_smoothing"),
    "forgets the weights": cross_without("weight"),
    "forgets ignore_index": cross_without("ignore_index"),
    "always the mean": cross_without("reduction"),
    "softmax twice": crosses(of=lambda logits, dim: log_soft(soft(logits, dim), dim)),
    "logits as log-probabilities": crosses(of=lambda logits, dim: logits),
    "log of softmax": crosses(of=lambda logits, dim: torch.log(soft(logits, dim))),
    "softmax over the batch": crosses(of=lambda logits, dim: log_soft(logits, 0)),
    "spreads over the other classes": crosses(part=lambda e, c: (1 - e - e / (c - 1), e / (c - 1))),
    "keeps the label whole": crosses(part=lambda e, c: (1, e / c)),
    "does not divide by C": crosses(part=lambda e, c: (1 - e, e)),
    "spreads without weights": crosses(spread_weight=lambda weight: torch.ones_like(weight)),
    "smooths ignored rows": crosses(spread_counts=False),
    "takes the mean of the second part by rows": crosses(
        spread_mean=lambda spread, weights, counts: spread.sum() / counts.sum()
    ),
    "adds without the factor": crosses(part=lambda e, c: (1 - e, 1 / c)),
    "shares e over the wrong part": crosses(part=lambda e, c: (e, (1 - e) / c)),
}


def one_hot(logits, target):
    return torch.nn.functional.one_hot(target, logits.shape[1]).to(logits.dtype)


GRADIENT = {
    "of the sum": lambda logits, target: soft(logits, 1) - one_hot(logits, target),
    "other sign": lambda logits, target: (one_hot(logits, target) - soft(logits, 1)) / len(logits),
    "divides by all numbers": lambda logits, target: (
        (soft(logits, 1) - one_hot(logits, target)) / logits.numel()
    ),
    "divides by the classes": lambda logits, target: (
        (soft(logits, 1) - one_hot(logits, target)) / logits.shape[1]
    ),
    "no one hot": lambda logits, target: soft(logits, 1) / len(logits),
    "logits for probabilities": lambda logits, target: (
        (logits - one_hot(logits, target)) / len(logits)
    ),
    "softmax over the batch": lambda logits, target: (
        (soft(logits, 0) - one_hot(logits, target)) / len(logits)
    ),
    "takes the label off": lambda logits, target: (soft(logits, 1) - target[:, None]) / len(logits),
    "adds up the batch": lambda logits, target: (soft(logits, 1) - one_hot(logits, target)).mean(0),
    "log softmax": lambda logits, target: (
        (log_soft(logits, 1) - one_hot(logits, target)) / len(logits)
    ),
    "only at the label": lambda logits, target: (
        (soft(logits, 1) - 1) * one_hot(logits, target) / len(logits)
    ),
    "does not shift": lambda logits, target: (
        (torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True) - one_hot(logits, target))
        / len(logits)
    ),
    "times the gradient of softmax": lambda logits, target: (
        (soft(logits, 1) - one_hot(logits, target))
        * soft(logits, 1)
        * (1 - soft(logits, 1))
        / len(logits)
    ),
}


def bce(logits, target):
    return logits.clamp_min(0) - logits * target + torch.log1p(torch.exp(-logits.abs()))


def probability(logits):
    return 1 / (1 + torch.exp(-logits))


BCE = {
    "sums": lambda logits, target: bce(logits, target).sum(),
    "does not reduce": bce,
    "by logarithms of the sigmoid": lambda logits, target: (
        -(
            target * torch.log(probability(logits))
            + (1 - target) * torch.log(1 - probability(logits))
        ).mean()
    ),
    "adds a little": lambda logits, target: (
        -(
            target * torch.log(probability(logits) + 1e-7)
            + (1 - target) * torch.log(1 - probability(logits) + 1e-7)
        ).mean()
    ),
    "forgets the no": lambda logits, target: -(target * -torch.log1p(torch.exp(-logits))).mean(),
    "other sign": lambda logits, target: -bce(logits, target).mean(),
    "swaps yes and no": lambda logits, target: bce(logits, 1 - target).mean(),
    "mean over the first axis": lambda logits, target: bce(logits, target).mean(0),
    "takes probabilities": lambda logits, target: (
        -(target * torch.log(logits) + (1 - target) * torch.log(1 - logits)).mean()
    ),
    "softplus without the bend": lambda logits, target: (
        torch.log(1 + torch.exp(logits)) - logits * target
    ).mean(),
    "rounds the target": lambda logits, target: bce(logits, target.round()).mean(),
    "gives a float": lambda logits, target: bce(logits, target).mean().item(),
    "divides by the batch": lambda logits, target: bce(logits, target).sum() / len(logits),
    "forgets the absolute value": lambda logits, target: (
        logits.clamp_min(0) - logits * target + torch.log1p(torch.exp(-logits))
    ).mean(),
}

WRONG = {
    "odds": ODDS,
    "log_odds": LOG_ODDS,
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
    "nll_loss": NLL,
    "cross_entropy": CROSS,
    "cross_entropy_grad": GRADIENT,
    "bce_with_logits": BCE,
}
