"""Expression from the course's npz files."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.expression.read_npz_expression import read_npz_expression

    read_npz_expression(
        paths=snakemake.input.npz,
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
        reference=snakemake.params.reference,
    )
