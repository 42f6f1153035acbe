"""Count the steps that an answer takes, to notice a loop over what arrays do at once."""

import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen ", "<__array_")

LOOP = "Python loop over the positions"


class _Steps(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts lines of code outside of libraries, and PyTorch's operators."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the compiler is not used, and importing it would take seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Count a line, as ``sys.settrace`` reports it; a round of a loop is a line at least."""
        if frame.f_code.co_filename.startswith(LIBRARIES):
            return None
        self.count += event == "line"
        return self.trace


def count_steps(call: Callable[[], Any]) -> tuple[Any, int]:
    """Return what a call returns, and how many lines and operators it ran."""
    steps = _Steps()
    previous = sys.gettrace()
    with steps:
        sys.settrace(steps.trace)
        try:
            result = call()
        finally:
            sys.settrace(previous)
    return result, steps.count


def call_and_notice_loop(
    answer: Callable[..., Any], *args: Any, steps_counted: bool = False, **kwargs: Any
) -> Any:
    """
    Return the answer's result; if its steps are counted, with whether it loops over positions.

    ``args`` are then an image and a weight without bias. A loop over images, over the kernel, or
    over rows or columns of the map alone takes as many steps more for each row whatever the width
    is; a loop over positions does not.
    """
    if not steps_counted:
        return answer(*args, **kwargs)
    x, weight = args
    kh, kw = weight.shape[2:]
    answer(x[:, :, : kh + 1, :kw].clone(), weight)  # what is done once only is not counted

    def counted(image: Tensor) -> tuple[Any, int]:
        return count_steps(partial(answer, image, weight))

    _, corner = counted(x[:, :, :kh, :kw].clone())
    _, row = counted(x[:, :, :kh].clone())
    _, column = counted(x[:, :, :, :kw].clone())
    output, whole = counted(x)
    more_rows, more_columns = x.shape[2] - kh, x.shape[3] - kw
    loops = whole - row - column + corner >= more_rows * more_columns
    return {"output": output, LOOP: "yes" if loops else "none"}
