"""Functions compiled by Numba, once for every machine, not once for every job."""

import numba


def compiled(function):
    """Compile a function of arrays when it is first called; it holds no lock of Python's.

    The machine code is kept in `__pycache__` or, where that is not writable, in the user's cache; where neither is, every
    process compiles anew. Functions that it calls must be in its own module: Numba does not notice when others change.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
