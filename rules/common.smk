# The checked config, the names and files derived from it, and the only functions of the Snakefiles.
import os
import re
import sys
from pathlib import Path

import yaml
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from wakawaka.bam_index import find_index
from wakawaka.config import (
    cells_of,
    check_config,
    check_files,
    new_samples_of,
    paths_of,
    reference_of,
    samples_of,
    sources_of,
)
from wakawaka.digest import code_digest
from wakawaka.errors import InputError
from wakawaka.files import sha256


def checked(config):
    """Return the config with its defaults and the files of its two sample sheets, or end with a sentence about what is wrong."""
    schema = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
    try:
        config = check_config(config, yaml.safe_load(schema.read_text()))
        if workflow.storage_settings.default_storage_provider is None:
            check_files(config)
        return config, samples_of(config), new_samples_of(config)
    except InputError as error:
        # Any exception would be printed with the lines of the Snakefiles it passed through.
        sys.exit(str(error))


def code(script):
    """Return a digest of a script and of all modules it imports: in a rule's params, it reruns the rule when they change."""
    return code_digest(Path(workflow.basedir) / "workflow" / "scripts" / script)


def part(source):
    """Return the part that the configured reader of a source makes; for histone with the wildcard cell."""
    reader = READERS[source][config[source]["reader"]]
    return f"results/{reader}/{'{cell}' if source == 'histone' else source}.npz"


def paths(source, cell=None):
    """Return the files of a source, or those of one cell."""
    return [path for name, path in paths_of(config, source) if cell in (None, name)]


def digests(files):
    """Return the sha256 of every file, None of one that is not there."""
    return [sha256(path) if Path(path).is_file() else None for path in files]


def prediction_files(wildcards):
    """Return the predictions of all fold models of a model."""
    return expand("results/predictions/{model}/{run}.tsv.gz", model=wildcards.model, run=FOLDS)


def network(name):
    """Return what a model, or an ablation of it, is built of: its spec and modules, and whether its genes get the DNA of others."""
    model, _, ablation = name.partition(".")
    modules = {"histone_only": ["histone"], "dna_only": ["dna"]}.get(ablation, MODULES)
    return {"spec": config["models"][model], "modules": modules, "shuffled_dna": ablation == "shuffled_dna"}


def start_afresh():
    """Remove the checkpoint of every training that -f, -F or -R asks for: it shall not go on where a killed one stopped."""
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train" and workflow.dag.reason(job).forced and Path(job.params.checkpoint).is_file():
            Path(job.params.checkpoint).unlink()
            logger.info(f"Training starts afresh, as asked for: {job.params.checkpoint} is removed.")


def targets():
    """Return the files that `rule all` makes."""
    if NEW_SAMPLES:
        return ["results/predict_new/predictions.tsv.gz"]
    figures = ["learning_curves", "predictions", "calibration", "architecture"]
    figures += [f"{module}_{gene}" for module in MODULES for gene in config["interpret"]["genes"]]
    # Looked up before anything is trained.
    files = ["results/attributions/genes.tsv", "results/fingerprint/fingerprint.tsv"]
    files += expand("results/figures/{model}/{figure}.png", model=MODELS, figure=figures)
    files += [
        "results/scores/scores.tsv",
        "results/verdicts/verdicts.tsv",
        "results/verdicts/first_page.rst",
        "results/figures/scores.png",
    ]
    files += expand("results/predictions/{model}/submission.csv", model=MODELS)
    if SIMULATED:
        files.append("results/check_example/example.tsv")
    return files


def target_label():
    """Return what is predicted, in words for the axes of figures."""
    name, reference = config["expression"]["label"], TARGET["transform"].partition(":")[2]
    if BINARY:
        return "probability of expression"
    return {
        "none": name,
        "log2p1": f"log2({name} + 1)",
        "ln1p": f"ln({name} + 1)",
        "zscore_per_gene": f"z-score of {name}",
    }.get(TARGET["transform"], f"log2(({name} + 1) / ({reference} + 1))")


config, SAMPLES, NEW_SAMPLES = checked(config)

MODULES = config["modules"]
MODELS = list(config["models"])
# Of one module alone there is nothing to leave out.
ABLATIONS = [name for name in config["ablations"] if len(MODULES) == 2 or (name == "shuffled_dna" and "dna" in MODULES)]
# All that is trained.
NETWORKS = MODELS + [f"{model}.{ablation}" for model in MODELS for ablation in ABLATIONS]
CELLS = cells_of(config)
MARKS = config["histone"]["marks"]
FOLDS = [f"fold-{number + 1}" for number in range(config["folds"]["number"])]
RUNS = ["final", *FOLDS]
TARGET = {"kind": config["expression"]["target"], "transform": config["expression"]["transform"]}
# Whether the model predicts a label: its loss, scores and figures are then others.
BINARY = TARGET["kind"] != "value"
TARGET_LABEL = target_label()
# Whether the truth is that of the built-in example, as it was simulated: then it is known what there was to find.
SIMULATED = (
    config["expression"]["path"] == "results/example/expression.tsv" and TARGET["transform"] == "none" and not BINARY
)

# The rule that reads each source in each form.
READERS = {
    "genes": {
        "gtf": "read_gtf",
        "gene_info": "read_gene_info",
        "bed": "read_bed",
        "table": "read_gene_table",
        "npz": "read_npz_genes",
        "deepchrome": "read_deepchrome_genes",
    },
    "histone": {
        "sample_sheet": "read_sample_sheet",
        "counts": "read_counts",
        "npz": "read_npz_histone",
        "deepchrome": "read_deepchrome_histone",
    },
    "sequence": {"fasta": "read_fasta", "2bit": "read_2bit", "csv": "read_sequence_csv"},
    "expression": {
        "matrix": "read_matrix",
        "quantification": "read_quantification",
        "csv": "read_expression_csv",
        "deepchrome": "read_deepchrome_expression",
        "npz": "read_npz_expression",
    },
}
# Files that several readers read: build_store takes their checksums, once.
SHARED = sorted({path for source in sources_of(config) if config[source]["reader"] == "npz" for path in paths(source)})
REFERENCE = reference_of(config)
# The cells that the expression is read for: the column that a ratio is taken to is one of them.
EXPRESSION_CELLS = CELLS + ([REFERENCE] if REFERENCE else [])
STORE = [
    f"results/store/{name}"
    for name in ["genes.tsv", "cells.tsv", "expression.npy", "store.json"]
    + [f"{module}.npy" for module in MODULES]
    + (["reference.npy"] if REFERENCE else [])
]
# Cell, mark and path of the alignments and tracks that are made from the built-in example: those that a sample sheet names there.
RAW_EXAMPLE = [
    (cell, mark, path)
    for cell, files in SAMPLES.items()
    for mark, path in files
    if path.startswith("results/example/reads/")
]
# How the files of a sample sheet are counted.
COUNTING = {name: config["histone"][name] for name in ("counting", "min_mapq", "duplicates", "scale")}
COUNTING |= {name: config[name] for name in ("bins", "window", "oriented")}
# The finished model for new cells, and what it is given of them.
NEW_MODEL = os.path.normpath(config["predict_new"]["model"])
NEW_PREPROCESSING = str(Path(NEW_MODEL).with_name("preprocessing.json"))
NEW_STORE = [
    f"results/predict_new/{name}"
    for name in ["genes.tsv", "cells.tsv", "store.json"] + [f"{module}.npy" for module in MODULES]
]
TARGETS = targets()


wildcard_constraints:
    cell="|".join(map(re.escape, [*CELLS, *NEW_SAMPLES])),
    gene="[^/]+",
    mark="|".join(map(re.escape, MARKS)),
    model="|".join(map(re.escape, NETWORKS)),
    run="|".join(RUNS),
