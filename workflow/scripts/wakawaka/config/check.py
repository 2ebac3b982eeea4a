"""Checks of config.yaml: the schema's defaults and limits, and values that contradict each other."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from wakawaka.config.check_network import check_network, check_schedule
from wakawaka.config.check_tuning import check_tuning
from wakawaka.config.experiments import complete_networks
from wakawaka.config.inputs import (
    LISTS,
    PER_CELL,
    cells_of,
    check_example,
    has_coordinates,
    reference_of,
    sources_of,
)
from wakawaka.config.renamed import refuse_old_names
from wakawaka.config.schema import check_numbers, validate
from wakawaka.config.search_space import TUNED
from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list
from wakawaka.evaluation.labels import BASELINES

Config = dict[str, Any]


def check_config(config: Config, schema: Mapping[str, Any]) -> Config:
    """Return a config with defaults, complete models and experiments, and the trials of the search.

    Args:
        config: as read from YAML. It is not changed.
        schema: JSON schema of the config.

    Raises:
        InputError: for the most relevant error of the schema, or for values that contradict each other.
    """
    refuse_old_names(config)
    config = copy.deepcopy(config)
    if isinstance(config, dict):
        _remove_nulls(config, schema)
    validate(config, schema)
    for section in ("models", "experiments"):
        for network in config[section].values():
            # A description is for readers of the file: it must not make two networks differ.
            network.pop("description", None)
    check_numbers(config)
    _check_cells(config)
    _check_leakage(config)
    _check_names(config)
    complete_networks(config, schema)
    _check_layers(config)
    _check_schedules(config)
    check_tuning(config, schema)
    _check_target(config)
    _check_readers(config)
    check_example(config)
    return config


def _remove_nulls(config: Config, schema: Mapping[str, Any]) -> None:
    """Remove models, experiments and hyperparameters that are null.

    Snakemake adds the keys of a further config file to those of config.yaml. There, null takes one of them out.
    """
    hyperparameters = schema["properties"]["tuning"]["properties"]["search_space"]["properties"]
    for section, place in {"models": config, "experiments": config, "search_space": config.get("tuning")}.items():
        if isinstance(place, dict) and isinstance(place.get(section), dict):
            place[section] = {
                name: content
                for name, content in place[section].items()
                # A misspelt hyperparameter stays, so that the schema refuses it.
                if content is not None or (section == "search_space" and name not in hyperparameters)
            }


def _check_cells(config: Config) -> None:
    """Refuse a cell that is trained on and held out, and more folds than training cells."""
    train, held_out = config["cells"]["train"], config["cells"]["held_out"]
    both = sorted(set(train) & set(held_out))
    if both:
        raise InputError(
            f"config keys `cells.train` and `cells.held_out` both name {both[0]}: a cell is either trained on or held out."
        )
    folds = config["folds"]
    if folds["hold_out"] == "cells_and_genes" and len(train) < folds["number"]:
        raise InputError(
            f"config key `folds.number` is {folds['number']}, but there are only {len(train)} training cells to hold out in turn: "
            "set `folds.hold_out: genes`, which holds out genes in all cells, or lower `folds.number`."
        )


def _check_leakage(config: Config) -> None:
    """Refuse folds that leak whatever the data are. The split finds the leaks that depend on the data."""
    if config["folds"]["hold_out"] == "samples" and not config["allow_leakage"]:
        raise InputError(
            "config key `folds.hold_out` is samples, which holds out random rows, so that every gene and cell of theirs is trained on too: "
            "set it to cells_and_genes or genes, or set `allow_leakage: true`, and the report says in red that these scores leak."
        )


def _check_names(config: Config) -> None:
    """Refuse models and experiments that have the name of something else that is scored."""
    for section in ("models", "experiments"):
        taken = dict.fromkeys(config["models"] if section == "experiments" else (), "a model")
        taken |= dict.fromkeys(BASELINES, "a baseline") | {TUNED: "what `snakemake tuning` trains"}
        for name in config[section]:
            if name in taken:
                raise InputError(f"config key `{section}.{name}`: this is the name of {taken[name]}; take another one.")


def _check_layers(config: Config) -> None:
    """Refuse models whose layers do not fit their inputs. Experiments that do not fit get the key `error` instead."""
    window, bins = config["window"], config["bins"]
    if window % bins:
        raise InputError(
            f"config key `bins` is {bins}, which does not divide the window of {window} bp into equal bins."
        )
    for section, name, network in _networks(config):
        try:
            check_network(network, f"{section}.{name}", modules=config["modules"], window=window, bins=bins)
        except InputError as error:
            if section == "experiments":
                network["error"] = str(error)
                continue
            hint = f" Or leave the model out: `models: {{{name}: null}}`." if len(config["models"]) > 1 else ""
            raise InputError(f"{error}{hint}") from error


def _check_schedules(config: Config) -> None:
    check_schedule(config["training"], "training")
    for section, name, network in _networks(config):
        check_schedule(network["training"], f"{section}.{name}.training")


def _networks(config: Config) -> Iterator[tuple[str, str, Config]]:
    """Yield the section, name and settings of every model and experiment that can be trained."""
    for section in ("models", "experiments"):
        for name, network in config[section].items():
            if "error" not in network:
                yield section, name, network


def _check_target(config: Config) -> None:
    """Refuse targets that contradict the reader, the transform, the cells or the folds."""
    expression, reference, cells = config["expression"], reference_of(config), cells_of(config)
    if expression["target"] != "value" and expression["transform"] != "none":
        raise InputError(
            f"config key `expression.transform` is {expression['transform']}, but labels (`expression.target: {expression['target']}`) "
            "are not transformed: set it to none."
        )
    if expression["reader"] == "deepchrome" and expression["target"] != "label":
        raise InputError(
            f"config key `expression.target` is {expression['target']}, but the reader deepchrome reads labels, 0 and 1: set it to label."
        )
    if reference in cells:
        raise InputError(
            f"config key `expression.transform` divides by {reference}, which `cells` names too: its own target would be 0 everywhere; "
            "remove it from `cells`."
        )
    if expression["transform"] == "zscore_per_gene" and config["folds"]["hold_out"] == "genes":
        raise InputError(
            "config key `expression.transform` is zscore_per_gene, which is not defined for held-out genes, but "
            "`folds.hold_out` holds out genes only, so no fold could be scored: set it to cells_and_genes."
        )
    for key, readers in (("missing", PER_CELL["expression"]), ("names", ("matrix",))):
        if expression[key] and expression["reader"] not in readers:
            raise InputError(
                f"config key `expression.{key}` is for the reader {' or '.join(readers)} only, not for {expression['reader']}: remove it."
            )
    unknown = [cell for cell in expression["missing"] if cell not in cells]
    unknown += [cell for cell in expression["names"] if cell not in [*cells, reference]]
    if unknown:
        raise InputError(
            f"config key `expression`: {unknown[0]} is named there, but it is no cell in `cells`; correct the name."
        )


def _check_readers(config: Config) -> None:
    """Refuse paths that do not suit their readers, and readers that need coordinates where there are none."""
    for source in sources_of(config):
        reader, path = config[source]["reader"], config[source]["path"]
        if reader not in LISTS and not isinstance(path, str):
            raise InputError(f"config key `{source}.path` is a list, but the reader `{reader}` takes one path.")
        lacking = [one for one in as_list(path) if "{cell}" not in one]
        if reader in PER_CELL[source] and lacking:
            raise InputError(
                f"config key `{source}.path` is {lacking[0]!r}: it needs {{cell}} where the name of the cell is."
            )
    if has_coordinates(config["genes"]):
        return
    histone = "sample_sheet" if config["predict_new"]["samples"] else config["histone"]["reader"]
    for module, key, reader in (("histone", "histone", histone), ("dna", "sequence", config["sequence"]["reader"])):
        if module in config["modules"] and reader in ("sample_sheet", "fasta", "2bit"):
            raise InputError(
                f"config key `{key}.reader` is {reader}, but `genes` gives no coordinates to place windows at: use a GTF, GFF3, BED or "
                "gene_info, or name the columns `genes.columns.chrom` and `genes.columns.tss` of a table."
            )
