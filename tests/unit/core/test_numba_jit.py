"""Compiled functions, where their code can be kept and where it cannot."""

import numba
import pytest

from wakawaka.core.numba_jit import numba_jit


@pytest.mark.parametrize("keeps", [True, False])
def test_compiled(monkeypatch, keeps):
    real = numba.njit

    def njit(cache=False, **options):
        if cache and not keeps:
            raise RuntimeError("cannot cache function: no locator available")
        return real(cache=cache, **options)

    monkeypatch.setattr(numba, "njit", njit)

    @numba_jit
    def double(number):
        return 2 * number

    assert double(21) == 42
