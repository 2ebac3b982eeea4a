"""The parsed histone marks of one cell, from one parsed source per mark."""

from collections.abc import Sequence

import numpy as np

from wakawaka.core.files import PathLike
from wakawaka.sources.parsed import compact_counts, read_parsed, write_parsed


def stack_marks(parsed_marks: Sequence[PathLike], parsed: PathLike, *, marks: Sequence[str], scale: str) -> None:
    """Write the parsed histone marks of one cell.

    If all marks are reads, the values are counts (uint16 or uint32). If any mark is a bigWig, the values are float32 and their
    scale is `scale`. Under `counts`, networks get ln(value + 1) of all values. Under `log1p` and `signal`, bigWig values stay
    as they are, and counts of reads become ln(count + 1).

    Args:
        parsed_marks: the outputs of `read_mark`, one for each mark.
        parsed: path of the output.
        marks: names of the marks, in the order of `parsed_marks`.
        scale: `counts`, `log1p` or `signal`.
    """
    abouts, arrays = zip(*map(read_parsed, parsed_marks), strict=True)
    columns = [content["values"] for content in arrays]
    with_tracks = any(column.dtype == np.float32 for column in columns)
    if with_tracks and scale != "counts":
        columns = [
            column if column.dtype == np.float32 else np.log1p(column.astype(np.float64)).astype(np.float32)
            for column in columns
        ]
    values = np.stack(columns, axis=2)
    about = {
        "scale": scale if with_tracks else "counts",
        "order": "genomic",
        "depth": {mark: about["depth"] for mark, about in zip(marks, abouts, strict=True)},
        "counting": abouts[0]["counting"],
        "assemblies": [assembly for about in abouts for assembly in about["assemblies"]],
    }
    sources = [source for about in abouts for source in about["sources"]]
    # Every mark repeats the warnings about the genes.
    warnings = list(dict.fromkeys(sentence for about in abouts for sentence in about["warnings"]))
    values = values.astype(np.float32) if with_tracks else compact_counts(values, parsed)
    write_parsed(parsed, sources, warnings, about=about, gene_id=arrays[0]["gene_id"], values=values)
