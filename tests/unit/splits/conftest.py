"""The store that most tests of splits share."""

import pytest

from helpers.splits import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Paths of a store of 6 cells and 40 genes that share nothing."""
    return make_store(tmp_path_factory.mktemp("store"))
