"""The digest of the code behind a script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wakawaka.core import code_digest

SCRIPTS = Path(code_digest.__file__).parents[2]

FILES = {
    "script.py": "def go():\n    from wakawaka.first.one import f\n    f()\n",
    "wakawaka/__init__.py": '"""Text."""\n',
    "wakawaka/first/__init__.py": "",
    "wakawaka/first/one.py": '"""Text."""\nfrom . import two\nfrom ..second.four import VALUE\n\n\ndef f():\n    return 1\n',
    "wakawaka/first/two.py": "VALUE = 2\n",
    "wakawaka/first/three.py": "VALUE = 3\n",
    "wakawaka/second/__init__.py": "",
    "wakawaka/second/four.py": "import logging\n\nlog = logging.getLogger()\nVALUE = 4\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A script that imports a module, which imports one of its own package and one of another."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code_digest, "PACKAGE", tmp_path / "wakawaka")
    code_digest.clear_caches()
    yield tmp_path
    code_digest.clear_caches()


def changed(package, name, text):
    """Return whether writing `text` to a file changes the digest of the script."""
    before = code_digest.code_digest(package / "script.py")
    (package / name).write_text(text)
    code_digest.clear_caches()
    return code_digest.code_digest(package / "script.py") != before


def test_sources_follow_imports_inside_functions_relative_ones_and_packages(package):
    found = [path.relative_to(package).as_posix() for path in code_digest.sources(package / "script.py")]
    assert found == sorted(set(FILES) - {"wakawaka/first/three.py"})


@pytest.mark.parametrize(
    "form", ["import wakawaka.first.three", "from wakawaka.first import three", "from . import three"]
)
def test_every_form_of_import_is_followed(package, form):
    (package / "wakawaka/first/two.py").write_text(f"{form}\n")
    code_digest.clear_caches()
    assert package / "wakawaka/first/three.py" in code_digest.sources(package / "script.py")


@pytest.mark.parametrize(
    "name", ["wakawaka/first/two.py", "wakawaka/second/four.py", "wakawaka/second/__init__.py", "wakawaka/__init__.py"]
)
def test_code_of_any_imported_module_and_of_its_packages_counts(package, name):
    assert changed(package, name, "VALUE = 22\n")


def test_code_of_others_does_not(package):
    assert not changed(package, "wakawaka/first/three.py", "VALUE = 33\n")


def test_modules_of_one_name_in_two_packages_are_told_apart(package):
    """Two modules that change places change the digest: their paths are part of it."""
    before = code_digest.code_digest(package / "script.py")
    (package / "wakawaka/second/two.py").write_text(FILES["wakawaka/first/two.py"])
    (package / "wakawaka/first/one.py").write_text(FILES["wakawaka/first/one.py"].replace("from .", "from ..second", 1))
    code_digest.clear_caches()
    assert code_digest.code_digest(package / "script.py") != before


def test_comments_docstrings_and_layout_do_not(package):
    text = (
        '"""Another text."""\n\n# Why.\nfrom . import two\nfrom ..second.four import VALUE\n\n\n'
        'def f():\n    """Say more."""\n    return (\n        1\n    )\n'
    )
    assert not changed(package, "wakawaka/first/one.py", text)


def test_the_wording_of_logs_and_errors_does_not(package):
    text = (
        FILES["wakawaka/second/four.py"]
        + 'log.info("one %s", f"of {VALUE:d}")\nif not VALUE:\n    raise ValueError(f"no {VALUE}")\n'
    )
    (package / "wakawaka/second/four.py").write_text(text)
    code_digest.clear_caches()
    assert not changed(package, "wakawaka/second/four.py", text.replace("one", "two").replace("no ", "not any "))


def test_what_a_log_or_an_error_is_made_of_counts(package):
    text = FILES["wakawaka/second/four.py"] + "if not VALUE:\n    raise ValueError('no value')\n"
    (package / "wakawaka/second/four.py").write_text(text)
    code_digest.clear_caches()
    assert changed(package, "wakawaka/second/four.py", text.replace("ValueError", "TypeError"))


def test_an_added_import_counts(package):
    assert changed(package, "wakawaka/first/two.py", "from .three import VALUE\n")


def test_sources_are_what_python_really_imports():
    """The set found in the text against sys.modules after the imports of each script have run."""
    process = subprocess.run(
        [sys.executable, "-c", REALLY_IMPORTED], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    really = json.loads(process.stdout.splitlines()[-1])
    assert set(really) == {path.name for path in SCRIPTS.glob("*.py")}
    for name, loaded in really.items():
        found = {path.relative_to(SCRIPTS).as_posix() for path in code_digest.sources(SCRIPTS / name)} - {name}
        assert found == set(loaded), name
        assert len(found) > 3, name


@pytest.mark.parametrize("script", ["train.py", "tune.py", "predict.py", "predict_new.py", "baselines.py"])
def test_wording_is_no_part_of_what_trains_or_predicts(script):
    """Labels, captions, thresholds of verdicts and helpers for sentences may change without a training or a prediction."""
    names = {path.stem for path in code_digest.sources(SCRIPTS / script)}
    assert not names & {"labels", "thresholds", "checks", "messages", "parsed", "verdicts", "summary", "style"}


# Runs the import lines of one script after the other, each time from a state in which no module of the package is loaded.
REALLY_IMPORTED = """
import json, os, pathlib, sys
sys.path.insert(0, ".")
ours = lambda: {name: module for name, module in sys.modules.items() if name.split(".")[0] == "wakawaka"}
loaded = {}
for script in pathlib.Path().glob("*.py"):
    for name in ours():
        del sys.modules[name]
    for line in script.read_text().splitlines():
        if line.strip().startswith("from wakawaka"):
            exec(line.strip())
    loaded[script.name] = sorted(pathlib.Path(os.path.relpath(module.__file__)).as_posix() for module in ours().values())
print(json.dumps(loaded))
"""
