"""The attribution of one gene, and the words on its figures."""

import numpy as np
import pytest

from helpers.attributions import attribution
from helpers.figures import last_figure
from wakawaka.core.errors import InputError
from wakawaka.figures.gene_attribution import gene_title, read_attribution
from wakawaka.figures.plot_dna_gene import plot_dna_gene
from wakawaka.figures.plot_histone_gene import plot_histone_gene


@pytest.mark.parametrize("function", [plot_histone_gene, plot_dna_gene])
@pytest.mark.parametrize(
    ("strand", "direction"),
    [
        ("+", "in the direction of transcription"),
        ("-", "in the direction of transcription"),
        (".", "as in the input files: the strand is not known"),
    ],
)
def test_position_axis_claims_no_direction_of_transcription_without_a_strand(
    tmp_path, monkeypatch, function, strand, direction
):
    figure = last_figure(monkeypatch, function, tmp_path, attribution(tmp_path, strand=np.array(strand)))
    labels = [panel.get_xlabel() for panel in figure.axes if panel.get_xlabel()]
    units = ["kb"] if function is plot_histone_gene else ["kb", "bp"]
    assert labels == [f"position relative to the TSS ({unit}), {direction}" for unit in units]


@pytest.mark.parametrize(
    ("truth", "regime", "run", "words"),
    [
        (2.5, "both_unseen", "final", "(both unseen), final model\ntruth 2.50"),
        (2.5, "unseen_cell", "fold-2", "(seen genes, unseen cells), model of fold-2\ntruth 2.50"),
        (np.nan, "-", "final", "(of unknown expression), final model\ntruth –"),
    ],
)
def test_gene_title(tmp_path, truth, regime, run, words):
    path = attribution(tmp_path, truth=np.array(truth), regime=np.array(regime), run=np.array(run))
    assert gene_title(read_attribution(path, "dna_gradient"), "dna_agreement") == (
        f"ENSG1 in E003 {words}, prediction 2.00, mean correlation between the fold models' gradients 0.500"
    )


def test_gene_title_of_a_probability(tmp_path):
    path = attribution(tmp_path, binary=np.array(True), truth=np.array(1.0), prediction=np.array(0.93))
    assert gene_title(read_attribution(path, "dna_gradient"), "dna_agreement") == (
        "ENSG1 in E003 (both unseen), final model\ntruth 1.00, predicted probability 0.930, "
        "mean correlation between the fold models' gradients of the log odds 0.500"
    )


@pytest.mark.parametrize(
    ("function", "gradient", "shape"),
    [(plot_histone_gene, "histone_gradient", (2, 2)), (plot_dna_gene, "dna_gradient", (4, 4))],
)
@pytest.mark.parametrize(("value", "words"), [(0.0, "is 0 everywhere"), (np.nan, "is not finite in places")])
def test_constant_attributions_are_refused(tmp_path, function, gradient, shape, value, words):
    path = attribution(tmp_path, **{gradient: np.full(shape, value, np.float32)})
    with pytest.raises(InputError, match=f"gene.npz: the attribution of ENSG1 in E003 is constant: {gradient} {words}"):
        function(path, tmp_path / "x.png", tmp_path / "x.tsv")
    assert [file.name for file in tmp_path.iterdir()] == ["gene.npz"]
