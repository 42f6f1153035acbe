"""Mistakes that students make in assignment 7, written from its prompts alone."""

import torch
from torch import nn, optim
from torch.nn import functional as F

from course_utils.checks.broken_runs import FAULTS, REFERENCE, fill, network, pictures, record


def found_fault(case, **other):
    """Return the fault of a run; ``other`` says what each rule asks for instead."""
    found, healthy = record(case), record(REFERENCE)
    rules = {
        "a module name used twice": len(found["modules"]) < len(healthy["modules"]),
        "validation copied into training": bool(
            set(found["train_pictures"]) & set(found["val_pictures"])
        ),
        "labels shuffled after the split": (
            len(set(zip(found["train_pictures"], found["train_labels"], strict=True)))
            > len(set(found["train_pictures"]))
        ),
        "evaluation without eval mode": len(set(found["val_loss_by_batch_size"].values())) > 1,
        "a dead network": not any(found["gradients_brought"]["conv1.weight"]),
        "no zero_grad": found["gradients_brought"] != found["gradients_held"],
        "learning rate 1": found["step_lengths"]["fc2.bias"][0]
        > 0.5 * found["gradients_held"]["fc2.bias"][0],
    }
    rules.update({name: rule(found, healthy) for name, rule in other.items()})
    return next((name for name, holds in rules.items() if holds), "softmax before the loss")


def by_accuracy(case):
    accuracy = record(case)["val_accuracies"][-1]
    return "a dead network" if accuracy < 0.4 else "softmax before the loss"


def swapped(one, other):
    change = {one: other, other: one}
    return lambda case: change.get(found_fault(case), found_fault(case))


DIAGNOSE = {
    "always the same": lambda case: FAULTS[0],
    "by order": lambda case: FAULTS[int(case.removeprefix("run-")) - 1],
    "by accuracy": by_accuracy,
    "swaps rate and zero_grad": swapped("learning rate 1", "no zero_grad"),
    "swaps copies and shuffled labels": swapped(
        "labels shuffled after the split", "validation copied into training"
    ),
    "swaps dead and rate": swapped("a dead network", "learning rate 1"),
    "swaps softmax and zero_grad": swapped("softmax before the loss", "no zero_grad"),
    "sees no softmax": lambda case: (
        "learning rate 1" if found_fault(case) == "softmax before the loss" else found_fault(case)
    ),
    "a number": lambda case: list(FAULTS).index(found_fault(case)),
    "capital letters": lambda case: found_fault(case).capitalize(),
    "underscores": lambda case: found_fault(case).replace(" ", "_"),
    "only one fault known": lambda case: (
        found_fault(case) if found_fault(case) == "a dead network" else "I do not know"
    ),
    "prints": lambda case: print(found_fault(case)),
    "a dead network by its loss": lambda case: found_fault(
        case,
        **{
            "a dead network": lambda found, healthy: found["train_losses"][-1] > 1,
        },
    ),
}


def loss_fn(logits, labels):
    return F.cross_entropy(logits, labels)


def train_step(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def make_optimizer(model):
    return optim.SGD(model.parameters(), lr=0.1)


def living_model(images, seeds):
    for seed in seeds:
        model = fill(network(), seed)
        with torch.no_grad():
            if model.relu1(model.conv1(images)).any():
                return model
    return None


def split(images, labels, seed):
    which = pictures(images)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(int(which.max()) + 1, generator=generator)
    held_out = torch.isin(which, order[: len(order) // 5])
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]


def named_model(images, seeds):
    return fill(network(), seeds[0])


def evaluate(model, loss_fn, x, y, batch_size=32):
    model.eval()
    total, n_right = 0.0, 0
    with torch.no_grad():
        for images, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
            logits = model(images)
            total += loss_fn(logits, labels).item() * len(labels)
            n_right += int((logits.argmax(dim=1) == labels).sum())
    return total / len(y), n_right / len(y)


PIECES = dict(
    zip(
        FAULTS,
        (
            loss_fn,
            train_step,
            make_optimizer,
            living_model,
            split,
            split,
            named_model,
            evaluate,
        ),
        strict=True,
    )
)


def repairs(**pieces):
    """Return repair with some pieces that are not mended well, by the words of the fault."""
    changed = dict(PIECES)
    for words, piece in pieces.items():
        changed[next(fault for fault in FAULTS if words in fault.replace(" ", "_"))] = piece
    return lambda case: changed[found_fault(case)]


def summed_loss(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum")


def loss_of_log_softmax(logits, labels):
    return F.nll_loss(logits.softmax(1), labels)


def step_zeroing_late(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def step_zeroing_at_the_end(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def step_without_train(model, loss_fn, optimizer, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_giving_tensor(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def model_of_last_seed(images, seeds):
    return fill(network(), seeds[-1])


def model_of_second_seed(images, seeds):
    return fill(network(), seeds[1])


def model_looked_at_in_training(images, seeds):
    for seed in seeds:
        model = fill(network(), seed)
        model(images)
        if model.relu1(model.conv1(images)).any():
            return model
    return None


def split_shuffled_alike(images, labels, seed):
    x, y, x_val, y_val = split(images, labels, seed)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    return x[order], y[order], x_val, y_val


def split_the_other_way(images, labels, seed):
    x, y, x_val, y_val = split(images, labels, seed)
    return x_val, y_val, x, y


def split_by_images(images, labels, seed):
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    val, train = order[: len(order) // 5], order[len(order) // 5 :]
    return images[train], labels[train], images[val], labels[val]


def model_without_second_relu(images, seeds):
    model = fill(network(), seeds[0])
    return nn.Sequential(*[child for name, child in model.named_children() if name != "relu2"])


def evaluate_mean_of_batches(model, loss_fn, x, y, batch_size=32):
    model.eval()
    losses, n_right = [], 0
    with torch.no_grad():
        for images, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
            logits = model(images)
            losses.append(loss_fn(logits, labels).item())
            n_right += int((logits.argmax(dim=1) == labels).sum())
    return sum(losses) / len(losses), n_right / len(y)


def evaluate_with_cross_entropy(model, loss_fn, x, y, batch_size=32):
    model.eval()
    with torch.no_grad():
        logits = model(x)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def evaluate_percent(model, loss_fn, x, y, batch_size=32):
    loss, accuracy = evaluate(model, loss_fn, x, y, batch_size)
    return loss, 100 * accuracy


def evaluate_swapped(model, loss_fn, x, y, batch_size=32):
    return evaluate(model, loss_fn, x, y, batch_size)[::-1]


REPAIR = {
    "sums the loss": repairs(softmax=summed_loss),
    "softmax with nll": repairs(softmax=loss_of_log_softmax),
    "zeroes between backward and step": repairs(zero_grad=step_zeroing_late),
    "zeroes at the end": repairs(zero_grad=step_zeroing_at_the_end),
    "no train mode": repairs(zero_grad=step_without_train),
    "gives a tensor": repairs(zero_grad=step_giving_tensor),
    "a hundredth": repairs(learning_rate=lambda model: optim.SGD(model.parameters(), lr=0.01)),
    "Adam": repairs(learning_rate=lambda model: optim.Adam(model.parameters(), lr=0.1)),
    "momentum": repairs(
        learning_rate=lambda model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    ),
    "the last seed": repairs(dead=model_of_last_seed),
    "the second seed": repairs(dead=model_of_second_seed),
    "runs the model": repairs(dead=model_looked_at_in_training),
    "shuffles both alike": repairs(labels_shuffled=split_shuffled_alike),
    "swaps the parts": repairs(copied=split_the_other_way),
    "splits by images": repairs(copied=split_by_images),
    "drops the second ReLU": repairs(name_used=model_without_second_relu),
    "mean of batches": repairs(eval_mode=evaluate_mean_of_batches),
    "own loss": repairs(eval_mode=evaluate_with_cross_entropy),
    "percent": repairs(eval_mode=evaluate_percent),
    "swapped": repairs(eval_mode=evaluate_swapped),
    "calls the pieces": lambda case: PIECES[found_fault(case)](None, None),
    "gives the fault": found_fault,
    "the same for all": lambda case: train_step,
}

WRONG = {"diagnose": DIAGNOSE, "repair": REPAIR}
