# The checked config, the plan that all rules read, the wildcards, and the functions of inputs and params.
import functools
import re
import sys
from pathlib import Path

import pandas
import yaml
from snakemake.logging import logger
from snakemake.utils import Paramspace

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from wakawaka.config.check import check_config
from wakawaka.config.inputs import check_files, new_samples_of, paths_of, samples_of
from wakawaka.config.plan import in_order, make_plan
from wakawaka.config.search_space import TUNED
from wakawaka.core.code_digest import code_digest
from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.sources.histone.bam_index import find_index


def ends_with_sentence(function):
    """Return a function that ends the run with the sentence of an InputError: Snakemake would print a traceback."""

    @functools.wraps(function)
    def ending(*arguments):
        try:
            return function(*arguments)
        except InputError as error:
            sys.exit(str(error))

    return ending


@ends_with_sentence
def planned(config):
    """Return the plan of a config as Snakemake reads it, once the config and its files are checked."""
    default = yaml.safe_load((Path(workflow.basedir) / "config.yaml").read_text()) or {}
    schema = yaml.safe_load((Path(workflow.basedir) / "workflow/schemas/config.schema.yaml").read_text())
    config = check_config(in_order(config, default), schema)
    if workflow.storage_settings.default_storage_provider is None:
        check_files(config)
    return make_plan(config, samples_of(config), new_samples_of(config))


def code(script):
    """Return a digest of a script and all modules that it imports. As a parameter of a rule, it reruns the rule when they change."""
    return code_digest(SCRIPTS / script)


def each(outputs, **wildcards):
    """Return the paths of one output or several, for all values of the wildcards: what `expand` does, under a default storage too.

    There, Snakemake has given an output its place in the storage, and `expand` refuses it.
    """
    prefix = f"{(workflow.storage_settings.default_storage_prefix or '').rstrip('/')}/"
    outputs = [outputs] if isinstance(outputs, str) else outputs
    stored = [output.flags.get("storage_object") for output in outputs]
    paths = [one.query.removeprefix(prefix) if one else str(path) for one, path in zip(stored, outputs, strict=True)]
    return expand(paths, allow_missing=True, **wildcards)


def digests(files):
    """Return the sha256 of every file, None for a file that does not exist."""
    return [sha256(path) if Path(path).is_file() else None for path in files]


@ends_with_sentence
def network(name):
    """Return the specification, modules and schedule of a network."""
    return plan.network(name)


@ends_with_sentence
def experiment_predictions(wildcards):
    """Return the predictions of all runs of the experiments."""
    plan.check_experiments()
    return each(rules.predict.output.predictions, model=plan.experiment_networks, run=plan.runs)


def trials_of(rung):
    """Return the names of the trials of a rung: their hyperparameters in the first rung, their ranks in further ones."""
    return list(PARAMSPACE.instance_patterns) if rung == "1" else plan.search.ranked_trials(rung)


def order_before(wildcards):
    """Return the order of the trials of the rung before, [] for the first rung."""
    rung = int(wildcards.rung) - 1
    return each(rules.rank_trials.output.order, rung=rung)[0] if rung else []


@ends_with_sentence
def varied(wildcards):
    """Return the settings that a job of the search trains: those of its trial, or the space for a trial that is given by its rank."""
    if wildcards.rung != "1":
        return plan.further_rung(wildcards.rung, wildcards.trial)
    if wildcards.trial.startswith("rank-"):
        raise InputError(
            f"The first rung of the search has no trial {wildcards.trial}: there, trials are called like {trials_of('1')[0]}."
        )
    return plan.first_rung(PARAMSPACE.instance(wildcards))


def remove_checkpoints():
    """Remove the checkpoint of each training that -f, -F or -R asks for, so that it starts from the beginning."""
    for job in workflow.dag.needrun_jobs():
        forced = job.rule.name in ("train", "tune") and workflow.dag.reason(job).forced
        if forced and Path(job.params.checkpoint).is_file():
            Path(job.params.checkpoint).unlink()
            logger.info(f"Training starts afresh, as asked for: {job.params.checkpoint} is removed.")


def targets(wildcards):
    """Return what `snakemake` makes. Where there are new cells, that is their predictions alone."""
    if plan.new_samples:
        return rules.predict_new.output
    of_model = [rules.plot_learning_curves, rules.plot_predictions, rules.plot_calibration, rules.plot_architecture]
    of_gene = [getattr(rules, f"plot_{module}_gene") for module in plan.modules]
    return [
        *rules.check_genes.output,
        *rules.provenance.output,
        *each([rule.output.figure for rule in of_model], model=plan.models),
        *each([rule.output.figure for rule in of_gene], model=plan.models, gene=config["interpret"]["genes"]),
        *rules.score.output,
        *rules.verdicts.output,
        rules.plot_scores.output.figure,
        rules.compare.output.page,
        *each(rules.submit.output, model=plan.models),
        *(rules.check_example.output if plan.is_simulated else []),
    ]


plan = planned(config)
config = plan.config
# In the first rung of the search, its paths name the trials.
PARAMSPACE = Paramspace(pandas.DataFrame(plan.search.texts), single_wildcard="trial")


wildcard_constraints:
    cell="|".join(map(re.escape, [*plan.cells, *plan.new_samples])),
    gene="[^/]+",
    mark="|".join(map(re.escape, plan.marks)),
    model="|".join(map(re.escape, [*plan.networks, *plan.experiments.values(), TUNED])),
    rung="|".join(plan.search.rungs),
    run="|".join(plan.runs),
    trial=plan.search.pattern,
