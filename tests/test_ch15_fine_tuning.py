"""What chapter 15 says of freezing, found again without the chapter's code."""

from functools import partial

import pytest
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_utils.models import lenet5


@pytest.fixture
def network():
    torch.manual_seed(15)
    return lenet5(5)


@pytest.fixture
def batch():
    stream = torch.Generator().manual_seed(15)
    return torch.rand(4, 1, 28, 28, generator=stream), torch.tensor([0, 1, 2, 3])


def backward(model, batch):
    images, labels = batch
    F.cross_entropy(model(images), labels).backward()


def flops_of_backward(frozen, batch):
    """Return what PyTorch's own counter says, without the forward pass."""
    model = lenet5(5)
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    loss = F.cross_entropy(model(batch[0]), batch[1])
    with FlopCounterMode(display=False) as counter:
        loss.backward()
    return counter.get_total_flops()


@pytest.mark.number(
    {"C1 and C3": 9.7, "C5": 93.3, "all but C1": 58.2},
    "multiply-adds left in the backward pass of LeNet-5 with five classes, in %, by what is frozen",
    chapter="15_fine_tuning",
    heading="Frozen is not cut: gradients pass through",
    digits=1,
)
def test_freezing_the_front_saves_most_of_the_backward_pass(number, batch):
    whole = flops_of_backward([], batch)
    frozen = {
        "C1 and C3": ["C1", "C3"],
        "C5": ["C5"],
        "all but C1": ["C3", "C5", "F6", "OUTPUT"],
    }

    shares = {what: 100 * flops_of_backward(names, batch) / whole for what, names in frozen.items()}

    assert {what: round(share, 1) for what, share in shares.items()} == number


@pytest.mark.parametrize(
    ("make", "moves_with_zeros"),
    [
        (partial(optim.SGD, lr=0.1), False),
        (partial(optim.SGD, lr=0.1, momentum=0.9), True),
        (partial(optim.SGD, lr=0.1, weight_decay=0.1), True),
        (partial(optim.Adam, lr=0.1), True),
    ],
    ids=["sgd", "momentum", "decay", "adam"],
)
def test_a_frozen_weight_moves_unless_its_gradient_is_none(make, moves_with_zeros, network, batch):
    optimizer = make(network.parameters())
    backward(network, batch)
    optimizer.step()
    weight = network.C1.weight.requires_grad_(False)
    moves = {}

    for left in ("none", "zeros", "stale"):
        before = weight.detach().clone()
        if left == "none":
            stale, weight.grad = weight.grad, None
        else:
            weight.grad = torch.zeros_like(weight) if left == "zeros" else stale
        optimizer.step()
        moves[left] = not torch.equal(weight, before)

    assert moves == {"none": False, "zeros": moves_with_zeros, "stale": True}


def test_frozen_batch_norm_moves_in_train_mode_and_rests_in_eval_mode():
    norm = nn.BatchNorm2d(2).requires_grad_(False)
    images = torch.rand(4, 2, 3, 3) + 5

    with torch.no_grad():
        norm.eval()(images)
        assert norm.running_mean.tolist() == [0, 0]
        norm.train()(images)

    assert (norm.running_mean > 0.5).all()
    assert norm.num_batches_tracked == 1
    assert norm.weight.tolist() == [1, 1]


def test_no_grad_in_the_middle_cuts_off_the_layers_before_it(network, batch):
    network.C3.requires_grad_(False)
    backward(network, batch)
    through = network.C1.weight.grad.norm()
    network.zero_grad()

    values = network[:3](batch[0])
    with torch.no_grad():
        values = network.C3(values)
    F.cross_entropy(network[4:](values), batch[1]).backward()

    assert through > 0
    assert network.C1.weight.grad is None


def test_a_new_head_under_the_old_name_keeps_names_and_places(network):
    names = list(network.state_dict())

    network.OUTPUT = nn.Linear(84, 7)

    assert list(network.state_dict()) == names
    assert network[-1].out_features == 7
