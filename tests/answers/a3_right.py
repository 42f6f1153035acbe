"""Right answers to assignment 3, each exercise written in several ways."""

import math

import numpy as np
import torch
import torch.nn.functional as F

# --- odds and log-odds ------------------------------------------------------------------------


def odds_by_quotient(p):
    return p / (1 - p)


def odds_by_reciprocal(p):
    return 1 / (1 / p - 1)


def odds_by_loop(p):
    values = [math.inf if q == 1 else q / (1 - q) for q in p.reshape(-1).tolist()]
    return torch.tensor(values, dtype=p.dtype).reshape(p.shape)


def odds_by_numpy(p):
    array = p.numpy().astype(np.float64)
    with np.errstate(divide="ignore"):
        return torch.from_numpy(array / (1 - array)).to(p.dtype)


def odds_by_logarithms(p):
    return torch.exp(torch.log(p) - torch.log1p(-p))


def log_odds_by_quotient(p):
    return (p / (1 - p)).log()


def log_odds_by_difference(p):
    return torch.log(p) - torch.log1p(-p)


def log_odds_by_artanh(p):
    return 2 * torch.atanh(2 * p - 1)


def log_odds_by_numpy(p):
    array = p.numpy()
    with np.errstate(divide="ignore"):
        return torch.from_numpy(np.log(array) - np.log1p(-array))


def log_odds_by_loop(p):
    ends = {0.0: -math.inf, 1.0: math.inf}
    values = [
        ends[q] if q in ends else math.log(q) - math.log(1 - q) for q in p.reshape(-1).tolist()
    ]
    return torch.tensor(values, dtype=p.dtype).view(p.shape)


def log_odds_by_reciprocal(p):
    return -torch.log(1 / p - 1)


# --- softmax and its logarithm ----------------------------------------------------------------


def softmax_by_maximum(logits, dim=-1):
    powers = (logits - logits.max(dim=dim, keepdim=True).values).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def softmax_by_log_sum_exp(logits, dim=-1):
    return torch.exp(logits - torch.logsumexp(logits, dim, keepdim=True))


def softmax_by_numpy(logits, dim=-1):
    array = logits.numpy()
    powers = np.exp(array - array.max(axis=dim, keepdims=True))
    return torch.from_numpy(powers / powers.sum(axis=dim, keepdims=True))


def softmax_by_float64(logits, dim=-1):
    wide = logits.double()
    wide = wide - wide.amax(dim, keepdim=True)
    return (wide.exp() / wide.exp().sum(dim, keepdim=True)).to(logits.dtype)


def softmax_by_rows(logits, dim=-1):
    moved = logits.movedim(dim, -1)
    rows = moved.reshape(-1, moved.shape[-1])
    result = torch.empty_like(rows)
    for n, row in enumerate(rows.tolist()):
        powers = [math.exp(z - max(row)) for z in row]
        result[n] = torch.tensor(powers, dtype=logits.dtype) / math.fsum(powers)
    return result.reshape(moved.shape).movedim(-1, dim)


def softmax_by_differences(logits, dim=-1):
    z = logits.movedim(dim, -1)
    return (1 / (z[..., None, :] - z[..., :, None]).exp().sum(-1)).movedim(-1, dim)


def softmax_by_clone(logits, dim=-1):
    result = logits.clone()
    result -= result.amax(dim, keepdim=True)
    result.exp_()
    result /= result.sum(dim, keepdim=True)
    return result


def log_softmax_by_maximum(logits, dim=-1):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def log_softmax_by_log_sum_exp(logits, dim=-1):
    return logits - logits.logsumexp(dim, keepdim=True)


def log_softmax_by_logaddexp(logits, dim=-1):
    total = None
    for slice_ in logits.unbind(dim):
        total = slice_ if total is None else torch.logaddexp(total, slice_)
    return logits - total.unsqueeze(dim)


def log_softmax_by_numpy(logits, dim=-1):
    array = logits.numpy().astype(np.float64)
    total = np.logaddexp.reduce(array, axis=dim, keepdims=True)
    return torch.from_numpy(array - total).to(logits.dtype)


def log_softmax_by_rows(logits, dim=-1):
    moved = logits.movedim(dim, -1)
    result = torch.empty(moved.shape, dtype=logits.dtype)
    for index in np.ndindex(*moved.shape[:-1]):
        row = moved[index].double()
        result[index] = (row - row.max() - (row - row.max()).exp().sum().log()).to(logits.dtype)
    return result.movedim(-1, dim)


def log_softmax_by_softplus(logits, dim=-1):
    z = logits.double().movedim(dim, -1)
    total = z[..., 0]
    for k in range(1, z.shape[-1]):
        larger, smaller = torch.maximum(total, z[..., k]), torch.minimum(total, z[..., k])
        total = larger + torch.log1p(torch.exp(smaller - larger))
    return (z - total[..., None]).movedim(-1, dim).to(logits.dtype)


# --- losses of labels -------------------------------------------------------------------------


def nll_loss_by_indices(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction not in {"none", "sum", "mean"}:
        raise ValueError(f"reduction {reduction}")
    rows = (target != ignore_index).nonzero()[:, 0]
    labels = target[rows]
    weights = log_probs.new_ones(len(rows)) if weight is None else weight[labels]
    losses = -log_probs[rows, labels] * weights
    if reduction == "none":
        result = log_probs.new_zeros(len(target))
        result[rows] = losses
        return result
    return losses.sum() if reduction == "sum" else losses.sum() / weights.sum()


def nll_loss_by_loop(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    losses, divisor = [], 0.0
    for row, label in zip(log_probs.double(), target.tolist(), strict=True):
        if label == ignore_index:
            losses.append(0.0)
            continue
        w = 1.0 if weight is None else weight[label].item()
        losses.append(-row[label].item() * w)
        divisor += w
    if reduction == "none":
        return torch.tensor(losses, dtype=log_probs.dtype)
    if reduction == "sum":
        return torch.tensor(sum(losses), dtype=log_probs.dtype)
    if reduction == "mean":
        mean = sum(losses) / divisor if divisor else math.nan
        return torch.tensor(mean, dtype=log_probs.dtype)
    raise ValueError("reduction must be none, sum or mean")


def nll_loss_by_one_hot(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    counts = target.ne(ignore_index)
    table = F.one_hot(target.masked_fill(~counts, 0), log_probs.shape[1]).bool()
    table = table & counts[:, None]
    w = torch.ones_like(log_probs[0]) if weight is None else weight
    costs = torch.where(table, -log_probs * w, torch.zeros_like(log_probs)).sum(1)
    weights = (table * w).sum(1)
    match reduction:
        case "none":
            return costs
        case "sum":
            return costs.sum()
        case "mean":
            return costs.sum() / weights.sum()
    raise ValueError(reduction)


def nll_loss_by_gather(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    class UnknownReductionError(ValueError):
        pass

    ignored = target == ignore_index
    labels = target.clone()
    labels[ignored] = 0
    w = torch.ones(log_probs.size(1), dtype=log_probs.dtype) if weight is None else weight
    losses = -log_probs.gather(1, labels.unsqueeze(1)).squeeze(1) * w[labels]
    losses = losses.masked_fill(ignored, 0.0)
    reduce = {
        "none": lambda: losses,
        "sum": lambda: losses.sum(),
        "mean": lambda: losses.sum() / w[labels].masked_fill(ignored, 0).sum(),
    }
    if reduction not in reduce:
        raise UnknownReductionError(reduction)
    return reduce[reduction]()


def nll_loss_by_numpy(log_probs, target, weight=None, ignore_index=-100, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    table, labels = log_probs.numpy(), target.numpy()
    w = np.ones(table.shape[1], table.dtype) if weight is None else weight.numpy()
    losses, weights = np.zeros(len(labels), table.dtype), np.zeros(len(labels), table.dtype)
    kept = np.flatnonzero(labels != ignore_index)
    weights[kept] = w[labels[kept]]
    losses[kept] = -weights[kept] * table[kept, labels[kept]]
    if reduction == "none":
        return torch.from_numpy(losses)
    with np.errstate(invalid="ignore"):
        value = losses.sum() if reduction == "sum" else losses.sum() / weights.sum()
    return torch.tensor(value, dtype=log_probs.dtype)


def _log_softmax(logits):
    return logits - torch.logsumexp(logits, 1, keepdim=True)


def cross_entropy_by_formula(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    log_p, e = _log_softmax(logits), label_smoothing
    counts = target != ignore_index
    y = torch.where(counts, target, 0)
    w = logits.new_ones(logits.shape[1]) if weight is None else weight
    label = w[y] * -log_p[torch.arange(len(y)), y]
    every = -(log_p @ w)
    losses = ((1 - e) * label + e / logits.shape[1] * every).where(counts, 0)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / w[y].where(counts, 0).sum()


def cross_entropy_by_soft_targets(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    n_classes = logits.shape[1]
    keep = target != ignore_index
    truth = torch.zeros_like(logits)
    truth[keep] = F.one_hot(target[keep], n_classes).to(logits.dtype)
    soft = truth * (1 - label_smoothing) + label_smoothing / n_classes
    soft[~keep] = 0
    w = torch.ones(n_classes, dtype=logits.dtype) if weight is None else weight
    losses = -torch.einsum("nc,nc,c->n", soft, _log_softmax(logits), w)
    if reduction == "none":
        return losses
    total = losses.sum()
    return total if reduction == "sum" else total / (truth * w).sum()


def cross_entropy_by_loop(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    n_classes, losses, divisor = logits.shape[1], [], 0.0
    w = [1.0] * n_classes if weight is None else weight.tolist()
    for row, label in zip(logits.tolist(), target.tolist(), strict=True):
        if label == ignore_index:
            losses.append(0.0)
            continue
        top = max(row)
        total = top + math.log(math.fsum(math.exp(z - top) for z in row))
        costs = [w_c * (total - z) for z, w_c in zip(row, w, strict=True)]
        losses.append(
            (1 - label_smoothing) * costs[label] + label_smoothing / n_classes * math.fsum(costs)
        )
        divisor += w[label]
    if reduction == "none":
        return torch.tensor(losses, dtype=logits.dtype)
    total = math.fsum(losses)
    if reduction == "mean":
        total = total / divisor if divisor else math.nan
    return torch.tensor(total, dtype=logits.dtype)


def cross_entropy_by_parts(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    log_p = log_softmax_by_maximum(logits, 1)
    settings = weight, ignore_index, reduction
    hard = nll_loss_by_indices(log_p, target, *settings)
    if label_smoothing == 0:
        return hard
    w = torch.ones_like(logits[0]) if weight is None else weight
    rows = -(log_p * w).sum(1)
    rows[target == ignore_index] = 0
    if reduction == "mean":
        rows = rows.sum() / w[target[target != ignore_index]].sum()
    elif reduction == "sum":
        rows = rows.sum()
    return (1 - label_smoothing) * hard + label_smoothing * rows / logits.size(1)


def cross_entropy_by_numpy(
    logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    z, y = logits.numpy().astype(np.float64), target.numpy()
    surprise = np.logaddexp.reduce(z, axis=1, keepdims=True) - z
    w = np.ones(z.shape[1]) if weight is None else weight.numpy().astype(np.float64)
    kept = y != ignore_index
    rows, labels = np.flatnonzero(kept), y[kept]
    losses = np.zeros(len(y))
    losses[kept] = (1 - label_smoothing) * (w[labels] * surprise[rows, labels])
    losses[kept] += label_smoothing * (surprise[kept] * w).mean(1)
    with np.errstate(invalid="ignore"):
        value = {
            "none": losses,
            "sum": losses.sum(),
            "mean": losses.sum() / np.float64(w[labels].sum()),
        }[reduction]
    return torch.tensor(value, dtype=logits.dtype)


# --- the gradient -----------------------------------------------------------------------------


def cross_entropy_grad_by_one_hot(logits, target):
    p = softmax_by_maximum(logits, 1)
    return (p - torch.eye(logits.shape[1], dtype=logits.dtype)[target]) / logits.shape[0]


def cross_entropy_grad_by_indices(logits, target):
    gradient = softmax_by_log_sum_exp(logits, 1)
    gradient[torch.arange(len(target)), target] -= 1
    gradient /= len(target)
    return gradient


def cross_entropy_grad_by_scatter(logits, target):
    minus_one = torch.full_like(target, -1, dtype=logits.dtype)[:, None]
    return softmax_by_maximum(logits, 1).scatter_add(1, target[:, None], minus_one) / len(logits)


def cross_entropy_grad_by_jacobian(logits, target):
    n = len(logits)
    p = softmax_by_maximum(logits.double(), 1)
    jacobian = torch.eye(logits.shape[1], dtype=torch.float64) - p[:, None, :]  # of log-softmax
    by_log_p = -F.one_hot(target, logits.shape[1]).double() / n
    return torch.einsum("nc,nck->nk", by_log_p, jacobian).to(logits.dtype)


def cross_entropy_grad_by_numpy(logits, target):
    z = logits.numpy()
    p = np.exp(z - np.logaddexp.reduce(z.astype(np.float64), axis=1, keepdims=True))
    p[np.arange(len(z)), target.numpy()] -= 1
    return torch.from_numpy(p / len(z)).to(logits.dtype)


def cross_entropy_grad_by_loop(logits, target):
    rows = []
    for row, label in zip(logits, target.tolist(), strict=True):
        powers = [math.exp(z - row.max().item()) for z in row.tolist()]
        p = [power / sum(powers) for power in powers]
        rows.append([(q - (c == label)) / len(logits) for c, q in enumerate(p)])
    return torch.tensor(rows, dtype=logits.dtype)


# --- one logit --------------------------------------------------------------------------------


def bce_with_logits_by_formula(logits, target):
    return (torch.relu(logits) - logits * target + torch.log1p((-logits.abs()).exp())).mean()


def bce_with_logits_by_softplus(logits, target):
    return (F.softplus(logits) - target * logits).mean()


def bce_with_logits_by_logsigmoid(logits, target):
    losses = target * F.logsigmoid(logits) + (1 - target) * F.logsigmoid(-logits)
    return -losses.mean()


def bce_with_logits_by_logaddexp(logits, target):
    nothing = torch.zeros_like(logits)
    yes, no = torch.logaddexp(nothing, -logits), torch.logaddexp(nothing, logits)
    return torch.sum(target * yes + (1 - target) * no) / logits.numel()


def bce_with_logits_by_two_classes(logits, target):
    pairs = torch.stack([logits, torch.zeros_like(logits)], dim=-1)
    truth = torch.stack([target, 1 - target], dim=-1)
    log_p = pairs - torch.logsumexp(pairs, -1, keepdim=True)
    return -(truth * log_p).sum(-1).mean()


def bce_with_logits_by_numpy(logits, target):
    z, t = logits.numpy(), target.numpy()
    return torch.tensor(np.mean(np.logaddexp(0, z) - t * z), dtype=logits.dtype)


def bce_with_logits_by_loop(logits, target):
    losses = [
        max(z, 0.0) - z * t + math.log1p(math.exp(-abs(z)))
        for z, t in zip(logits.reshape(-1).tolist(), target.reshape(-1).tolist(), strict=True)
    ]
    return torch.tensor(sum(losses) / len(losses), dtype=logits.dtype)
