"""Every benchmark runs with small sizes, prints its table and writes it. The measured numbers are not checked."""

import json
import shutil
import subprocess
import sys

import pytest

from helpers.project import ENVIRONMENT, Project


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A fresh copy for all benchmarks that run as they are."""
    return Project.fresh(tmp_path_factory.mktemp("bench"))


def bench(folder, script, *arguments):
    """Run a benchmark from another folder; return what it printed and what it wrote."""
    command = [sys.executable, str(folder / "bench" / script), *arguments, "--json", "table.json"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT)
    assert process.returncode == 0, process.stderr
    return process.stdout, json.loads((folder / "table.json").read_text())


@pytest.mark.parametrize(
    ("script", "arguments", "rows"),
    [
        ("training.py", "--genes 20 --epochs 2 --alternations 1", ["plain", "ours", "ours, genes_per_batch 10"]),
        ("prediction.py", "--genes 20 --samples 100 --alternations 1", ["plain", "ours"]),
        ("seed_scale.py", "--genes 100 --cells 9", ["store", "training", "prediction"]),
    ],
)
def test_a_benchmark_with_data_of_its_own(fresh, script, arguments, rows):
    printed, written = bench(fresh.folder, script, *arguments.split())
    assert [next(iter(row.values())) for row in written["rows"]] == rows
    assert all(f"\n{name} " in printed for name in rows)


SCORED = "--cells 12 --genes 120 --replicates 40 --rank-replicates 40 --plain-replicates 4 --alternations 1"


def test_scores_are_those_of_a_plain_loop(fresh):
    printed, written = bench(fresh.folder, "scores.py", *SCORED.split())
    assert [row["scores"] for row in written["rows"]] == ["values", "skill", "ranks", "labels"]
    assert all(f"\n{row['scores']} " in printed and row["equal"] == "yes" for row in written["rows"])
    # 1 cell and 10 genes are held out.
    assert f"Scores of {12 * 120 - 11 * 110:,} held-out samples of 12 cells x 120 genes" in printed


def test_wrong_scores_end_the_measurement_with_an_error(project):
    module = project / "workflow/scripts/wakawaka/statistics/weighted_metrics.py"
    another = "right = rank_scores\n\n\ndef rank_scores(*given):\n"
    another += "    return {name: values + 1e-8 for name, values in right(*given).items()}\n"
    module.write_text(f"{module.read_text()}\n\n{another}")
    command = [sys.executable, str(project / "bench/scores.py"), *SCORED.split()]
    process = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, env=ENVIRONMENT)
    assert process.returncode == 1
    equal = {
        line.split()[0]: "NO: 1e-08" in line for line in process.stdout.splitlines() if " yes" in line or "NO" in line
    }
    assert equal == {"values": False, "skill": False, "ranks": True, "labels": False}


def test_the_parts_of_a_step_add_up(fresh):
    _, written = bench(fresh.folder, "steps.py", "--steps", "5")
    for way in ("plain ms", "ours ms"):
        *parts, whole = (row[way] for row in written["rows"])
        assert sum(parts) == pytest.approx(whole, rel=1e-6)
        # An operation that no row names would be counted between the operations.
        assert parts[-1] < whole / 2


# The programs that some rows need; without them the table says so.
BAM, BED = ("samtools",), ("bedtools",)
INPUTS = {
    "tagAlign": (),
    "bam": BAM,
    "bam-no-index": BAM,
    "multicov": BAM + BED,
    "multicov-windows": BAM + BED,
    "coverage": BED,
    "coverage-sorted": BED,
    "fasta": (),
    "fasta, cold": (),
    "fasta, rule": (),
    "course": (),
    "course, cold": (),
    "bigWig": (),
    "snakemake -n": (),
    "snakemake -n, finished": (),
}
SIZES = "--reads 100000 --genes 500 --multicov-genes 5 --megabases 1 --cells 4 --values 5000 --alternations 1 --pause 0"


def test_inputs_are_measured_and_counted_alike(fresh):
    printed, written = bench(fresh.folder, "inputs.py", *SIZES.split(), "--folder", "files")
    rows = {row["row"]: row for row in written["rows"]}
    assert list(rows) == list(INPUTS)
    compared = [name for name, programs in INPUTS.items() if "bedtools" in programs]
    for name, programs in INPUTS.items():
        assert f"\n{name} " in printed
        missing = [program for program in programs if not shutil.which(program)]
        assert bool(missing) == (rows[name]["against"] == "left out")
        if missing:
            assert any(note.startswith(f"{name} is left out") for note in written["notes"])
        else:
            counted = name in ("tagAlign", "bam", "bam-no-index", *compared)
            assert rows[name]["equal"] == ("yes" if counted else None)
    # What is in the folder is not made again.
    made = (fresh / "files/reads-100000.tagAlign.gz").stat().st_mtime_ns
    _, written = bench(fresh.folder, "inputs.py", *SIZES.split(), "--folder", "files", "--rows", "tagAlign")
    assert [row["row"] for row in written["rows"]] == ["tagAlign"]
    assert (fresh / "files/reads-100000.tagAlign.gz").stat().st_mtime_ns == made


def test_wrong_counts_end_the_measurement_with_an_error(project):
    module = project / "workflow/scripts/wakawaka/sources/histone/read_mark.py"
    other_rule = 'right = read_mark\n\n\ndef read_mark(**named):\n    right(**named | {"counting": "midpoint"})\n'
    module.write_text(f"{module.read_text()}\n\n{other_rule}")
    command = [sys.executable, str(project / "bench/inputs.py"), *SIZES.split(), "--rows", "tagAlign"]
    process = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, env=ENVIRONMENT)
    assert process.returncode == 1
    assert " bins differ" in process.stdout


def test_genes_per_batch_needs_the_example(fresh):
    command = [sys.executable, str(fresh / "bench/genes_per_batch.py")]
    process = subprocess.run(command, cwd=fresh.folder, capture_output=True, text=True, env=ENVIRONMENT)
    assert process.returncode == 1
    assert process.stderr.startswith("The built-in example is not there: run `snakemake")
    assert "Traceback" not in process.stderr
