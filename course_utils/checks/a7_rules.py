"""Assignment 7: the places of the book that explain its rules."""

from course_utils.checks.exercise import Forbidden, Place

SMALL_GRADIENTS = Place("14_gradients", "Smaller gradients: the signature of two softmaxes")
PILE_UP = Place("14_gradients", "Forgetting zero_grad is momentum 1")
CLEAR = Place("14_gradients", "Without zero grad: gradients that pile up")
STEP = Place("14_gradients", "The update ratio: how far one step goes")
RATE_1 = Place("14_gradients", "Learning rate 1: the ninth step is longer than the weights")
DEAD = Place(
    "14_gradients",
    "Dead means: the largest output is 0, in evaluation mode, over all images",
)
BORN_DEAD = Place("14_gradients", "Born dead: the pixels and the kernel")
REVIVE = Place("14_gradients", "What revives it, and what does not")
SPLIT = Place("11_case_study", "The split")
HONEST = Place("11_case_study", "An honest split")
UNSEEN = Place("11_case_study", '"Validation images are unseen images"')
BATCH_MEANS = Place("11_case_study", '"The mean of the batch means is the mean"')
NAME_TWICE = Place("08_lenet5", "The name used twice")
GUARDS = Place("08_lenet5", "Three guards")
AFFINE = Place("08_lenet5", "Two layers, one affine map")
COMPANY = Place("07_batch_norm_and_dropout", "The answer depends on the company")
READ_ONLY = Place(
    "07_batch_norm_and_dropout",
    "In evaluation the running statistics are read, not written",
)
BATCH_STATISTICS = Place(
    "07_batch_norm_and_dropout", "What goes wrong with batch statistics in evaluation"
)
EVAL_REACHES = Place("07_batch_norm_and_dropout", '"model.eval() reaches every dropout"')
NOT_GRADIENTS = Place("07_batch_norm_and_dropout", '"eval() switches gradients off"')
LOGITS = Place("10_cross_entropy", '"The loss wants probabilities, so softmax first"')
NLL = Place("10_cross_entropy", '"nll_loss is the same loss, for probabilities"')
REDUCTION = Place("10_cross_entropy", "Reductions")
ONE_HOT = Place("10_cross_entropy", '"With one-hot targets, .mean() is the mean"')

RUNS = ("CASES", "FAULTS", "REFERENCE", "fill", "lines", "network", "pictures", "record", "rerun")
ONLY_RUNS = Forbidden(
    "Of the course's package, only its hooks and what the notebook's first cell imports may be "
    "used; write the rest yourself.",
    allowed=frozenset(
        {"course_utils.hooks", "course_utils.plots"}
        | {f"course_utils.checks.broken_runs.{name}" for name in RUNS}
        | {f"course_utils.checks.a7_network.{name}" for name in RUNS}  # where some of them live
    ),
)
