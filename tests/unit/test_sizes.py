"""Modules, functions and folders stay small enough to be read at once; a longer one says why in its docstring."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts" / "wakawaka"
MODULES = sorted(LIBRARY.rglob("*.py"))

# Lines of a module; of a function with its docstring, and without it; modules of a folder.
MODULE, FUNCTION, CODE, FOLDER = 365, 55, 45, 15


def is_explained(node: ast.Module | ast.FunctionDef) -> bool:
    """Return whether the docstring says why a module or function is longer than others."""
    return "is longer than" in " ".join((ast.get_docstring(node) or "").split())


def code_lines(function: ast.FunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    first = function.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return lines(function) - (lines(first) if docstring else 0)


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_no_module_and_no_function_is_long_without_a_reason(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= MODULE or is_explained(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not is_explained(node)]
    assert [node.name for node in functions if lines(node) > FUNCTION or code_lines(node) > CODE] == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=lambda path: path.name)
def test_no_folder_holds_many_modules(folder):
    assert len(list(folder.glob("*.py"))) - 1 <= FOLDER
