"""The cells, sources and input files of a checked config."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list
from wakawaka.sources.histone.sample_sheet import sheet_files, sheet_rows

Config = Mapping[str, Any]
# The files of a sample sheet: per cell, its list of (mark, path).
SampleFiles = dict[str, list[tuple[str, str]]]

# Where the rules simulate_example and simulate_reads write the files of the built-in example.
EXAMPLE = "results/example/"
EXAMPLE_READS = EXAMPLE + "reads/"

# By source, the readers whose path has {cell} in it.
PER_CELL = {
    "genes": ("deepchrome",),
    "histone": ("counts", "deepchrome"),
    "sequence": (),
    "expression": ("quantification", "csv", "deepchrome"),
}
# The readers that take a list of paths.
LISTS = ("npz", "deepchrome")

# The form of a cell's name, as in the schema.
NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"


def cells_of(config: Config) -> list[str]:
    """Return the names of all cells, training cells first."""
    return config["cells"]["train"] + config["cells"]["held_out"]


def sources_of(config: Config) -> list[str]:
    """Return the names of the sources that the configured modules need.

    Where a finished model predicts new cells, the sources of its training cells are left out.
    """
    new = bool(config["predict_new"]["samples"])
    return [
        "genes",
        *(["histone"] if "histone" in config["modules"] and not new else []),
        *(["sequence"] if "dna" in config["modules"] else []),
        *([] if new else ["expression"]),
    ]


def reference_of(config: Config) -> str | None:
    """Return the column that `expression.transform` divides by, or None."""
    transform, _, column = config["expression"]["transform"].partition(":")
    return column if transform == "log2ratio" else None


def paths_of(config: Config, source: str) -> list[tuple[str | None, str]]:
    """Return (cell, path) of each file of a source. The files that a sample sheet lists are not among them.

    A path with {cell} gives one file per cell. Other files have the cell None. The reference column of the expression
    counts as a cell.
    """
    section = config[source]
    if section["reader"] not in PER_CELL[source]:
        return [(None, path) for path in as_list(section["path"])]
    cells, reference = cells_of(config), reference_of(config)
    if source == "expression":
        cells = [cell for cell in cells if cell not in section["missing"]] + ([reference] if reference else [])
    return [(cell, path.replace("{cell}", cell)) for cell in cells for path in as_list(section["path"])]


def samples_of(config: Config) -> SampleFiles:
    """Return the files of the sample sheet of the histone marks, {} for another reader.

    Raises:
        InputError: for a sheet that is not valid, unless a finished model predicts new cells: it does not need the sheet.
    """
    if "histone" not in config["modules"] or config["histone"]["reader"] != "sample_sheet":
        return {}
    try:
        return sheet_files(config["histone"]["path"], cells_of(config), config["histone"]["marks"])
    except InputError:
        if config["predict_new"]["samples"]:
            return {}
        raise


def new_samples_of(config: Config) -> SampleFiles:
    """Return the files of the cells that a finished model is to predict, {} where there are none. Raises InputError."""
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


def check_files(config: Config) -> None:
    """Refuse an input file that does not exist. Files of the built-in example are exempt, because rules write them.

    Raises:
        InputError: with the key and the path of the first missing file.
    """
    counts = [f"counts/{cell}.tsv.gz" for cell in cells_of(config)]
    made = {EXAMPLE + name for name in ("genome.fa", "genes.gtf", "expression.tsv", "held_out_genes.txt", *counts)}
    new = new_samples_of(config)
    key, sheet = ("predict_new.samples", new) if new else ("histone.path", samples_of(config))
    listed = [(key, path) for files in sheet.values() for _, path in files]
    for key, path in [*_input_files(config), *listed]:
        if path not in made and not path.startswith(EXAMPLE_READS) and not Path(path).is_file():
            raise InputError(
                f"config key `{key}`: the file {path} does not exist; correct the path or put the file there."
            )


def check_example(config: Config) -> None:
    """Refuse a key that still names the built-in example, while another key names the user's own files.

    Raises:
        InputError: with both keys.
    """
    files = list(_input_files(config))
    # A sample sheet may list the example's files, wherever the sheet itself is.
    sources = [f"{source}.path" for source in sources_of(config) if config[source]["reader"] != "sample_sheet"]
    own = [key for key, path in files if key in sources and not path.startswith(EXAMPLE)]
    forgotten = [key for key, path in files if path.startswith(EXAMPLE)]
    if forgotten and own:
        hint = " (a file, a list of ids, or [])" if forgotten[0] == "held_out_genes" else ""
        raise InputError(
            f"config key `{forgotten[0]}` still names the built-in example, but `{own[0]}` does not: set it to your own{hint}."
        )


def has_coordinates(genes: Config) -> bool:
    """Return whether the configured source of genes gives coordinates. `genes`: that section of the config."""
    columns = genes["columns"]
    return genes["reader"] in ("gtf", "gene_info", "bed") or (
        genes["reader"] == "table" and bool(columns["chrom"] and columns["tss"])
    )


def _input_files(config: Config) -> Iterator[tuple[str, str]]:
    """Yield (key, path) of every input file that the config names. The files that sample sheets list are not among them."""
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
