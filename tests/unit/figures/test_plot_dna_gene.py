"""The figure of one gene's DNA."""

from helpers.attributions import attribution
from helpers.figures import draw
from wakawaka.figures.plot_dna_gene import plot_dna_gene


def test_dna_table(tmp_path):
    lines, picture = draw(plot_dna_gene, tmp_path, attribution(tmp_path))
    assert lines == [
        "position\tbase\tgradient_A\tgradient_C\tgradient_G\tgradient_T",
        "-2\tA\t0.3\t-0.1\t-0.1\t-0.1",
        "-1\tN\t0\t0\t0\t0",
        "0\tT\t0.25\t0.25\t0.25\t-0.75",
        "1\tC\t0\t0\t0\t0",
    ]
    assert picture.shape == (1720, 1920, 4)
