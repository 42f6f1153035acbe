"""X13 against the course's own networks and hooks."""

import json

import torch
import torch.nn.functional as F

from course_utils.explorers.showing import FOLDER
from course_utils.hooks import record_activations
from course_utils.models import line_classifier
from explorers import Case
from explorers.gradient_dashboard import network
from explorers.training_replay import lines

LAYERS = ("conv1", "relu1", "maxp1", "flatten", "fc1", "relu2", "fc2")


def cases():
    record = json.loads((FOLDER / "data" / "feature-map-browser.json").read_text("utf-8"))
    drawn = lines()
    for name, parameter in network(13).state_dict().items():
        recorded = torch.tensor(record["untrained"][name], dtype=torch.float64)
        torch.testing.assert_close(recorded, parameter, rtol=1e-6, atol=0)
    printed = [[-1.00, -0.73, 0.02], [-0.91, -1.06, 0.75], [0.03, 0.95, 2.11]]
    kernel = torch.tensor(record["trained"]["conv1.weight"])[0, 0]
    torch.testing.assert_close(kernel, torch.tensor(printed), rtol=0, atol=6e-3)
    for name, label, start, off in [
        ("trained", 2, 4, None),
        ("trained", 0, 1, None),
        ("trained", 1, -3, None),
        ("trained", 0, 7, 0),
        ("untrained", 0, 0, None),
        ("untrained", 2, -9, None),
        ("eight", 0, 5, None),
        ("eight", 1, 9, 4),
        ("eight", 2, -1, 2),
        ("eight", 0, -9, 7),
    ]:
        exact = {
            key: torch.tensor(value, dtype=torch.float64) for key, value in record[name].items()
        }
        model = line_classifier(len(exact["conv1.bias"])).double()
        model.load_state_dict(exact)
        if off is not None:
            model.relu1.register_forward_hook(
                lambda _m, _a, out, off=off: out.index_fill(1, torch.tensor(off), 0)
            )
        with torch.no_grad(), record_activations(model, *LAYERS) as found:
            logits = model(drawn[label, start][None, None])
        outputs = {layer: values[0].tolist() for layer, values in found.items()}
        yield Case("forward", [drawn[label, start].tolist(), record[name], off], outputs)
        yield Case("answer", [logits[0].tolist()], logits.argmax().item())
        yield Case("pixels", [label, start], drawn[label, start].tolist())
    same = [[1.0, 2.0], [3.0, 4.0]]
    other = [[1.0, 2.5], [3.0, 1.0]]
    expected = F.l1_loss(torch.tensor(same), torch.tensor(other), reduction="none").max().item()
    yield Case("difference", [same, other], expected)
