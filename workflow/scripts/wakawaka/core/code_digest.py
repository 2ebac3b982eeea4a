"""A digest of the code behind a script, so that Snakemake reruns a step when its code changes, and only then.

Snakemake itself watches the modification time of the script file alone. It does not see the modules that the script imports, and
a git checkout touches every file. The digest goes into the rule's params instead.

The digest is taken over the syntax trees of the script and of all modules of the library that it imports. Comments, layout,
docstrings, and the wording of log messages and errors are left out: they change no output, so they rerun nothing.
"""

import ast
import functools
import hashlib
from pathlib import Path

from wakawaka.core.files import PathLike

PACKAGE = Path(__file__).parents[1]

_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources(script: PathLike) -> list[Path]:
    """Return the paths of a script and of every module of this package that it imports, directly or not, sorted.

    Imports count wherever they stand in a file, inside functions too. Importing a module runs the `__init__.py` of every package
    that holds it, so these are part of the set.
    """
    found: set[Path] = set()
    waiting = [Path(script).resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(found)


def code_digest(script: PathLike) -> str:
    """Return 16 hexadecimal digits that change when the code of `script` or of a module that it imports changes."""
    folder, digest = PACKAGE.parent, hashlib.sha256()
    for path in sources(script):
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        digest.update(f"{name}\n{_bare_code(path)}\n".encode())
    return digest.hexdigest()[:16]


def clear_caches() -> None:
    """Forget all files that were read: for tests that change them."""
    for cached in (_tree, _imported, _bare_code):
        cached.cache_clear()


# Many scripts import the same modules: each file is parsed once per start of Snakemake.
@functools.cache
def _tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file without its docstrings and without the wording of its messages."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.Raise) or _is_log_message(node):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    inner.value = ""
    return tree


def _is_log_message(node: ast.AST) -> bool:
    """Return whether a statement does nothing but log: a call of a method of the module's logger, `log`."""
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "log"


@functools.cache
def _imported(path: Path) -> list[Path]:
    """Return the files of the package that one file names in its import statements, and the `__init__.py`s of their packages."""
    names = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            # What is imported from a package may be a module.
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return sorted({file for name in names for file in _files(name)})


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """Return the absolute name of the module in a `from ... import`."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(PACKAGE.parent).parent.parts
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


def _files(name: str) -> list[Path]:
    """Return the files that importing an absolute name runs: its own, if it is a module of the package, and all `__init__.py`s above."""
    first, *others = name.split(".")
    if first != PACKAGE.name:
        return []
    files, folder = [PACKAGE / "__init__.py"], PACKAGE
    for component in others:
        if (folder / f"{component}.py").is_file():
            return [*files, folder / f"{component}.py"]
        folder = folder / component
        if not (folder / "__init__.py").is_file():
            break
        files.append(folder / "__init__.py")
    return files


@functools.cache
def _bare_code(path: Path) -> str:
    """Return the code of a file as text, without what is left out of the digest."""
    return ast.dump(_tree(path))
