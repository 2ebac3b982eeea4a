"""Every benchmark runs, in small, and prints and writes its table. What it measures is nobody's business here."""

import json
import subprocess
import sys

import pytest


def bench(folder, script, *arguments):
    """Run a benchmark from another folder; return what it printed and what it wrote."""
    command = [sys.executable, str(folder / "bench" / script), *arguments, "--json", "table.json"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout, json.loads((folder / "table.json").read_text())


@pytest.mark.parametrize(
    ("script", "arguments", "rows"),
    [
        ("training.py", "--genes 40 --epochs 2 --alternations 1", ["plain", "ours", "ours, genes_per_batch 10"]),
        ("prediction.py", "--genes 20 --samples 100 --alternations 1", ["plain", "ours"]),
        ("seed_scale.py", "--genes 100 --cells 9", ["store", "training", "prediction"]),
    ],
)
def test_a_benchmark_with_data_of_its_own(project, script, arguments, rows):
    printed, written = bench(project.folder, script, *arguments.split())
    assert [next(iter(row.values())) for row in written["rows"]] == rows
    assert all(f"\n{name} " in printed for name in rows)


def test_the_parts_of_a_step_add_up(project):
    _, written = bench(project.folder, "steps.py")
    for way in ("plain ms", "ours ms"):
        *parts, whole = (row[way] for row in written["rows"])
        assert sum(parts) == pytest.approx(whole, rel=1e-6)
        # What is found under no name of ours would be counted between the operations.
        assert parts[-1] < whole / 2


def test_genes_per_batch_needs_the_example(project):
    command = [sys.executable, str(project / "bench/genes_per_batch.py")]
    process = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stderr.startswith("The built-in example is not there: run `snakemake")
    assert "Traceback" not in process.stderr
