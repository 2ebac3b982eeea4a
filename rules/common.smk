# The checked config, the names and files derived from it, and the only functions of the Snakefiles.
import os
import re
import sys
from pathlib import Path

import pandas
import yaml
from snakemake.logging import logger
from snakemake.utils import Paramspace

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from wakawaka.sources.histone.bam_index import find_index
from wakawaka.config.check import (
    cells_of,
    check_config,
    check_files,
    check_point,
    new_samples_of,
    paths_of,
    reference_of,
    samples_of,
    sources_of,
)
from wakawaka.core.code_digest import code_digest
from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.config.search_space import TUNED, apply, model_of, paths_of_points, point_of, sizes_of, text, texts


def in_order(config):
    """Return the config with models and experiments as config.yaml has them, then others: Snakemake puts those of further files first.

    Raises InputError for a null under a name that config.yaml does not have, which would take nothing away.
    """
    first = yaml.safe_load((Path(workflow.basedir) / "config.yaml").read_text()) or {}
    sections = [key for key in ("models", "experiments") if isinstance(config.get(key), dict)]
    for key in sections:
        for name in (
            name for name, value in config[key].items() if value is None and name not in (first.get(key) or {})
        ):
            raise InputError(
                f"config key `{key}.{name}` is null, which takes away what config.yaml has under this name, but there is nothing: there are "
                f"{', '.join(first.get(key) or {}) or 'none'}."
            )
    return {**config, **{key: {**(first.get(key) or {}), **config[key]} for key in sections}}


def checked(config):
    """Return the config with its defaults and the files of its two sample sheets, or end with a sentence about what is wrong."""
    schema = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
    try:
        config = check_config(in_order(config), yaml.safe_load(schema.read_text()))
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


def experiment_predictions(wildcards):
    """Return the predictions of all runs of the experiments."""
    if not EXPERIMENTS:
        sys.exit("config key `experiments` is empty: add one, or take away the `null` that leaves it out.")
    refused = {name: one["refused"] for name, one in config["experiments"].items() if "refused" in one}
    if refused:
        without = ", ".join(f"{name}: null" for name in refused)
        sys.exit(f"{next(iter(refused.values()))} Or leave out what cannot be trained: `experiments: {{{without}}}`.")
    return expand("results/predictions/{network}/{run}.tsv.gz", network=EXPERIMENT_NETWORKS, run=RUNS)


def network(name):
    """Return what a model, an ablation of it or an experiment is built of and how it is trained, as keyword arguments of `train`.

    Of the best point of the search, file CHOSEN says it.
    """
    if name == TUNED:
        return {"spec": None, "modules": MODULES, "shuffled_dna": False, "schedule": None}
    model, _, ablation = name.partition(".")
    whole = (config["models"] | config["experiments"])[model]
    if "refused" in whole:
        sys.exit(f"{whole['refused']} Or leave the experiment out: `experiments: {{{model}: null}}`.")
    modules = {"histone_only": ["histone"], "dna_only": ["dna"]}.get(ablation, MODULES)
    schedule = dict(whole["training"])
    if len(modules) < 2:
        # There is no joint module to train behind frozen ones.
        schedule["pretraining_epochs"] = 0
    spec = {part: whole[part] for part in ("histone", "dna", "joint", "leaky_slope")}
    return {"spec": spec, "modules": modules, "shuffled_dna": ablation == "shuffled_dna", "schedule": schedule}


def whole(name):
    """Return all that a point may vary of a model or an experiment, in the form of `models`."""
    found = network(name)
    return found["spec"] | {"training": found["schedule"]}


def order_before(wildcards):
    """Return the order of the points of the rung before, [] for the first one."""
    return f"results/rank_points/order-{int(wildcards.rung) - 1}.tsv" if wildcards.rung != "1" else []


def varied(wildcards):
    """Return what a job of the search trains: a point's model or, of a point that only the table of the rung before knows, the space."""
    if wildcards.rung != "1":
        points = RUNGS[int(wildcards.rung) - 1]
        if wildcards.point not in points:
            sys.exit(
                f"Rung {wildcards.rung} of the search has no point {wildcards.point}: there, points are called by their rank in the rung "
                f"before, from {points[0]} to {points[-1]}."
            )
        rank = int(wildcards.point.removeprefix("rank-"))
        return {"model": whole(VARIED), "space": TUNING["space"], "rank": rank}
    if wildcards.point.startswith("rank-"):
        sys.exit(
            f"The first rung of the search has no point {wildcards.point}: there, points are called like {RUNGS[0][0]}."
        )
    point = point_of(PARAMSPACE.instance(wildcards), TUNING["space"])
    try:
        # It may be one that was not drawn.
        check_point(point, whole(VARIED), config)
    except InputError as error:
        sys.exit(str(error))
    # Without the space: what is added to it trains no point again.
    return {"model": apply(point, whole(VARIED)), "space": None, "rank": None}


def start_afresh():
    """Remove the checkpoint of every training that -f, -F or -R asks for: it shall not go on where a killed one stopped."""
    for job in workflow.dag.needrun_jobs():
        if (
            job.rule.name in ("train", "tune")
            and workflow.dag.reason(job).forced
            and Path(job.params.checkpoint).is_file()
        ):
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
        "results/compare/compare.html",
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
# The network of each experiment: one that changes nothing is the model itself.
EXPERIMENTS = {name: one["network"] for name, one in config["experiments"].items()}
BASES = {name: one["base"] for name, one in config["experiments"].items()}
# What is scored of them: each network once, and the models that they stand beside.
EXPERIMENT_NETWORKS = list(dict.fromkeys([*BASES.values(), *EXPERIMENTS.values()]))
# All that `rule all` trains.
NETWORKS = MODELS + [f"{model}.{ablation}" for model in MODELS for ablation in ABLATIONS]
CELLS = cells_of(config)
MARKS = config["histone"]["marks"]
FOLDS = [f"fold-{number + 1}" for number in range(config["folds"]["number"])]
RUNS = ["final", *FOLDS]
TARGET = {"kind": config["expression"]["target"], "transform": config["expression"]["transform"]}
# Whether the model predicts a label: its loss, scores and figures are then others.
BINARY = TARGET["kind"] != "value"
TARGET_LABEL = target_label()
# Whether the data set is the course's, of which the report's errors are: by its two forms and its held-out cells.
COURSE = (
    len(MODULES) == 2
    and (config["histone"]["reader"], config["sequence"]["reader"]) == ("npz", "csv")
    and len(config["cells"]["train"]) == 50
    and set(config["cells"]["held_out"]) == {"E071", "E084", "E087", "E096", "E112", "E113"}
    and TARGET == {"kind": "value", "transform": "none"}
)
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
# The search for settings: the model that is varied, the points and their paths, rung by rung, and the tables of their ranks.
TUNING = config["tuning"]
VARIED = model_of(config)
POINTS = TUNING["drawn"]
PARAMSPACE = Paramspace(pandas.DataFrame(list(map(texts, POINTS))), single_wildcard="point")
RUNGS = [list(PARAMSPACE.instance_patterns)]
RUNGS += [[f"rank-{rank + 1}" for rank in range(size)] for size in sizes_of(TUNING, len(POINTS))[1:]]
RANKS = [f"results/rank_points/rung-{number}.tsv" for number in range(1, len(RUNGS) + 1)]
# All that the search reads of the store.
WITHHELD = [path.replace("results/store/", "results/withhold/") for path in STORE]
CHOSEN = "results/choose_point/chosen.json"
TUNED_NETWORKS = [TUNED, EXPERIMENTS.get(VARIED, VARIED)]
TARGETS = targets()


wildcard_constraints:
    cell="|".join(map(re.escape, [*CELLS, *NEW_SAMPLES])),
    gene="[^/]+",
    mark="|".join(map(re.escape, MARKS)),
    model="|".join(map(re.escape, [*NETWORKS, *EXPERIMENTS.values(), TUNED])),
    point="|".join(["rank-[1-9][0-9]*", paths_of_points(TUNING["space"])]),
    rung="|".join(str(number + 1) for number in range(len(RUNGS))),
    run="|".join(RUNS),
