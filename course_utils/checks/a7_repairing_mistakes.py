"""Assignment 7, repairing: answers in which one piece is mended wrongly, or not at all."""

from functools import partial

import torch
from torch import nn, optim
from torch.nn import functional as F

from course_utils.checks import a7_broken as broken
from course_utils.checks import a7_pieces as right
from course_utils.checks.a7_network import fill, lines, network, pictures
from course_utils.checks.a7_rules import (
    AFFINE,
    BATCH_MEANS,
    BATCH_STATISTICS,
    BORN_DEAD,
    CLEAR,
    DEAD,
    EVAL_REACHES,
    GUARDS,
    HONEST,
    LOGITS,
    NAME_TWICE,
    NLL,
    NOT_GRADIENTS,
    ONE_HOT,
    PILE_UP,
    RATE_1,
    READ_ONLY,
    REDUCTION,
    REVIVE,
    SMALL_GRADIENTS,
    SPLIT,
    STEP,
    UNSEEN,
)
from course_utils.checks.a7_trainer import CASE_OF, FAULT_OF, FAULTS, NAME_OF
from course_utils.checks.exercise import Misconception

SOFTMAX, NO_ZERO_GRAD, RATE, DEAD_NETWORK, SHUFFLED, COPIED, TWICE, NO_EVAL = FAULTS


def _instead(fault, piece):
    """Return an answer that gives the right piece for every run but one."""

    def repair(case):
        return partial(piece if NAME_OF[case] == fault else FAULT_OF[NAME_OF[case]].mended)

    return repair


# --- the loss ---------------------------------------------------------------------------------


def _nll_of_logits(logits, labels):
    return F.nll_loss(logits, labels)


def _smoothed(logits, labels):
    return F.cross_entropy(logits, labels, label_smoothing=0.1)


def _halved(logits, labels):
    return F.cross_entropy(logits, labels) / 2


def _nll_of_probabilities(logits, labels):
    return F.nll_loss(logits.softmax(dim=1), labels)


def _summed_loss(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum")


def _mean_over_classes_too(logits, labels):
    one_hot = F.one_hot(labels, logits.shape[1])
    return -(one_hot * logits.log_softmax(dim=1)).mean()


def _softmax_over_the_batch(logits, labels):
    return F.nll_loss(logits.log_softmax(dim=0), labels)


def _sigmoid_instead(logits, labels):
    return F.cross_entropy(logits.sigmoid(), labels)


def _squared_error(logits, labels):
    return (logits.softmax(dim=1) - F.one_hot(labels, logits.shape[1])).square().mean()


# --- the step ---------------------------------------------------------------------------------


def _step_from_zero(model, loss_fn, optimizer, x, y):
    model.train()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    return loss.item()


def _step_clears_one_layer(model, loss_fn, optimizer, x, y):
    model.train()
    model.conv1.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def _step_clears_at_the_end(model, loss_fn, optimizer, x, y):
    loss = broken.step_without_zero_grad(model, loss_fn, optimizer, x, y)
    optimizer.zero_grad()
    return loss


def _step_with_clipping(model, loss_fn, optimizer, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item()


def _step_in_the_mode_that_is(model, loss_fn, optimizer, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def _step_tells_the_loss_after(model, loss_fn, optimizer, x, y):
    right.train_step(model, loss_fn, optimizer, x, y)
    with torch.no_grad():
        after = {name: value.clone() for name, value in model.named_buffers()}
        loss = loss_fn(model(x), y).item()
        for name, value in model.named_buffers():
            value.copy_(after[name])
    return loss


def _step_with_its_own_loss(model, loss_fn, optimizer, x, y):
    return right.train_step(model, F.cross_entropy, optimizer, x, y)


def _step_taken_twice(model, loss_fn, optimizer, x, y):
    loss = right.train_step(model, loss_fn, optimizer, x, y)
    optimizer.step()
    return loss


def _step_in_evaluation_mode(model, loss_fn, optimizer, x, y):
    model.eval()
    return _step_in_the_mode_that_is(model, loss_fn, optimizer, x, y)


# --- the optimizer ----------------------------------------------------------------------------


def _rate_hundredth(model):
    return optim.SGD(model.parameters(), lr=0.01)


def _rate_thousandth(model):
    return optim.SGD(model.parameters(), lr=0.001)


def _rate_half(model):
    return optim.SGD(model.parameters(), lr=0.5)


def _with_momentum(model):
    return optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def _with_weight_decay(model):
    return optim.SGD(model.parameters(), lr=0.1, weight_decay=0.01)


def _adam(model):
    return optim.Adam(model.parameters(), lr=0.1)


def _rmsprop(model):
    return optim.RMSprop(model.parameters(), lr=0.1)


def _head_only(model):
    return optim.SGD(list(model.children())[-1].parameters(), lr=0.1)


# --- the dead network -------------------------------------------------------------------------


def _always_the_last_seed(images, seeds):
    return fill(network(), seeds[-1])


def _always_the_second_seed(images, seeds):
    return fill(network(), seeds[1])


def _always_seed_13(images, seeds):
    return fill(network(), 13)


def _never_seed_42(images, seeds):
    return fill(network(), next(seed for seed in seeds if seed != 42))


def _one_dead_seed_skipped(images, seeds):
    first = fill(network(), seeds[0])
    return fill(network(), seeds[1]) if right.is_dead(first, images) else first


def _looks_at_other_images(images, seeds):
    return right.make_model(lines(480, 17)[0], seeds)


def _looks_at_one_image(images, seeds):
    models = [fill(network(), seed) for seed in seeds]
    return next((m for m in models if not right.is_dead(m, images[:1])), models[-1])


def _revived_by_hand(images, seeds):
    model = fill(network(), seeds[0])
    with torch.no_grad():
        if right.is_dead(model, images):
            model.conv1.bias.add_(1)
    return model


def _looks_in_training_mode(images, seeds):
    model = right.make_model(images, seeds)
    with torch.no_grad():
        model.train()(images)
    return model


def _most_alive_seed(images, seeds):
    models = [fill(network(), seed) for seed in seeds]
    with torch.no_grad():
        return max(models, key=lambda model: model.conv1(images).max().item())


# --- the split --------------------------------------------------------------------------------


def _shuffled_together(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    order = torch.randperm(len(x_train), generator=torch.Generator().manual_seed(seed))
    return x_train[order], y_train[order], x_val, y_val


def _val_labels_shuffled(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    order = torch.randperm(len(x_val), generator=torch.Generator().manual_seed(seed))
    return x_train, y_train, x_val, y_val[order]


def _labels_sorted(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    return x_train, y_train.sort()[0], x_val, y_val


def _labels_shuffled_before(images, labels, seed):
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return right.split(images, labels[order], seed)


def _split_by_image(images, labels, seed):
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    val, train = order[: len(order) // 5], order[len(order) // 5 :]
    return images[train], labels[train], images[val], labels[val]


def _always_seed_8(images, labels, seed):
    return right.split(images, labels, 8)


def _last_fifth(images, labels, seed):
    which = pictures(images)
    order = torch.randperm(int(which.max()) + 1, generator=torch.Generator().manual_seed(seed))
    held_out = torch.isin(which, order[-(len(order) // 5) :])
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]


def _copies_removed(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    which = pictures(x_train).tolist()
    first = torch.tensor([n for n, number in enumerate(which) if number not in which[:n]])
    return x_train[first], y_train[first], x_val, y_val


def _parts_swapped(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    return x_val, y_val, x_train, y_train


def _one_copy_each_left(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    which = pictures(x_val).tolist()
    first = torch.tensor([n for n, number in enumerate(which) if number not in which[:n]])
    return torch.cat([x_train, x_val[first]]), torch.cat([y_train, y_val[first]]), x_val, y_val


def _training_copied_into_validation(images, labels, seed):
    x_train, y_train, x_val, y_val = right.split(images, labels, seed)
    return x_train, y_train, torch.cat([x_train, x_val]), torch.cat([y_train, y_val])


# --- the name used twice ----------------------------------------------------------------------


def _layers(**changes):
    """Return the network's layers by name, with some replaced."""
    return {**dict(network().named_children()), **changes}


def _stack(layers, seeds):
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return fill(model.double(), seeds[0])


def _relu_at_the_end(images, seeds):
    layers = _layers()
    layers["relu2"] = layers.pop("relu2")
    return _stack(layers, seeds)


def _relu_before_bn(images, seeds):
    layers = _layers()
    layers["bn1"], layers["relu2"] = layers["relu2"], layers["bn1"]
    return _stack(layers, seeds)


def _other_relu_missing(images, seeds):
    return _stack(_layers(relu1=nn.Identity()), seeds)


def _bn_missing(images, seeds):
    return _stack(_layers(bn1=nn.Identity()), seeds)


def _last_seed_taken(images, seeds):
    return fill(network(), seeds[-1])


def _another_activation(images, seeds):
    return _stack(_layers(relu2=nn.Tanh()), seeds)


def _leaky(images, seeds):
    return _stack(_layers(relu2=nn.LeakyReLU()), seeds)


def _average_pooled(images, seeds):
    return _stack(_layers(maxp1=nn.AvgPool2d(2)), seeds)


def _softmax_at_the_end(images, seeds):
    return _stack(_layers(softmax=nn.Softmax(dim=1)), seeds)


# --- the evaluation ---------------------------------------------------------------------------


def _evaluate_too_late(model, loss_fn, x, y, batch_size=32):
    result = broken.evaluate_in_train_mode(model, loss_fn, x, y, batch_size)
    model.eval()
    return result


def _evaluate_by_batches(model, loss_fn, x, y, batch_size=32):
    losses = [
        right.evaluate(model, loss_fn, *batch, batch_size)[0]
        for batch in zip(x.split(batch_size), y.split(batch_size), strict=True)
    ]
    return sum(losses) / len(losses), right.evaluate(model, loss_fn, x, y, batch_size)[1]


def _evaluate_sum(model, loss_fn, x, y, batch_size=32):
    loss, accuracy = right.evaluate(model, loss_fn, x, y, batch_size)
    return loss * len(y), accuracy


def _evaluate_percent(model, loss_fn, x, y, batch_size=32):
    loss, accuracy = right.evaluate(model, loss_fn, x, y, batch_size)
    return loss, 100 * accuracy


def _evaluate_accuracy_first(model, loss_fn, x, y, batch_size=32):
    return right.evaluate(model, loss_fn, x, y, batch_size)[::-1]


def _evaluate_counting(model, loss_fn, x, y, batch_size=32):
    loss, accuracy = right.evaluate(model, loss_fn, x, y, batch_size)
    return loss, accuracy * len(y)


def _evaluate_whole_batches(model, loss_fn, x, y, batch_size=32):
    n = len(y) // batch_size * batch_size or len(y)
    return right.evaluate(model, loss_fn, x[:n], y[:n], batch_size)


def _evaluate_first_batch(model, loss_fn, x, y, batch_size=32):
    return right.evaluate(model, loss_fn, x[:batch_size], y[:batch_size], batch_size)


def _evaluate_with_its_own_loss(model, loss_fn, x, y, batch_size=32):
    return right.evaluate(model, F.cross_entropy, x, y, batch_size)


def _evaluate_statistics_restored(model, loss_fn, x, y, batch_size=32):
    before = {name: value.clone() for name, value in model.named_buffers()}
    result = broken.evaluate_in_train_mode(model.train(), loss_fn, x, y, batch_size)
    for name, value in model.named_buffers():
        value.copy_(before[name])
    return result


_BY_FAULT = {
    SOFTMAX: (
        (
            "softmax-kept",
            broken.loss_with_softmax,
            "The loss of your piece cannot fall below 0.5514 for three classes, however sure the "
            "network is. Cross-entropy takes logits and does the softmax itself.",
            SMALL_GRADIENTS,
        ),
        (
            "nll-of-logits",
            _nll_of_logits,
            "Your loss falls without end if a logit grows, and adding a number to all logits "
            "changes it. The negative log-likelihood wants log-probabilities.",
            LOGITS,
        ),
        (
            "nll-of-probabilities",
            _nll_of_probabilities,
            "Your loss is negative, between -1 and 0: it averages probabilities, and there is no "
            "logarithm in it.",
            NLL,
        ),
        (
            "loss-summed",
            _summed_loss,
            "Your loss grows with the size of the batch, and so does every step. The run's loss is "
            "a mean over the images.",
            REDUCTION,
        ),
        (
            "mean-over-classes-too",
            _mean_over_classes_too,
            "Your loss is smaller than the run's by the number of classes. The mean goes over the "
            "images, not over all places of a one-hot table.",
            ONE_HOT,
        ),
        (
            "softmax-over-the-batch",
            _softmax_over_the_batch,
            "With your piece the probabilities of one class add up to 1 over the images of a "
            "batch. Those of one image over the classes have to.",
            LOGITS,
        ),
        (
            "sigmoid-for-softmax",
            _sigmoid_instead,
            "Your piece squeezes each logit between 0 and 1 before the loss, so the loss cannot "
            "come near 0, and gradients are small. Cross-entropy takes the logits as they are.",
            SMALL_GRADIENTS,
        ),
        (
            "label-smoothing",
            _smoothed,
            "Your loss also counts what the network says of the other classes. The run's loss is "
            "the cross-entropy of the label alone.",
            NLL,
        ),
        (
            "loss-halved",
            _halved,
            "Your loss is half of the mean cross-entropy.",
            REDUCTION,
        ),
        (
            "squared-error",
            _squared_error,
            "Your loss is never above 1, however wrong the network is: it is a mean of squares. "
            "The run's loss is the mean cross-entropy.",
            LOGITS,
        ),
    ),
    NO_ZERO_GRAD: (
        (
            "gradients-still-pile-up",
            broken.step_without_zero_grad,
            "With your piece the first step is right and each later one is longer than its own "
            "gradient: backward adds to what is already in .grad.",
            PILE_UP,
        ),
        (
            "nothing-moves",
            _step_from_zero,
            "With your piece no weight moves. When the optimizer takes its step, every parameter has to "
            "hold the gradient of this batch.",
            CLEAR,
        ),
        (
            "one-layer-cleared",
            _step_clears_one_layer,
            "With your piece conv1 moves as it should and the other layers move too far. All "
            "parameters have a .grad that piles up.",
            PILE_UP,
        ),
        (
            "cleared-at-the-end",
            _step_clears_at_the_end,
            "Your piece clears the gradients after its step, so what the model brings along is "
            "still in the first one. Clear before backward.",
            CLEAR,
        ),
        (
            "clipped",
            _step_with_clipping,
            "With your piece a step is never longer than a fixed length: it clips the gradient. "
            "The step follows the gradient as it is.",
            PILE_UP,
        ),
        (
            "mode-left-as-it-was",
            _step_in_the_mode_that_is,
            "A model that comes in evaluation mode is trained in it by your piece, so batch norm "
            "does not learn its statistics. A step is taken in training mode.",
            READ_ONLY,
        ),
        (
            "loss-after-the-step",
            _step_tells_the_loss_after,
            "The weights move as they should, and the loss that you return is of the moved ones. "
            "The loss before the step is asked for.",
            CLEAR,
        ),
        (
            "own-loss-in-the-step",
            _step_with_its_own_loss,
            "Your piece trains with cross-entropy whatever loss it is given.",
            CLEAR,
        ),
        (
            "two-steps",
            _step_taken_twice,
            "With your piece every weight moves twice as far as its gradient says.",
            STEP,
        ),
        (
            "step-in-evaluation-mode",
            _step_in_evaluation_mode,
            "With your piece the running statistics of bn1 stay as they are, and each step uses "
            "them. A step is taken in training mode.",
            READ_ONLY,
        ),
    ),
    RATE: (
        (
            "rate-kept",
            broken.optimizer_with_rate_1,
            "With your piece each weight moves by its whole gradient. In the reference's record a "
            "step is a tenth of the gradient that is held.",
            RATE_1,
        ),
        (
            "rate-0.01",
            _rate_hundredth,
            "With your piece a weight moves by a hundredth of its gradient. Divide step_lengths by "
            "gradients_held in the reference's record.",
            STEP,
        ),
        (
            "rate-0.001",
            _rate_thousandth,
            "With your piece a weight moves by a thousandth of its gradient. Divide step_lengths "
            "by gradients_held in the reference's record.",
            STEP,
        ),
        (
            "rate-0.5",
            _rate_half,
            "With your piece a weight moves by half of its gradient. Divide step_lengths by "
            "gradients_held in the reference's record.",
            STEP,
        ),
        (
            "momentum",
            _with_momentum,
            "With your piece the first step is right and each later one goes on in the direction "
            "of those before. The reference is plain SGD.",
            PILE_UP,
        ),
        (
            "weight-decay",
            _with_weight_decay,
            "With your piece weights shrink a little in each step, beside what their gradient "
            "says. The reference is plain SGD.",
            STEP,
        ),
        (
            "adam",
            _adam,
            "With your piece every weight moves by about the same length in the first step, "
            "whatever its gradient. The reference is plain SGD.",
            STEP,
        ),
        (
            "rmsprop",
            _rmsprop,
            "With your piece each weight moves by its gradient divided by the size that it "
            "usually has. The reference is plain SGD.",
            STEP,
        ),
        (
            "last-layer-only",
            _head_only,
            "With your piece the last layer moves and the others stay. The optimizer holds all "
            "parameters of the model.",
            STEP,
        ),
    ),
    DEAD_NETWORK: (
        (
            "dead-seed-kept",
            broken.model_from_first_seed,
            "Your piece takes the first seed also if its network is born dead: no image gets "
            "through the first ReLU, so no gradient comes back.",
            BORN_DEAD,
        ),
        (
            "last-seed",
            _always_the_last_seed,
            "Your piece takes the last seed, where an earlier one is alive.",
            DEAD,
        ),
        (
            "second-seed",
            _always_the_second_seed,
            "Your piece takes the second seed, also where the first is alive or the second is "
            "dead too. Look at each network.",
            DEAD,
        ),
        (
            "always-13",
            _always_seed_13,
            "Your network is that of seed 13, whichever seeds are given. The first of them that "
            "is alive is asked for.",
            REVIVE,
        ),
        (
            "never-42",
            _never_seed_42,
            "Your piece passes over seed 42 and takes other dead networks. A seed is no property "
            "to go by: look whether anything gets through the first ReLU.",
            REVIVE,
        ),
        (
            "one-look",
            _one_dead_seed_skipped,
            "Your piece looks at the first network and takes the second without a look. Two in a "
            "row can be dead.",
            DEAD,
        ),
        (
            "other-images",
            _looks_at_other_images,
            "Your piece looks whether a network is dead for images that it was not given. A "
            "network that is alive for others may be dead for these.",
            DEAD,
        ),
        (
            "one-image",
            _looks_at_one_image,
            "Your piece gives up a network that one image does not get through. A network is dead "
            "if none of all images does.",
            DEAD,
        ),
        (
            "revived-by-hand",
            _revived_by_hand,
            "The network of your piece has the weights of a dead seed with a changed bias. The "
            "next living seed is asked for.",
            REVIVE,
        ),
        (
            "statistics-moved",
            _looks_in_training_mode,
            "The network of your piece has the right weights, and its batch norm has already seen "
            "a batch: a pass in training mode moves the running statistics.",
            READ_ONLY,
        ),
        (
            "most-alive",
            _most_alive_seed,
            "Your piece takes the seed with the largest output. The first one that is not dead is "
            "asked for.",
            DEAD,
        ),
    ),
    SHUFFLED: (
        (
            "labels-still-shuffled",
            broken.split_that_shuffles,
            "In your training part copies of one picture have different labels. The images are "
            "the right ones, in the right order.",
            SPLIT,
        ),
        (
            "images-shuffled-too",
            _shuffled_together,
            "In your training part each image has its own label, and they stand in another order "
            "than in the data. The run shuffles by itself.",
            SPLIT,
        ),
        (
            "validation-labels-shuffled",
            _val_labels_shuffled,
            "Your training part is right. In your validation part copies of one picture have "
            "different labels.",
            SPLIT,
        ),
        (
            "labels-sorted",
            _labels_sorted,
            "Your training labels stand in order of size, and the images do not.",
            SPLIT,
        ),
        (
            "labels-shuffled-before",
            _labels_shuffled_before,
            "In both of your parts copies of one picture have different labels.",
            SPLIT,
        ),
        (
            "always-seed-8",
            _always_seed_8,
            "Your parts are those of seed 8, whichever seed is given.",
            SPLIT,
        ),
        (
            "split-by-image",
            _split_by_image,
            "Your two parts have pictures in common: it was the images that were dealt out, and "
            "copies of one picture went to both sides.",
            HONEST,
        ),
    ),
    COPIED: (
        (
            "validation-still-copied",
            broken.split_that_copies,
            "Your training part holds every image of the validation part too.",
            UNSEEN,
        ),
        (
            "last-fifth-held-out",
            _last_fifth,
            "Your parts have nothing in common, and are not those that the seed chooses: it is "
            "the first fifth of the order that is held out, as in the piece that is broken.",
            SPLIT,
        ),
        (
            "one-copy-left",
            _one_copy_each_left,
            "Your training part holds one copy of each validation picture. One is enough to learn "
            "it by heart.",
            UNSEEN,
        ),
        (
            "split-by-image-number",
            _split_by_image,
            "Your two parts have pictures in common: it was the images that were dealt out, and "
            "copies of one picture went to both sides.",
            HONEST,
        ),
        (
            "training-without-copies",
            _copies_removed,
            "Your training part holds each picture once. Copies inside one part do no harm, and "
            "the reference keeps them.",
            HONEST,
        ),
        (
            "parts-swapped",
            _parts_swapped,
            "Your training part is the fifth that is to be held out.",
            SPLIT,
        ),
        (
            "training-copied-into-validation",
            _training_copied_into_validation,
            "Your validation part holds every image of the training part too.",
            UNSEEN,
        ),
    ),
    TWICE: (
        (
            "name-still-twice",
            broken.model_with_a_name_twice,
            "The network of your piece has seven modules, and nothing bends between fc1 and fc2.",
            NAME_TWICE,
        ),
        (
            "relu-at-the-end",
            _relu_at_the_end,
            "The network of your piece gives no negative logit: its last module is a ReLU.",
            GUARDS,
        ),
        (
            "relu-before-batch-norm",
            _relu_before_bn,
            "In the network of your piece the second ReLU comes before bn1. The modules stand in "
            "the order of the reference's record.",
            GUARDS,
        ),
        (
            "first-relu-missing",
            _other_relu_missing,
            "In the network of your piece nothing bends between conv1 and maxp1.",
            AFFINE,
        ),
        (
            "batch-norm-missing",
            _bn_missing,
            "The network of your piece has 213 parameters: those of bn1 are missing.",
            GUARDS,
        ),
        (
            "other-seed",
            _last_seed_taken,
            "The network of your piece is filled by the last seed. The first is asked for.",
            GUARDS,
        ),
        (
            "tanh-for-relu",
            _another_activation,
            "Between bn1 and fc2 of your network stands something that also lets negative numbers "
            "through. The reference has a ReLU there.",
            AFFINE,
        ),
        (
            "leaky-relu",
            _leaky,
            "The second ReLU of your network lets a part of the negative numbers through.",
            AFFINE,
        ),
        (
            "average-pooling",
            _average_pooled,
            "Your network takes the mean of each window of maxp1. The reference takes the largest "
            "number.",
            GUARDS,
        ),
        (
            "softmax-in-the-model",
            _softmax_at_the_end,
            "The network of your piece gives probabilities. Its last module is fc2, and the loss "
            "wants logits.",
            LOGITS,
        ),
    ),
    NO_EVAL: (
        (
            "training-mode-kept",
            broken.evaluate_in_train_mode,
            "Your piece evaluates in the mode that the model has, and training leaves it in "
            "training mode: batch norm uses the statistics of the batch and moves the running "
            "ones. A flag set on the model alone does not reach its modules.",
            EVAL_REACHES,
        ),
        (
            "too-late",
            _evaluate_too_late,
            "Your piece switches the mode when all is computed.",
            BATCH_STATISTICS,
        ),
        (
            "statistics-restored",
            _evaluate_statistics_restored,
            "Your piece leaves the running statistics as they were, and computes with those of "
            "the batch.",
            BATCH_STATISTICS,
        ),
        (
            "mean-of-batch-means",
            _evaluate_by_batches,
            "Your loss is the mean of the batches' means, so the images of a short last batch "
            "count more than others.",
            BATCH_MEANS,
        ),
        (
            "loss-not-divided",
            _evaluate_sum,
            "Your loss grows with the number of images. The mean is asked for.",
            BATCH_MEANS,
        ),
        (
            "accuracy-in-percent",
            _evaluate_percent,
            "Your accuracy goes up to 100. The share of right answers is asked for, at most 1.",
            BATCH_MEANS,
        ),
        (
            "accuracy-first",
            _evaluate_accuracy_first,
            "Your piece gives the accuracy first. The loss comes first.",
            BATCH_MEANS,
        ),
        (
            "right-answers-counted",
            _evaluate_counting,
            "Your accuracy is the number of right answers. Their share is asked for, at most 1.",
            BATCH_MEANS,
        ),
        (
            "short-batch-left-out",
            _evaluate_whole_batches,
            "Your means leave out the short last batch.",
            BATCH_MEANS,
        ),
        (
            "first-batch-only",
            _evaluate_first_batch,
            "Your loss and accuracy are those of the first batch.",
            BATCH_MEANS,
        ),
        (
            "own-loss",
            _evaluate_with_its_own_loss,
            "Your piece computes cross-entropy whatever loss it is given.",
            NOT_GRADIENTS,
        ),
    ),
}

MISTAKES = tuple(
    Misconception(name, _instead(fault, piece), message, place, CASE_OF[fault])
    for fault, wrongs in _BY_FAULT.items()
    for name, piece, message, place in wrongs
)
