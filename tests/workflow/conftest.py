"""Fixtures of tests that run Snakemake."""

import os

import pytest

from helpers.project import DATA, SMALL, Project, once


@pytest.fixture
def project(tmp_path):
    """A fresh copy of the project without results."""
    return Project.fresh(tmp_path / "project")


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of pytest have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def example(shared):
    """A copy in which the small example has run to the end, report included; other workers read it too, so that no test changes it."""
    return once(shared / "example", _run_example)


def _run_example(project):
    project.snakemake(configfile=SMALL)
    project.snakemake("--report", "results/report.html", configfile=SMALL)


@pytest.fixture
def finished(example, tmp_path):
    """A copy of the finished small example that a test may change."""
    return example.copy(tmp_path / "project")


@pytest.fixture
def data(project):
    """The folder of real data, which is then beside the copy of the project too; the test is skipped where it is missing."""
    if not DATA.is_dir():
        pytest.skip("the real data is not beside the project (../shared/data)")
    (project.folder.parent / "shared").symlink_to(DATA.parent)
    return DATA
