"""Each profile is understood by Snakemake, and the whole project dry-runs with it."""

import re
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from helpers.project import SMALL

PROFILES = Path(__file__).parents[2] / "profiles"


def settings(profile):
    return yaml.safe_load((PROFILES / profile / "profile.yaml").read_text())


def planned(run):
    """How many jobs of each rule a dry run lists."""
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", run.stdout, flags=re.MULTILINE)}


def resources(run):
    """The resources of each job that a dry run lists."""
    for line in re.findall(r"^ +resources: (.+)$", run.stdout, flags=re.MULTILINE):
        yield dict(item.split("=", 1) for item in line.split(", "))


def threads(run, rule):
    """The threads of each job of a rule that has more than one."""
    return re.findall(rf"^rule {rule}:\n(?: +.*\n)*? +threads: (\d+)$", run.stdout, flags=re.MULTILINE)


@contextmanager
def storage_emulator():
    """Serve an empty Google Cloud Storage from memory; yield the variables with which its clients find it."""
    module = pytest.importorskip("gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed")
    with module.create_server("127.0.0.1", 0, in_memory=True) as server:  # port 0: any that is free
        port = server._api._httpd.server_port
        yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}


def test_default_profile_is_read_without_being_named(project):
    run = project.snakemake("-n", configfile=SMALL)
    assert planned(run)["train"] == 3
    assert "profiles/default" in run.stdout
    # Side by side, not one after the other.
    assert threads(run, "train") == []


def test_slurm_profile_dry_runs(project):
    run = project.snakemake("-n", "--workflow-profile", "profiles/slurm", configfile=SMALL)
    assert planned(run)["train"] == 3
    assert threads(run, "train") == ["2"] * 3
    assert all("runtime" in job for job in resources(run))


def test_googlebatch_profile_dry_runs_against_a_storage_emulator(project):
    with storage_emulator() as env:
        run = project.snakemake("-n", "--workflow-profile", "profiles/googlebatch", configfile=SMALL, env=env)
    assert planned(run)["train"] == 3 and threads(run, "train") == ["2"] * 3
    prefix = settings("googlebatch")["default-storage-prefix"]
    assert f"output: {prefix}/results/models/wakawaka/final/model.keras" in run.stdout
    # Google Batch does not see what a rule asks for; the profile has to give it at least as much.
    jobs = [job for job in resources(run) if "runtime" in job]
    assert len(jobs) == planned(run)["total"] - 1  # all but rule all
    for job in jobs:
        assert int(job["googlebatch_memory"]) >= int(job["mem_mib"]), job
        assert int(job["googlebatch_max_run_duration"].removesuffix("s")) >= 60 * int(job["runtime"]), job


@pytest.mark.parametrize("profile", ["slurm", "googlebatch"])
def test_profile_repeats_the_default_which_it_replaces(profile):
    assert settings(profile) == settings(profile) | settings("default")


def test_googlebatch_profile_names_existing_rules(project):
    """Snakemake itself passes over the resources of a rule that does not exist."""
    rules = set(project.snakemake("--list-rules").stdout.split())
    profile = settings("googlebatch")
    assert rules >= {*profile["set-resources"], *profile["set-threads"], *profile["preemptible-rules"]}
