"""The text of config.yaml, with its comments, and of docs/configuration.md, both made from the configuration's schema.

The schema is the home of every key: type, default, legal values, description. The values of config.yaml are its own and
stay as they are. `make config`, or `python -m wakawaka.config.reference` in workflow/scripts, writes both files.
"""

import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list, atomic

ROOT = Path(__file__).parents[4]
SCHEMA, CONFIG, PAGE = "workflow/schemas/config.schema.yaml", "config.yaml", "docs/configuration.md"
COMMAND = "make config"
WIDTH = 120

INTRODUCTION = f"""# Configuration

Every key of [config.yaml](../config.yaml), in its order. Write only the keys that differ into a file of your own, and
add `--configfile my.yaml`. An unknown key, or a value that is not legal, ends the run with a sentence that names the
key. [resources/README.md](../resources/README.md) shows the form of every input file. The [glossary](glossary.md)
defines the terms.

`{COMMAND}` writes this page from [the schema](../{SCHEMA})."""

# For one value, and for the entries of a list.
KINDS = {
    "string": ("text", "texts"),
    "integer": ("whole number", "whole numbers"),
    "number": ("number", "numbers"),
    "boolean": ("`true` or `false`", "`true` or `false`"),
    "null": ("`null`", "`null`"),
    "object": ("group of keys", "groups of keys"),
}
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "not empty",
    "minItems": "at least one",
    "uniqueItems": "none twice",
}

Schema = dict[str, Any]


def main(root: Path = ROOT) -> None:
    """Write config.yaml and docs/configuration.md of the project in `root`, each atomically."""
    for path, text in _texts(root).items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def stale_files(root: Path = ROOT) -> list[str]:
    """Return the names of those of the two files that do not have the text that `main` writes."""
    texts = _texts(root)
    return [
        path.relative_to(root).as_posix()
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def _texts(root: Path) -> dict[Path, str]:
    schema, values = (yaml.safe_load((root / name).read_text(encoding="utf-8")) for name in (SCHEMA, CONFIG))
    return {root / CONFIG: config_text(schema, values or {}), root / PAGE: reference_text(schema)}


def config_text(schema: Schema, values: dict[str, Any]) -> str:
    """Return the text of a config file: its values in the order of the schema, with descriptions as comments.

    Args:
        schema: the JSON schema of the configuration.
        values: the content of the config file. Keys that it lacks are not added.

    Raises:
        InputError: `values` has a key that the schema does not have.
    """
    writer, lines, section = _ConfigWriter(schema["$defs"]), _comment(schema["description"], 0), ""
    _refuse_unknown(schema, values, "")
    for key, about in schema["properties"].items():
        section = about.get("x-section", section)
        if key not in values:
            continue
        if section:
            lines += ["", f"# --- {section} {'-' * (WIDTH - len(section) - 7)}"]
            section = ""
        lines += ["", *writer.key_lines(key, about, values[key], 0, key)]
    text = "\n".join(lines) + "\n"
    if (yaml.safe_load(text) or {}) != values:
        raise RuntimeError("the values of the config file would not survive being written")
    return text


class _ConfigWriter:
    """Keys of a config file with comments. A description in `$defs`, which several keys share, stands once."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions
        self._explained: set[str] = set()

    def key_lines(self, key: str, schema: Schema, value: Any, indent: int, where: str) -> list[str]:
        """Return the lines of a key with its comment. `where`: the key with those that lead to it."""
        resolved = _resolve(schema, self._definitions)
        lines = self._comments(schema, resolved, value, indent)
        if not isinstance(value, dict) or not value or "x-inline" in resolved:
            return lines + _plain(key, value, indent)
        lines += [f"{' ' * indent}{_flow(key)}:"]
        if "properties" in resolved:
            return lines + self._group(resolved, value, indent + 2, where)
        entry = _resolve(_entries(resolved), self._definitions)
        named = dict(value)
        if _has_groups(entry) and isinstance(next(iter(named.values())), dict):
            # The first one shows all keys with comments, the others what they have.
            first = next(iter(named))
            lines += [f"{' ' * indent}  {_flow(first)}:"]
            lines += self._group(entry, named.pop(first), indent + 4, f"{where}.{first}")
        block = _block if "properties" in entry else _plain
        return lines + [line for name, content in named.items() for line in block(name, content, indent + 2)]

    def _group(self, schema: Schema, values: dict[str, Any], indent: int, where: str) -> list[str]:
        _refuse_unknown(schema, values, where)
        keys = [(key, about) for key, about in schema["properties"].items() if key in values]
        return [
            line for key, about in keys for line in self.key_lines(key, about, values[key], indent, f"{where}.{key}")
        ]

    def _comments(self, schema: Schema, resolved: Schema, value: Any, indent: int) -> list[str]:
        shared = schema.get("$ref", "") if "description" not in schema else ""
        if shared in self._explained:
            return []
        self._explained |= {shared} - {""}
        lines = _comment(resolved["description"], indent)
        lines += [line for one, text in _values(resolved).items() for line in _item(f"{_flow(one)}: {text}", indent)]
        if "x-inline" in resolved and set(resolved["properties"]) - set(value or {}):
            lines += _comment(f"Keys: {', '.join(resolved['properties'])}.", indent)
        entry = _resolve(_entries(resolved), self._definitions)
        keys = {} if _has_groups(entry) else entry.get("properties", {})
        about = {key: _resolve(one, self._definitions) for key, one in keys.items()}
        return lines + [line for key, one in about.items() for line in _item(f"{key}: {_in_a_line(one)}", indent)]


def reference_text(schema: Schema) -> str:
    """Return the Markdown text of docs/configuration.md: a section for each part of config.yaml and each of its keys.

    Args:
        schema: the JSON schema of the configuration.
    """
    definitions = schema["$defs"]
    lines = [*INTRODUCTION.splitlines(), ""]
    for name in ("names", "paths"):
        about = definitions[name]
        lines += [*_wrapped(f"*{about['title'].capitalize()}*. {about['description']}", ""), ""]
    explained: dict[str, str] = {}
    for key, about in schema["properties"].items():
        resolved = _resolve(about, definitions)
        lines += [f"## {about['x-section']}", ""] if "x-section" in about else []
        lines += [f"### `{key}`", "", *_wrapped(_described("", resolved), ""), ""]
        below = [*_value_items(resolved, 0), *_key_items(about, key, definitions, explained, 0)]
        lines += [*below, ""] if below else []
    return "\n".join(lines)


def _key_items(schema: Schema, where: str, definitions: Schema, explained: dict[str, str], depth: int) -> Iterator[str]:
    """Yield list items for the keys below a key. `explained`: where shared keys of list entries were explained."""
    resolved, reference = _resolve(schema, definitions), schema.get("$ref", "")
    inner, number = resolved, ""
    if "properties" not in resolved:
        inner = _resolve(_entries(resolved), definitions)
        number = ".<number>" if "items" in resolved else ".<name>"
    if reference in explained and inner.get("properties"):
        yield from _wrapped(f"- The keys of an entry are those of `{explained[reference]}`.", " " * (2 * depth))
        return
    if reference and inner.get("properties"):
        explained[reference] = where
    for key, about in inner.get("properties", {}).items():
        one, place = _resolve(about, definitions), f"{where}{number}.{key}"
        text = _described(f"**`{place}`**", one, key in inner.get("required", []))
        yield from _wrapped(f"- {text}", " " * (2 * depth))
        yield from _value_items(one, depth + 1)
        yield from _key_items(about, place, definitions, explained, depth + 1)


def _value_items(schema: Schema, depth: int) -> Iterator[str]:
    for value, meaning in _values(schema).items():
        yield from _wrapped(f"- `{_flow(value)}`: {meaning}", " " * (2 * depth))


def _described(name: str, schema: Schema, required: bool = False) -> str:
    """Return the name of a key, its facts and its description as a text."""
    facts = _facts(schema, required)
    start = f"{name} ({facts})." if name and facts else f"{name}." if name else f"{facts[:1].upper()}{facts[1:]}."
    return f"{start} {schema['description']}".removeprefix(". ")


def _facts(schema: Schema, required: bool = False) -> str:
    """Return kind, bounds and default of a key as a text, an empty one of a group whose keys have them."""
    kind = "" if "properties" in schema else _kind(schema)
    default = "" if schema.get("default", {}) == {} else f"default `{_flow(schema['default'])}`"
    return "; ".join(filter(None, [kind, "required" if required else default]))


def _kind(schema: Schema, one: bool = True) -> str:
    """Return what values a key takes as a text; `one`: of a single value, not of the entries of a list."""
    if "title" in schema:
        return schema["title"]
    if "enum" in schema or ("x-values" in schema and schema["type"] != "boolean"):
        legal = ", ".join(f"`{_flow(value)}`" for value in schema.get("enum") or schema["x-values"])
        return f"one of {legal}" if one else legal
    kinds = [
        f"list of {_kind(schema['items'], one=False)}" if kind == "array" else KINDS[kind][0 if one else 1]
        for kind in as_list(schema["type"])
    ]
    limits = ", ".join(text.format(schema[name]) for name, text in LIMITS.items() if name in schema)
    if not one:
        return f"{kinds[0]} ({limits})" if limits else kinds[0]
    return ", ".join(filter(None, [" or ".join(kinds), limits]))


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    """Return a schema with what it refers to in place; its own keywords go first."""
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    return definitions[reference] | schema if reference else schema


def _entries(schema: Schema) -> Schema:
    """Return the schema of the entries of a list, or of keys with names of the user's own; {} for other values."""
    entries = schema.get("items") or schema.get("additionalProperties")
    return entries if isinstance(entries, dict) else {}


def _has_groups(schema: Schema) -> bool:
    return any("properties" in one for one in schema.get("properties", {}).values())


def _values(schema: Schema) -> dict[Any, str]:
    """Return what each legal value of a key, or of the entries of a list, means."""
    return schema.get("x-values") or _entries(schema).get("x-values", {})


def _refuse_unknown(schema: Schema, values: dict[str, Any], where: str) -> None:
    for key in values:
        if key not in schema["properties"]:
            place = f"{where}.{key}" if where else key
            raise InputError(f"{CONFIG}: the key `{place}` is not in {SCHEMA}; add it there, or correct it.")


def _comment(text: str, indent: int) -> list[str]:
    return _wrapped(text, f"{' ' * indent}# ", f"{' ' * indent}# ")


def _item(text: str, indent: int) -> list[str]:
    return _wrapped(text, f"{' ' * indent}#   ", f"{' ' * indent}#     ")


def _in_a_line(schema: Schema) -> str:
    """Return description, legal values and default of a key as a text."""
    text, values = schema["description"], _values(schema)
    if values:
        meanings = "; ".join(f"{_flow(value)}: {meaning}" for value, meaning in values.items())
        text = f"{text.removesuffix('.')} ({meanings})."
    return text if schema.get("default") is None else f"{text} Default: {_flow(schema['default'])}."


def _wrapped(text: str, start: str, then: str | None = None) -> list[str]:
    """Return the lines of a text. Those after the first begin with `then`, by default aligned with a list item."""
    hanging = start + ("  " if text.startswith("- ") else "") if then is None else then
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


class _Dumper(yaml.SafeDumper):
    """Writes small numbers without an exponent, which YAML takes for texts, and every value in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    plain = f"{Decimal(repr(value)):f}" if abs(value) < 1e16 else ""
    if "." not in plain:
        return dumper.represent_float(value)
    return dumper.represent_scalar("tag:yaml.org,2002:float", plain)


_Dumper.add_representer(float, _represent_float)


def _flow(value: Any, width: float = float("inf")) -> str:
    """Return a value as YAML in flow style."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=width)
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(key: str, value: Any, indent: int) -> list[str]:
    """Return a key and its value as YAML without comments: on one line, if it fits there and has no convolutions."""
    space = " " * indent
    line = f"{space}{_flow(key)}: {_flow(value)}"
    if isinstance(value, (dict, list)) and _has_mappings(value):
        return _block(key, value, indent)
    if len(line) <= WIDTH:
        return [line]
    if isinstance(value, dict):
        return _block(key, value, indent)
    if isinstance(value, list):
        return [
            f"{space}{_flow(key)}:",
            *(f"{space}  {part}" for part in _flow(value, WIDTH - indent - 2).splitlines()),
        ]
    if isinstance(value, str) and " ".join(value.split()) == value and " " in value:
        return [f"{space}{_flow(key)}: >-", *_wrapped(value, f"{space}  ", f"{space}  ")]
    return [line]


def _block(key: str, value: Any, indent: int) -> list[str]:
    """Return a key and its value as YAML with a line or more for each key or entry of the value."""
    if not isinstance(value, (dict, list)) or not value:
        return [f"{' ' * indent}{_flow(key)}: {_flow(value)}"]
    lines = [f"{' ' * indent}{_flow(key)}:"]
    if isinstance(value, list):
        return lines + [f"{' ' * indent}  - {_flow(entry)}" for entry in value]
    return lines + [line for name, content in value.items() for line in _plain(name, content, indent + 2)]


def _has_mappings(value: Any) -> bool:
    """Tell whether a value has a list of groups of keys, such as convolutions, anywhere in it."""
    if isinstance(value, dict):
        return any(_has_mappings(content) for content in value.values())
    return isinstance(value, list) and any(isinstance(entry, dict) for entry in value)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
