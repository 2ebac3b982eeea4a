"""Train one run of a model: a fold, or the final one."""

import json
from pathlib import Path

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.training.train import train

    chosen = json.loads(Path(snakemake.input.chosen).read_text()) if snakemake.input.chosen else {}
    train(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        model=snakemake.output.model,
        preprocessing=snakemake.output.preprocessing,
        history=snakemake.output.history,
        checkpoint=snakemake.params.checkpoint,
        run=snakemake.wildcards.run,
        spec=chosen.get("spec", snakemake.params.spec),
        modules=snakemake.params.modules,
        shuffled_dna=snakemake.params.shuffled_dna,
        target=snakemake.params.target,
        schedule=chosen.get("schedule", snakemake.params.schedule),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        code=snakemake.params.code,
    )
