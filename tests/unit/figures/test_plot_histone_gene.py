"""The figure of one gene's histone marks."""

import numpy as np
import pytest

from helpers.attributions import attribution
from helpers.figures import draw
from wakawaka.core.errors import InputError
from wakawaka.figures.plot_histone_gene import plot_histone_gene


def test_histone_table(tmp_path):
    lines, picture = draw(plot_histone_gene, tmp_path, attribution(tmp_path))
    assert lines == [
        "bin\tstart_bp\tmark\tinput\tgradient\tgradient_x_input",
        "1\t-2\tH3K4me3\t1\t0.5\t0.5",
        "1\t-2\tH3K27me3\t2\t-0.25\t-0.5",
        "2\t0\tH3K4me3\t0\t3\t0",
        "2\t0\tH3K27me3\t4\t0.1\t0.4",
    ]
    assert picture.shape == (680, 1720, 4)


def test_histone_of_one_mark_and_without_agreement(tmp_path):
    one = {name: np.ones((2, 1)) for name in ("histone", "histone_gradient")}
    one["histone_gradient"][0] = 2
    path = attribution(tmp_path, marks=np.array(["H3K4me3"]), histone_agreement=np.array(np.nan), **one)
    lines, _ = draw(plot_histone_gene, tmp_path, path)
    assert len(lines) == 3


def one_number(folder, gradient):
    values = {"histone": np.full((1, 1), 2.0), "histone_gradient": np.full((1, 1), gradient)}
    return attribution(folder, marks=np.array(["H3K4me3"]), bin_size=np.array(4), **values)


def test_histone_of_one_bin_and_one_mark(tmp_path):
    lines, _ = draw(plot_histone_gene, tmp_path, one_number(tmp_path, -0.5))
    assert lines[1:] == ["1\t-2\tH3K4me3\t2\t-0.5\t-1"]


@pytest.mark.parametrize(
    ("gradient", "words"),
    [(0.0, "is 0 everywhere"), (np.nan, "is not finite in places"), (np.inf, "is not finite in places")],
)
def test_one_number_that_says_nothing_is_refused(tmp_path, gradient, words):
    with pytest.raises(InputError, match=f"ENSG1 in E003 is constant: histone_gradient {words}"):
        plot_histone_gene(one_number(tmp_path, gradient), tmp_path / "x.png", tmp_path / "x.tsv")
    assert [file.name for file in tmp_path.iterdir()] == ["gene.npz"]
