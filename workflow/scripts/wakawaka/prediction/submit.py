"""Write the predictions of the test set in the form of the course's competition."""

import logging

import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic
from wakawaka.core.messages import shorten_list
from wakawaka.genome.gene_ids import number_of_id
from wakawaka.prediction.prediction_files import read_test
from wakawaka.sources.course_npz import gene_ids, members

log = logging.getLogger(__name__)


def submit(test: PathLike, submission: PathLike, *, prediction: str, order: PathLike | None = None) -> None:
    """Write a CSV with the header `id,expression`; an id is `{cell}_{integer part of the Ensembl gene id}`.

    The numbers are those that the model predicts: transformed values, or probabilities for a binary target.

    Args:
        test: path of the test set's predictions.
        submission: output path.
        prediction: the column to submit, `final` or `fold_mean`.
        order: path of an npz file whose order of cells and genes the rows take, None for the order of the store.

    Raises:
        InputError: if the npz file has samples that are not in the test set.
    """
    table = read_test(test)
    if order:
        keys = [(cell, gene) for cell, array in members(order) for gene in gene_ids(order, cell, array).tolist()]
        indexed = table.set_index(["cell", "gene_id"])
        missing = [key for key in keys if key not in indexed.index]
        if missing:
            raise InputError(
                f"{order}: {len(missing)} of its samples were not held out, so there is no honest prediction to submit for them: "
                f"{shorten_list('_'.join(key) for key in missing)}. Add their cells to `cells.held_out` or their genes to `held_out_genes`."
            )
        table = indexed.loc[keys].reset_index()
    ids = table["cell"] + "_" + table["gene_id"].map(number_of_id)
    with atomic(submission) as temporary:
        pd.DataFrame({"id": ids, "expression": table[prediction]}).to_csv(temporary, index=False)
    log.info("%d rows", len(table))
