"""A right and a wrong answer to exercises of every kind, for attacks to be wrapped around."""

from dataclasses import dataclass
from functools import cache

from good_submissions import references, release_of

from course_utils.grading.release import Release

A1, A2, A3 = "a1_convolution", "a2_im2col_pooling", "a3_softmax_cross_entropy"
A4, A5, A6 = "a4_lenet5", "a5_training", "a6_hooks"


@dataclass(frozen=True)
class Target:
    """An exercise with a right answer, a wrong one, and another exercise of its notebook."""

    assignment: str
    name: str
    beside: str
    right: str
    wrong: str

    @property
    def answers(self) -> dict[str, str]:
        """Return right answers to both exercises."""
        return {self.name: self.right, self.beside: reference(self.assignment, self.beside)}


def reference(assignment: str, name: str) -> str:
    found = references(assignment)
    return found.get(name.replace("_", "-")) or found[name]


@cache
def cut_release(assignment: str, *names: str) -> Release:
    """Return an assignment with some of its exercises."""
    notebook = release_of(assignment).notebook()
    ids = {name.replace("_", "-") for name in names} | set(names)

    def stays(cell):
        settings = cell.metadata.nbgrader
        own = settings.grade_id.removesuffix("-check")
        return own in ids or not (settings.solution or settings.grade)

    notebook.cells = [cell for cell in notebook.cells if stays(cell)]
    return Release(assignment, notebook)


SIZE = '''def conv_output_size(n, k, p=0, s=1, d=1):
    """Return the output size of a convolution along one axis, in pixels."""
    if min(n, k, s, d) < 1 or p < 0:
        raise ValueError("a setting is too small")
    steps = n + 2 * p - d * (k - 1) - 1
    if steps < 0:
        raise ValueError("the kernel does not fit")
    return steps // s + 1
'''

SIZE_WITHOUT_REFUSALS = '''def conv_output_size(n, k, p=0, s=1, d=1):
    """Return the output size of a convolution along one axis, in pixels."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1
'''

CORRELATE = '''def cross_correlate2d(x, kernel, stride=1, padding=0):
    """Return the cross-correlation of an image and a kernel."""
    height, width = (n + 2 * padding for n in x.shape)
    padded = torch.zeros(height, width, dtype=x.dtype)
    padded[padding : padding + x.shape[0], padding : padding + x.shape[1]] = x
    kh, kw = kernel.shape
    rows = [
        [(padded[i : i + kh, j : j + kw] * kernel).sum() for j in range(0, width - kw + 1, stride)]
        for i in range(0, height - kh + 1, stride)
    ]
    return torch.stack([torch.stack(row) for row in rows])
'''

POOL_WITH_ZEROS = '''def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Return the maxima of the windows, and their flat indices in the map of H * W."""
    stride = kernel_size if stride is None else stride
    n_images, channels, height, width = x.shape
    padded = torch.zeros(n_images, channels, height + 2 * padding, width + 2 * padding, dtype=x.dtype)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    windows = padded.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).flatten(4)
    best, first = windows.max(-1)
    rows = torch.arange(windows.shape[2])[:, None] * stride - padding + first // kernel_size
    columns = torch.arange(windows.shape[3]) * stride - padding + first % kernel_size
    return best, rows * width + columns
'''

SOFTMAX_OVERFLOWS = '''def log_softmax(logits, dim=-1):
    """Return the logarithm of softmax along an axis."""
    return torch.log(torch.exp(logits) / torch.exp(logits).sum(dim, keepdim=True))
'''

RECORDER_STAYS = '''class ActivationRecorder:
    """Record what the named layers of a model give, while a with block runs."""

    def __init__(self, model, layer_names):
        self.model, self.layer_names, self.outputs = model, list(layer_names), {}

    def __enter__(self):
        known = dict(self.model.named_modules())
        layers = {name: known[name] for name in self.layer_names}
        self.outputs = {}
        for name, layer in layers.items():

            def store(module, inputs, output, name=name):
                before = [self.outputs[name]] if name in self.outputs else []
                self.outputs[name] = torch.cat([*before, output.detach().clone()])

            layer.register_forward_hook(store)
        return self

    def __exit__(self, error_type, error, traceback):
        pass
'''


def _without(source: str, part: str, other: str = "") -> str:
    assert part in source
    return source.replace(part, other)


def _targets():
    lenet, evaluate = reference(A4, "build_lenet5"), reference(A5, "evaluate")
    sums = 'return {"loss": total / n, "accuracy": right / n, "n": n}'
    means = 'return {"loss": total / len(loader), "accuracy": right / n, "n": n}'
    recorder = reference(A6, "ActivationRecorder")
    pool, softmax = reference(A2, "max_pool2d"), reference(A3, "log_softmax")
    affine = _without(lenet, '("relu3", nn.ReLU())', '("relu3", nn.Identity())')
    means = _without(_without(evaluate, sums, means), " * len(y)")
    left = _without(CORRELATE, "range(0, width - kw + 1, stride)", "range(0, width - kw + 1)")
    return [
        Target(A1, "cross_correlate2d", "same_padding", CORRELATE, left),
        Target(A1, "conv_output_size", "same_padding", SIZE, SIZE_WITHOUT_REFUSALS),
        Target(A2, "max_pool2d", "receptive_field", pool, POOL_WITH_ZEROS),
        Target(A3, "log_softmax", "odds", softmax, SOFTMAX_OVERFLOWS),
        Target(A4, "build_lenet5", "linear_params", lenet, affine),
        Target(A5, "evaluate", "leaked", evaluate, means),
        Target(A6, "ActivationRecorder", "freeze", recorder, RECORDER_STAYS),
    ]


TARGETS = {target.name: target for target in _targets()}
