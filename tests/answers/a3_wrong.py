"""Wrong answers to assignment 3; none is copied from the registered misconceptions."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from answers.a3_right import (
    bce_with_logits_by_softplus,
    cross_entropy_by_formula,
    cross_entropy_grad_by_one_hot,
    log_odds_by_difference,
    log_softmax_by_maximum,
    nll_loss_by_indices,
    odds_by_quotient,
    softmax_by_maximum,
)
from course_utils.checks import a3_gradients, a3_losses, a3_softmax


def _changed(answer, change):
    """Return an answer whose result is changed."""
    return lambda *args, **kwargs: change(answer(*args, **kwargs))


def _to_float32(answer):
    return lambda *args, **kwargs: answer(*args, **kwargs).float()


def _spoils_its_input(answer):
    def spoiling(*args, **kwargs):
        result = answer(*args, **kwargs)
        [*args, *kwargs.values()][0].zero_()
        return result

    return spoiling


# --- softmax ----------------------------------------------------------------------------------


def _softmax_below_88(logits, dim=-1):
    if logits.max() > 88:
        logits = logits - logits.max()
    return logits.exp() / logits.exp().sum(dim, keepdim=True)


def _softmax_scaled_when_large(logits, dim=-1):
    while logits.abs().max() > 80:
        logits = logits / 2
    return softmax_by_maximum(logits, dim)


def _softmax_one_hot_when_large(logits, dim=-1):
    top = logits.amax(dim, keepdim=True)
    usual = softmax_by_maximum(logits, dim)
    return torch.where(top > 88, (logits == top).to(logits.dtype), usual)


def _softmax_rounded(logits, dim=-1):
    return (softmax_by_maximum(logits, dim) * 1e4).round() / 1e4


def _softmax_of_two_axes(logits, dim=-1):
    if logits.dim() > 2:
        logits = logits.reshape(logits.shape[0], -1)
    return softmax_by_maximum(logits, dim)


def _softmax_by_columns(logits, dim=-1):
    return torch.stack([softmax_by_maximum(row, -1) for row in logits])


def _softmax_dim_or_last(logits, dim=-1):
    return softmax_by_maximum(logits, dim or -1)  # 0 is false


def _log_softmax_floor(logits, dim=-1):
    return log_softmax_by_maximum(logits, dim).clamp_min(-1e4)


def _log_softmax_half(logits, dim=-1):
    return log_softmax_by_maximum(logits.half(), dim).to(logits.dtype)


def _log_softmax_max_of_batch_sum_of_row(logits, dim=-1):
    top = logits.max()
    return logits - top - torch.log((logits - top).exp().sum(dim, keepdim=True) + 1e-30)


def _log_softmax_sum_over_logs(logits, dim=-1):
    return logits - logits.sum(dim, keepdim=True).abs().log()


# --- losses of labels -------------------------------------------------------------------------


def _with_defaults_of(answer, **fixed):
    """Return an answer that ignores some of its settings."""
    names = ("weight", "ignore_index", "reduction", "label_smoothing")

    def forgetful(values, target, *settings, **more):
        given = {**dict(zip(names, settings, strict=False)), **more, **fixed}
        return answer(values, target, **given)

    return forgetful


def _nll_by_filter_first(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    kept = target != ignore_index
    return nll_loss_by_indices(log_probs[kept], target[kept], weight, -100, reduction)


def _nll_weighted_rows(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction != "mean" or weight is None:
        return nll_loss_by_indices(log_probs, target, weight, ignore_index, reduction)
    losses = nll_loss_by_indices(log_probs, target, weight, ignore_index, "none")
    return losses.mean()


def _nll_by_matrix(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    w = torch.ones_like(log_probs[0]) if weight is None else weight
    kept = (target != ignore_index).to(log_probs.dtype)
    y = torch.where(target == ignore_index, 0, target)
    table = F.one_hot(y, log_probs.shape[1]) * kept[:, None] * w
    losses = -(table * log_probs).sum(1)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / table.sum()


def _nll_refuses_out_of_range(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    inside = (target >= 0) & (target < log_probs.shape[1])
    if not (inside | (target == -100)).all():
        raise IndexError("target out of range")
    return nll_loss_by_indices(log_probs, target, weight, ignore_index, reduction)


def _nll_refuses_empty(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if (target == ignore_index).all():
        raise ValueError("nothing to average")
    return nll_loss_by_indices(log_probs, target, weight, ignore_index, reduction)


def _nll_accepts_parts(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    known = next((name for name in ("none", "sum", "mean") if reduction in name), reduction)
    return nll_loss_by_indices(log_probs, target, weight, ignore_index, known)


def _nll_plus_epsilon(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction != "mean":
        return nll_loss_by_indices(log_probs, target, weight, ignore_index, reduction)
    total = nll_loss_by_indices(log_probs, target, weight, ignore_index, "sum")
    w = torch.ones_like(log_probs[0]) if weight is None else weight
    return total / (w[target[target != ignore_index]].sum() + 1e-8)


def _nll_spoils_target(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    result = nll_loss_by_indices(log_probs, target, weight, ignore_index, reduction)
    target[target == ignore_index] = 0
    return result


def _nll_ignored_by_weight(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    weight = torch.ones_like(log_probs[0]) if weight is None else weight.clone()
    weight[ignore_index % len(weight)] = 0
    return nll_loss_by_indices(log_probs, target % len(weight), weight, -100, reduction)


def _smoothing(mix, mean_of="labels"):
    """Return a cross-entropy whose smoothing is mixed in another way."""

    def answer(
        logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
    ):
        usual = cross_entropy_by_formula(logits, target, weight, ignore_index, reduction)
        if not label_smoothing:
            return usual
        w = torch.ones_like(logits[0]) if weight is None else weight
        log_p = log_softmax_by_maximum(logits, 1)
        kept = target != ignore_index
        y = torch.where(kept, target, 0)
        losses = mix(log_p, y, w, label_smoothing).where(kept, 0)
        if reduction == "none":
            return losses
        divisors = {"labels": w[y].where(kept, 0).sum(), "rows": kept.sum()}
        return losses.sum() if reduction == "sum" else losses.sum() / divisors[mean_of]

    return answer


def _pick(log_p, y):
    return -log_p[torch.arange(len(y)), y]


def _smooth_only_plain(log_p, y, w, e):
    return w[y] * ((1 - e) * _pick(log_p, y) - e * log_p.mean(1))


def _smooth_right(log_p, y, w, e):
    return (1 - e) * w[y] * _pick(log_p, y) - e * (log_p * w).mean(1)


def _smooth_normalised_weights(log_p, y, w, e):
    return (1 - e) * w[y] * _pick(log_p, y) - e * (log_p * w).sum(1) / w.sum()


def _smooth_logs(log_p, y, w, e):
    p = log_p.exp() * (1 - e) + e / log_p.shape[1]
    return -w[y] * torch.log(p[torch.arange(len(y)), y])


def _entropy_from_scaled(logits, target, *settings, **more):
    return cross_entropy_by_formula(logits / math.sqrt(logits.shape[1]), target, *settings, **more)


def _entropy_of_float(logits, target, *settings, **more):
    return cross_entropy_by_formula(logits, target, *settings, **more).item()


def _entropy_plus_entropy(logits, target, *settings, **more):
    p = softmax_by_maximum(logits, 1)
    entropy = -(p * torch.log(p.clamp_min(1e-30))).sum(1).mean()
    return cross_entropy_by_formula(logits, target, *settings, **more) - entropy


# --- the gradient and one logit ---------------------------------------------------------------


def _gradient_numeric(logits, target):
    result, step = torch.zeros_like(logits), 1e-3
    for index in np.ndindex(*logits.shape):
        up, down = logits.clone(), logits.clone()
        up[index] += step
        down[index] -= step
        difference = cross_entropy_by_formula(up, target) - cross_entropy_by_formula(down, target)
        result[index] = difference / (2 * step)
    return result


def _gradient_in_place(logits, target):
    logits.sub_(logits.amax(1, keepdim=True)).exp_()
    p = logits / logits.sum(1, keepdim=True)
    return (p - F.one_hot(target, logits.shape[1])) / len(logits)


def _gradient_transposed(logits, target):
    return cross_entropy_grad_by_one_hot(logits, target).T


def _gradient_set_to_minus_one(logits, target):
    p = softmax_by_maximum(logits, 1)
    p[torch.arange(len(target)), target] = -1
    return p / len(target)


def _gradient_first_label(logits, target):
    p = softmax_by_maximum(logits, 1)
    p[:, target[0]] -= 1
    return p / len(target)


def _bce_by_sign(logits, target):
    return torch.where(target > 0, F.softplus(-logits), F.softplus(logits)).mean()


def _bce_clamped(logits, target):
    return bce_with_logits_by_softplus(logits.clamp(-88, 88), target)


def _bce_balanced(logits, target):
    yes, no = target * F.softplus(-logits), (1 - target) * F.softplus(logits)
    return yes.sum() / target.sum() + no.sum() / (1 - target).sum()


def _bce_with_tanh(logits, target):
    p = (1 + torch.tanh(logits / 2)) / 2
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


def _bce_half(logits, target):
    return (torch.relu(logits) - logits * target + math.log(2)).mean()


WRONG = {
    "odds": {
        "finite at 1": lambda p: (p / (1 - p)).clamp_max(1e4),
        "squared": lambda p: (p / (1 - p)) ** 2,
        "rounded": lambda p: (p / (1 - p)).round(decimals=2),
        "float32 always": _to_float32(odds_by_quotient),
        "a list": lambda p: odds_by_quotient(p).tolist(),
        "the input spoiled": _spoils_its_input(odds_by_quotient),
        "flattened": lambda p: odds_by_quotient(p).flatten(),
        "the sum": lambda p: odds_by_quotient(p).sum(),
        "percent": lambda p: p / (100 - p),
        "in place": lambda p: p.div_(1 - p),
        "-inf at 1": lambda p: p / -(p - 1).abs(),
    },
    "log_odds": {
        "finite ends": lambda p: log_odds_by_difference(p).clamp(-20, 20),
        "-inf at both ends": lambda p: -log_odds_by_difference(p).abs(),
        "inf at both ends": lambda p: torch.where(p == 0, math.inf, log_odds_by_difference(p)),
        "log1p": lambda p: torch.log1p(p) - torch.log1p(-p),
        "probit": lambda p: torch.special.ndtri(p),
        "half": lambda p: log_odds_by_difference(p) / 2,
        "float32 always": _to_float32(log_odds_by_difference),
        "linear": lambda p: 4 * (p - 0.5),
        "the input spoiled": _spoils_its_input(log_odds_by_difference),
        "eps 1e-5": lambda p: torch.log((p + 1e-5) / (1 - p + 1e-5)),
        "0.99 at most": lambda p: log_odds_by_difference(p.clamp(0.02, 0.98)),
        "surprise": lambda p: -torch.log(1 - p),
    },
    "softmax": {
        "one maximum where large": _softmax_below_88,
        "halved where large": _softmax_scaled_when_large,
        "one-hot where large": _softmax_one_hot_when_large,
        "rounded": _softmax_rounded,
        "two axes only": _softmax_of_two_axes,
        "row by row": _softmax_by_columns,
        "dim 0 is the last": _softmax_dim_or_last,
        "float32 always": _to_float32(softmax_by_maximum),
        "a temperature": lambda logits, dim=-1: softmax_by_maximum(logits / 2, dim),
        "the input spoiled": _spoils_its_input(softmax_by_maximum),
        "NumPy": lambda logits, dim=-1: softmax_by_maximum(logits, dim).numpy(),
        "dim fixed": lambda logits: softmax_by_maximum(logits, -1),
        "half inside": lambda x, dim=-1: softmax_by_maximum(x.half().float(), dim).to(x.dtype),
        "one class more": lambda x, dim=-1: x.exp() / (1 + x.exp().sum(dim, keepdim=True)),
        "squeezed": _changed(softmax_by_maximum, torch.squeeze),
    },
    "log_softmax": {
        "a floor at -10000": _log_softmax_floor,
        "half inside": _log_softmax_half,
        "one maximum and an epsilon": _log_softmax_max_of_batch_sum_of_row,
        "logarithm of the sum of logits": _log_softmax_sum_over_logs,
        "float32 always": _to_float32(log_softmax_by_maximum),
        "the input spoiled": _spoils_its_input(log_softmax_by_maximum),
        "dim 0 is the last": lambda x, dim=-1: log_softmax_by_maximum(x, dim or -1),
        "-1e9 for -inf": lambda x, dim=-1: (
            softmax_by_maximum(x, dim).log().masked_fill(x.isinf(), -1e9)
        ),
        "log1p": lambda x, dim=-1: torch.log1p(softmax_by_maximum(x, dim) - 1),
        "log of float64": lambda x, dim=-1: softmax_by_maximum(x.double(), dim).log().to(x.dtype),
        "maximum of all and log-sum-exp": lambda x, dim=-1: x - torch.logsumexp(x.flatten(), 0),
        "a list of rows": lambda x, dim=-1: list(log_softmax_by_maximum(x, dim)),
    },
    "nll_loss": {
        "filtered first": _nll_by_filter_first,
        "mean of weighted losses": _nll_weighted_rows,
        "0 * inf": _nll_by_matrix,
        "out of range refused": _nll_refuses_out_of_range,
        "empty refused": _nll_refuses_empty,
        "parts of names": _nll_accepts_parts,
        "an epsilon in the divisor": _nll_plus_epsilon,
        "the target spoiled": _nll_spoils_target,
        "ignored by weight": _nll_ignored_by_weight,
        "float32 always": _to_float32(nll_loss_by_indices),
        "a float": _changed(nll_loss_by_indices, lambda loss: loss.sum().item()),
        "no reductions": _with_defaults_of(nll_loss_by_indices, reduction="mean"),
        "no ignore_index": _with_defaults_of(nll_loss_by_indices, ignore_index=-100),
        "no weight": _with_defaults_of(nll_loss_by_indices, weight=None),
        "nan becomes 0": _changed(nll_loss_by_indices, torch.nan_to_num),
        "absolute": lambda log_probs, target, **more: nll_loss_by_indices(
            -log_probs.abs(), target, **{**more, "reduction": "mean"}
        ),
    },
    "cross_entropy": {
        "smoothing with the label's weight": _smoothing(_smooth_only_plain),
        "smoothing divided by rows": _smoothing(_smooth_right, "rows"),
        "smoothing with normalised weights": _smoothing(_smooth_normalised_weights),
        "smoothed probabilities": _smoothing(_smooth_logs),
        "no smoothing": _with_defaults_of(cross_entropy_by_formula, label_smoothing=0.0),
        "always smoothing": _with_defaults_of(cross_entropy_by_formula, label_smoothing=0.1),
        "no weight": _with_defaults_of(cross_entropy_by_formula, weight=None),
        "no ignore_index": _with_defaults_of(cross_entropy_by_formula, ignore_index=-100),
        "no reductions": _with_defaults_of(cross_entropy_by_formula, reduction="mean"),
        "scaled logits": _entropy_from_scaled,
        "a float": _entropy_of_float,
        "a divergence": _entropy_plus_entropy,
        "float32 always": _to_float32(cross_entropy_by_formula),
        "the input spoiled": _spoils_its_input(cross_entropy_by_formula),
        "nan becomes 0": _changed(cross_entropy_by_formula, torch.nan_to_num),
        "only three arguments": lambda logits, target, weight=None: cross_entropy_by_formula(
            logits, target, weight
        ),
    },
    "cross_entropy_grad": {
        "differences in float32": _gradient_numeric,
        "in place": _gradient_in_place,
        "transposed": _gradient_transposed,
        "label set to -1": _gradient_set_to_minus_one,
        "the first label for all": _gradient_first_label,
        "float32 always": _to_float32(cross_entropy_grad_by_one_hot),
        "absolute": _changed(cross_entropy_grad_by_one_hot, torch.abs),
        "the sum over classes": _changed(cross_entropy_grad_by_one_hot, lambda g: g.sum(1)),
        "centred": _changed(cross_entropy_grad_by_one_hot, lambda g: g - g.mean(0)),
        "clipped": _changed(cross_entropy_grad_by_one_hot, lambda g: g.clamp(-0.1, 0.1)),
        "N - 1": lambda z, y: cross_entropy_grad_by_one_hot(z, y) * len(z) / max(len(z) - 1, 1),
        "half inside": lambda z, y: cross_entropy_grad_by_one_hot(z.half().float(), y).to(z.dtype),
    },
    "bce_with_logits": {
        "any target above 0 is yes": _bce_by_sign,
        "logits clamped at 88": _bce_clamped,
        "balanced": _bce_balanced,
        "tanh": _bce_with_tanh,
        "ln 2 for the tail": _bce_half,
        "float32 always": _to_float32(bce_with_logits_by_softplus),
        "a float": _changed(bce_with_logits_by_softplus, lambda loss: loss.item()),
        "with an axis": _changed(bce_with_logits_by_softplus, lambda loss: loss[None]),
        "the input spoiled": _spoils_its_input(bce_with_logits_by_softplus),
        "one column": lambda z, t: bce_with_logits_by_softplus(z[..., 0], t[..., 0]),
        "a broadcast": lambda z, t: bce_with_logits_by_softplus(z.reshape(-1, 1), t.reshape(1, -1)),
        "halved": _changed(bce_with_logits_by_softplus, lambda loss: loss / 2),
    },
}


# --- what a library does ----------------------------------------------------------------------


def _autograd_backward(logits, target):
    with torch.enable_grad():
        leaf = logits.detach().clone().requires_grad_()
        (cross_entropy_by_formula(leaf, target)).backward()
    return leaf.grad


def _autograd_grad(logits, target):
    with torch.enable_grad():
        leaf = logits.detach().clone().requires_grad_()
        return torch.autograd.grad(cross_entropy_by_formula(leaf, target), leaf)[0]


def _attention(logits, dim=-1):
    scores = logits.movedim(dim, -1)
    eye = torch.eye(scores.shape[-1], dtype=scores.dtype)
    rows = scores.reshape(-1, scores.shape[-1])
    p = F.scaled_dot_product_attention(rows, eye, eye, scale=1.0)
    return p.reshape(scores.shape).movedim(-1, dim)


def _nll_loss(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    return F.nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)


def _nll_layer(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    return nn.NLLLoss(weight, ignore_index=ignore_index, reduction=reduction)(log_probs, target)


def _entropy_by_nll(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    loss = _nll_loss(log_softmax_by_maximum(logits, 1), target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    return cross_entropy_by_formula(
        logits, target, weight, ignore_index, reduction, label_smoothing
    )


def _entropy_layer(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    layer = nn.CrossEntropyLoss(
        weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    return layer(logits, target)


def _bce_by_divergence(logits, target):
    log_p = torch.stack([F.logsigmoid(logits), F.logsigmoid(-logits)])
    truth = torch.stack([target, 1 - target])
    entropy = -torch.special.xlogy(truth, truth).sum()
    return (F.kl_div(log_p, truth, reduction="sum") + entropy) / logits.numel()


FORBIDDEN = {
    "odds": {
        "logit": lambda p: p.logit().exp(),
        "the oracle": a3_softmax.odds,
    },
    "log_odds": {
        "torch.logit": torch.logit,
        "Tensor.logit": lambda p: p.logit(),
        "torch.special.logit": lambda p: torch.special.logit(p),
    },
    "softmax": {
        "F.softmax": F.softmax,
        "torch.softmax": lambda logits, dim=-1: torch.softmax(logits, dim),
        "Tensor.softmax": lambda logits, dim=-1: logits.softmax(dim),
        "F.softmin": lambda logits, dim=-1: F.softmin(-logits, dim),
        "a layer": lambda logits, dim=-1: nn.Softmax(dim)(logits),
        "log_softmax": lambda logits, dim=-1: F.log_softmax(logits, dim).exp(),
        "attention": _attention,
        "getattr": lambda logits, dim=-1: getattr(torch, "soft" + "max")(logits, dim),
        "an operator": lambda logits, dim=-1: torch.ops.aten._softmax(logits, dim, False),
    },
    "log_softmax": {
        "F.log_softmax": F.log_softmax,
        "torch.special": lambda logits, dim=-1: torch.special.log_softmax(logits, dim),
        "a layer": lambda logits, dim=-1: nn.LogSoftmax(dim)(logits),
        "Tensor.log_softmax": lambda logits, dim=-1: logits.log_softmax(dim),
        "a distribution": lambda logits, dim=-1: torch.distributions.Categorical(
            logits=logits.movedim(dim, -1)
        ).logits.movedim(-1, dim),
    },
    "nll_loss": {"F.nll_loss": _nll_loss, "a layer": _nll_layer, "the oracle": a3_losses.nll_loss},
    "cross_entropy": {
        "F.cross_entropy": a3_losses.cross_entropy,
        "nll_loss": _entropy_by_nll,
        "a layer": _entropy_layer,
    },
    "cross_entropy_grad": {
        "backward": _autograd_backward,
        "autograd.grad": _autograd_grad,
        "torch.func": lambda z, y: torch.func.grad(lambda x: cross_entropy_by_formula(x, y))(z),
        "jacobian": lambda z, y: torch.autograd.functional.jacobian(
            lambda x: cross_entropy_by_formula(x, y), z
        ),
        "sigmoid": lambda z, y: torch.sigmoid(z) - F.one_hot(y, z.shape[1]),
        "the oracle": a3_gradients.cross_entropy_grad,
    },
    "bce_with_logits": {
        "F.binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
        "a layer": lambda z, t: nn.BCEWithLogitsLoss()(z, t),
        "binary_cross_entropy": lambda z, t: F.binary_cross_entropy(1 / (1 + (-z).exp()), t),
        "sigmoid": lambda z, t: (torch.where(z.abs() < 30, -(t * z.sigmoid().log()), 0.0)).mean(),
        "kl_div": _bce_by_divergence,
        "multi-label": lambda z, t: F.multilabel_soft_margin_loss(
            z.reshape(1, -1), t.reshape(1, -1)
        ),
    },
}
