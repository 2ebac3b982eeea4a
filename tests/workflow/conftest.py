"""A fresh copy of the project, as a clone would be, for tests that run Snakemake."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SMALL = "tests/config/small.yaml"
# To be given after another config file.
QUICK = "tests/config/quick.yaml"
DATA = ROOT.parent / "shared" / "data"


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        self.files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
        for name in self.files:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.folder / name)

    def __truediv__(self, name):
        return self.folder / name

    def snakemake(self, *arguments, configfile=None, env=None, check=True):
        """Run snakemake on two cores, with one config file or several.

        Return the finished process with its output, errors and screen as one text.
        """
        command = [str(Path(sys.executable).with_name("snakemake")), *map(str, arguments)]
        if not any(argument in ("--cores", "--jobs") for argument in arguments):
            command += ["--cores", "2"]
        if configfile:
            command += ["--configfile", *([configfile] if isinstance(configfile, str) else configfile)]
        process = subprocess.run(
            command, cwd=self.folder, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
        )  # fmt: skip
        if check:
            assert process.returncode == 0, process.stdout
        return process

    def planned(self, *targets, configfile=None):
        """Return the rules that a dry run would run, as a dict from name to number of jobs, without `all`."""
        lines = self.snakemake("-n", "--quiet=rules", *targets, configfile=configfile).stdout.splitlines()
        counts = [line.split() for line in lines if len(line.split()) == 2]
        jobs = {name: int(count) for name, count in counts if count.isdecimal()}
        return {name: count for name, count in jobs.items() if name not in ("all", "total")}


def scores_of(project, **chosen):
    """Return the rows of a project's table of scores in which columns are as given; `similarity` is `all` unless given."""
    table = pd.read_csv(project / "results/scores/scores.tsv", sep="\t", na_values=["-"])
    for column, value in ({"similarity": "all"} | chosen).items():
        table = table[table[column] == value]
    return table


@pytest.fixture
def project(tmp_path):
    """A fresh copy of the project without results."""
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """A copy in which the small example has run to the end, report included. Tests leave it as they find it."""
    project = Project(tmp_path_factory.mktemp("example"))
    project.snakemake(configfile=SMALL)
    project.snakemake("--report", "results/report.html", configfile=SMALL)
    return project


@pytest.fixture
def data(project):
    """The folder of real data, which is then beside the copy of the project too; the test is skipped where it is missing."""
    if not DATA.is_dir():
        pytest.skip("the real data is not beside the project (../shared/data)")
    (project.folder.parent / "shared").symlink_to(DATA.parent)
    return DATA
