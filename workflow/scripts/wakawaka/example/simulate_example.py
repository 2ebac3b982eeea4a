"""The built-in example: raw files like a user's, simulated with a known truth.

Every gene has an activity A and a repression R in every cell. They determine the histone counts and, together with a DNA motif, the
expression. The predictions of a model can therefore be compared with what the counts and the sequence contain.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic
from wakawaka.example.example_counts import (
    BACKGROUND,
    GENE_SHARE,
    LOG_RATE,
    MARKS,
    draw_activity,
    draw_counts,
    share_in_pair,
    write_counts,
)
from wakawaka.example.example_expression import (
    ACTIVITY,
    GENE_EFFECT_SD,
    INTERACTION,
    MOTIF,
    NOISE_SD,
    REPRESSION,
    draw_expression,
    expected_loss,
    expected_mse,
    write_expression,
)
from wakawaka.example.example_genome import (
    CHROMOSOMES,
    MOTIF_LENGTH,
    MOTIF_REACH,
    draw_genome,
    draw_motif,
    place_genes,
    write_annotation,
    write_genome,
)
from wakawaka.example.files import ExampleFiles

log = logging.getLogger(__name__)

MIN_GENES = 2 * CHROMOSOMES
MIN_WINDOW = 2000


@dataclass(frozen=True)
class ExampleSettings:
    """What is simulated.

    Attributes:
        seed: seed of the random numbers.
        cells, held_out_cells: names of the training cells and of the held-out cells.
        genes: number of genes.
        held_out: number of held-out genes.
        effect: factor of all planted effects on the expression. With 0, only the gene effect and noise remain; counts and motif are
            unchanged.
        motif_copies: number of copies in every gene that carries the motif.
        depth: factor of the expected number of reads in every bin.
        marks: the columns of the count files. Marks other than `MARKS` have background counts only.
        window: length of the windows in bp.
        bins: number of bins in a window; the count files list them in genomic order on both strands.
    """

    seed: int
    cells: Sequence[str]
    held_out_cells: Sequence[str]
    genes: int
    held_out: int
    effect: float
    motif_copies: int
    depth: float
    marks: Sequence[str]
    window: int
    bins: int

    @property
    def all_cells(self) -> list[str]:
        """The training cells, then the held-out cells."""
        return [*self.cells, *self.held_out_cells]


def simulate_example(files: ExampleFiles, truth: PathLike, settings: ExampleSettings) -> None:
    """Write the raw files of the built-in example; equal settings give byte-equal files.

    Args:
        files: output paths; `counts` has all cells.
        truth: output path, JSON with all that is planted, and the MSEs that it allows.
        settings: what is simulated.

    Raises:
        InputError: if the sizes or the marks cannot make an example.
    """
    _check(settings)
    cells, genes = settings.all_cells, settings.genes
    # One stream of random numbers for each part, so that a change of one part does not change the others.
    layout, bases, activity, reads, noise = np.random.default_rng(settings.seed).spawn(5)

    table = place_genes(layout, genes, settings.held_out, settings.window, settings.bins)
    motif = draw_motif(layout)
    write_genome(draw_genome(bases, table, motif, settings.motif_copies, settings.window), table, files.genome)
    write_annotation(table, files.annotation)

    a = share_in_pair(draw_activity(activity, len(cells), genes), table)
    r = share_in_pair(draw_activity(activity, len(cells), genes), table)
    shape: dict[str, Any] = {"marks": settings.marks, "window": settings.window, "bins": settings.bins}
    for cell, a_cell, r_cell in zip(cells, a, r, strict=True):
        counts = draw_counts(reads, a_cell, r_cell, table, **shape, background=BACKGROUND * settings.depth)
        write_counts(counts, table, settings.marks, files.counts[cell])
    y = draw_expression(noise, a, r, table["motif"].to_numpy(), settings.effect)
    write_expression(y, table, cells, files.expression)

    with atomic(files.held_out_genes) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in _ids(table, "held_out")), encoding="utf-8")
    with atomic(truth) as temporary:
        temporary.write_text(json.dumps(_describe(table, motif, settings), indent=2) + "\n", encoding="utf-8")
    log.info(
        "Simulated %d genes (%d held out) in %d cells (%d held out).",
        *(genes, settings.held_out, len(cells), len(settings.held_out_cells)),
    )


def _check(settings: ExampleSettings) -> None:
    """Raise `InputError` if the settings cannot make an example."""
    missing = [mark for mark in MARKS if mark not in settings.marks]
    if missing:
        raise InputError(
            f"The built-in example plants its signals in {', '.join(MARKS)}, "
            f"but `histone.marks` lacks {', '.join(missing)}; add what is missing."
        )
    names = settings.all_cells
    if not settings.cells or len(set(names)) < len(names):
        raise InputError(
            "The built-in example needs at least one training cell and every cell once, "
            f"but its training cells are {list(settings.cells)} and its held-out cells {list(settings.held_out_cells)}."
        )
    if settings.genes < MIN_GENES:
        raise InputError(
            f"The built-in example needs at least {MIN_GENES} genes, but `example.genes` is {settings.genes}; make it larger."
        )
    if not 0 <= settings.held_out <= settings.genes - 2:
        raise InputError(
            f"The built-in example has {settings.genes} genes, of which two (a bidirectional pair) must stay for training, "
            f"but `example.held_out_genes` is {settings.held_out}; set it to a number from 0 to {settings.genes - 2}."
        )
    if settings.motif_copies * MOTIF_LENGTH > 2 * MOTIF_REACH:
        raise InputError(
            f"The built-in example plants the motif within {MOTIF_REACH} bp of the TSS, where {settings.motif_copies} copies do not fit: "
            f"set `example.motif_copies` to {2 * MOTIF_REACH // MOTIF_LENGTH} or less."
        )
    if settings.window < MIN_WINDOW or settings.window % 2 or settings.window % settings.bins:
        raise InputError(
            f"The built-in example needs an even `window` of at least {MIN_WINDOW} bp that is a multiple "
            f"of `bins`, but they are {settings.window} and {settings.bins}."
        )


def _describe(table: pd.DataFrame, motif: bytes, settings: ExampleSettings) -> dict[str, Any]:
    """Return the content of truth.json."""
    expected = expected_mse(settings.effect, len(settings.cells), int((~table["held_out"]).sum()))
    return {
        "seed": settings.seed,
        "effect": settings.effect,
        "expression": "y = effect x (activity A + repression R + interaction A R + motif M) + gene effect + noise",
        "coefficients": {"activity": ACTIVITY, "repression": REPRESSION, "interaction": INTERACTION, "motif": MOTIF},
        "standard_deviations": {"gene_effect": GENE_EFFECT_SD, "noise": NOISE_SD},
        "gene_share_of_variance": GENE_SHARE,
        "counts": {"background": BACKGROUND * settings.depth, "log_rate_above_background": LOG_RATE},
        "motif": {
            "sequence": motif.decode(),
            "copies": settings.motif_copies,
            "within_bp_of_tss": MOTIF_REACH,
            "genes": _ids(table, "motif"),
        },
        "bidirectional_pair": _ids(table, "pair"),
        "windows_over_chromosome_end": _ids(table, "over_end"),
        "held_out_cells": list(settings.held_out_cells),
        "held_out_genes": _ids(table, "held_out"),
        "expected_loss": {name: round(mse, 6) for name, mse in expected_loss(settings.effect).items()},
        "expected_mse": {
            regime: {predictor: round(mse, 6) for predictor, mse in of_regime.items()}
            for regime, of_regime in expected.items()
        },
    }


def _ids(table: pd.DataFrame, column: str) -> list[str]:
    """Return the sorted ids of the genes for which `column` is true."""
    return sorted(table.loc[table[column], "gene_id"])
