"""Wrong answers to assignment 7 that no misconception describes."""

import torch
from torch import nn, optim
from torch.nn import functional as F

from course_utils.checks.broken_runs import FAULTS, fill, network, pictures

from .a7_right import TABLE, repair_by_if


def _but(**changes):
    """Return the right table with some names changed."""
    table = TABLE | {f"run-{key[1:]}": name for key, name in changes.items()}
    return lambda case: table[case]


def _cyclic(case):
    return FAULTS[(FAULTS.index(TABLE[case]) + 1) % 8]


class _OnlyOnce:
    """Right when asked for the first time."""

    def __init__(self):
        self.asked = set()

    def __call__(self, case):
        again = case in self.asked
        self.asked.add(case)
        return FAULTS[0] if again else TABLE[case]


def _instead(fault, piece):
    return lambda case: piece if TABLE[case] == fault else repair_by_if(case)


def _half_loss(logits, labels):
    return 0.5 * F.cross_entropy(logits, labels)


def _smooth_loss(logits, labels):
    return F.cross_entropy(logits, labels, label_smoothing=0.1)


def _cold_loss(logits, labels):
    return F.cross_entropy(logits / 2, labels)


def _detached_loss(logits, labels):
    return F.cross_entropy(logits.detach(), labels)


def _weighted_loss(logits, labels):
    weight = torch.arange(1.0, logits.shape[1] + 1, dtype=logits.dtype)
    return F.cross_entropy(logits, labels, weight=weight)


def _three_classes_only(logits, labels):
    return F.cross_entropy(logits[:, :3], labels.clamp(max=2))


def _tensor_step(model, loss_fn, optimizer, x, y):
    return torch.tensor(repair_by_if("run-8")(model, loss_fn, optimizer, x, y))


def _silent_step(model, loss_fn, optimizer, x, y):
    repair_by_if("run-8")(model, loss_fn, optimizer, x, y)


def _averaging_step(model, loss_fn, optimizer, x, y):
    model.train()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad *= 0.5
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def _clipping_step(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item()


def _half_batch_step(model, loss_fn, optimizer, x, y):
    half = max(2, len(x) // 2)
    return repair_by_if("run-8")(model, loss_fn, optimizer, x[:half], y[:half])


def _two_pass_step(model, loss_fn, optimizer, x, y):
    model.train()
    before = loss_fn(model(x), y).item()  # the statistics move twice
    repair_by_if("run-8")(model, loss_fn, optimizer, x, y)
    return before


def _no_bias(model):
    return optim.SGD([p for n, p in model.named_parameters() if "bias" not in n], lr=0.1)


def _rounded_down(images, labels, seed):
    x_train, y_train, x_val, y_val = repair_by_if("run-2")(images, labels, seed)
    return x_train[:-1], y_train[:-1], x_val, y_val


def _seedless(images, labels, seed):
    return repair_by_if("run-2")(images, labels, 8)


def _share(of):
    def split(images, labels, seed):
        which = pictures(images)
        order = torch.randperm(int(which.max()) + 1, generator=torch.Generator().manual_seed(seed))
        held = torch.isin(which, order[: len(order) // of])
        return images[~held], labels[~held], images[held], labels[held]

    return split


def _last_fifth(images, labels, seed):
    which = pictures(images)
    order = torch.randperm(int(which.max()) + 1, generator=torch.Generator().manual_seed(seed))
    held = torch.isin(which, order[-(len(order) // 5) :])
    return images[~held], labels[~held], images[held], labels[held]


def _three_parts(images, labels, seed):
    return repair_by_if("run-2")(images, labels, seed)[:3]


def _swapped_results(images, labels, seed):
    x_train, y_train, x_val, y_val = repair_by_if("run-2")(images, labels, seed)
    return x_train, x_val, y_train, y_val


def _float32_model(images, seeds):
    return repair_by_if("run-1")(images, seeds).float()


def _frozen_norm(images, seeds):
    model = repair_by_if("run-1")(images, seeds)
    model.bn1.momentum = 0.0
    return model


def _other_momentum(images, seeds):
    model = repair_by_if("run-1")(images, seeds)
    model.bn1.momentum = 0.5
    return model


def _average_pooling(images, seeds):
    model = network()
    model.maxp1 = nn.AvgPool2d(2)
    return fill(model, seeds[0])


def _leaky(images, seeds):
    model = network()
    model.relu2 = nn.LeakyReLU()
    return fill(model, seeds[0])


def _unfilled(images, seeds):
    torch.manual_seed(seeds[0] + 1)
    return network()


def _wide(images, seeds):
    model = network()
    model.fc1, model.bn1 = nn.Linear(16, 12), nn.BatchNorm1d(12)
    model.fc2 = nn.Linear(12, 3)
    return fill(model.double(), seeds[0])


def _dead_by_bias(images, seeds):
    models = [fill(network(), seed) for seed in seeds]
    return next((m for m in models if m.conv1.bias.item() > 0), models[-1])


def _dead_by_mean(images, seeds):
    models = [fill(network(), seed) for seed in seeds]
    with torch.no_grad():
        return next((m for m in models if m.conv1(images).mean() > 0), models[-1])


def _dead_by_blank_image(images, seeds):
    blank = -torch.ones(1, 1, 10, 10, dtype=torch.float64)
    models = [fill(network(), seed) for seed in seeds]
    with torch.no_grad():
        return next((m for m in models if m.conv1(blank).max() > 0), models[-1])


def _seed_13(images, seeds):
    return fill(network(), 13)


def _all_images_alive(images, seeds):
    models = [fill(network(), seed) for seed in seeds]
    with torch.no_grad():
        return next((m for m in models if (m.conv1(images).amax((1, 2, 3)) > 0).all()), models[-1])


def _evaluation(change):
    def evaluate(model, loss_fn, x, y, batch_size=32):
        return change(*repair_by_if("run-4")(model, loss_fn, x, y, batch_size), len(y))

    return evaluate


def _refreshing(model, loss_fn, x, y, batch_size=32):
    model.train()
    with torch.no_grad():
        model(x)  # "so that the statistics fit"
    return repair_by_if("run-4")(model, loss_fn, x, y, batch_size)


def _without_statistics(model, loss_fn, x, y, batch_size=32):
    model.eval()
    norm = model.bn1
    norm.running_mean, norm.running_var = None, None
    return repair_by_if("run-4")(model, loss_fn, x, y, batch_size)


def _full_batches_only(model, loss_fn, x, y, batch_size=32):
    whole = len(x) // batch_size * batch_size or len(x)
    return repair_by_if("run-4")(model, loss_fn, x[:whole], y[:whole], batch_size)


WRONG = {
    "diagnose": {
        "the list's order": lambda case: FAULTS[int(case[-1]) - 1],
        "the next of the list": _cyclic,
        "one for all": lambda case: "learning rate 1",
        "another for all": lambda case: "a dead network",
        "the number of the fault": lambda case: FAULTS.index(TABLE[case]),
        "upper case": lambda case: TABLE[case].upper(),
        "with a full stop": lambda case: TABLE[case] + ".",
        "leak and shuffle swapped": _but(r2=FAULTS[5], r3=FAULTS[4]),
        "dead and rate swapped": _but(r6=FAULTS[3], r7=FAULTS[2]),
        "nothing returned": lambda case: None,
        "a list of names": lambda case: [TABLE[case]],
        "all names": lambda case: FAULTS,
        "right when asked once": _OnlyOnce(),
        "own words": _but(r7="the relu is dead"),
        "the last one forgotten": lambda case: {**TABLE, "run-8": None}[case],
        "three wrong": _but(r1=FAULTS[7], r4=FAULTS[6], r5=FAULTS[3]),
        "bytes": lambda case: TABLE[case].encode(),
    },
    "repair": {
        "the names": lambda case: TABLE[case],
        "nothing returned": lambda case: None,
        "the results themselves": lambda case: {"val_losses": [0.838]},
        "a loss for all": lambda case: F.cross_entropy,
        "loss halved": _instead(FAULTS[0], _half_loss),
        "loss smoothed": _instead(FAULTS[0], _smooth_loss),
        "loss at temperature 2": _instead(FAULTS[0], _cold_loss),
        "loss detached": _instead(FAULTS[0], _detached_loss),
        "loss weighted": _instead(FAULTS[0], _weighted_loss),
        "loss for three classes": _instead(FAULTS[0], _three_classes_only),
        "step gives a tensor": _instead(FAULTS[1], _tensor_step),
        "step gives nothing": _instead(FAULTS[1], _silent_step),
        "old gradient halved": _instead(FAULTS[1], _averaging_step),
        "gradient clipped": _instead(FAULTS[1], _clipping_step),
        "half of the batch": _instead(FAULTS[1], _half_batch_step),
        "two passes": _instead(FAULTS[1], _two_pass_step),
        "biases forgotten": _instead(FAULTS[2], _no_bias),
        "rate 0.2": _instead(FAULTS[2], lambda model: optim.SGD(model.parameters(), lr=0.2)),
        "RMSprop": _instead(FAULTS[2], lambda m: optim.RMSprop(m.parameters(), lr=0.1)),
        "AdamW": _instead(FAULTS[2], lambda m: optim.AdamW(m.parameters(), lr=0.001)),
        "maximize": _instead(FAULTS[2], lambda m: optim.SGD(m.parameters(), lr=0.1, maximize=True)),
        "a rate, no optimizer": _instead(FAULTS[2], lambda model: 0.1),
        "seed 13": _instead(FAULTS[3], _seed_13),
        "dead by its bias": _instead(FAULTS[3], _dead_by_bias),
        "dead by its mean": _instead(FAULTS[3], _dead_by_mean),
        "dead for a black image": _instead(FAULTS[3], _dead_by_blank_image),
        "dead if one image is": _instead(FAULTS[3], _all_images_alive),
        "one image short": _instead(FAULTS[4], _rounded_down),
        "always seed 8": _instead(FAULTS[4], _seedless),
        "a fourth held out": _instead(FAULTS[4], _share(4)),
        "three parts": _instead(FAULTS[4], _three_parts),
        "the last fifth": _instead(FAULTS[5], _last_fifth),
        "a tenth held out": _instead(FAULTS[5], _share(10)),
        "order of the parts": _instead(FAULTS[5], _swapped_results),
        "float32": _instead(FAULTS[6], _float32_model),
        "no momentum": _instead(FAULTS[6], _frozen_norm),
        "momentum 0.5": _instead(FAULTS[6], _other_momentum),
        "average pooling": _instead(FAULTS[6], _average_pooling),
        "leaky": _instead(FAULTS[6], _leaky),
        "another start": _instead(FAULTS[6], _unfilled),
        "wider": _instead(FAULTS[6], _wide),
        "accuracy first": _instead(FAULTS[7], _evaluation(lambda loss, acc, n: (acc, loss))),
        "loss alone": _instead(FAULTS[7], _evaluation(lambda loss, acc, n: loss)),
        "number right": _instead(FAULTS[7], _evaluation(lambda loss, acc, n: (loss, acc * n))),
        "error rate": _instead(FAULTS[7], _evaluation(lambda loss, acc, n: (loss, 1 - acc))),
        "a dict": _instead(
            FAULTS[7], _evaluation(lambda loss, acc, n: {"loss": loss, "accuracy": acc})
        ),
        "tensors": _instead(
            FAULTS[7], _evaluation(lambda loss, acc, n: (torch.tensor(loss), torch.tensor(acc)))
        ),
        "statistics refreshed first": _instead(FAULTS[7], _refreshing),
        "statistics thrown away": _instead(FAULTS[7], _without_statistics),
        "the short batch left out": _instead(FAULTS[7], _full_batches_only),
    },
}
