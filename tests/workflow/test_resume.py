"""A training that is killed goes on at its last epoch, to the same bits, unless it is asked to start afresh."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from helpers.project import ENVIRONMENT, SMALL, weights

FOLDER = "results/models/wakawaka/fold-1"
TARGET = f"{FOLDER}/model.keras"


def kill_in_the_middle(project, *arguments):
    """Start snakemake and kill it and its jobs, with no chance to clean up, when a checkpoint is there."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": ENVIRONMENT}
    process = subprocess.Popen(project.command(*arguments), cwd=project.folder, start_new_session=True, **quiet)
    checkpoint, end = project / FOLDER / "checkpoint.npz", time.monotonic() + 120
    while not checkpoint.is_file():
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (project / TARGET).exists()
    return checkpoint


@pytest.fixture
def project(finished):
    """A copy of the finished small example without the models of one fold."""
    shutil.rmtree(finished / FOLDER)
    return finished


def test_a_killed_training_goes_on_and_a_forced_one_starts_afresh(project, tmp_path):
    (tmp_path / "longer.yaml").write_text("training: {epochs: 30}")
    # --configfile takes all that follows.
    arguments = ["--configfile", SMALL, tmp_path / "longer.yaml"]
    checkpoint = kill_in_the_middle(project, TARGET, *arguments)
    kept = shutil.copy(checkpoint, tmp_path / "checkpoint.npz")
    project.snakemake("--unlock")
    project.snakemake(TARGET, *arguments)
    assert "training goes on after epoch" in (project / "logs/train/wakawaka/fold-1.log").read_text()
    assert not checkpoint.exists()
    resumed = weights(project / TARGET)

    shutil.copy(kept, checkpoint)
    said = project.snakemake("-f", TARGET, *arguments).stdout
    assert f"Training starts afresh, as asked for: {FOLDER}/checkpoint.npz is removed." in said
    log = (project / "logs/train/wakawaka/fold-1.log").read_text()
    assert "goes on" not in log
    assert log.count("epoch 1/30: train_mse") == 1
    assert weights(project / TARGET) == resumed

    # Of another number of epochs.
    shutil.copy(kept, checkpoint)
    project.snakemake(TARGET, configfile=SMALL)
    log = (project / "logs/train/wakawaka/fold-1.log").read_text()
    assert f"training starts afresh, because these differ from the checkpoint {FOLDER}/checkpoint.npz: settings" in log
    assert not checkpoint.exists()
