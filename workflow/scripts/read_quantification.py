"""Expression from the tables of a quantifier, one per cell."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.core.files import as_list
    from wakawaka.sources.expression.read_quantification import read_quantification

    read_quantification(
        paths=as_list(snakemake.input.tables),
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        gene_id=snakemake.params.gene_id,
        value=snakemake.params.value,
        reference=snakemake.params.reference,
    )
