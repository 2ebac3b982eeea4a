"""The project's own config and schema, and configs made from them."""

import copy
from pathlib import Path

import yaml

from wakawaka.config.check import check_config

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def checked(config):
    """Return a checked config. Keys that are left out have the schema's defaults, not the values of config.yaml."""
    return check_config(config, SCHEMA)


def changed(base, changes):
    """Return a copy of nested dicts with changes."""
    base = copy.deepcopy(base)
    for key, value in changes.items():
        base[key] = changed(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return base
