import numpy as np
import pandas as pd
import pytest

from wakawaka.core.errors import InputError
from wakawaka.core.files import write_table
from wakawaka.prediction.submit import submit

TABLE = pd.DataFrame(
    {
        "cell": ["E065", "E065", "E071", "E071"],
        "gene_id": ["ENSG00000115459", "ENSG00000000003", "ENSG00000115459", "ENSG00000000003"],
        "regime": ["unseen_gene", "unseen_gene", "both_unseen", "unseen_cell"],
        "truth": np.nan,
        "final": [0.5, 1.5, 2.5, -3.5],
        "fold_mean": [10.5, 20.5, 30.5, 40.5],
        "fold_sd": 0.1,
    }
)


@pytest.fixture
def predictions(tmp_path):
    write_table(TABLE, tmp_path / "test.tsv.gz")
    return tmp_path / "test.tsv.gz"


def order_file(path, **genes):
    np.savez(
        path,
        **{cell: np.array([[[number, 0]] * 3 for number in numbers], np.float32) for cell, numbers in genes.items()},
    )
    return str(path)


def test_the_order_of_the_store(predictions, tmp_path):
    submit(predictions, tmp_path / "submission.csv", prediction="final")
    assert (tmp_path / "submission.csv").read_text() == (
        "id,expression\nE065_115459,0.5\nE065_3,1.5\nE071_115459,2.5\nE071_3,-3.5\n"
    )


def test_the_order_of_the_course_s_file(predictions, tmp_path):
    # Keys in the order of the file, then the rows in theirs, which differs between the cells.
    order = order_file(tmp_path / "eval.npz", E071=[3, 115459], E065=[115459, 3])
    submit(predictions, tmp_path / "submission.csv", prediction="fold_mean", order=order)
    assert (tmp_path / "submission.csv").read_text() == (
        "id,expression\nE071_3,40.5\nE071_115459,30.5\nE065_115459,10.5\nE065_3,20.5\n"
    )


def test_fewer_samples_than_were_predicted(predictions, tmp_path):
    order = order_file(tmp_path / "eval.npz", E071=[3])
    submit(predictions, tmp_path / "submission.csv", prediction="final", order=order)
    assert (tmp_path / "submission.csv").read_text() == "id,expression\nE071_3,-3.5\n"


def test_names_stay_as_they_are(tmp_path):
    write_table(
        TABLE.assign(cell=["01", "01", "1e3", "1e3"], gene_id=["007", "07", "007", "07"]), tmp_path / "test.tsv.gz"
    )
    submit(tmp_path / "test.tsv.gz", tmp_path / "submission.csv", prediction="final")
    ids = [line.split(",")[0] for line in (tmp_path / "submission.csv").read_text().splitlines()]
    assert ids == ["id", "01_007", "01_07", "1e3_007", "1e3_07"]


def test_samples_that_were_trained_on_are_refused(predictions, tmp_path):
    order = order_file(tmp_path / "eval.npz", E065=[3, 5], E003=[3])
    with pytest.raises(InputError) as caught:
        submit(predictions, tmp_path / "submission.csv", prediction="final", order=order)
    assert str(caught.value) == (
        f"{order}: 2 of its samples were not held out, so there is no honest prediction to submit for them: "
        "E065_ENSG00000000005, E003_ENSG00000000003. "
        "Add their cells to `cells.held_out` or their genes to `held_out_genes`."
    )
    assert not (tmp_path / "submission.csv").exists()


def test_a_damaged_order_file_is_refused(predictions, tmp_path):
    (tmp_path / "eval.npz").write_text("no")
    with pytest.raises(InputError, match=r"eval\.npz: this is not a readable npz file"):
        submit(predictions, tmp_path / "submission.csv", prediction="final", order=str(tmp_path / "eval.npz"))
