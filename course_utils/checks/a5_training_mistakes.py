"""Assignment 5, second part: wrong steps and evaluations, each with a name."""

import torch

from course_utils.checks.a5_oracles import evaluate
from course_utils.checks.a5_rules import (
    BATCH_MEANS,
    BATCH_STATISTICS,
    COMPANY,
    COUNTING,
    DOUBLE_SOFTMAX,
    MODES,
    PILE_UP,
    READ_ONLY,
    STEP,
    TWO_LOSSES,
)
from course_utils.checks.exercise import Misconception
from course_utils.hooks import eval_mode

# --- train_step -------------------------------------------------------------------------------


def _step(
    *,
    mode=lambda model: model.train(),
    clean=lambda optimizer, model: optimizer.zero_grad(),
    loss_of=lambda model, loss_fn, x, y: loss_fn(model(x), y),
    before_step=lambda optimizer, model: None,
    n_steps=1,
    result=lambda loss, model, loss_fn, x, y: loss.item(),
):
    """Return a wrong step: another mode, other gradients, another loss or another result."""

    def answer(model, loss_fn, optimizer, x, y):
        mode(model)
        clean(optimizer, model)
        loss = loss_of(model, loss_fn, x, y)
        loss.backward()
        before_step(optimizer, model)
        for _ in range(n_steps):
            optimizer.step()
        return result(loss, model, loss_fn, x, y)

    return answer


def _nothing(*_):
    return None


def _clip(optimizer, model):
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)


def _by_hand(model, loss_fn, optimizer, x, y):
    """Update the parameters without the optimizer."""
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= optimizer.param_groups[0]["lr"] * parameter.grad
    return loss.item()


def _uphill(optimizer, model):
    for parameter in model.parameters():
        parameter.grad.neg_()


def _sample_by_sample(model, loss_fn, optimizer, x, y):
    """Take a step for each sample."""
    model.train()
    losses = []
    for number in range(len(x)):
        optimizer.zero_grad()
        loss = loss_fn(model(x[number : number + 1]), y[number : number + 1])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


STEP_MISCONCEPTIONS = (
    Misconception(
        "gradients-not-cleaned",
        _step(clean=_nothing),
        "Your step adds the new gradients to those that were there. `backward` adds up, so "
        "gradients have to be cleaned before it.",
        PILE_UP,
    ),
    Misconception(
        "cleaned-after-the-step-only",
        _step(clean=_nothing, result=lambda loss, model, *_: (model.zero_grad(), loss.item())[1]),
        "Your step cleans the gradients at its end. That is too late for those that it finds; they "
        "have to be cleaned before `backward`.",
        PILE_UP,
    ),
    Misconception(
        "parameters-stay",
        _step(n_steps=0),
        "Your parameters did not change: the optimizer took no step, or it found no gradient. "
        "`backward` makes the gradients, and the step comes after it.",
        STEP,
    ),
    Misconception(
        "plain-sgd",
        _by_hand,
        "Your parameters move by rate times gradient, whatever the optimizer is. Momentum, weight "
        "decay and Adam are the business of the optimizer that is given.",
        STEP,
    ),
    Misconception(
        "two-steps",
        _step(n_steps=2),
        "Your optimizer takes two steps from one gradient. One call is one step.",
        STEP,
    ),
    Misconception(
        "mode-as-it-was",
        _step(mode=_nothing),
        "Your model stays in the mode in which it came. A step is taken in train mode, where batch "
        "norm uses the batch and moves its running statistics.",
        BATCH_STATISTICS,
    ),
    Misconception(
        "evaluation-mode",
        _step(mode=lambda model: model.eval()),
        "Your model is in evaluation mode during the step: batch norm reads its running "
        "statistics and does not move them. A step is taken in train mode.",
        READ_ONLY,
    ),
    Misconception(
        "loss-after-the-step",
        _step(result=lambda loss, model, loss_fn, x, y: loss_fn(model(x), y).item()),
        "Your loss is that of the model after the step. The loss before the step is asked for, the "
        "one whose gradient was taken.",
        STEP,
    ),
    Misconception(
        "loss-times-batch",
        _step(result=lambda loss, model, loss_fn, x, y: loss.item() * len(x)),
        "Your loss is multiplied by the size of the batch. The loss is what `loss_fn` returns.",
        TWO_LOSSES,
    ),
    Misconception(
        "loss-over-batch",
        _step(result=lambda loss, model, loss_fn, x, y: loss.item() / len(x)),
        "Your loss is divided by the size of the batch once more. `loss_fn` returns a mean "
        "already.",
        TWO_LOSSES,
    ),
    Misconception(
        "summed-loss",
        _step(
            loss_of=lambda model, loss_fn, x, y: loss_fn(model(x), y) * len(x),
        ),
        "Your step follows the sum of the losses, which is as many times longer as the batch has "
        "samples. It follows what `loss_fn` returns.",
        STEP,
    ),
    Misconception(
        "accuracy-returned",
        _step(
            result=lambda loss, model, loss_fn, x, y: (
                (model(x).argmax(dim=1) == y).float().mean().item()
            )
        ),
        "Your result is an accuracy. The loss is asked for.",
        STEP,
    ),
    Misconception(
        "softmax-before-the-loss",
        _step(loss_of=lambda model, loss_fn, x, y: loss_fn(model(x).softmax(dim=1), y)),
        "Your step puts a softmax before the loss. The model's output goes into `loss_fn` as it "
        "is.",
        DOUBLE_SOFTMAX,
    ),
    Misconception(
        "always-cross-entropy",
        _step(loss_of=lambda model, loss_fn, x, y: torch.nn.functional.cross_entropy(model(x), y)),
        "Your step follows the cross-entropy, whatever `loss_fn` is.",
        STEP,
    ),
    Misconception(
        "clipped",
        _step(before_step=_clip),
        "Your gradients are clipped before the step. One step follows the gradient as it is.",
        STEP,
    ),
    Misconception(
        "uphill",
        _step(before_step=_uphill),
        "Your parameters move along the gradient, so the loss grows. A step goes against it.",
        STEP,
    ),
    Misconception(
        "step-for-each-sample",
        _sample_by_sample,
        "Your call takes a step for each sample. One call is one step for the whole batch.",
        STEP,
    ),
)

# --- evaluate ---------------------------------------------------------------------------------


def _evaluation(
    *,
    around=lambda model: eval_mode(model),
    logits_of=lambda model, x: model(x),
    weight=len,
    right_of=lambda logits, y: int((logits.argmax(dim=1) == y).sum()),
    finish=lambda total, right, n, batches: {"loss": total / n, "accuracy": right / n, "n": n},
    before=lambda model: None,
    after=lambda model: None,
):
    """Return a wrong evaluation: another mode, other weights, another result, other traces."""

    def answer(model, loss_fn, loader):
        total, right, n, batches = 0.0, 0, 0, 0
        before(model)
        with torch.no_grad(), around(model):
            for x, y in loader:
                logits = logits_of(model, x)
                total += loss_fn(logits, y).item() * weight(y)
                right += right_of(logits, y)
                n += len(y)
                batches += 1
        after(model)
        return finish(total, right, n, batches)

    return answer


def _last_batch(model, loss_fn, loader):
    *_, last = loader
    return evaluate(model, loss_fn, [last])


def _first_batch(model, loss_fn, loader):
    return evaluate(model, loss_fn, [next(iter(loader))])


def _without_last(model, loss_fn, loader):
    batches = list(loader)
    return evaluate(model, loss_fn, batches[:-1] or batches)


def _mean_accuracy(model, loss_fn, loader):
    found = evaluate(model, loss_fn, loader)
    shares = [evaluate(model, loss_fn, [batch])["accuracy"] for batch in loader]
    return {**found, "accuracy": sum(shares) / len(shares)}


def _leaves_graphs(model, loss_fn, loader):
    """Take gradients on the way, which adds them to those that are there."""
    found = evaluate(model, loss_fn, loader)
    with eval_mode(model):
        for x, y in loader:
            loss_fn(model(x), y).backward()
    return found


def _freeze(model):
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def _one_forward_in_train_mode(model):
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    with torch.no_grad():
        model(torch.ones(2, 4, dtype=next(model.parameters()).dtype))
    for module, training in modes:
        module.training = training


_ALONE = torch.no_grad  # a context that changes no mode

EVALUATE_MISCONCEPTIONS = (
    Misconception(
        "mean-of-batch-means",
        _evaluation(
            weight=lambda y: 1,
            finish=lambda total, right, n, batches: {
                "loss": total / batches,
                "accuracy": right / n,
                "n": n,
            },
        ),
        "Your loss is the mean of the batch means, in which a short last batch counts as much as a "
        "full one. Weight each batch by its samples.",
        BATCH_MEANS,
    ),
    Misconception(
        "batch-means-over-samples",
        _evaluation(weight=lambda y: 1),
        "Your loss adds up the means of the batches and divides by the number of samples. A "
        "batch's mean has to count once for each of its samples.",
        TWO_LOSSES,
    ),
    Misconception(
        "samples-over-batches",
        _evaluation(
            finish=lambda total, right, n, batches: {
                "loss": total / batches,
                "accuracy": right / n,
                "n": n,
            }
        ),
        "Your loss is summed over the samples and divided by the number of batches.",
        TWO_LOSSES,
    ),
    Misconception(
        "summed-loss",
        _evaluation(
            finish=lambda total, right, n, batches: {"loss": total, "accuracy": right / n, "n": n}
        ),
        "Your loss is the sum over the samples. The mean is asked for.",
        TWO_LOSSES,
    ),
    Misconception(
        "last-batch-only",
        _last_batch,
        "Your numbers are those of the last batch. The whole loader counts.",
        TWO_LOSSES,
    ),
    Misconception(
        "first-batch-only",
        _first_batch,
        "Your numbers are those of the first batch. The whole loader counts.",
        TWO_LOSSES,
    ),
    Misconception(
        "last-batch-dropped",
        _without_last,
        "Your numbers leave the last batch out. A short batch counts too.",
        TWO_LOSSES,
    ),
    Misconception(
        "mean-of-accuracies",
        _mean_accuracy,
        "Your accuracy is the mean of the batches' accuracies. It is the number of right answers "
        "over the number of samples.",
        BATCH_MEANS,
    ),
    Misconception(
        "accuracy-counts",
        _evaluation(
            finish=lambda total, right, n, batches: {"loss": total / n, "accuracy": right, "n": n}
        ),
        "Your accuracy is the number of right answers. It is a fraction of 1.",
        COUNTING,
    ),
    Misconception(
        "accuracy-in-per-cent",
        _evaluation(
            finish=lambda total, right, n, batches: {
                "loss": total / n,
                "accuracy": 100 * right / n,
                "n": n,
            }
        ),
        "Your accuracy is in per cent. It is a fraction of 1.",
        COUNTING,
    ),
    Misconception(
        "errors-counted",
        _evaluation(right_of=lambda logits, y: int((logits.argmax(dim=1) != y).sum())),
        "Your accuracy is the share of wrong answers.",
        COUNTING,
    ),
    Misconception(
        "smallest-logit",
        _evaluation(right_of=lambda logits, y: int((logits.argmin(dim=1) == y).sum())),
        "Your accuracy takes the smallest logit as the answer. The largest one is.",
        COUNTING,
    ),
    Misconception(
        "batches-counted",
        _evaluation(
            finish=lambda total, right, n, batches: {
                "loss": total / n,
                "accuracy": right / n,
                "n": batches,
            }
        ),
        "Your n is the number of batches. It is the number of samples.",
        TWO_LOSSES,
    ),
    Misconception(
        "train-mode",
        _evaluation(around=lambda model: _ALONE()),
        "Your model is evaluated in the mode in which it came: dropout still drops, and batch norm "
        "uses the batch. In evaluation mode the answer to an image depends on that image alone.",
        COMPANY,
    ),
    Misconception(
        "left-in-evaluation-mode",
        _evaluation(before=lambda model: model.eval(), around=lambda model: _ALONE()),
        "Your numbers are right, but the model is left in evaluation mode. Each module gets back "
        "the mode that it had.",
        MODES,
    ),
    Misconception(
        "all-in-train-mode-afterwards",
        _evaluation(
            before=lambda model: model.eval(),
            around=lambda model: _ALONE(),
            after=lambda model: model.train(),
        ),
        "Your numbers are right, but afterwards every module is in train mode, also one that was "
        "not. Each module gets back the mode that it had.",
        MODES,
    ),
    Misconception(
        "running-statistics-moved",
        _evaluation(before=_one_forward_in_train_mode),
        "Your evaluation moves the running statistics of batch norm, since images pass through it "
        "in train mode.",
        READ_ONLY,
    ),
    Misconception(
        "gradients-cleared",
        _evaluation(before=lambda model: model.zero_grad()),
        "Your evaluation clears the gradients that were there. It leaves them as they were.",
        STEP,
    ),
    Misconception(
        "gradients-added",
        _leaves_graphs,
        "Your evaluation computes gradients, which add up with those that were there.",
        PILE_UP,
    ),
    Misconception(
        "parameters-frozen",
        _evaluation(before=_freeze),
        "Your evaluation leaves the parameters frozen: they no longer want a gradient, so nothing "
        "can be trained afterwards.",
        STEP,
    ),
    Misconception(
        "softmax-before-the-loss",
        _evaluation(logits_of=lambda model, x: model(x).softmax(dim=1)),
        "Your loss is computed of probabilities. The model's output goes into `loss_fn` as it is.",
        DOUBLE_SOFTMAX,
    ),
)
