"""Count the steps that an answer takes, to notice a loop over what arrays do at once."""

import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen ", "<__array_")


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
