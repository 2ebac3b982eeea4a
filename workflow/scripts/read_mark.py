"""One histone mark of one cell from alignments or tracks."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.read_mark import read_mark

    read_mark(
        files=snakemake.input.files,
        genes=snakemake.input.genes,
        parsed=snakemake.output.parsed,
        mark=snakemake.wildcards.mark,
        bins=snakemake.params.bins,
        window=snakemake.params.window,
        strand_aware=snakemake.params.strand_aware,
        counting=snakemake.params.counting,
        min_mapq=snakemake.params.min_mapq,
        duplicates=snakemake.params.duplicates,
        scale=snakemake.params.scale,
        threads=snakemake.threads,
    )
