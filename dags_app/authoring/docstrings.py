"""A function's docstring, as the description of what it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

_NAMES = {"description", "doc_md"}


def described(
    options: Mapping[str, object], function: Callable[..., object], *, most: int
) -> dict[str, object]:
    """`options` with the docstring as description, unless they have one: `most` characters of it,
    for it was written for those who read the code.
    """
    text = inspect.cleandoc(function.__doc__ or "")
    if not text or _NAMES & options.keys():
        return {**options}
    return {**options, "description": text if len(text) <= most else f"{text[: most - 1]}…"}
