"""Answers that let this course's package do the work: each would be right, and earns nothing."""

import functools
import importlib

import torch
from torch import nn

import course_utils.checks.a6_oracles as oracles
import course_utils.datasets
from course_utils import arithmetic, hooks
from course_utils import models as m
from course_utils.architecture import Architecture
from course_utils.arithmetic import conv_output_size as size_of
from course_utils.checks import a7_pieces, broken_runs
from course_utils.checks.a4_oracles import lenet5_1998, summarize
from course_utils.checks.a4_oracles import lenet5_layers as layers
from course_utils.checks.a5_oracles import make_lines
from course_utils.checks.a7_repairing_mistakes import MISTAKES
from course_utils.checks.a7_trainer import FAULT_OF, NAME_OF
from course_utils.hooks import eval_mode, monitor_gradients

KERNEL = (1, 1)
another_name = m.lenet5
half_done = functools.partial(make_lines, 1000)


# --- a1 to a3 ---------------------------------------------------------------------------------


def conv_output_size_by_arithmetic(n, k, p=0, s=1, d=1):
    return size_of(n, k, stride=s, padding=p, dilation=d)


def receptive_field_by_arithmetic(layers):
    return arithmetic.receptive_field(layers)


def softmax_by_an_oracle(logits, dim=-1):
    from course_utils.checks import a3_oracles

    return a3_oracles.softmax(logits, dim)


# --- a4 ---------------------------------------------------------------------------------------


def build_lenet5_by_alias(num_classes=10):
    return m.lenet5(num_classes)


def build_lenet5_by_another_name(num_classes=10):
    return another_name(num_classes)


def build_lenet5_by_local_import(num_classes=10):
    from course_utils.models import lenet5

    return lenet5(num_classes)


def build_lenet5_by_import_module(num_classes=10):
    return importlib.import_module("course_utils.models").lenet5(num_classes)


def build_lenet5_by_getattr(num_classes=10):
    return getattr(m, "lenet5")(num_classes)  # noqa: B009 - as students write it


def build_lenet5_by_dict(num_classes=10):
    return m.__dict__["lenet5"](num_classes)


def build_lenet5_in_a_branch(num_classes=10):
    if num_classes > 10**6:
        return nn.Sequential(layers(num_classes))
    return nn.Sequential()


def conv2d_params_by_arithmetic(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return arithmetic.conv2d_parameter_count(
        in_channels, out_channels, kernel_size, groups=groups, bias=bias
    )


def linear_params_by_arithmetic(in_features, out_features, bias=True):
    return course_utils.arithmetic.linear_parameter_count(in_features, out_features, bias=bias)


def lenet5_1998_by_decorator(function):
    @functools.wraps(function)
    def inner(table):
        return lenet5_1998(table)

    return inner


@lenet5_1998_by_decorator
def lenet5_1998_below_a_decorator(table):
    return None


class Summarizer:
    def __call__(self, model, input_shape):
        with eval_mode(model):
            return summarize(model, input_shape)


# --- a5 ---------------------------------------------------------------------------------------


def make_lines_by_datasets(n=1000, size=10, seed=17):
    return course_utils.datasets.line_images(n, size, seed)


def make_lines_by_dynamic_name(n=1000, size=10, seed=17):
    module = importlib.import_module(".".join(["course_utils", "datasets"]))
    return vars(module)["line" + "_images"](n, size, seed)


def evaluate_with_eval_mode(model, loss_fn, loader):
    with torch.no_grad(), hooks.eval_mode(model):
        return {"loss": 0.0, "accuracy": 0.0, "n": len(loader)}


def loader_apply_by_architecture(loader, func, reduce="sum"):
    return Architecture.loader_apply(loader, func, reduce)


# --- a6 ---------------------------------------------------------------------------------------


class RecorderByInheritance(oracles.ActivationRecorder):
    pass


class GradientMonitorByHooks:
    def __init__(self, model):
        self.context = monitor_gradients(model)

    def __enter__(self):
        self.norms = self.context.__enter__()
        return self

    def __exit__(self, *error):
        return self.context.__exit__(*error)


# --- a7 ---------------------------------------------------------------------------------------


def diagnose_by_table(case):
    return NAME_OF[case]


def diagnose_by_broken_runs(case):
    return broken_runs.NAME_OF[case]


def repair_by_our_pieces(case):
    return FAULT_OF[broken_runs.NAME_OF[case]].mended


def repair_by_wrapping_our_pieces(case):
    return lambda *args: a7_pieces.split(*args)


def repair_by_a_wrong_answer(case):
    return MISTAKES[0].answer(case)


PACKAGE = {
    "conv_output_size": {"arithmetic": conv_output_size_by_arithmetic},
    "receptive_field": {"arithmetic": receptive_field_by_arithmetic},
    "softmax": {"an oracle": softmax_by_an_oracle},
    "build_lenet5": {
        "an alias": build_lenet5_by_alias,
        "another name": build_lenet5_by_another_name,
        "a local import": build_lenet5_by_local_import,
        "import_module": build_lenet5_by_import_module,
        "getattr": build_lenet5_by_getattr,
        "a module's dict": build_lenet5_by_dict,
        "a branch that no case visits": build_lenet5_in_a_branch,
        "the function itself": m.lenet5,
    },
    "conv2d_params": {"arithmetic": conv2d_params_by_arithmetic},
    "linear_params": {"a dotted name": linear_params_by_arithmetic},
    "lenet5_1998": {
        "an oracle": lambda table: lenet5_1998(table),
        "a decorator": lenet5_1998_below_a_decorator,
    },
    "summarize": {"an object": Summarizer(), "the oracle itself": summarize},
    "make_lines": {
        "datasets": make_lines_by_datasets,
        "a partial of an oracle": half_done,
        "a name made while it runs": make_lines_by_dynamic_name,
    },
    "evaluate": {"hooks": evaluate_with_eval_mode},
    "loader_apply": {"architecture": loader_apply_by_architecture},
    "ActivationRecorder": {"a subclass": RecorderByInheritance},
    "GradientMonitor": {"hooks": GradientMonitorByHooks},
    "dead_layers": {"an oracle": lambda model, x: oracles.dead_layers(model, x)},
    "fine_tune": {"an oracle": oracles.fine_tune},
    "diagnose": {
        "the table": diagnose_by_table,
        "the table of another module": diagnose_by_broken_runs,
        "the table's own method": NAME_OF.get,
    },
    "repair": {
        "our pieces": repair_by_our_pieces,
        "our pieces, wrapped": repair_by_wrapping_our_pieces,
        "a wrong answer's": repair_by_a_wrong_answer,
    },
}
