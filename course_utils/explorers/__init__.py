"""The interactive figures: ES modules that run on a page of the book and in a notebook."""


def __getattr__(name: str) -> object:
    """Give ``show`` when it is asked for, so that importing stays free."""
    if name == "show":
        return getattr(__import__("course_utils.explorers.showing", fromlist=[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
