"""Assignment 3: the places of the book that explain its rules, and what it refuses."""

from course_utils.checks.calls import AUTOGRAD_NAMES
from course_utils.checks.exercise import Forbidden, Place

ODDS = Place("09_softmax", "Odds and log-odds")
SIGMOID = Place("09_softmax", "The sigmoid")
REFERENCE_CLASS = Place("09_softmax", "Odds against a reference class")
TWO_CLASSES = Place("09_softmax", "Two classes are one logit")
SHIFT = Place("09_softmax", "Shift invariance")
TEMPERATURE = Place("09_softmax", "Temperature")
EXPONENTIAL = Place("09_softmax", "Why the exponential")
OVERFLOW = Place("09_softmax", "Overflow")
MAXIMUM = Place("09_softmax", "Subtract the maximum")
WHICH_DIM = Place("09_softmax", "Which dim")
EACH_CLASS = Place("09_softmax", '"A sigmoid for each class does the same"')
ONE_MAXIMUM = Place("09_softmax", '"One maximum for the whole batch is enough"')
ANY_CONSTANT = Place("09_softmax", '"Any constant will do, so I subtract the mean"')
TWICE = Place("09_softmax", '"Softmax twice does no harm"')
JACOBIAN = Place("09_softmax", "The Jacobian of softmax")

SURPRISE = Place("10_cross_entropy", "Surprise")
BY_HAND = Place("10_cross_entropy", "The loss by hand")
NATS = Place("10_cross_entropy", "Entropy and cross-entropy")
GRADIENT = Place("10_cross_entropy", "The gradient is p - y")
FROM_GRADIENT = Place("10_cross_entropy", "What follows from p - y")
SQUARED = Place("10_cross_entropy", "Why not squared error?")
LOG_SOFTMAX = Place("10_cross_entropy", "Log-softmax")
REDUCTIONS = Place("10_cross_entropy", "Reductions")
IGNORED = Place("10_cross_entropy", "ignore_index")
WEIGHTS = Place("10_cross_entropy", "Class weights, and what the mean divides by")
SMOOTHING = Place("10_cross_entropy", "Label smoothing")
BINARY = Place("10_cross_entropy", "Binary cross-entropy")
BINARY_LINK = Place("10_cross_entropy", "The link to softmax")
SOFTMAX_FIRST = Place("10_cross_entropy", '"The loss wants probabilities, so softmax first"')
NLL = Place("10_cross_entropy", '"nll_loss is the same loss, for probabilities"')
PICKING = Place("10_cross_entropy", '"p[:, labels] picks the right probabilities"')
MEAN_OF_MEAN = Place("10_cross_entropy", '"With one-hot targets, .mean() is the mean"')
EPSILON = Place("10_cross_entropy", '"log(p + 1e-8) is safe"')

# logsigmoid, softplus, logsumexp and logaddexp are allowed
OPERATORS = (
    r"softmax|(?<!log_)sigmoid|expit|logit|nll_loss|cross_entropy|soft_margin_loss|ctc_loss|kl_div"
)
SOFTMAX_NAMES = frozenset(
    {"softmax", "_softmax", "log_softmax", "_log_softmax", "softmin", "gumbel_softmax"}
    | {"Softmax", "Softmax2d", "LogSoftmax", "Softmin", "AdaptiveLogSoftmaxWithLoss"}
    | {"scaled_dot_product_attention", "MultiheadAttention", "special_softmax"}
    | {"special_log_softmax", "softmax_", "safe_softmax", "_safe_softmax"}
)
SIGMOID_NAMES = frozenset(
    {"sigmoid", "sigmoid_", "Sigmoid", "expit", "special_expit", "logit", "logit_", "special_logit"}
)
LOSS_NAMES = frozenset(
    {"cross_entropy", "cross_entropy_loss", "CrossEntropyLoss", "nll_loss", "nll_loss2d"}
    | {"nll_loss_nd", "NLLLoss", "NLLLoss2d", "binary_cross_entropy", "BCELoss"}
    | {"binary_cross_entropy_with_logits", "BCEWithLogitsLoss", "kl_div", "KLDivLoss"}
    | {"multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss", "soft_margin_loss"}
    | {"SoftMarginLoss", "sigmoid_focal_loss", "linear_cross_entropy", "LinearCrossEntropyLoss"}
    | {"ctc_loss", "CTCLoss", "log_loss"}
    | {"softmax_cross_entropy", "softmax_cross_entropy_with_integer_labels"}
    | {"sparse_softmax_cross_entropy_with_logits", "sigmoid_cross_entropy_with_logits"}
    | {"sigmoid_binary_cross_entropy", "softmax_cross_entropy_with_logits"}
)
DISTRIBUTION_NAMES = frozenset(
    {"Categorical", "OneHotCategorical", "Bernoulli", "ContinuousBernoulli", "Multinomial"}
    | {"RelaxedBernoulli", "RelaxedOneHotCategorical", "Binomial", "Geometric"}
    | {"SigmoidTransform", "SoftmaxTransform", "logits_to_probs", "probs_to_logits"}
    # a class is seen running by its constructor
    | {f"torch.distributions.{kind}.__init__" for kind in ("categorical", "bernoulli", "binomial")}
)
MORE_AUTOGRAD_NAMES = frozenset(
    {"hessian", "hvp", "vhp", "linearize", "grad_and_value", "make_dual", "dual_level"}
)

NO_LIBRARY = Forbidden(
    "Write it yourself from exp, log, max and sum, or from your own functions. logsumexp, "
    "logaddexp, softplus, logsigmoid and one_hot are allowed; a library's softmax, sigmoid, logit "
    "or cross-entropy, under whatever name, and autograd are not.",
    OPERATORS,
    SOFTMAX_NAMES
    | SIGMOID_NAMES
    | LOSS_NAMES
    | DISTRIBUTION_NAMES
    | AUTOGRAD_NAMES
    | MORE_AUTOGRAD_NAMES,
)

LESSON_LOGITS = (
    (0.737629473, 1.94592917, -0.699541628),
    (-1.30229735, -0.513262212, -0.269619554),
    (0.246184662, 0.483925283, 0.450417787),
    (-0.956833422, 1.50118792, -0.313573658),
    (-0.234284386, -1.07130921, 0.164798439),
)  # torch.manual_seed(11); torch.randn(5, 3)
LESSON_LABELS = (0, 0, 1, 2, 1)
