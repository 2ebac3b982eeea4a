"""Copies of the project, as clones would be, in which tests run Snakemake."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import pandas as pd

ROOT = Path(__file__).parents[2]
SMALL = "tests/config/small.yaml"
# Given after another config file.
QUICK = "tests/config/quick.yaml"
DATA = ROOT.parent / "shared" / "data"
# Of processes that tests start.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "helpers" / "start")}


class Project:
    """A copy of the project in a folder of its own. `fresh` and `copy` make one; the folder of a finished one is there already."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    def fresh(cls, folder):
        """Return a new copy without results, as a clone would be."""
        project = cls(folder)
        for name in tracked_files():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, project / name)
        _copy_compiled(ROOT, project.folder)
        return project

    def copy(self, folder):
        """Return a copy of this one with everything that was made in it; Snakemake takes its results as they are."""
        # The times of the files are kept. No hard links: logs are written into the files that are there.
        shutil.copytree(self.folder, folder)
        return Project(folder)

    def __truediv__(self, name):
        return self.folder / name

    def snakemake(self, *arguments, configfile=None, env=None, check=True):
        """Run Snakemake on two cores, with one config file or several.

        Return the finished process with its output, errors and screen as one text.
        """
        process = subprocess.run(
            self.command(*arguments, configfile=configfile), cwd=self.folder, env=ENVIRONMENT | (env or {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
        )  # fmt: skip
        if check:
            assert process.returncode == 0, process.stdout
        return process

    def command(self, *arguments, configfile=None):
        """Return the command line of such a run as a list of str."""
        command = [str(Path(sys.executable).with_name("snakemake")), *map(str, arguments)]
        if not any(argument in ("--cores", "--jobs") for argument in arguments):
            command += ["--cores", "2"]
        if configfile:
            command += ["--configfile", *([configfile] if isinstance(configfile, str) else map(str, configfile))]
        return command

    def planned(self, *targets, configfile=None):
        """Return the rules that a dry run would run, as a dict from name to number of jobs, without `all`."""
        lines = self.snakemake("-n", "--quiet=rules", *targets, configfile=configfile).stdout.splitlines()
        counts = [line.split() for line in lines if len(line.split()) == 2]
        jobs = {name: int(count) for name, count in counts if count.isdecimal()}
        return {name: count for name, count in jobs.items() if name not in ("all", "total")}


def tracked_files():
    """Return the names of the files that a clone has, and of new ones that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _copy_compiled(source, target):
    """Copy the byte code and Numba's machine code of the library, where there is any, so that it is not compiled in every copy.

    Both hold a stamp of their source file, by which code of another source is compiled anew.
    """
    library = Path("workflow", "scripts")
    for folder in (source / library).rglob("__pycache__"):
        place = target / folder.relative_to(source)
        if not place.parent.is_dir():
            continue
        place.mkdir(exist_ok=True)
        for path in folder.iterdir():
            # Other processes write there at the same time: temporary files come and go.
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(path, place / path.name)


def once(folder, build):
    """Return the project in `folder`. `build` is given a fresh copy there, once for all processes that ask for it."""
    done = folder.with_name(f"{folder.name}.done")
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # What is there was left by a build that failed.
            shutil.rmtree(folder, ignore_errors=True)
            build(Project.fresh(folder))
            done.touch()
    return Project(folder)


def table(project, name):
    """Return one of the tables in results/."""
    return pd.read_csv(project / "results" / name, sep="\t", na_values=["-"])


def scores_of(project, **chosen):
    """Return the rows of a project's table of scores in which columns are as given; `similarity` is `all` unless given."""
    found = table(project, "scores/scores.tsv")
    for column, value in ({"similarity": "all"} | chosen).items():
        found = found[found[column] == value]
    return found


def weights(path):
    """Return the bytes of every weight in a model file, by the name of its data set."""
    found = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as stored, h5py.File(stored) as file:
        file.visititems(collect)
    assert len(found) > 10
    return found
