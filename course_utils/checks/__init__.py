"""Exercises as data, and the two calls that judge an answer: ``check`` and ``examine``."""


def __getattr__(name: str) -> object:
    """Give ``check`` and ``examine`` when they are asked for, so that importing stays free."""
    if name in {"check", "examine"}:
        return getattr(__import__("course_utils.checks.checking", fromlist=[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
