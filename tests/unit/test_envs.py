"""The conda environments name what the lock pins and what the scripts that run in them import."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wakawaka.core.code_digest import PACKAGE, sources

PROJECT = Path(__file__).parents[2]
SCRIPTS = PACKAGE.parent
ENVS = sorted(PROJECT.glob("envs/*.yaml"))
DISTRIBUTIONS = packages_distributions()


def lock():
    """The requirements of the lock, without its comments."""
    lines = (line.partition("#")[0].strip() for line in (PROJECT / "requirements.lock").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def pins(env):
    """The pip section of an environment."""
    *_, last = yaml.safe_load(env.read_text())["dependencies"]
    return [Requirement(line) for line in last["pip"]]


def rules():
    """The script and the environment of every rule."""
    text = "\n".join(path.read_text() for path in sorted(PROJECT.glob("rules/*.smk")))
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL):
        script, env = (re.search(rf'{key}:\s*"\.\./(\S+)"', body)[1] for key in ("script", "conda"))
        yield pytest.param(PROJECT / script, PROJECT / env, id=name)


def imported(path):
    """The top-level names that a file imports from outside the standard library and the project."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {PACKAGE.name}


def test_the_lock_pins_exact_versions():
    assert [str(pin) for pin in lock() if [clause.operator for clause in pin.specifier] != ["=="]] == []


@pytest.mark.parametrize("env", ENVS, ids=lambda env: env.stem)
def test_env_has_python_and_pip_from_conda_forge_and_the_pins_of_the_lock(env):
    content = yaml.safe_load(env.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert content["dependencies"][:-1] == ["python=3.11", "pip"]
    assert set(pins(env)) <= set(lock())


@pytest.mark.parametrize(("script", "env"), list(rules()))
def test_env_declares_what_the_script_imports(script, env):
    declared = {canonicalize_name(pin.name) for pin in pins(env)}
    for path in sources(script):
        for name in imported(path):
            packages = {canonicalize_name(package) for package in DISTRIBUTIONS[name]}
            assert declared & packages, f"{path.relative_to(SCRIPTS)} imports {name}, which {env.name} does not declare"
