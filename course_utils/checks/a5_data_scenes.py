"""Assignment 5: the scenes that line images and their split are judged by."""

from typing import Any

import numpy as np

from course_utils.checks.exercise import Answer


def draw_lines(answer: Answer, *args: Any, look: str = "result", **kwargs: Any) -> Any:
    """Observe images and labels, a summary of many, or what is left of NumPy's global stream."""
    before = np.random.get_state()
    try:
        np.random.seed(3)
        result = answer(*args, **kwargs)
        following = float(np.random.random())
    finally:
        np.random.set_state(before)
    if look == "stream":
        return {
            "the number of labels": len(result[1]),
            "the next draw from NumPy's global stream": following,
        }
    if look == "summary":
        images, labels = map(np.asarray, result)
        return {
            "the images": tuple(images.shape),
            "the number of images of each class": np.bincount(labels).tolist(),
            "the number of white pixels in each row": (images == 255).sum(axis=(0, 1, 3)).tolist(),
        }
    return result


def divide(answer: Answer, *args: Any, look: str = "all", **kwargs: Any) -> Any:
    """Observe the four tensors, or the labels alone, which show how the items were divided."""
    result = answer(*args, **kwargs)
    if look == "labels":
        _, y_train, _, y_val = result
        return {"y_train": y_train, "y_val": y_val}
    return result
