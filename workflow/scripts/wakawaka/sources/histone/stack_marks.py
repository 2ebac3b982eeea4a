"""The histone part of one cell, from the parts of its marks."""

import numpy as np

from wakawaka.sources.parsed import compact_counts, read_part, write_part


def read_sample_sheet(parts, part, *, marks, scale):
    """Write the histone part of one cell.

    Counts are whole numbers (uint16 or uint32) if all marks are reads. If any is a bigWig, the values are float32, and what is
    kept for the store is `scale`: under `counts` the model sees ln(value + 1) of all of them; under `log1p` and `signal`
    bigWig values are taken as they are, and counts of reads become ln(count + 1).

    Args:
        parts: paths of what `read_mark` made of each mark. marks: their names. scale: `counts`, `log1p` or `signal`.
    """
    abouts, arrays = zip(*map(read_part, parts), strict=True)
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
    # What the genes lack, every mark says.
    warnings = list(dict.fromkeys(sentence for about in abouts for sentence in about["warnings"]))
    values = values.astype(np.float32) if with_tracks else compact_counts(values, part)
    write_part(part, sources, warnings, about=about, gene_id=arrays[0]["gene_id"], values=values)
