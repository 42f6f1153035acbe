"""Assignment 4: the places of the book that explain its rules, and what is forbidden."""

from course_utils.checks.exercise import Forbidden, Place

_NORM = "07_batch_norm_and_dropout"
_LENET = "08_lenet5"
_CHANNELS = "04_channels_and_groups"

PER_CHANNEL = Place(_NORM, "One mean per channel")
WHOLE_TENSOR = Place(_NORM, "One mean for the whole tensor")
EACH_IMAGE = Place(_NORM, "One mean for each image")
EPSILON = Place(_NORM, "Epsilon stands inside the root")
AFFINE = Place(_NORM, "One gamma and one beta per channel")
BIASED = Place(_NORM, "Biased in the output, unbiased in the buffer")
MOMENTUM = Place(_NORM, "Momentum is the weight of the new batch")
READ_ONLY = Place(_NORM, "In evaluation the running statistics are read, not written")
BATCH_IN_EVAL = Place(_NORM, "What goes wrong with batch statistics in evaluation")
ONE_VALUE = Place(_NORM, "One value per channel")

STAY = Place(_NORM, "Divide by the chance to stay")
FACTOR = Place(_NORM, "Without the division, or with the wrong factor")
CHANCE = Place(_NORM, "p is the chance to be dropped")
NOTHING = Place(_NORM, "In evaluation dropout does nothing")
MASK = Place(_NORM, "A mask for each element of each image")
STREAM = Place(_NORM, "Where the chance comes from")
CONNECTIONS = Place(_NORM, "Dropout, Dropout2d, DropConnect")

SUMS = Place(_CHANNELS, "Sums over channels")
COUNTING = Place(_CHANNELS, "Counting")
GROUPS = Place(_CHANNELS, "Groups")
DIVIDE = Place(_CHANNELS, "What must divide")

SHAPES = Place(_LENET, "From pixels to logits")
PARAMETERS = Place(_LENET, "61,706 parameters")
MACS = Place(_LENET, "416,520 multiply-adds")
TABLE = Place(_LENET, "The table of C3")
THEN = Place(_LENET, "The network of 1998")
TRAINED = Place(_LENET, "60,000 trained parameters")
CONNECTED = Place(_LENET, "340,908 connections")
TANH = Place(_LENET, "The scaled tanh")
SUBSAMPLING = Place(_LENET, "Trained subsampling")
DISTANCES = Place(_LENET, "Outputs as distances")
PADDED = Place(_LENET, "28 with padding, or 32")
C5 = Place(_LENET, "Why C5 is a convolution")
TWICE = Place(_LENET, "The name used twice")
ONE_MAP = Place(_LENET, "Two layers, one affine map")
GUARDS = Place(_LENET, "Three guards")

HOOKS = Place("13_hooks", "Hooks stay until they are removed")
MODE = Place("13_hooks", "Look without changing the mode")
GRADIENTS = Place("13_hooks", "Let the gradients through")
SOFTMAX = Place("10_cross_entropy", "CrossEntropyLoss, taken apart")

NO_NORM = Forbidden(
    "Write the means, the variances and the formula yourself: a library's batch, layer, instance "
    "or group norm is not allowed; `mean`, `var` and arithmetic are.",
    "batch_norm|layer_norm|group_norm|instance_norm|rms_norm",
    frozenset(
        {f"{kind}{n}d" for kind in ("BatchNorm", "InstanceNorm") for n in (1, 2, 3)}
        | {f"Lazy{kind}{n}d" for kind in ("BatchNorm", "InstanceNorm") for n in (1, 2, 3)}
        | {"batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm"}
        | {"SyncBatchNorm", "LayerNorm", "GroupNorm", "RMSNorm", "FrozenBatchNorm2d"}
        | {"native_batch_norm", "native_layer_norm", "native_group_norm", "cudnn_batch_norm"}
        | {"_native_batch_norm_legit", "_batch_norm_impl_index", "batch_norm_elemt"}
        | {
            "batch_norm_stats",
            "batch_norm_update_stats",
            "miopen_batch_norm",
            "batch_normalization",
        }
        | {"BatchNormalization", "_batch_norm_with_update", "_native_batch_norm_legit_no_training"}
    ),
)

NO_DROPOUT = Forbidden(
    "Draw the mask and scale what stays yourself: a library's dropout is not allowed; `rand`, "
    "`bernoulli` and arithmetic are.",
    "dropout",
    frozenset(
        {f"{end}{n}" for end in ("dropout", "Dropout") for n in ("", "1d", "2d", "3d")}
        | {"alpha_dropout", "feature_alpha_dropout", "feature_dropout", "native_dropout"}
        | {"AlphaDropout", "FeatureAlphaDropout", "SpatialDropout2D", "dropout_", "_fused_dropout"}
        | {"alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_", "drop_block2d"}
        | {"stochastic_depth", "StochasticDepth", "DropBlock2d"}
    ),
)
