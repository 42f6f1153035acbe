"""Looking inside a model shows what it computes, and leaves it as it was."""

import re

import pytest
import torch
from torch import nn

from course_utils.hooks import eval_mode, monitor_gradients, named_layer, record_activations


@pytest.fixture
def images():
    """Return four images of one channel."""
    return torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model():
    """Return a convolution, a rectifier that overwrites its input, and a linear layer."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(32, 3), nn.Dropout()
    )


def hook_count(model):
    """Return how many hooks are on the modules and on the parameters."""
    on_modules = [module._forward_hooks for module in model.modules()]
    on_parameters = [parameter._backward_hooks or () for parameter in model.parameters()]
    return sum(map(len, on_modules + on_parameters))


def gradients(model):
    return [parameter.grad.clone() for parameter in model.parameters()]


def test_named_layer_finds_a_layer_inside_a_block(model):
    nested = nn.Sequential(model)

    assert named_layer(nested, "0.3") is model[3]


@pytest.mark.parametrize("name", ["nope", "", "weight"])
def test_named_layer_tells_which_layers_there_are(name):
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))

    message = re.escape(f"no layer is called {name!r}; the model has ['0', '1']")
    with pytest.raises(KeyError, match=message):
        named_layer(model, name)


def test_eval_mode_gives_back_each_submodule_its_own_mode(model):
    model.train()
    model[2].eval()

    with eval_mode(model) as same:
        assert same is model
        assert not any(module.training for module in model.modules())

    assert [module.training for module in model.modules()] == [True, True, True, False, True, True]


def test_eval_mode_leaves_a_model_in_evaluation_mode_there(model):
    model.eval()
    model[4].train()

    with eval_mode(model):
        pass

    assert [module.training for module in model.modules()] == [False] * 5 + [True]


def test_eval_mode_gives_the_modes_back_after_an_error(model):
    model.train()
    model[4].eval()

    with pytest.raises(RuntimeError, match="stop"), eval_mode(model):
        raise RuntimeError("stop")

    assert [module.training for module in model.modules()] == [True] * 5 + [False]


def test_record_activations_records_several_layers_at_once(model, images):
    with record_activations(model, "0", "1", "3") as activations:
        model(images)

    convolved = model[0](images)
    logits = model[3](convolved.relu().flatten(1))
    expected = {"0": convolved, "1": convolved.relu(), "3": logits}
    torch.testing.assert_close(activations, {n: out.detach() for n, out in expected.items()})


def test_record_activations_keeps_an_output_that_an_in_place_layer_overwrites(model, images):
    with record_activations(model, "0") as activations:
        model(images)

    assert activations["0"].min() < 0
    torch.testing.assert_close(activations["0"], model[0](images).detach())


def test_record_activations_gives_detached_copies(model, images):
    model.eval()
    with record_activations(model, "4") as activations:
        logits = model(images)
    expected = logits.detach().clone()

    activations["4"] += 1
    torch.testing.assert_close(logits.detach(), expected)
    assert not activations["4"].requires_grad
    assert activations["4"].grad_fn is None


def test_record_activations_keeps_the_latest_forward_pass_and_stays_readable(model, images):
    with record_activations(model, "0") as activations:
        model(images)
        model(images[:1])

    model(images)
    assert list(activations) == ["0"]
    torch.testing.assert_close(activations["0"], model[0](images[:1]).detach())


def test_record_activations_finds_a_layer_inside_a_block(model, images):
    with record_activations(nn.Sequential(model), "0.0", "0") as activations:
        model.eval()(images)

    torch.testing.assert_close(activations["0.0"], model[0](images).detach())
    torch.testing.assert_close(activations["0"], model(images).detach())


def test_record_activations_changes_neither_outputs_nor_modes_nor_gradients(model, images):
    model.train()
    model[4].eval()
    modes = [module.training for module in model.modules()]
    expected_logits = model(images)
    expected_logits.sum().backward()
    expected_gradients = gradients(model)
    model.zero_grad()

    with record_activations(model, "0", "1", "2", "3", "4"):
        logits = model(images)
        logits.sum().backward()

    torch.testing.assert_close(logits, expected_logits, rtol=0, atol=0)
    torch.testing.assert_close(gradients(model), expected_gradients, rtol=0, atol=0)
    assert [module.training for module in model.modules()] == modes


def test_record_activations_removes_its_hooks_and_no_other(model, images):
    seen = []
    model[0].register_forward_hook(lambda *_: seen.append("mine"))

    with record_activations(model, "0", "3", "3"):
        assert hook_count(model) > 1

    assert hook_count(model) == 1
    model(images)
    assert seen == ["mine"]


def test_record_activations_leaves_no_hook_behind_after_an_error(model):
    with (
        pytest.raises(RuntimeError, match=r"\[1, 2, 6, 6\]"),
        record_activations(model, "0", "3") as activations,
    ):
        model(torch.zeros(1, 2, 6, 6))

    assert hook_count(model) == 0
    assert activations == {}


def test_record_activations_leaves_no_hook_behind_after_a_wrong_name(model):
    with (
        pytest.raises(KeyError, match="no layer is called 'nope'"),
        record_activations(model, "0", "nope"),
    ):
        pass

    assert hook_count(model) == 0


def test_monitor_gradients_records_the_norm_of_each_gradient(model, images):
    model.eval()
    with monitor_gradients(model) as norms:
        model(images).sum().backward()

    assert norms == {
        name: [pytest.approx(torch.linalg.vector_norm(parameter.grad).item())]
        for name, parameter in model.named_parameters()
    }
    assert list(norms) == ["0.weight", "0.bias", "3.weight", "3.bias"]


@pytest.mark.parametrize("zero", [True, False], ids=["with zero_grad", "without"])
def test_monitor_gradients_records_what_each_backward_pass_brings(model, images, zero):
    model.eval()
    expected = []
    for image in images.split(1):
        brought = torch.autograd.grad(model(image).square().sum(), model.parameters())
        expected.append([torch.linalg.vector_norm(gradient).item() for gradient in brought])

    with monitor_gradients(model) as norms:
        for image in images.split(1):
            if zero:
                model.zero_grad()
            model(image).square().sum().backward()

    torch.testing.assert_close(torch.tensor([*norms.values()]).T, torch.tensor(expected))


def test_monitor_gradients_keeps_an_empty_list_for_what_is_frozen_or_not_reached(model, images):
    model[0].weight.requires_grad_(False)

    with monitor_gradients(model) as norms:
        model[0](images).sum().backward()

    assert {name: len(of_layer) for name, of_layer in norms.items()} == {
        "0.weight": 0,
        "0.bias": 1,
        "3.weight": 0,
        "3.bias": 0,
    }


def test_monitor_gradients_counts_a_parameter_that_is_used_twice_once():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(3.0)

    with monitor_gradients(layer) as norms:
        layer(layer(torch.ones(1, 1))).backward()  # weight squared: its gradient is 2 * 3

    assert norms == {"weight": [6.0]}


def test_monitor_gradients_changes_no_gradient(model, images):
    model.eval()
    model(images).sum().backward()
    expected = gradients(model)
    model.zero_grad()

    with monitor_gradients(model):
        model(images).sum().backward()

    torch.testing.assert_close(gradients(model), expected, rtol=0, atol=0)


def test_monitor_gradients_removes_its_hooks(model, images):
    with monitor_gradients(model) as norms:
        assert hook_count(model) == 4
        model(images).sum().backward()

    model(images).sum().backward()
    assert [len(of_layer) for of_layer in norms.values()] == [1, 1, 1, 1]
    assert hook_count(model) == 0


def test_monitor_gradients_removes_its_hooks_after_an_error(model):
    with pytest.raises(RuntimeError, match="stop"), monitor_gradients(model):
        raise RuntimeError("stop")

    assert hook_count(model) == 0
