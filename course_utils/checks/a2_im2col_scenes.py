"""Assignment 2: the scene in which a product of matrices is told from a loop over positions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from course_utils.checks.steps import count_steps

LOOP = "Python loop over the positions"


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
