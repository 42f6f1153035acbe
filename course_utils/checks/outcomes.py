"""Run an answer on a case and keep what it did, as plain data that cannot talk back."""

import contextlib
import inspect
import io
import linecache
import os
import sysconfig
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C import _len_torch_function_stack

from course_utils.checks.exercise import Answer, Case, Exercise

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Foreign:
    """A value that counts as no answer: its type, and what it looked like if that is short."""

    type_name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.type_name}{self.detail}"


@dataclass(frozen=True)
class Failure:
    """An exception of the answer: the names of its classes, its message and its line of code."""

    type_names: tuple[str, ...]
    message: str
    line: str

    def refuses(self, error: str) -> bool:
        """Return whether it is an exception of that name, or of a subclass."""
        return error in self.type_names

    @property
    def unstarted(self) -> bool:
        """Whether the answer is still the stub; PyTorch's own errors of that type say more."""
        return self.type_names[0] == "NotImplementedError" and not self.message

    def __str__(self) -> str:
        message = f": {self.message}" if self.message else ""
        where = f" (at `{self.line}`)" if self.line else ""
        return f"{self.type_names[0]}{message}{where}".replace("\n", " ")


class WrongFormError(TypeError):
    """A scene cannot be played with what the answer gives; the message says what it has to be."""


@dataclass(frozen=True)
class Outcome:
    """What an answer did with one case: a plain value, a Foreign or a Failure."""

    value: Any
    printed: str = ""
    changed: str | None = None


def run_case(
    answer: Answer,
    case: Case,
    parameter_names: tuple[str, ...] = (),
    probe: Callable[..., Any] | None = None,
) -> Outcome:
    """Call ``answer``, or the probe with it, on copies of the arguments, whatever it raises."""
    args = tuple(copy_argument(argument) for argument in case.args)
    kwargs = {name: copy_argument(argument) for name, argument in case.kwargs.items()}
    with quiet() as printed:
        try:
            call = answer if probe is None else partial(probe, answer)
            value = plain(call(*args, **kwargs))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            value = failure(error)
    names = (*parameter_names, *(f"argument {n}" for n in range(len(parameter_names), len(args))))
    given = [*zip(names, args, case.args, strict=False)]
    given += [(name, kwargs[name], case.kwargs[name]) for name in kwargs]
    changed = next((name for name, after, before in given if not unchanged(after, before)), None)
    return Outcome(value, escaped(printed.getvalue()[:500]), changed)


def meaning(exercise: Exercise, case: Case, value: Any) -> Any:
    """Return what an observed value means; a Foreign or a Failure stays what it is."""
    if exercise.reading is None or isinstance(value, Foreign | Failure):
        return value
    return exercise.reading(value, *case.args, **case.kwargs)


def default_device() -> torch.device:
    """Return where tensors are made; another place than the CPU is a mode, and most have none."""
    return torch.get_default_device() if _len_torch_function_stack() else CPU


class _Paper(io.StringIO):
    """Takes what an answer writes, even after the answer has closed it."""

    def close(self) -> None:
        pass


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Keep text, warnings and changed settings of a block from getting out."""
    dtype, grad, device = torch.get_default_dtype(), torch.is_grad_enabled(), default_device()
    printed = _Paper()
    torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        torch.set_default_device("cpu")
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(_Paper()),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            yield printed
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run small tensors on one thread: on a busy machine more of them wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def readable(text: str) -> str:
    """Return text that every terminal and file takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def escaped(text: str) -> str:
    """Return text that does nothing where it is shown: what cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else ascii(sign)[1:-1] for sign in text
    )


def copy_argument(argument: Any) -> Any:
    """Return a copy that shares nothing with ``argument``; tensors keep their strides."""
    if isinstance(argument, Tensor):
        copy = argument.detach().clone()
        if copy.stride() == argument.stride():
            return copy
        storage = argument.untyped_storage()
        whole = torch.empty(0, dtype=argument.dtype, device="cpu").set_(storage.clone())  # type: ignore[no-untyped-call]
        return whole.as_strided(argument.shape, argument.stride(), argument.storage_offset())
    if isinstance(argument, np.ndarray):
        return argument.copy(order="K")
    if isinstance(argument, list | tuple):
        return type(argument)(copy_argument(item) for item in argument)
    if isinstance(argument, dict):
        return {key: copy_argument(value) for key, value in argument.items()}
    return argument


def unchanged(after: Any, before: Any) -> bool:
    """Return whether an argument still has the type, shape and values that it had."""
    if type(after) is not type(before):
        return False
    if isinstance(before, Tensor):
        return after.dtype == before.dtype and _same_numbers(after.detach(), before.detach())
    if isinstance(before, np.ndarray):
        floats = before.dtype.kind in "fc"
        return after.dtype == before.dtype and np.array_equal(after, before, equal_nan=floats)
    if isinstance(before, list | tuple):
        return len(after) == len(before) and all(map(unchanged, after, before))
    if isinstance(before, dict):
        return after.keys() == before.keys() and all(unchanged(after[k], before[k]) for k in before)
    return bool(after == before)


def _same_numbers(after: Tensor, before: Tensor) -> bool:
    """Return whether tensors of one dtype hold the same, nan included."""
    if after.shape != before.shape or torch.equal(after, before):
        return after.shape == before.shape
    return bool(((after == before) | ((after != after) & (before != before))).all())


FLOATS = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
DTYPES = {name: getattr(torch, name) for name in (*FLOATS, *INTEGERS)}  # of tensors that count
MOST_NUMBERS = 10_000_000
MOST_ITEMS = 10_000
MOST_BITS = 4_096


def plain(value: Any) -> Any:
    """
    Return ``value`` as data of exact built-in types, or a Foreign.

    Only None, bool, int, float, str, plain dense tensors of usual dtypes, arrays of numbers, and
    tuples, lists and dicts of them count; a subclass could claim to equal everything. A subclass
    of tuple, list or dict is read as one, and NumPy's float64 as the float that it is. What is too
    large to be an answer is not copied.
    """
    kind: type = type(value)
    if kind is int and value.bit_length() > MOST_BITS:
        return Foreign("int", f" of {value.bit_length()} bits")
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is Tensor:
        if value.is_nested or value.layout is not torch.strided or value.device.type != "cpu":
            return Foreign("Tensor", f" with layout {value.layout} on {value.device}")
        if value.dtype not in DTYPES.values():
            return Foreign("Tensor", f" of the rare dtype {value.dtype}")
        if value.numel() > MOST_NUMBERS:
            return Foreign("Tensor", f" of {value.numel()} numbers")
        return value.detach().clone()
    if kind is np.ndarray and value.dtype.kind in "biuf":
        if value.size > MOST_NUMBERS:
            return Foreign("numpy.ndarray", f" of {value.size} numbers")
        return value.copy()
    if kind is np.float64:
        return float.__float__(value)
    for container in (tuple, list, dict):
        if issubclass(kind, container):
            return _plain_items(value, container)
    if inspect.isgenerator(value):
        return Foreign("generator", ", since it has a `yield`")
    if inspect.iscoroutine(value):
        value.close()
        return Foreign("coroutine", ", since it is an `async def`")
    return Foreign(_type_name(value), _detail(value))


def _plain_items(value: Any, container: Any) -> Any:
    """Return the items of a tuple, list or dict, read by the built-in type's own methods."""
    size = container.__len__(value)
    if size > MOST_ITEMS:
        return Foreign(type(value).__name__, f" of {size} items")
    if container is dict:
        items = dict.items(value)
        return {key: plain(item) for key, item in items if type(key) in (str, int)}
    return container(plain(item) for item in container.__iter__(value))


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _detail(value: Any) -> str:
    if type(value) is np.ndarray:
        return f" of shape {value.shape}"
    if isinstance(value, np.generic):
        return f" {value}"
    return ""


def failure(error: BaseException) -> Failure:
    """Return an exception as plain data."""
    try:
        message = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a student's exception may be broken itself
        message = "its message cannot be read"
    names = tuple(kind.__name__ for kind in type(error).__mro__)
    return Failure(names, escaped(message[:300]), escaped(_own_line(error)[:120]))


def _own_line(error: BaseException) -> str:
    """Return the last line of the answer's own code that an exception came through."""
    step = error.__traceback__ and error.__traceback__.tb_next  # the first frame is ours
    own = ""
    while step is not None:
        code = step.tb_frame.f_code
        if not is_installed(code.co_filename):
            space = step.tb_frame.f_globals
            own = linecache.getline(code.co_filename, step.tb_lineno, space).strip() or own
        step = step.tb_next
    return own


def is_installed(path: str) -> bool:
    """Return whether a file of code belongs to Python, to a library or to this package."""
    return path.startswith(INSTALLED)


INSTALLED = (
    *(f"{path}{os.sep}" for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}),
    f"{Path(__file__).parents[1]}{os.sep}",
    "<frozen ",
)
