# The checked config, the names and files derived from it, and the only functions of the Snakefiles.
import sys
from pathlib import Path

import yaml
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from wakawaka.config import cells_of, check_config, check_files
from wakawaka.digest import code_digest
from wakawaka.errors import InputError


def checked(config):
    """Return the config with its defaults, or end with a sentence about what is wrong in it."""
    schema = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
    try:
        config = check_config(config, yaml.safe_load(schema.read_text()))
        if workflow.storage_settings.default_storage_provider is None:
            check_files(config)
    except InputError as error:
        # Any exception would be printed with the lines of the Snakefiles it passed through.
        sys.exit(str(error))
    return config


def code(script):
    """Return a digest of a script and of all modules it imports: in a rule's params, it reruns the rule when they change."""
    return code_digest(Path(workflow.basedir) / "workflow" / "scripts" / script)


def part(source):
    """Return the part that the configured reader of a source makes; for histone with the wildcard cell."""
    reader = READERS[source][config[source]["reader"]]
    return f"results/{reader}/{'{cell}' if source == 'histone' else source}.npz"


def prediction_files(wildcards):
    """Return the predictions of all fold models of a model."""
    return expand("results/predictions/{model}/{run}.tsv.gz", model=wildcards.model, run=FOLDS)


def start_afresh():
    """Remove the checkpoint of every training that -f, -F or -R asks for: it shall not go on where a killed one stopped."""
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train" and workflow.dag.reason(job).forced and Path(job.params.checkpoint).is_file():
            Path(job.params.checkpoint).unlink()
            logger.info(f"Training starts afresh, as asked for: {job.params.checkpoint} is removed.")


def targets():
    """Return the files that `rule all` makes."""
    figures = ["learning_curves", "predictions", "architecture"]
    figures += [f"{module}_{gene}" for module in MODULES for gene in config["interpret"]["genes"]]
    # Looked up before anything is trained.
    files = ["results/attributions/genes.tsv"]
    files += expand("results/figures/{model}/{figure}.png", model=MODELS, figure=figures)
    files += expand("results/scores/{model}/scores.tsv", model=MODELS)
    files += expand("results/predictions/{model}/submission.csv", model=MODELS)
    if config["expression"]["path"] == "results/example/expression.tsv":
        files += expand("results/scores/{model}/example.tsv", model=MODELS)
    return files


config = checked(config)

MODULES = config["modules"]
MODELS = list(config["models"])
CELLS = cells_of(config)
MARKS = config["histone"]["marks"]
FOLDS = [f"fold-{number + 1}" for number in range(config["folds"]["number"])]
RUNS = ["final", *FOLDS]
LOG2 = config["expression"]["transform"] == "log2p1"
TARGET_LABEL = f"log2({config['expression']['label']} + 1)" if LOG2 else config["expression"]["label"]

# The rule that reads each source in each form.
READERS = {
    "genes": {"gtf": "read_gtf", "table": "read_gene_table", "npz": "read_npz_genes"},
    "histone": {"counts": "read_counts", "npz": "read_npz_histone"},
    "sequence": {"fasta": "read_fasta", "csv": "read_sequence_csv"},
    "expression": {"matrix": "read_matrix", "npz": "read_npz_expression"},
}
STORE = [
    f"results/store/{name}"
    for name in ["genes.tsv", "cells.tsv", "expression.npy", "store.json"] + [f"{module}.npy" for module in MODULES]
]
TARGETS = targets()


wildcard_constraints:
    cell="[^/]+",
    gene="[^/]+",
    model="|".join(MODELS),
    run="|".join(RUNS),
