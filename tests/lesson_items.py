"""The 38 items of the lesson: where the book has each, and what must stand there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A section of a chapter, and words or numbers that it must hold."""

    chapter: str
    heading: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """An item of the lesson: its number, what it is, its lines, and its places in the book."""

    number: int
    what: str
    lines: str
    places: tuple[Place, ...]


FILTERS = "01_filters"
WINDOW = "02_correlation_and_convolution"
ARITHMETIC = "03_convolution_arithmetic"
CHANNELS = "04_channels_and_groups"
POOLING = "06_relu_pooling_receptive_field"
NORMS = "07_batch_norm_and_dropout"
LENET = "08_lenet5"
SOFTMAX = "09_softmax"
LOSS = "10_cross_entropy"
CASE = "11_case_study"
MNIST = "12_lenet5_on_mnist"
HOOKS = "13_hooks"
GRADIENTS = "14_gradients"
TUNING = "15_fine_tuning"

ITEMS = (
    Item(
        1,
        "Filters on a photo",
        "53-70",
        (
            Place(FILTERS, "The gallery", ("7 × 7 blur", "Sobel-y", "21 × 21 blur", "Laplacian")),
            Place(FILTERS, "Normalising a kernel", ("sum",)),
        ),
    ),
    Item(
        2,
        "Element-wise product and its sum, 8",
        "110-134",
        (
            Place(WINDOW, "Nine products", ("8", "12", "-7")),
            Place(WINDOW, "The kernel turned", ("-8",)),
        ),
    ),
    Item(
        3,
        "Correlation or convolution",
        "110-134",
        (
            Place(WINDOW, "Two definitions", ("correlation", "convolution")),
            Place(WINDOW, "Convolution commutes", ("commut",)),
        ),
    ),
    Item(
        4,
        "`Conv2d(1, 1, 3)`: 7 × 7 becomes 5 × 5",
        "138-176",
        (
            Place(WINDOW, "The layer", ("(1, 1, 7, 7)", "(1, 1, 5, 5)", "conv.bias")),
            Place(WINDOW, "Where the first weights come from", ("U(-1/3, 1/3)",)),
            Place(WINDOW, "Three error messages", ("Expected 3D (unbatched) or 4D (batched)",)),
        ),
    ),
    Item(
        5,
        "The output size",
        "181-221",
        (
            Place(ARITHMETIC, "The formula", ("lfloor", "padding", "dilation")),
            Place(ARITHMETIC, '"Invalid", says one; "floor", says the other', ("CS231n", "4.5")),
        ),
    ),
    Item(
        6,
        "(1, 3, 6, 6) with (2, 3, 3, 3) gives (1, 2, 4, 4)",
        "196-251",
        (
            Place(CHANNELS, "Sums over channels", ("(1, 3, 6, 6)", "(2, 3, 3, 3)", "(1, 2, 4, 4)")),
            Place(CHANNELS, "Who makes an output map", ("Each input channel",)),
        ),
    ),
    Item(
        7,
        "ReLU",
        "253-273",
        (
            Place(POOLING, "ReLU", ("20", "relu")),
            Place(POOLING, "The gradient mask", ("gradient",)),
            Place(POOLING, "Dead units", ("dead",)),
        ),
    ),
    Item(
        8,
        "Ways to shrink a volume",
        "276-284",
        (
            Place(POOLING, "Four ways to shrink", ("unpadded", "stride", "max pool", "dilation")),
            Place(POOLING, "What is lost", ("75 %",)),
        ),
    ),
    Item(
        9,
        "Max pooling, 2 × 2, stride 1",
        "295-326",
        (
            Place(POOLING, "Predict first", ("237", "223", "229", "181", "108", "158", "93", "71")),
            Place(POOLING, "The default stride", ("kernel size",)),
            Place(POOLING, "Padding with minus infinity", ("inf",)),
        ),
    ),
    Item(10, "Flatten", "336-340", (Place(POOLING, "Flatten", ("237", "71", "start")),)),
    Item(
        11,
        "CONV, RELU, POOL, FC",
        "330-332",
        (Place(POOLING, "A fully connected layer is a convolution", ("Linear", "48,120")),),
    ),
    Item(
        12,
        "Batch normalisation",
        "350-354",
        (
            Place(NORMS, "One mean per channel", ("varepsilon", "gamma")),
            Place(NORMS, "The lesson's formula, measured", ("1e-7", "2.9e-04")),
            Place(NORMS, "Biased in the output, unbiased in the buffer", ("unbiased",)),
        ),
    ),
    Item(
        13,
        "Batch normalisation before or after ReLU",
        "362-364",
        (
            Place(NORMS, "Before or after ReLU?", ("ReLU",)),
            Place(NORMS, "A bias before batch norm is useless", ("bias",)),
        ),
    ),
    Item(
        14,
        "Dropout",
        "367-375",
        (
            Place(NORMS, "Dropout", ("disconnects", "activation")),
            Place(NORMS, "Divide by the chance to stay", ("Var", "1 - p")),
            Place(NORMS, "Dropout, Dropout2d, DropConnect", ("DropConnect", "Dropout2d")),
        ),
    ),
    Item(
        15,
        "LeNet-5 as a named Sequential",
        "388-455",
        (
            Place(LENET, "From pixels to logits", ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT")),
            Place(LENET, "The name used twice", ("func2", "11")),
            Place(MNIST, "Three epochs", ("train(1", "98.5")),
        ),
    ),
    Item(
        16,
        "156, 2,416, 48,120, 10,164 and 850",
        "401-462",
        (
            Place(LENET, "61,706 parameters", ("156", "2,416", "48,120", "10,164", "850")),
            Place(LENET, "416,520 multiply-adds", ("416,520",)),
            Place(LENET, "Activation memory", ("bytes",)),
        ),
    ),
    Item(
        17,
        "61,706 parameters",
        "442",
        (
            Place(LENET, "61,706 parameters", ("61,706",)),
            Place(LENET, "60,000 trained parameters", ("60,000", "900", "850", "12", "32")),
            Place(LENET, "340,908 connections", ("340,908",)),
        ),
    ),
    Item(
        18,
        "Sigmoid, one logit",
        "471-474",
        (
            Place(SOFTMAX, "The sigmoid", ("sigma",)),
            Place(SOFTMAX, "Two classes are one logit", ("softmax",)),
        ),
    ),
    Item(
        19,
        "Exponentials 4, 1 and 1/2",
        "489-494",
        (
            Place(SOFTMAX, "Odds against a reference class", ("4.0000", "1.0000", "0.5000")),
            Place(SOFTMAX, "Which odds are in a row of logits", ("8/3", "odds ratio")),
        ),
    ),
    Item(
        20,
        "softmax gives 0.7273, 0.1818, 0.0909",
        "478-493",
        (
            Place(SOFTMAX, "Odds against a reference class", ("0.7273", "0.1818", "0.0909")),
            Place(SOFTMAX, "Shift invariance", ("0.7273",)),
            Place(SOFTMAX, "Overflow", ("88.72",)),
        ),
    ),
    Item(
        21,
        "Binary cross-entropy",
        "498",
        (Place(LOSS, "Binary cross-entropy", ("N_{\\text{pos}}", "N_{\\text{neg}}")),),
    ),
    Item(
        22,
        "H(p, q)",
        "502-506",
        (Place(LOSS, "Entropy and cross-entropy", ("H(p, q)", "KL", "0.8018")),),
    ),
    Item(
        23,
        "Softmax by hand, seed 11",
        "508-546",
        (Place(LOSS, "The loss by hand", ("0.2181", "0.7301", "0.0518", "0.5098")),),
    ),
    Item(
        24,
        "The loss by hand, 1.6552671194076538",
        "550-569",
        (
            Place(LOSS, "The loss by hand", ("1.6552671194076538",)),
            Place(LOSS, "Worse than guessing", ("1.0986", "accuracy is 1/5")),
            Place(LOSS, "Two right answers in the last digits", ("1.655267357826233", "ulp")),
        ),
    ),
    Item(
        25,
        "`nn.CrossEntropyLoss`, 1.6553",
        "592-601",
        (
            Place(LOSS, "The loss by hand", ("tensor(1.6553)",)),
            Place(LOSS, "CrossEntropyLoss, taken apart", ("ignore_index", "label_smoothing")),
        ),
    ),
    Item(
        26,
        "The images of the case study",
        "612-616",
        (
            Place(CASE, "Three kinds of lines", ("rising diagonal", "falling diagonal")),
            Place(CASE, "Fifty-five images", ("55", "200 of 200")),
        ),
    ),
    Item(
        27,
        "`model_cnn1` and what flatten does to its shapes",
        "620-656",
        (
            Place(CASE, "The network, layer by layer", ("(16, 1, 4, 4)", "(16, 16)")),
            Place(CASE, "213 parameters", ("213",)),
        ),
    ),
    Item(28, "`Architecture`", "672-679", (Place(CASE, "Twenty epochs", ("Architecture(",)),)),
    Item(
        29,
        "20 epochs at learning rate 0.1",
        "660-680",
        (
            Place(CASE, "Twenty epochs", ("lr = 0.1", "train(20)")),
            Place(CASE, "Forty seeds", ("median",)),
            Place(CASE, "Learning rates", ("0.001",)),
        ),
    ),
    Item(
        30,
        "The loss curve",
        "683",
        (
            Place(CASE, "Twenty epochs", ("plot_losses()",)),
            Place(CASE, "Two validation losses", ("0.2530", "0.2476")),
        ),
    ),
    Item(
        31,
        "Filters, seen",
        "686-688",
        (
            Place(HOOKS, "Filters: weights one can look at", ("visualize_filters", "2.11")),
            Place(HOOKS, "A movie of the filter, recorded by a hook", ("epoch",)),
            Place(CASE, "One batch, looked at closely", ("visualize_filters",)),
        ),
    ),
    Item(
        32,
        "A forward hook on a linear layer",
        "692-742",
        (
            Place(HOOKS, "A hook on a dummy layer", ("-0.2450", "nn.Linear(1, 1)")),
            Place(HOOKS, "The call runs the hooks, forward does not", ("forward",)),
            Place(HOOKS, "Inputs are the positional arguments", ("args ()",)),
        ),
    ),
    Item(
        33,
        "Hooks by name, feature maps",
        "744-763",
        (
            Place(HOOKS, "Hooks by layer name", ("named_modules", "get_submodule")),
            Place(HOOKS, "Feature maps of the case study", ("relu1", "maxp1")),
        ),
    ),
    Item(
        34,
        "Classifier layers, labels and predictions",
        "769, 783-788",
        (
            Place(CASE, "One batch, looked at closely", ("labels", "predictions", "fc1")),
            Place(HOOKS, "The classifier layers, with labels and predictions", ("fc1", "fc2")),
        ),
    ),
    Item(
        35,
        "`correct`: [[5, 7], [3, 3], [6, 6]]",
        "772-780",
        (
            Place(CASE, "Counting what is right", ("[5, 7]", "[3, 3]", "[6, 6]")),
            Place(CASE, "The confusion matrix", ("recall", "precision")),
        ),
    ),
    Item(
        36,
        "`loader_apply`: [[59, 67], [55, 62], [71, 71]]",
        "792-815",
        (
            Place(CASE, "Counting what is right", ("[59, 67]", "[55, 62]", "[71, 71]")),
            Place(CASE, '"The mean of the batch means is the mean"', ("mean",)),
        ),
    ),
    Item(
        37,
        "Gradients, watched with hooks",
        "817-834",
        (
            Place(GRADIENTS, "A hook on a leaf: the gradient of a parameter", ("register_hook",)),
            Place(GRADIENTS, "A dead network, seen from inside", ("42",)),
            Place(GRADIENTS, "Five learning rates", ("0.001",)),
        ),
    ),
    Item(
        38,
        "Fine-tuning with hooks",
        "836-848",
        (
            Place(TUNING, "Freezing is a property of parameters", ("requires_grad",)),
            Place(TUNING, "Proof by hooks: no gradient arrives", ("gradients 0",)),
            Place(TUNING, "Batch norm in a frozen layer keeps moving", ("running_mean",)),
        ),
    ),
)
