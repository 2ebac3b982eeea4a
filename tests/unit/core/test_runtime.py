"""The messages of a job, where they go, and its exit status."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
sys.path.insert(0, {scripts!r})
from wakawaka.core.runtime import job
from wakawaka.core.errors import InputError
import logging

class snakemake:
    rule = "read_gtf"
    log = [{log!r}]

with job(snakemake):
    from wakawaka.core.progress import PROGRESS
    logging.getLogger("wakawaka.x").info("80 genes")
    logging.getLogger("wakawaka.x").log(PROGRESS, "40 of 80 genes so far")
    logging.getLogger("wakawaka.x").debug("gene 7")
    logging.getLogger("another.library").log(PROGRESS, "another library's step")
    os.write(2, b"said by C++ code\\n")
    {ending}
"""
SENTENCE = "genes.gtf, line 3: the strand is 'x', but it must be + or -."


@pytest.fixture
def run(tmp_path, pytestconfig):
    def run(ending):
        log = tmp_path / "logs/read_gtf.log"
        scripts = str(pytestconfig.rootpath / "workflow/scripts")
        program = PROGRAM.format(scripts=scripts, log=str(log), ending=ending)
        process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        return process, log.read_text()

    return run


def test_messages_go_to_the_screen_and_the_log(run):
    process, log = run("pass")
    assert process.returncode == 0
    for text in (process.stderr, log):
        assert "read_gtf  INFO  80 genes" in text


def test_progress_within_a_step_goes_to_the_screen_only(run):
    process, log = run("pass")
    assert "read_gtf  PROGRESS  40 of 80 genes so far" in process.stderr
    assert "so far" not in log
    for text in (process.stderr, log):
        assert "gene 7" not in text and "another library" not in text


def test_output_of_c_code_goes_to_the_log_only(run):
    process, log = run("pass")
    assert "said by C++ code" in log
    assert "said by C++ code" not in process.stderr


def test_an_input_error_is_a_sentence_without_a_traceback(run):
    process, log = run(f"raise InputError({SENTENCE!r})")
    assert process.returncode == 1
    for text in (process.stderr, log):
        assert SENTENCE in text
        assert "Traceback" not in text


def test_an_unexpected_error_leaves_its_traceback_in_the_log(run):
    process, log = run("1 / 0")
    assert process.returncode == 1
    assert "ZeroDivisionError" in log
    assert "unexpected error in read_gtf; please report this log." in process.stderr
