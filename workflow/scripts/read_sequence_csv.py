"""Sequences from the course's seq_data.csv."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv

    read_sequence_csv(
        path=snakemake.input.csv,
        parsed=snakemake.output.parsed,
        window=snakemake.params.window,
        order=snakemake.params.order,
    )
