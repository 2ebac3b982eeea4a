"""Train one run of a model: a fold, or the final one."""

import json
from pathlib import Path

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.training.train import TrainingFiles, TrainingSettings, train

    # What the search of hyperparameters has chosen, where it is asked for.
    chosen = json.loads(Path(snakemake.input.chosen).read_text()) if snakemake.input.chosen else {}
    train(
        snakemake.input.store,
        snakemake.input.samples,
        TrainingFiles(
            history=snakemake.output.history,
            checkpoint=snakemake.params.checkpoint,
            model=snakemake.output.model,
            preprocessing=snakemake.output.preprocessing,
        ),
        TrainingSettings(
            run=snakemake.wildcards.run,
            spec=chosen.get("spec", snakemake.params.spec),
            modules=snakemake.params.modules,
            target=snakemake.params.target,
            schedule=chosen.get("schedule", snakemake.params.schedule),
            seed=snakemake.params.seed,
            threads=snakemake.threads,
            code=snakemake.params.code,
            permuted_genes=snakemake.params.permuted_genes,
        ),
    )
