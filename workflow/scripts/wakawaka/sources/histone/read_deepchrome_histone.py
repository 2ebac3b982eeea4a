"""Histone marks of one cell from its DeepChrome or DeepDiff files."""

from collections.abc import Iterable, Sequence

from wakawaka.core.files import PathLike, as_list
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.sources.deepchrome import read_deepchrome_cell
from wakawaka.sources.parsed import compact_counts, write_parsed


def read_deepchrome_histone(
    paths: PathLike | Iterable[PathLike], parsed: PathLike, *, marks: Sequence[str], bins: int, order: str
) -> None:
    """Write the parsed histone marks of one cell.

    Args:
        paths: the files of the cell (train, valid and test), whose genes are joined.
        parsed: path of the output.
        marks, bins: as for `read_deepchrome_file`.
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes. It is written into the output.

    Raises:
        InputError: for malformed files, or differing lines of one gene.
    """
    paths, warnings = as_list(paths), Warnings()
    gene_id, counts, _ = read_deepchrome_cell(paths, marks, bins, warnings)
    values = compact_counts(counts, shorten_list(paths))
    write_parsed(parsed, paths, warnings, about={"scale": "counts", "order": order}, gene_id=gene_id, values=values)
