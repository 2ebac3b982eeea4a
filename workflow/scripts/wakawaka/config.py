"""Checks of config.yaml: defaults from the schema, and one sentence about whatever is wrong."""

import copy
import difflib
import math
from pathlib import Path

import jsonschema

from .errors import InputError
from .files import as_list

# Where rule simulate_example makes the files of the built-in example.
EXAMPLE = "results/example/"


def check_config(config, schema):
    """Return `config` with the schema's defaults filled in.

    Args:
        config: dict as read from YAML; left as it is.
        schema: dict, the JSON schema.

    Raises:
        InputError: for the most telling of the schema's errors, or for values that contradict each other.
    """
    config = copy.deepcopy(config)
    if isinstance(config, dict) and isinstance(config.get("models"), dict):
        # Snakemake adds the models of a further config file to those of config.yaml; null takes one of them away.
        config["models"] = {name: model for name, model in config["models"].items() if model is not None}
    error = jsonschema.exceptions.best_match(_with_defaults(schema).iter_errors(config))
    if error is not None:
        raise InputError(_sentence(error))
    _check_cells(config)
    _check_windows(config)
    _check_training(config)
    _check_readers(config)
    _check_example(config)
    return config


def check_files(config):
    """Refuse, in one sentence, a configured input file that does not exist.

    The files of the built-in example are left out: a rule makes them. Raises InputError.
    """
    counts = [f"counts/{cell}.tsv.gz" for cell in cells_of(config)]
    made = {EXAMPLE + name for name in ("genome.fa", "genes.gtf", "expression.tsv", "held_out_genes.txt", *counts)}
    for key, path in _input_files(config):
        if path not in made and not Path(path).is_file():
            raise InputError(
                f"config key `{key}`: the file {path} does not exist; correct the path or put the file there."
            )


def cells_of(config):
    """Return the names of all cells, training cells first."""
    return config["cells"]["train"] + config["cells"]["held_out"]


def sources_of(config):
    """Return the names of the sources that the configured modules need."""
    return [
        "genes",
        *(["histone"] if "histone" in config["modules"] else []),
        *(["sequence"] if "dna" in config["modules"] else []),
        "expression",
    ]


def _with_defaults(schema):
    """Return a validator that also writes defaults into the instance, as the documentation of jsonschema shows."""
    base = jsonschema.validators.validator_for(schema)

    def set_defaults(validator, properties, instance, schema):
        if isinstance(instance, dict):
            for key, subschema in properties.items():
                if "default" in subschema:
                    instance.setdefault(key, copy.deepcopy(subschema["default"]))
        yield from base.VALIDATORS["properties"](validator, properties, instance, schema)

    # In JSON 4.0 is a whole number too, but not in Python.
    types = base.TYPE_CHECKER.redefine("integer", lambda checker, value: type(value) is int)
    return jsonschema.validators.extend(base, {"properties": set_defaults}, type_checker=types)(schema)


def _sentence(error):
    """Say in one sentence what one error of jsonschema means."""
    where = ".".join(str(part) for part in error.absolute_path)
    value = error.instance
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        key = next(key for key in value if key not in known)
        close = difflib.get_close_matches(str(key), known, n=1)
        place = f"`{where}` of the config" if where else "the config"
        hint = f"did you mean `{close[0]}`?" if close else f"the keys there are {', '.join(known)}."
        return f"unknown key `{key}` in {place}: {hint}"
    limits = {
        "type": lambda: f"must be {_kinds(error.validator_value)}, not {value!r}{_plain_number(value)}.",
        "enum": lambda: f"must be one of {', '.join(str(v) for v in error.validator_value)}, not {value!r}.",
        "minimum": lambda: f"must be at least {error.validator_value}, not {value!r}.",
        "exclusiveMinimum": lambda: f"must be more than {error.validator_value}, not {value!r}.",
        "exclusiveMaximum": lambda: f"must be less than {error.validator_value}, not {value!r}.",
        "multipleOf": lambda: f"must be a multiple of {error.validator_value}, not {value!r}.",
        "minProperties": lambda: f"needs at least {error.validator_value} key.",
        "minItems": lambda: f"needs at least {error.validator_value} entry.",
        "minLength": lambda: "must not be empty.",
        "uniqueItems": lambda: f"names something twice: {next(v for v in value if value.count(v) > 1)!r}.",
        "required": lambda: f"lacks the key `{next(k for k in error.validator_value if k not in value)}`.",
        "pattern": lambda: (
            f"is {value!r}: because the name becomes part of file names, use letters, digits, - and _ only "
            "(in a cell, mark or gene also . and +, after a letter or digit)."
        ),
    }
    place = f"config key `{where}`" if where else "the config"
    return f"{place} {limits.get(error.validator, lambda: error.message + '.')()}"


def _plain_number(value):
    """Explain the one number that YAML takes for a text: 5e-4, without a point."""
    try:
        return f" (write {float(value):f})" if isinstance(value, str) and "e" in value.lower() else ""
    except ValueError:
        return ""


def _kinds(types):
    names = {
        "string": "a text",
        "array": "a list",
        "object": "a group of keys",
        "integer": "a whole number",
        "number": "a number",
        "null": "null",
    }
    return " or ".join(names.get(kind, kind) for kind in as_list(types))


def _check_cells(config):
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


def _check_training(config):
    rate = config["training"]["learning_rate"]
    if not math.isfinite(rate):
        raise InputError(f"config key `training.learning_rate` must be a finite number, not {rate}.")
    size, genes = config["training"]["batch_size"], config["training"]["genes_per_batch"]
    if genes and size % genes:
        raise InputError(
            f"config key `training.genes_per_batch` is {genes}, which does not divide `training.batch_size`, {size}: "
            "each gene of a batch is there in `batch_size` / `genes_per_batch` cells, which must be a whole number."
        )


def _check_windows(config):
    window, bins = config["window"], config["bins"]
    if window % bins:
        raise InputError(
            f"config key `bins` is {bins}, which does not divide the window of {window} bp into equal bins."
        )
    for name, model in config["models"].items():
        for module, positions in (("histone", bins), ("dna", window)):
            length = positions
            for layer in model[module]["convolutions"] if module in config["modules"] else ():
                length = (length - layer["width"] + 1) // layer["pool"]
                if length < 1:
                    raise InputError(
                        f"config key `models.{name}.{module}.convolutions`: nothing is left of the {positions} positions "
                        f"after a width of {layer['width']} and a pool of {layer['pool']}; make them smaller."
                    )


def _check_readers(config):
    for source in sources_of(config):
        reader, path = config[source]["reader"], config[source]["path"]
        if reader != "npz" and not isinstance(path, str):
            raise InputError(f"config key `{source}.path` is a list, but the reader `{reader}` takes one path.")
        if reader == "counts" and "{cell}" not in path:
            raise InputError(
                f"config key `{source}.path` is {path!r}: it needs {{cell}} where the name of the cell stands."
            )
    if "dna" in config["modules"] and config["sequence"]["reader"] == "fasta" and not _has_coordinates(config["genes"]):
        raise InputError(
            "config key `sequence.reader` is fasta, but `genes` gives no coordinates to cut windows at: "
            "name the columns `genes.columns.chrom` and `genes.columns.tss`, or use a GTF."
        )


def _check_example(config):
    """Refuse a key that was forgotten when a user's own files took the place of the built-in example's."""
    files = list(_input_files(config))
    sources = [f"{source}.path" for source in sources_of(config)]
    own = [key for key, path in files if key in sources and not path.startswith(EXAMPLE)]
    forgotten = [key for key, path in files if path.startswith(EXAMPLE)]
    if forgotten and own:
        hint = " (a file, a list of ids, or [])" if forgotten[0] == "held_out_genes" else ""
        raise InputError(
            f"config key `{forgotten[0]}` still names the built-in example, but `{own[0]}` does not: set it to your own{hint}."
        )


def _has_coordinates(genes):
    columns = genes["columns"]
    return genes["reader"] == "gtf" or (genes["reader"] == "table" and bool(columns["chrom"] and columns["tss"]))


def _input_files(config):
    """Yield (key, path) of every input file that the configured readers will open."""
    for source in sources_of(config):
        for path in as_list(config[source]["path"]):
            if config[source]["reader"] == "counts":
                yield from ((f"{source}.path", path.replace("{cell}", cell)) for cell in cells_of(config))
            else:
                yield f"{source}.path", path
    if isinstance(config["held_out_genes"], str):
        yield "held_out_genes", config["held_out_genes"]
    if config["submission"]["order"]:
        yield "submission.order", config["submission"]["order"]
