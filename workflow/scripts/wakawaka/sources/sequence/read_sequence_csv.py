"""Sequences from the course's seq_data.csv: `gene id,sequence`, without a header."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.genome.dna import INVALID, encode
from wakawaka.genome.gene_ids import gene_name
from wakawaka.sources.parsed import start_checksums, unique_rows, write_parsed


def read_sequence_csv(path: PathLike, parsed: PathLike, *, window: int, order: str) -> None:
    """Write the parsed sequences of a CSV, gzip-compressed or not.

    Args:
        path: the CSV. parsed: the output.
        window: the length that every sequence must have, in bp.
        order: `genomic` (the plus strand for every gene) or `transcript` (the gene's own strand); kept for the store.

    Raises:
        InputError: a line of another form, a sequence of another length or with other letters than ACGTN (in either case), two
            differing sequences of one gene, or an empty file. The sentence names the line.
    """
    start_checksums(path)
    # One growing block of memory, so that no copy is needed in the end.
    ids, rows = [], bytearray()
    with readable(path), open_text(path) as file:
        for number, line in enumerate(file, start=1):
            name, comma, sequence = line.strip().partition(",")
            if not comma or not name or "," in sequence or "\0" in name:
                raise InputError(
                    f"{path}, line {number}: a line must be `gene id,sequence`, but this is {line.strip()[:40]!r}."
                )
            codes = encode(sequence)
            if len(codes) != window:
                raise InputError(
                    f"{path}, line {number}: the sequence of gene {name} has {len(codes)} letters, but `window` in config.yaml is {window}."
                )
            if codes.max() == INVALID:
                place = int(np.argmax(codes == INVALID))
                raise InputError(
                    f"{path}, line {number}: letter {place + 1} of gene {name} is {sequence[place]!r}, "
                    "but only A, C, G, T and N are allowed."
                )
            ids.append(gene_name(name))
            rows += codes.data
    if not ids:
        raise InputError(f"{path}: the file is empty; check `sequence.path` in config.yaml.")
    warnings = Warnings()
    gene_id, values = np.array(ids), np.frombuffer(rows, np.uint8).reshape(len(ids), window)
    keep = unique_rows(gene_id, values, path, warnings)
    if len(keep) < len(gene_id):
        gene_id, values = gene_id[keep], values[keep]
    write_parsed(parsed, path, warnings, about={"order": order}, gene_id=gene_id, values=values)
