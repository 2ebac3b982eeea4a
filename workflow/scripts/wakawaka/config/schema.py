"""Validation of a config by its JSON schema: defaults, and one sentence about the first error."""

import copy
import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import jsonschema

from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list

# The keys that lead to a value of the config.
Place = tuple[str | int, ...]

KINDS = {
    "string": "a text",
    "array": "a list",
    "object": "a group of keys",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
# What the schema's limits on a number are called in a sentence.
BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def validate(config: Any, schema: Mapping[str, Any], place: Place = ()) -> None:
    """Write the schema's defaults into a config, and check it.

    Args:
        config: as read from YAML. Defaults are written into it.
        schema: JSON schema.
        place: the keys that lead to `config`, for the sentence.

    Raises:
        InputError: for the most relevant of the schema's errors.
    """
    error = jsonschema.exceptions.best_match(_with_defaults(schema).iter_errors(config))
    if error is not None:
        raise InputError(_sentence(error, place))


def check_numbers(value: Any, place: Place = ()) -> None:
    """Refuse .nan and .inf anywhere in a config: YAML and the schema take them for numbers. Raises InputError."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"config key `{_key(place)}` is {value}: it must be a finite number.")
    if isinstance(value, dict):
        for key, content in value.items():
            check_numbers(content, (*place, key))
    elif isinstance(value, list):
        for number, content in enumerate(value):
            check_numbers(content, (*place, number))


def _with_defaults(schema: Mapping[str, Any]) -> Any:
    """Return a validator that also writes defaults into the instance, as the documentation of jsonschema shows."""
    base = jsonschema.validators.validator_for(schema)

    def set_defaults(
        validator: Any, properties: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        if isinstance(instance, dict):
            for key, subschema in properties.items():
                if "default" in subschema:
                    instance.setdefault(key, copy.deepcopy(subschema["default"]))
        yield from base.VALIDATORS["properties"](validator, properties, instance, schema)

    # JSON counts 4.0 as a whole number. Python does not.
    types = base.TYPE_CHECKER.redefine("integer", lambda checker, value: type(value) is int)
    return jsonschema.validators.extend(base, {"properties": set_defaults}, type_checker=types)(schema)


def _key(place: Place) -> str:
    return ".".join(map(str, place))


def _sentence(error: Any, place: Place) -> str:
    """Return the sentence of one error of jsonschema. `place`: the keys that lead to what was checked."""
    where, value = _key((*place, *error.absolute_path)), error.instance
    if error.validator == "type" and "propertyNames" in error.absolute_schema_path:
        return f"config key `{where}`: the name {value!r} in it is not a text: put it in quotes."
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        return _unknown_key(where, next(key for key in value if key not in known), known)
    start = f"config key `{where}`" if where else "the config"
    return f"{start} {_requirement(error)}"


def _unknown_key(where: str, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(str(key), known, n=1)
    place = f"`{where}` of the config" if where else "the config"
    hint = f"did you mean `{close[0]}`?" if close else f"the keys there are {', '.join(known)}."
    return f"unknown key `{key}` in {place}: {hint}"


def _requirement(error: Any) -> str:
    """Return what follows the name of the key in a sentence."""
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule in BOUNDS:
        return f"must be {BOUNDS[rule]} {wanted}, not {value!r}."
    phrases: dict[str, Callable[[], str]] = {
        "type": lambda: f"must be {_kinds(wanted)}, not {_shown(value)}{_plain_number(value, wanted)}.",
        "enum": lambda: f"must be one of {', '.join(map(str, wanted))}, not {value!r}.",
        "minProperties": lambda: f"needs at least {wanted} key.",
        "minItems": lambda: f"needs at least {wanted} entry.",
        "minLength": lambda: "must not be empty.",
        "uniqueItems": lambda: f"names something twice: {next(one for one in value if value.count(one) > 1)!r}.",
        "required": lambda: f"lacks the key `{next(key for key in wanted if key not in value)}`.",
        "pattern": lambda: _pattern(value, error.absolute_path),
    }
    return phrases.get(rule, lambda: f"{error.message}.")()


def _pattern(value: str, path: Any) -> str:
    if "transform" in path:
        return f"must be none, log2p1, ln1p, zscore_per_gene or log2ratio:<column>, not {value!r}."
    return (
        f"is {value!r}: because the name becomes part of file names, use letters, digits, - and _ only "
        "(in a cell, mark or gene also . and +, after a letter or digit)."
    )


def _shown(value: Any) -> str:
    return "null" if value is None else repr(value)


def _plain_number(value: Any, wanted: str | list[str]) -> str:
    """Return a hint where YAML reads a number as a text: 5e-4 has no point."""
    numeric = {"number", "integer"} & set(as_list(wanted))
    try:
        number = Decimal(value) if numeric and isinstance(value, str) and "e" in value.lower() else None
    except InvalidOperation:
        return ""
    return f" (write {number:f})" if number is not None and number.is_finite() and abs(number.adjusted()) < 100 else ""


def _kinds(types: str | list[str]) -> str:
    return " or ".join(KINDS.get(kind, kind) for kind in as_list(types))
