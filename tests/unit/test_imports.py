"""The directions of imports between the packages of the library, and packages that are a docstring alone."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts" / "wakawaka"

# What a package may import beside itself and `core`: packages, or single modules of them.
ALLOWED = {
    "core": [],
    "statistics": [],
    "genome": [],
    "sources": ["genome"],
    "store": ["sources.parsed", "genome"],
    "splits": ["store", "genome"],
    "network": ["genome"],
    "config": ["sources.histone.sample_sheet", "evaluation.labels", "network.shapes"],
    "training": ["network", "store", "splits", "statistics", "genome"],
    # `submit` follows the order of a file in the course's form.
    "prediction": ["network", "store", "splits", "statistics", "genome", "sources.course_npz"],
    # The files of predictions have one owner, which imports no network: their readers name it alone.
    "evaluation": ["store", "splits", "statistics", "prediction.prediction_files"],
    "tuning": ["training", "config", "store", "splits"],
    "interpretation": ["network", "store", "splits.regimes", "statistics", "genome", "prediction.prediction_files"],
    # The architecture is drawn from the model itself, the search from its table.
    "figures": [
        "evaluation.labels",
        "prediction.prediction_files",
        "splits",
        "statistics",
        "network.saved_model",
        "network.ensemble",
        "tuning.trial_table",
    ],
    # The provenance names what the store and the models were made of.
    "report": ["evaluation.labels", "splits", "statistics", "store", "network.preprocessing"],
    "example": ["evaluation.labels", "splits", "genome"],
}
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def imported(path):
    """Return the absolute names of the library's modules that a file imports, without the library's own name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import; name the module in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("wakawaka.") for name in names if name.startswith("wakawaka.")}


def test_every_package_has_its_directions():
    assert {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ALLOWED)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_a_module_imports_only_what_its_package_may(path):
    package = path.relative_to(LIBRARY).parts[0]
    allowed = [package, "core", *ALLOWED[package]]
    found = {name for name in imported(path) if name.partition(".")[0] in ALLOWED and "." in name}
    wrong = {name for name in found if not any(f"{name}.".startswith(f"{one}.") for one in allowed)}
    # `from wakawaka.store import targets` names the package too; what counts is the module.
    wrong -= {name for name in wrong if any(one.startswith(f"{name}.") for one in allowed)}
    assert not wrong, f"{path.relative_to(LIBRARY)} imports {sorted(wrong)}"


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_packages_are_a_docstring_alone(path):
    """A name passed on would make every reader depend on its siblings, and pull TensorFlow into reading a file."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr) and isinstance(body[0].value.value, str)
