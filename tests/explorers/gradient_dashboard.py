"""X15 against the hooks of the course: the record, and what is read from it."""

import json
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from course_utils.datasets import line_loaders
from course_utils.explorers.showing import FOLDER
from course_utils.hooks import monitor_gradients
from course_utils.models import line_classifier
from explorers import Case


def network(seed: int) -> nn.Sequential:
    """Return the case study's network in float64, from this seed's draws."""
    model = line_classifier().double()
    torch.manual_seed(seed)
    for layer in (model.conv1, model.fc1, model.fc2):
        for parameter in layer.parameters():
            draws = 2 * torch.rand(parameter.shape) - 1
            parameter.data = draws.double() * layer.weight[0].numel() ** -0.5
    return model


def gradients(seed: int, rate: float, n_steps: int = 12) -> Tensor:
    """Return the norms of the first steps' gradients, shape (parameters, steps)."""
    loader, _ = line_loaders()
    images, labels = loader.dataset.tensors
    loader.sampler.generator.manual_seed(42)
    draws = torch.tensor(list(loader.sampler)).view(-1, 16)[:n_steps]
    model = network(seed)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    with monitor_gradients(model) as norms:
        for picked in draws:
            optimizer.zero_grad()
            F.cross_entropy(model(images[picked].double()), labels[picked]).backward()
            optimizer.step()
    return torch.tensor(list(norms.values()), dtype=torch.float64)


def cases():
    record = json.loads((FOLDER / "data" / "gradient-dashboard.json").read_text("utf-8"))
    for name, seed, rate in [("0.1", 13, 0.1), ("1", 13, 1.0), ("seed 42", 42, 0.1)]:
        recorded = torch.tensor(record[name]["gradient"]["first"], dtype=torch.float64)
        expected = gradients(seed, rate)
        torch.testing.assert_close(recorded[:, :12], expected, rtol=5e-3, atol=1e-6)
        for row in (0, 5):
            zero = (expected[row] != 0).nonzero()
            since = int(zero.max()) + 1 if len(zero) else 0
            silent = None if since == expected.shape[1] else since
            yield Case("silentFrom", [expected[row].tolist()], silent)
    assert record["1"]["ratio"]["first"][0][8] == 2.3  # the ninth step, longer than the filter
    for value in (1e-6, 1e-3, 0.1518, 2.56, 10.0):
        share = (torch.tensor(value, dtype=torch.float64).log10() + 3) / 3.5
        yield Case("place", [value, -3, 0.5], share.clamp(0, 1).item())
    yield Case("place", [0.0, -3, 0.5], None)
    for classes in (2, 3, 10):
        labels = torch.zeros(1, dtype=torch.long)
        guess = F.cross_entropy(torch.zeros(1, classes).double(), labels)
        yield Case("guessing", [classes], guess.item())
        surest = F.cross_entropy(torch.eye(classes).double()[:1], labels)
        yield Case("floor", [classes], surest.item())
    assert math.isclose(surest.item(), -math.log(math.e / (math.e + 9)))
