"""The two networks of the course, as named ``nn.Sequential`` models that give logits."""

from collections import OrderedDict

from torch import nn

from course_utils.arithmetic import check_at_least


def lenet5(num_classes: int = 10) -> nn.Sequential:
    """
    Return a modern LeNet-5 for images of shape (batch, 1, 28, 28).

    The layers bear the names of the 1998 paper; rectifiers, max pooling, a dense C3 and a linear
    output stand where the paper has scaled tanh, trained subsampling, a sparse C3 and RBF units.

    Parameters
    ----------
    num_classes : int, default 10
        Number of logits.

    Returns
    -------
    nn.Sequential
        Twelve modules, C1 to OUTPUT, 61,706 parameters for ten classes; it maps images of shape
        (batch, 1, 28, 28) to logits of shape (batch, num_classes).

    Raises
    ------
    ValueError
        If ``num_classes`` is below 1.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
       document recognition", 1998, doi:10.1109/5.726791.
    """
    check_at_least(1, num_classes=num_classes)
    layers: list[tuple[str, nn.Module]] = [
        ("C1", nn.Conv2d(1, 6, kernel_size=5, padding=2)),  # (6, 28, 28)
        ("relu1", nn.ReLU()),
        ("S2", nn.MaxPool2d(kernel_size=2)),  # (6, 14, 14)
        ("C3", nn.Conv2d(6, 16, kernel_size=5)),  # (16, 10, 10)
        ("relu2", nn.ReLU()),
        ("S4", nn.MaxPool2d(kernel_size=2)),  # (16, 5, 5)
        ("C5", nn.Conv2d(16, 120, kernel_size=5)),  # (120, 1, 1)
        ("relu3", nn.ReLU()),
        ("flatten", nn.Flatten()),  # (120,)
        ("F6", nn.Linear(120, 84)),
        ("relu4", nn.ReLU()),
        ("OUTPUT", nn.Linear(84, num_classes)),
    ]
    return nn.Sequential(OrderedDict(layers))


def line_classifier(n_channels: int = 1) -> nn.Sequential:
    """
    Return the case study's network for line images of shape (batch, 1, 10, 10).

    Parameters
    ----------
    n_channels : int, default 1
        Filters of the convolution.

    Returns
    -------
    nn.Sequential
        Modules conv1, relu1, maxp1, flatten, fc1, relu2, fc2; 213 parameters for one channel; it
        maps images to logits of shape (batch, 3).

    Raises
    ------
    ValueError
        If ``n_channels`` is below 1.
    """
    check_at_least(1, n_channels=n_channels)
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, n_channels, kernel_size=3)),  # (n_channels, 8, 8)
        ("relu1", nn.ReLU()),
        ("maxp1", nn.MaxPool2d(kernel_size=2)),  # (n_channels, 4, 4)
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(n_channels * 4 * 4, 10)),
        ("relu2", nn.ReLU()),
        ("fc2", nn.Linear(10, 3)),
    ]
    return nn.Sequential(OrderedDict(layers))
