import json
import subprocess
import sys
from pathlib import Path

import pytest

from wakawaka import digest

SCRIPTS = Path(digest.__file__).parents[1]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three modules and a script that imports one, which imports the other."""
    folder = tmp_path / "wakawaka"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text('"""Text."""\nfrom . import two\n\n\ndef f():\n    return 1\n')
    (folder / "two.py").write_text("VALUE = 2\n")
    (folder / "three.py").write_text("VALUE = 3\n")
    (tmp_path / "script.py").write_text("def go():\n    from wakawaka.one import f\n    f()\n")
    monkeypatch.setattr(digest, "PACKAGE", folder)
    for cached in (digest._tree, digest._imported, digest._bare_code):
        cached.cache_clear()
    yield tmp_path
    for cached in (digest._tree, digest._imported, digest._bare_code):
        cached.cache_clear()


def changed(package, name, text):
    """Whether writing `text` to a file changes the digest of the script."""
    before = digest.code_digest(package / "script.py")
    (package / name).write_text(text)
    for cached in (digest._tree, digest._imported, digest._bare_code):
        cached.cache_clear()
    return digest.code_digest(package / "script.py") != before


def test_sources_follow_imports_inside_functions_and_from_dot_imports(package):
    assert [path.name for path in digest.sources(package / "script.py")] == [
        "script.py",
        "__init__.py",
        "one.py",
        "two.py",
    ]


def test_code_of_any_imported_module_counts(package):
    assert changed(package, "wakawaka/two.py", "VALUE = 22\n")


def test_code_of_others_does_not(package):
    assert not changed(package, "wakawaka/three.py", "VALUE = 33\n")


def test_comments_docstrings_and_layout_do_not(package):
    text = '"""Another text."""\n\n# Why.\nfrom . import two\n\n\ndef f():\n    """Say more."""\n    return (\n        1\n    )\n'
    assert not changed(package, "wakawaka/one.py", text)


def test_an_added_import_counts(package):
    assert changed(package, "wakawaka/two.py", "from .three import VALUE\n")


def test_sources_are_what_python_really_imports():
    """The set found in the text against sys.modules after the imports of each script have run."""
    process = subprocess.run(
        [sys.executable, "-c", REALLY_IMPORTED], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    really = json.loads(process.stdout.splitlines()[-1])
    assert len(really) > 20
    for name, loaded in really.items():
        found = {path.stem for path in digest.sources(SCRIPTS / name) if path.parent == digest.PACKAGE}
        assert found == set(loaded), name


# Runs the import lines of one script after the other, each time from a state in which no module of the package is loaded.
REALLY_IMPORTED = """
import json, pathlib, sys
sys.path.insert(0, ".")
ours = lambda: {name for name in sys.modules if name.split(".")[0] == "wakawaka"}
loaded = {}
for script in pathlib.Path().glob("*.py"):
    for name in ours():
        del sys.modules[name]
    for line in script.read_text().splitlines():
        if line.strip().startswith("from wakawaka"):
            exec(line.strip())
    loaded[script.name] = sorted(name.partition(".")[2] or "__init__" for name in ours())
print(json.dumps(loaded))
"""
