"""Checks of config.yaml: defaults from the schema, and one sentence about whatever is wrong."""

import copy
import difflib
import math
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import jsonschema

from wakawaka.config.search_space import TUNED, apply, in_words, model_of, module_of, points_of, text
from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list
from wakawaka.evaluation.labels import BASELINES
from wakawaka.sources.histone.sample_sheet import sheet_files, sheet_rows

# Where rules simulate_example and simulate_reads make the files of the built-in example.
EXAMPLE = "results/example/"
RAW_EXAMPLE = EXAMPLE + "reads/"

# Readers whose path has {cell} in it, and those that take a list of paths, by source.
PER_CELL = {
    "genes": ("deepchrome",),
    "histone": ("counts", "deepchrome"),
    "sequence": (),
    "expression": ("quantification", "csv", "deepchrome"),
}
LISTS = ("npz", "deepchrome")

# Of cells, as in the schema.
NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"


def check_config(config, schema):
    """Return `config` with the schema's defaults filled in.

    Args:
        config: dict as read from YAML; left as it is.
        schema: dict, the JSON schema.

    Raises:
        InputError: for the most telling of the schema's errors, or for values that contradict each other.
    """
    config = copy.deepcopy(config)
    named = {"models": config, "experiments": config, "space": config.get("tuning")} if isinstance(config, dict) else {}
    knobs = schema["properties"]["tuning"]["properties"]["space"]["properties"]
    for section, place in named.items():
        if isinstance(place, dict) and isinstance(place.get(section), dict):
            # Snakemake adds the models of a further config file to those of config.yaml; null takes one of them away. A misspelt
            # knob stays, to be refused.
            place[section] = {
                name: content
                for name, content in place[section].items()
                if content is not None or (section == "space" and name not in knobs)
            }
    _validate(config, schema, ())
    _check_numbers(config)
    _check_cells(config)
    _check_leakage(config)
    _check_models(config)
    _complete_models(config, schema)
    _check_windows(config)
    _check_training(config)
    _check_tuning(config, schema)
    _check_target(config)
    _check_readers(config)
    _check_example(config)
    return config


def merged(base, changes):
    """Return a dict with the changes of another one; what is a dict in both is merged, anything else is replaced."""
    both = {
        key: merged(base[key], value)
        for key, value in changes.items()
        if isinstance(base.get(key), dict) and isinstance(value, dict)
    }
    return base | changes | both


def check_files(config):
    """Refuse, in one sentence, a configured input file that does not exist.

    The files of the built-in example are left out: rules make them. Raises InputError.
    """
    counts = [f"counts/{cell}.tsv.gz" for cell in cells_of(config)]
    made = {EXAMPLE + name for name in ("genome.fa", "genes.gtf", "expression.tsv", "held_out_genes.txt", *counts)}
    new = new_samples_of(config)
    key, sheet = ("predict_new.samples", new) if new else ("histone.path", samples_of(config))
    listed = [(key, path) for files in sheet.values() for _, path in files]
    for key, path in [*_input_files(config), *listed]:
        if path not in made and not path.startswith(RAW_EXAMPLE) and not Path(path).is_file():
            raise InputError(
                f"config key `{key}`: the file {path} does not exist; correct the path or put the file there."
            )


def cells_of(config):
    """Return the names of all cells, training cells first."""
    return config["cells"]["train"] + config["cells"]["held_out"]


def sources_of(config):
    """Return the names of the sources that are read: those that the configured modules need.

    Where a finished model predicts new cells, nothing of the cells that it was trained on.
    """
    new = bool(config["predict_new"]["samples"])
    return [
        "genes",
        *(["histone"] if "histone" in config["modules"] and not new else []),
        *(["sequence"] if "dna" in config["modules"] else []),
        *([] if new else ["expression"]),
    ]


def reference_of(config):
    """Return the column that `expression.transform` divides by, or None."""
    transform, _, column = config["expression"]["transform"].partition(":")
    return column if transform == "log2ratio" else None


def paths_of(config, source):
    """Return [(cell, path)] of the files of a source: a path with {cell} gives one for each cell, others have the cell None.

    The reference column of the expression is a cell there. The files that a sample sheet lists are not among them.
    """
    section = config[source]
    if section["reader"] not in PER_CELL[source]:
        return [(None, path) for path in as_list(section["path"])]
    cells = cells_of(config)
    if source == "expression":
        cells = [cell for cell in cells if cell not in section["missing"]]
        cells += [reference_of(config)] if reference_of(config) else []
    return [(cell, path.replace("{cell}", cell)) for cell in cells for path in as_list(section["path"])]


def samples_of(config):
    """Return {cell: [(mark, path)]} of the sample sheet of the histone marks, {} where another reader reads them. Raises InputError."""
    sheet = config["histone"]["path"]
    if "histone" not in config["modules"] or config["histone"]["reader"] != "sample_sheet":
        return {}
    try:
        return sheet_files(sheet, cells_of(config), config["histone"]["marks"])
    except InputError:
        # A finished model does not need what it was trained on.
        if config["predict_new"]["samples"]:
            return {}
        raise


def new_samples_of(config):
    """Return {cell: [(mark, path)]} of the cells that a finished model is to predict, {} where there are none. Raises InputError."""
    sheet = config["predict_new"]["samples"]
    if not sheet:
        return {}
    cells = {cell: line for line, cell, _, _ in sheet_rows(sheet)}
    for cell, line in cells.items():
        if not re.fullmatch(NAME, cell):
            raise InputError(
                f"{sheet}, line {line}: the cell is called {cell!r}: because the name becomes part of file names, use letters, digits, "
                "-, _, . and + only, after a letter or digit."
            )
    return sheet_files(sheet, list(cells), config["histone"]["marks"] if "histone" in config["modules"] else [])


def _validate(config, schema, place):
    """Fill in the defaults; raise InputError for the most telling error. `place`: the keys that lead to `config`."""
    error = jsonschema.exceptions.best_match(_with_defaults(schema).iter_errors(config))
    if error is not None:
        raise InputError(_sentence(error, place))


def _complete_models(config, schema):
    """Make every model's training and every experiment whole: all that it is built of and how it is trained, not what differs.

    An experiment also gets `network`, the name under which it is trained, and `base`, the model that it is a variant of.
    An experiment without a base or, later, that does not fit the inputs gets the key `refused`, a sentence for who asks for it: the
    experiments of config.yaml are of its models, window and bins, and must not be in the way of others.
    """
    definitions = {"$defs": schema["$defs"]}
    schedule, model = (definitions | part for part in (schema["properties"]["training"], schema["$defs"]["model"]))
    for name, spec in config["models"].items():
        spec["training"] = config["training"] | spec["training"]
        _validate(spec["training"], schedule, ("models", name, "training"))
    known = {name: spec | {"network": name, "base": name} for name, spec in config["models"].items()}
    for name, changes in config["experiments"].items():
        base = known.get(changes["model"])
        if base is None:
            above = config["experiments"].get(changes["model"], {})
            said = (
                f"config key `experiments.{name}.model` is {changes['model']}, which cannot be trained: {above['refused']}"
                if "refused" in above
                else f"config key `experiments.{name}.model` is {changes['model']}, which is neither a model nor an experiment above it: "
                f"there are {', '.join(known)}."
            )
            config["experiments"][name] = {
                "network": name,
                "base": name,
                "printed": changes["printed"],
                "refused": said,
            }
            continue
        own = {key: value for key, value in changes.items() if key not in ("model", "printed")}
        spec = merged(copy.deepcopy(base), own)
        spec = {key: value for key, value in spec.items() if key not in ("network", "base", "printed")}
        _validate(spec, model, ("experiments", name))
        _validate(spec["training"], schedule, ("experiments", name, "training"))
        # What is the same is not trained again.
        same = (other["network"] for other in known.values() if _trained(other, config) == _trained(spec, config))
        network = next(same, name)
        spec |= {"network": network, "base": base["base"], "printed": changes["printed"]}
        known[name] = config["experiments"][name] = spec


def _trained(model, config):
    """Return all that makes a difference in training a model: without the modules that are left out, and what only they have."""
    modules, schedule = config["modules"], dict(model["training"])
    parts = {key: model[key] for key in (*modules, "joint", "leaky_slope")}
    if len(modules) == 1:
        schedule["pretraining_epochs"] = 0
    if "dna" not in modules:
        return parts | {"training": schedule | {"dna_words": 0, "gene_effects": False}}
    crop = model["dna"]["crop"]
    return parts | {"training": schedule, "dna": model["dna"] | {"crop": None if crop == config["window"] else crop}}


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


def _sentence(error, place):
    """Say in one sentence what one error of jsonschema means; `place`: the keys that lead to what was checked."""
    where = ".".join(str(part) for part in (*place, *error.absolute_path))
    value = error.instance
    if error.validator == "type" and "propertyNames" in error.absolute_schema_path:
        return f"config key `{where}`: the name {value!r} in it is not a text: put it in quotes."
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        key = next(key for key in value if key not in known)
        close = difflib.get_close_matches(str(key), known, n=1)
        place = f"`{where}` of the config" if where else "the config"
        hint = f"did you mean `{close[0]}`?" if close else f"the keys there are {', '.join(known)}."
        return f"unknown key `{key}` in {place}: {hint}"
    limits = {
        "type": lambda: (
            f"must be {_kinds(error.validator_value)}, not {'null' if value is None else repr(value)}{_plain_number(value, error)}."
        ),
        "enum": lambda: f"must be one of {', '.join(str(v) for v in error.validator_value)}, not {value!r}.",
        "minimum": lambda: f"must be at least {error.validator_value}, not {value!r}.",
        "maximum": lambda: f"must be at most {error.validator_value}, not {value!r}.",
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
            if "transform" not in error.absolute_path
            else f"must be none, log2p1, ln1p, zscore_per_gene or log2ratio:<column>, not {value!r}."
        ),
    }
    place = f"config key `{where}`" if where else "the config"
    return f"{place} {limits.get(error.validator, lambda: error.message + '.')()}"


def _plain_number(value, error):
    """Explain the one number that YAML takes for a text: 5e-4, without a point."""
    wanted = {"number", "integer"} & set(as_list(error.validator_value))
    try:
        number = Decimal(value) if wanted and isinstance(value, str) and "e" in value.lower() else None
    except InvalidOperation:
        return ""
    return f" (write {number:f})" if number is not None and number.is_finite() and abs(number.adjusted()) < 100 else ""


def _kinds(types):
    names = {
        "string": "a text",
        "array": "a list",
        "object": "a group of keys",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "null": "null",
    }
    return " or ".join(names.get(kind, kind) for kind in as_list(types))


def _check_numbers(value, place=()):
    """Refuse .nan and .inf, which YAML takes for numbers, wherever they stand."""
    if isinstance(value, float) and not math.isfinite(value):
        where = ".".join(map(str, place))
        raise InputError(f"config key `{where}` is {value}: it must be a finite number.")
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _check_numbers(part, (*place, key))


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


def _check_leakage(config):
    """Refuse folds that are known to leak before anything has run; what depends on the data, the split finds."""
    if config["folds"]["hold_out"] == "samples" and not config["allow_leakage"]:
        raise InputError(
            "config key `folds.hold_out` is samples, which holds out random rows, so that every gene and cell of theirs is trained on too: "
            "set it to cells_and_genes or genes, or set `allow_leakage: true`, and the report says in red that these scores leak."
        )


def _check_models(config):
    for section in ("models", "experiments"):
        kinds = dict.fromkeys(config["models"] if section == "experiments" else (), "a model")
        kinds |= dict.fromkeys(BASELINES, "a baseline") | {TUNED: "what `snakemake tuning` trains"}
        for name in config[section]:
            if name in kinds:
                raise InputError(f"config key `{section}.{name}`: this is the name of {kinds[name]}; take another one.")


def _check_training(config):
    for key, schedule in [
        ("training", config["training"]),
        *((f"{key}.training", model["training"]) for key, model in _networks(config)),
    ]:
        _check_schedule(schedule, key)


def _check_schedule(schedule, key):
    size, genes = schedule["batch_size"], schedule["genes_per_batch"]
    if genes and size % genes:
        raise InputError(
            f"config key `{key}.genes_per_batch` is {genes}, which does not divide `batch_size`, {size}: "
            "each gene of a batch is there in `batch_size` / `genes_per_batch` cells, which must be a whole number."
        )


def _check_tuning(config, schema):
    """Put the knobs in the order of the schema, and refuse a space with a point that could not be trained."""
    order = schema["properties"]["tuning"]["properties"]["space"]["properties"]
    config["tuning"]["space"] = {
        knob: config["tuning"]["space"][knob] for knob in order if knob in config["tuning"]["space"]
    }
    tuning, known = config["tuning"], config["models"] | config["experiments"]
    name = model_of(config)
    if name not in known:
        raise InputError(
            f"config key `tuning.model` is {name}, which is neither a model nor an experiment: there are {', '.join(known)}."
        )
    if "refused" in known[name]:
        raise InputError(f"config key `tuning.model` is {name}, which cannot be trained: {known[name]['refused']}")
    tuning["epochs"] = tuning["epochs"] or [known[name]["training"]["epochs"]]
    if tuning["epochs"] != sorted(set(tuning["epochs"])):
        raise InputError(
            f"config key `tuning.epochs` is {tuning['epochs']}: each rung must train for more epochs than the one before."
        )
    model = {key: value for key, value in known[name].items() if key not in ("network", "base", "printed")}
    for knob, values in tuning["space"].items():
        _check_knob(knob, values, model, config, schema)
    # What a value must be is known of each by itself; what fits with what, of each point only.
    tuning["drawn"] = points_of(tuning, config["seed"], lambda point: check_point(point, model, config))


def check_point(point, model, config):
    """Refuse a point of the search that could not be trained. `model`: without its settings. Raises InputError."""
    place, one = f"tuning.space ({in_words(point)})", apply(point, model)
    check_network(one, place, config["modules"], config["window"], config["bins"])
    _check_schedule(one["training"], f"{place}.training")


def _check_knob(knob, values, model, config, schema):
    """Refuse values of a knob that the schema does not know of models, that are the same, or that change nothing."""
    key = f"config key `tuning.space.{knob}`"
    if module_of(knob) not in (None, *config["modules"]):
        raise InputError(f"{key}: `modules` leaves this module out, so that nothing would differ; remove the knob.")
    shown = [text(value) for value in values]
    twice = [one for one in shown if shown.count(one) > 1]
    if twice:
        raise InputError(f"{key} names {twice[0]} twice: its points would be one; remove one of the two.")
    definitions = {"$defs": schema["$defs"]}
    for value in values:
        place = f"tuning.space ({knob} {text(value)})"
        one = apply({knob: value}, model)
        _validate(one, definitions | schema["$defs"]["model"], (place,))
        _validate(one["training"], definitions | schema["properties"]["training"], (place, "training"))
    found = [_trained(apply({knob: value}, model), config) for value in values]
    if len(found) > 1 and all(one == found[0] for one in found):
        raise InputError(f"{key}: the model has nothing that it sets, so that nothing would differ; remove the knob.")
    for place, one in enumerate(found):
        if one in found[:place]:
            raise InputError(
                f"{key}: {shown[found.index(one)]} and {shown[place]} are the same model; remove one of them."
            )


def _networks(config):
    """Yield the config key and the spec of every model and experiment."""
    for section in ("models", "experiments"):
        yield from ((f"{section}.{name}", model) for name, model in config[section].items() if "refused" not in model)


def _check_windows(config):
    window, bins = config["window"], config["bins"]
    if window % bins:
        raise InputError(
            f"config key `bins` is {bins}, which does not divide the window of {window} bp into equal bins."
        )
    for name, model in config["models"].items():
        try:
            check_network(model, f"models.{name}", config["modules"], window, bins)
        except InputError as error:
            hint = f" Or leave the model out: `models: {{{name}: null}}`." if len(config["models"]) > 1 else ""
            raise InputError(f"{error}{hint}") from error
    for name, model in config["experiments"].items():
        try:
            if "refused" not in model:
                check_network(model, f"experiments.{name}", config["modules"], window, bins)
        except InputError as error:
            model["refused"] = str(error)


def _check_words(length, convolutions, positions, key):
    """Refuse words that the filters of the first convolution of DNA cannot be."""
    first = convolutions[0] if convolutions else {"dilation": 0, "activation": None}
    place = f"config key `{key}.training.dna_words` is {length}"
    if first["dilation"] != 1 or first["activation"] != "relu":
        raise InputError(
            f"{place}, but the DNA module has no first convolution with `activation: relu` and without dilation, whose filters could be "
            "words: give it one, or set `dna_words: 0`."
        )
    if length > positions:
        raise InputError(f"{place}, but the module sees only {positions} bp of DNA: make the words shorter.")
    if length > first["width"]:
        raise InputError(
            f"{place}, but the filters of the first convolution of DNA are only {first['width']} bp wide: make them wider, or the words "
            "shorter."
        )


def check_network(model, key, modules, window, bins):
    """Refuse a network whose layers do not fit its inputs. `key`: where it stands in the config. Raises InputError."""
    crop = model["dna"]["crop"]
    if "dna" in modules and crop and crop > window:
        raise InputError(
            f"config key `{key}.dna.crop` is {crop} bp, wider than the window of {window} bp: make it smaller, or null for all of it."
        )
    if "dna" in modules and model["training"]["dna_words"]:
        _check_words(model["training"]["dna_words"], model["dna"]["convolutions"], crop or window, key)
    average = model["histone"]["average"]
    if "histone" in modules and average > bins:
        raise InputError(
            f"config key `{key}.histone.average` is {average}, but there are only {bins} bins: make it smaller."
        )
    for module, unit, positions in (("histone", "bins", bins // average), ("dna", "bp", crop or window)):
        length = positions
        for number, layer in enumerate(model[module]["convolutions"] if module in modules else (), start=1):
            place = f"config key `{key}.{module}.convolutions`: convolution {number}"
            beyond = (layer["width"] - 1) * layer["dilation"]
            left = length - beyond * (layer["padding"] == "valid")
            if left < 1:
                raise InputError(
                    f"{place} is {beyond + 1} wide (its dilation included), but only {length} of the {positions} {unit} are left there; "
                    "make it or the pools before it smaller, or set `padding: same`."
                )
            if layer["pool"] > left:
                raise InputError(
                    f"{place} has a pool of {layer['pool']}, but only {left} of the {positions} {unit} are left there; make it smaller."
                )
            length = left // layer["pool"]


def _check_target(config):
    expression, reference = config["expression"], reference_of(config)
    if expression["target"] != "value" and expression["transform"] != "none":
        raise InputError(
            f"config key `expression.transform` is {expression['transform']}, but labels (`expression.target: {expression['target']}`) "
            "are not transformed: set it to none."
        )
    if expression["reader"] == "deepchrome" and expression["target"] != "label":
        raise InputError(
            f"config key `expression.target` is {expression['target']}, but the reader deepchrome reads labels, 0 and 1: set it to label."
        )
    if reference in cells_of(config):
        raise InputError(
            f"config key `expression.transform` divides by {reference}, which `cells` names too: its own target would be 0 everywhere; "
            "remove it from `cells`."
        )
    if expression["transform"] == "zscore_per_gene" and config["folds"]["hold_out"] == "genes":
        raise InputError(
            "config key `expression.transform` is zscore_per_gene, which nothing is known of for genes that are held out, but "
            "`folds.hold_out` holds out genes only, so no fold could be scored: set it to cells_and_genes."
        )
    for key, readers in (("missing", PER_CELL["expression"]), ("names", ("matrix",))):
        if expression[key] and expression["reader"] not in readers:
            raise InputError(
                f"config key `expression.{key}` is for the reader {' or '.join(readers)} only, not for {expression['reader']}: remove it."
            )
    unknown = [cell for cell in expression["missing"] if cell not in cells_of(config)]
    unknown += [cell for cell in expression["names"] if cell not in [*cells_of(config), reference]]
    if unknown:
        raise InputError(
            f"config key `expression`: {unknown[0]} is named there, but it is no cell in `cells`; correct the name."
        )


def _check_readers(config):
    for source in sources_of(config):
        reader, path = config[source]["reader"], config[source]["path"]
        if reader not in LISTS and not isinstance(path, str):
            raise InputError(f"config key `{source}.path` is a list, but the reader `{reader}` takes one path.")
        lacking = [one for one in as_list(path) if "{cell}" not in one]
        if reader in PER_CELL[source] and lacking:
            raise InputError(
                f"config key `{source}.path` is {lacking[0]!r}: it needs {{cell}} where the name of the cell stands."
            )
    if _has_coordinates(config["genes"]):
        return
    histone = "sample_sheet" if config["predict_new"]["samples"] else config["histone"]["reader"]
    for module, key, reader in (("histone", "histone", histone), ("dna", "sequence", config["sequence"]["reader"])):
        if module in config["modules"] and reader in ("sample_sheet", "fasta", "2bit"):
            raise InputError(
                f"config key `{key}.reader` is {reader}, but `genes` gives no coordinates to put windows at: use a GTF, GFF3, BED or "
                "gene_info, or name the columns `genes.columns.chrom` and `genes.columns.tss` of a table."
            )


def _check_example(config):
    """Refuse a key that was forgotten when a user's own files took the place of the built-in example's."""
    files = list(_input_files(config))
    # A sample sheet may list the example's files, wherever it lies itself.
    sources = [f"{source}.path" for source in sources_of(config) if config[source]["reader"] != "sample_sheet"]
    own = [key for key, path in files if key in sources and not path.startswith(EXAMPLE)]
    forgotten = [key for key, path in files if path.startswith(EXAMPLE)]
    if forgotten and own:
        hint = " (a file, a list of ids, or [])" if forgotten[0] == "held_out_genes" else ""
        raise InputError(
            f"config key `{forgotten[0]}` still names the built-in example, but `{own[0]}` does not: set it to your own{hint}."
        )


def _has_coordinates(genes):
    columns = genes["columns"]
    return genes["reader"] in ("gtf", "gene_info", "bed") or (
        genes["reader"] == "table" and bool(columns["chrom"] and columns["tss"])
    )


def _input_files(config):
    """Yield (key, path) of every input file that the configured readers will open, those that sample sheets list apart."""
    for source in sources_of(config):
        yield from ((f"{source}.path", path) for _, path in paths_of(config, source))
    if config["predict_new"]["samples"]:
        yield "predict_new.samples", config["predict_new"]["samples"]
        yield "predict_new.model", config["predict_new"]["model"]
        yield "predict_new.model", str(Path(config["predict_new"]["model"]).with_name("preprocessing.json"))
        return
    if isinstance(config["held_out_genes"], str):
        yield "held_out_genes", config["held_out_genes"]
    if config["submission"]["order"]:
        yield "submission.order", config["submission"]["order"]
