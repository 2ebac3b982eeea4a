"""A digest of the code behind a script, so that Snakemake reruns a step when its code changes, and only then.

Snakemake itself watches nothing but the modification time of the script file: not the modules the script imports, and
a git checkout touches every file. The digest goes into the rule's params instead. It is taken over the syntax tree
without docstrings: comments, formatting and documentation retrain nothing.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent

_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources(script):
    """Return the paths of a script and of every module of this package it imports, directly or not, sorted.

    Imports are found anywhere in a file, inside functions too. Importing a module runs the package's `__init__.py`,
    which is therefore part of the set.
    """
    found, waiting = set(), [Path(script).resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(found)


def code_digest(script):
    """Return 16 hexadecimal digits that change when the code of `script` or of a module it imports changes."""
    digest = hashlib.sha256()
    for path in sources(script):
        digest.update(f"{path.name}\n{_bare_code(path)}\n".encode())
    return digest.hexdigest()[:16]


# Many scripts import the same modules: each file is parsed once per start of Snakemake.
@functools.cache
def _tree(path):
    """The syntax tree of a file without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


@functools.cache
def _imported(path):
    """The package's modules that one file names in its import statements."""
    names = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # `from . import x` has no module, and in `from wakawaka import x` too x may be a module.
            base = ".".join(filter(None, [PACKAGE.name if node.level else None, node.module]))
            names += [f"{base}.{alias.name}" for alias in node.names]
    inside = [name.split(".")[1] for name in names if name.startswith(f"{PACKAGE.name}.")]
    modules = ["__init__", *inside] if inside or PACKAGE.name in names else []
    return [path for name in modules if (path := PACKAGE / f"{name}.py").is_file()]


@functools.cache
def _bare_code(path):
    return ast.dump(_tree(path))
