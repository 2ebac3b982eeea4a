"""The decorator of functions that Numba compiles, with a cache that all jobs on a machine share."""

from collections.abc import Callable
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable)


def numba_jit(function: _Function) -> _Function:
    """Compile a function of arrays when it is first called; it releases Python's global lock while it runs.

    The machine code is kept in `__pycache__` or, where that is not writable, in the user's cache. Where neither is writable, every
    process compiles anew. Functions that it calls must be in its own module: Numba does not notice when others change.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
