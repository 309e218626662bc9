"""Memory that a large picture took."""

import ctypes
import functools
from collections.abc import Callable


def give_back() -> None:
    """Give memory that is free again back to the system, where the C library keeps it: glibc does, for later."""
    trim = _trim()
    if trim is not None:
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
