"""The style of figures."""

import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from wakawaka.figures import style

SCRIPTS = Path(style.__file__).parents[2]


def test_save_writes_200_dots_per_inch_and_no_version(tmp_path):
    style.save(Figure(figsize=(2, 1)), tmp_path / "x.png")
    assert imread(tmp_path / "x.png").shape == (200, 400, 4)
    assert b"matplotlib" not in (tmp_path / "x.png").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_style_ignores_the_settings_of_the_user_and_restores_them():
    with matplotlib.rc_context({"font.size": 31, "lines.linewidth": 17}):
        with style.style():
            assert matplotlib.rcParams["font.size"] == 9
            assert matplotlib.rcParams["lines.linewidth"] == matplotlib.rcParamsDefault["lines.linewidth"]
        assert matplotlib.rcParams["font.size"] == 31
        assert matplotlib.rcParams["lines.linewidth"] == 17


@pytest.mark.parametrize(
    ("value", "text"), [(0.6, "0.600"), (123.4, "123"), (-1.25, "−1.25"), (float("nan"), "–"), (12345, "1.23e+04")]
)
def test_number(value, text):
    assert style.number(value) == text


def test_the_light_modules_import_no_tensorflow():
    modules = ["learning_curves", "predictions", "calibration", "histone_gene", "dna_gene"]
    imports = "; ".join(f"import wakawaka.figures.plot_{module}" for module in modules)
    check = "import sys; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    code = f"{imports}; {check}"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
