"""What a run consists of: its networks, runs, cells, targets and files, computed from a checked config.

rules/common.smk makes one plan, which all rules read. This module is imported whenever Snakemake reads the workflow, so it imports
neither TensorFlow nor the readers of input files.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wakawaka.config.check_tuning import check_trial
from wakawaka.config.inputs import EXAMPLE, EXAMPLE_READS, SampleFiles, cells_of, paths_of, reference_of, sources_of
from wakawaka.config.search_plan import Search
from wakawaka.config.search_space import TUNED, apply_trial, rung_sizes, trial_of, varied_model
from wakawaka.core.errors import InputError

Config = dict[str, Any]

# The rule that reads each source, by reader.
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
        "sample_sheet": "stack_marks",
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

# The held-out cells of the course's data set.
COURSE_HELD_OUT = {"E071", "E084", "E087", "E096", "E112", "E113"}


@dataclass(frozen=True)
class Plan:
    """What a run consists of. `make_plan` makes one.

    Attributes:
        config: the checked config.
        samples, new_samples: files of the sample sheets of the training cells and of new cells.
        modules: the modules that are used.
        models: names of the models.
        networks: all networks that `rule all` trains: models, and models with an ablation as `<model>.<ablation>`.
        experiments: network of each experiment. An experiment that changes nothing is the network of its model.
        bases: model that each experiment is a variant of.
        experiment_networks: the networks that are scored with the experiments, each once, bases first.
        cells: all cells, training cells first.
        folds: names of the cross-validation runs.
        target: kind and transform of the target.
        reference: column that the expression is divided by, or None.
        shared_files: files that several readers read. build_store alone takes their checksums.
        search: the search of hyperparameters.
    """

    config: Config
    samples: SampleFiles
    new_samples: SampleFiles
    modules: list[str]
    models: list[str]
    networks: list[str]
    experiments: dict[str, str]
    bases: dict[str, str]
    experiment_networks: list[str]
    cells: list[str]
    folds: list[str]
    target: dict[str, str]
    reference: str | None
    shared_files: list[str]
    search: Search

    @property
    def marks(self) -> list[str]:
        """The histone marks."""
        return self.config["histone"]["marks"]

    @property
    def runs(self) -> list[str]:
        """All runs of a network: the final one, then the folds."""
        return ["final", *self.folds]

    @property
    def binary(self) -> bool:
        """Whether the target is a label, 0 or 1. Losses, scores and figures depend on it."""
        return self.target["kind"] != "value"

    @property
    def target_label(self) -> str:
        """The name of the predicted quantity on the axes of figures."""
        name, transform = self.config["expression"]["label"], self.target["transform"]
        if self.binary:
            return "probability of expression"
        labels = {
            "none": name,
            "log2p1": f"log2({name} + 1)",
            "ln1p": f"ln({name} + 1)",
            "zscore_per_gene": f"z-score of {name}",
        }
        return labels.get(transform, f"log2(({name} + 1) / ({transform.partition(':')[2]} + 1))")

    @property
    def is_course(self) -> bool:
        """Whether the data set is the course's, which the published errors of the experiments belong to."""
        config = self.config
        return (
            len(self.modules) == 2
            and (config["histone"]["reader"], config["sequence"]["reader"]) == ("npz", "csv")
            and len(config["cells"]["train"]) == 50
            and set(config["cells"]["held_out"]) == COURSE_HELD_OUT
            and self.target == {"kind": "value", "transform": "none"}
        )

    @property
    def is_simulated(self) -> bool:
        """Whether the target is that of the built-in example as it was simulated, whose planted effects are known."""
        expression = self.config["expression"]["path"]
        return expression == f"{EXAMPLE}expression.tsv" and self.target == {"kind": "value", "transform": "none"}

    @property
    def expression_cells(self) -> list[str]:
        """The columns of expression that are read: the cells, and the reference of a ratio."""
        return self.cells + ([self.reference] if self.reference else [])

    @property
    def store(self) -> list[str]:
        """The files of the store."""
        names = ["genes.tsv", "cells.tsv", "expression.npy", "store.json", *(f"{name}.npy" for name in self.modules)]
        return [f"results/store/{name}" for name in names + (["reference.npy"] if self.reference else [])]

    @property
    def store_without_test_set(self) -> list[str]:
        """The files of the store that the search reads."""
        return [path.replace("results/store/", "results/drop_test_set/") for path in self.store]

    @property
    def new_store(self) -> list[str]:
        """The files of the store of new cells."""
        names = ["genes.tsv", "cells.tsv", "store.json", *(f"{name}.npy" for name in self.modules)]
        return [f"results/predict_new/{name}" for name in names]

    @property
    def new_model(self) -> str:
        """The path of the finished model for new cells."""
        return os.path.normpath(self.config["predict_new"]["model"])

    @property
    def new_preprocessing(self) -> str:
        """The path of the preprocessing of the finished model for new cells."""
        return str(Path(self.new_model).with_name("preprocessing.json"))

    @property
    def example_reads(self) -> list[tuple[str, str, str]]:
        """Cell, mark and path of the alignments and tracks of the built-in example that the sample sheet names."""
        return [
            (cell, mark, path)
            for cell, files in self.samples.items()
            for mark, path in files
            if path.startswith(EXAMPLE_READS)
        ]

    @property
    def counting(self) -> dict[str, Any]:
        """The settings by which the files of a sample sheet are counted."""
        histone = {name: self.config["histone"][name] for name in ("counting", "min_mapq", "duplicates", "scale")}
        return histone | {name: self.config[name] for name in ("bins", "window", "strand_aware")}

    @property
    def tuned_networks(self) -> list[str]:
        """The network of the best trial, and the one that it is a variant of."""
        return [TUNED, self.experiments.get(self.search.model, self.search.model)]

    def parsed(self, source: str) -> str:
        """Return the path that the configured reader of a source writes. That of histone has the wildcard {cell}."""
        rule = READERS[source][self.config[source]["reader"]]
        return f"results/{rule}/{'{cell}' if source == 'histone' else source}.npz"

    def paths(self, source: str, cell: str | None = None) -> list[str]:
        """Return the files of a source, or only those of one cell."""
        return [path for name, path in paths_of(self.config, source) if cell in (None, name)]

    def check_experiments(self) -> None:
        """Refuse to train the experiments if there are none, or if one of them cannot be trained. Raises InputError."""
        if not self.experiments:
            raise InputError("config key `experiments` is empty: add one, or remove the `null` that leaves it out.")
        errors = {name: one["error"] for name, one in self.config["experiments"].items() if "error" in one}
        if errors:
            nulls = ", ".join(f"{name}: null" for name in errors)
            raise InputError(
                f"{next(iter(errors.values()))} Or leave out what cannot be trained: `experiments: {{{nulls}}}`."
            )

    def network(self, name: str) -> dict[str, Any]:
        """Return the specification, modules and schedule of a network, as arguments of `train`.

        The network of the best trial has no specification or schedule here: choose_trial writes them.

        Args:
            name: the name of a model, of a model with an ablation, or of an experiment.

        Raises:
            InputError: for an experiment that cannot be trained.
        """
        if name == TUNED:
            return {"spec": None, "modules": self.modules, "permuted_genes": False, "schedule": None}
        model, _, ablation = name.partition(".")
        settings = (self.config["models"] | self.config["experiments"])[model]
        if "error" in settings:
            raise InputError(f"{settings['error']} Or leave the experiment out: `experiments: {{{model}: null}}`.")
        modules = {"histone_only": ["histone"], "dna_only": ["dna"]}.get(ablation, self.modules)
        schedule = dict(settings["training"])
        if len(modules) < 2:
            # Pre-training is of single modules, before the joint module.
            schedule["pretraining_epochs"] = 0
        spec = {part: settings[part] for part in ("histone", "dna", "joint", "negative_slope")}
        permuted = ablation == "permuted_genes"
        return {"spec": spec, "modules": modules, "permuted_genes": permuted, "schedule": schedule}

    def varied_settings(self) -> dict[str, Any]:
        """Return the settings of the model that the search varies, in the form of `models`."""
        found = self.network(self.search.model)
        return found["spec"] | {"training": found["schedule"]}

    def first_rung(self, trial: Mapping[str, str]) -> dict[str, Any]:
        """Return the arguments `model`, `space` and `rank` of `tune` for a trial of the first rung.

        The space is left out: values that are added to it must not train other trials again.

        Args:
            trial: text of the value of each hyperparameter. The trial need not have been drawn.

        Raises:
            InputError: if the trial cannot be trained.
        """
        values, model = trial_of(trial, self.search.space), self.varied_settings()
        check_trial(values, model, self.config)
        return {"model": apply_trial(values, model), "space": None, "rank": None}

    def further_rung(self, rung: str, trial: str) -> dict[str, Any]:
        """Return the same arguments for a trial of a further rung, whose values the table of the rung before has.

        Raises:
            InputError: if the rung has no such trial.
        """
        rank = self.search.rank(rung, trial)
        return {"model": self.varied_settings(), "space": self.search.space, "rank": rank}


def make_plan(config: Config, samples: SampleFiles, new_samples: SampleFiles) -> Plan:
    """Return the plan of a run.

    Args:
        config: a config that `check_config` has returned.
        samples, new_samples: files of the two sample sheets, {} for a sheet that is not used.
    """
    modules, models = config["modules"], list(config["models"])
    ablations = [name for name in config["ablations"] if _applies(name, modules)]
    experiments = {name: one["network"] for name, one in config["experiments"].items()}
    bases = {name: one["base"] for name, one in config["experiments"].items()}
    several = [source for source in sources_of(config) if config[source]["reader"] == "npz"]
    tuning = config["tuning"]
    trials = tuning["drawn"]
    return Plan(
        config=config,
        samples=samples,
        new_samples=new_samples,
        modules=modules,
        models=models,
        networks=models + [f"{model}.{ablation}" for model in models for ablation in ablations],
        experiments=experiments,
        bases=bases,
        experiment_networks=list(dict.fromkeys([*bases.values(), *experiments.values()])),
        cells=cells_of(config),
        folds=[f"fold-{number + 1}" for number in range(config["folds"]["number"])],
        target={"kind": config["expression"]["target"], "transform": config["expression"]["transform"]},
        reference=reference_of(config),
        shared_files=sorted({path for source in several for _, path in paths_of(config, source)}),
        search=Search(
            model=varied_model(config),
            space=tuning["search_space"],
            trials=trials,
            epochs=tuning["epochs"],
            sizes=rung_sizes(tuning, len(trials)),
        ),
    )


def in_order(config: Config, default: Config) -> Config:
    """Return a config whose models and experiments have the order of config.yaml, further ones last.

    Snakemake puts those of further config files first.

    Args:
        config: as Snakemake gives it.
        default: the content of config.yaml.

    Raises:
        InputError: for a null under a name that config.yaml does not have, which would remove nothing.
    """
    ordered = dict(config)
    for key in ("models", "experiments"):
        if not isinstance(config.get(key), dict):
            continue
        known = default.get(key) or {}
        for name, value in config[key].items():
            if value is None and name not in known:
                raise InputError(
                    f"config key `{key}.{name}` is null, which removes what config.yaml has under this name, but there is nothing: "
                    f"there are {', '.join(known) or 'none'}."
                )
        ordered[key] = {**known, **config[key]}
    return ordered


def _applies(ablation: str, modules: list[str]) -> bool:
    """Return whether an ablation makes sense: a single module cannot be left out."""
    return len(modules) == 2 or (ablation == "permuted_genes" and "dna" in modules)
