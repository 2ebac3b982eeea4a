"""HTML that needs no other file: a page, a paragraph and a table."""

import html
from collections.abc import Iterable, Sequence

# Ink, grey and the colours of models and ablations are those of the figures. They are repeated, because figures/style.py needs matplotlib.
STYLE = """
body { margin: 1rem; font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; color: #262626; background: white; }
h1 { font-size: 1.5rem; margin: 0 0 0.5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.25rem; }
p { max-width: 48rem; margin: 0.25rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.75rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.45rem; text-align: right; vertical-align: bottom; border-bottom: 1px solid #e6e6e6; }
td { white-space: pre; }
thead th { color: #7f7f7f; font-weight: 600; border-bottom: 1px solid #b0b0b0; }
tbody th { font-weight: 400; white-space: nowrap; }
th:first-child { text-align: left; }
.model th { color: #0173b2; font-weight: 600; }
.ablation th { color: #b06f00; }
strong { font-weight: 700; }
"""

# The class of a row, and the texts of its cells; the first text is the row's name.
Row = tuple[str, Sequence[str]]


class Bold(str):
    """The text of a table cell in bold type."""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page as HTML; `parts` are HTML already."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escaped(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join([_element("h1", title), *parts])
        + "\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """Return a heading of a section."""
    return _element("h2", text)


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return _element("p", text)


def table(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table with a header; cells of type `Bold` are in bold type."""
    lines = ['<div class="wide"><table>', f"<thead><tr>{''.join(_element('th', cell) for cell in header)}</tr></thead>"]
    lines.append("<tbody>")
    for kind, (name, *cells) in rows:
        texts = "".join(
            f"<td>{_element('strong', cell) if isinstance(cell, Bold) else escaped(cell)}</td>" for cell in cells
        )
        lines.append(f'<tr class="{kind}">{_element("th", name)}{texts}</tr>')
    return "\n".join([*lines, "</tbody>", "</table></div>"])


def escaped(text: str) -> str:
    """Return the text with the marks of HTML escaped."""
    return html.escape(str(text))


def _element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"
