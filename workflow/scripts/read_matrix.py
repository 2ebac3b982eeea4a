"""Expression from a matrix."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.expression.read_matrix import read_matrix

    read_matrix(
        path=snakemake.input.matrix,
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        gene_id=snakemake.params.gene_id,
        names=snakemake.params.names,
        reference=snakemake.params.reference,
    )
