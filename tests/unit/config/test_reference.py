"""config.yaml and docs/configuration.md are what the schema makes of them."""

import shutil

import pytest
import yaml

from wakawaka.config.reference import (
    COMMAND,
    CONFIG,
    PAGE,
    ROOT,
    SCHEMA,
    config_text,
    main,
    reference_text,
    stale_files,
)
from wakawaka.core.errors import InputError

CONTENT = yaml.safe_load((ROOT / SCHEMA).read_text())
VALUES = yaml.safe_load((ROOT / CONFIG).read_text())


def keys_of(schema, place=()):
    """Yield the path and the schema of every key below a schema, also of those in `$defs` and of entries of lists."""
    for name in ("properties", "$defs"):
        for key, about in schema.get(name, {}).items():
            where = (*place, "$defs", key) if name == "$defs" else (*place, key)
            yield where, about
            yield from keys_of(about, where)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from keys_of(schema[name], (*place, name))


KEYS = {".".join(place): about for place, about in keys_of(CONTENT)}


def resolved(about):
    return CONTENT["$defs"].get(about.get("$ref", "").removeprefix("#/$defs/"), {}) | about


@pytest.fixture
def project(tmp_path):
    for name in (SCHEMA, CONFIG, PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


# The files


def test_both_files_are_current():
    stale = " and ".join(stale_files())
    assert not stale, f"{stale}: not what {SCHEMA} gives; run `{COMMAND}`"


@pytest.mark.parametrize("name", [CONFIG, PAGE])
def test_a_file_that_is_edited_or_missing_is_stale_until_it_is_written_again(project, name):
    text = (project / name).read_text()
    (project / name).write_text(text.replace("in bp", "in kb", 1))
    assert stale_files(project) == [name]
    main(project)
    assert (project / name).read_text() == text and stale_files(project) == []
    (project / PAGE).unlink()
    assert stale_files(project) == [PAGE]


def test_an_edited_description_makes_both_stale(project):
    schema = (project / SCHEMA).read_text()
    (project / SCHEMA).write_text(schema.replace("Step size of Adam.", "Step size of the optimiser."))
    assert stale_files(project) == [CONFIG, PAGE]
    main(project)
    assert stale_files(project) == []
    for name in (CONFIG, PAGE):
        assert "Step size of the optimiser." in (project / name).read_text()
    assert yaml.safe_load((project / CONFIG).read_text()) == VALUES


def test_values_of_the_users_own_stay(project):
    text = (project / CONFIG).read_text()
    (project / CONFIG).write_text(text.replace("learning_rate: 0.0005\n", "learning_rate: 0.00002\n"))
    main(project)
    assert "  learning_rate: 0.00002\n" in (project / CONFIG).read_text()


# The schema


@pytest.mark.parametrize("place", KEYS)
def test_every_key_is_described(place):
    text = resolved(KEYS[place]).get("description", "")
    assert text and text.endswith(".") and text[:1] != " "
    assert len(text.split(". ")) <= 4 and len(text) < 400


@pytest.mark.parametrize("place", [place for place, about in KEYS.items() if "x-values" in about])
def test_what_values_mean_is_said_of_legal_ones(place):
    about = KEYS[place]
    if "enum" in about:
        assert list(about["x-values"]) == about["enum"]
    elif about["type"] == "boolean":
        assert set(about["x-values"]) == {True, False}


def test_every_enum_says_what_its_values_mean():
    for place, about in KEYS.items():
        one = about.get("items", about)
        assert ("enum" in one) <= ("x-values" in one), place


def test_sections_begin_with_what_a_user_edits_first():
    sections = {about["x-section"]: key for key, about in CONTENT["properties"].items() if "x-section" in about}
    assert list(sections)[0] == "Your data" and list(sections)[-1] == "Seldom changed"
    assert next(iter(CONTENT["properties"])) == sections["Your data"]


# The text of a config file


def test_a_config_of_few_keys_gets_no_further_ones():
    text = config_text(CONTENT, {"seed": 3, "cells": {"held_out": []}})
    assert yaml.safe_load(text) == {"seed": 3, "cells": {"held_out": []}}
    # In the order of the schema, with the headings of their parts.
    lines = [line for line in text.splitlines() if line and not line.startswith(("# ", "  #"))]
    assert lines == ["cells:", "  held_out: []", "seed: 3"]
    assert "# --- Your data -" in text and "# --- Seldom changed -" in text and "# --- Scores" not in text


@pytest.mark.parametrize(
    "values",
    [
        {"training": {"learning_rate": 0.00005, "weight_decay": 1e-7}},
        {"training": {"learning_rate": 1e20}},
        {"example": {"depth": 1.0, "effect": 2}},
        {"expression": {"label": "yes", "path": "data/{cell}: #1.sf", "names": {"1e3": "null", "a": "- b", "no": "0x1"}}},
        {"expression": {"label": " log2 of\nRPKM  ü "}},
        {"cells": {"train": [f"E{number:03}" for number in range(60)]}},
        {"genes": {"path": [f"resources/a-longer-name-of-a-file-{number}.npz" for number in range(9)]}},
        {"genes": {"columns": None}, "models": {"a": None, "b": {"dna": {}}}},
        {"models": {"1": {"dna": {"convolutions": [{"filters": 1, "kernel_size": 2}]}}, "no": {"description": "word " * 60}}},
        {"models": {"a": {"description": "word and " * 30 + "end"}, "b": {"description": "word and " * 30 + "end"}}},
        {"experiments": {"a": {"joint": {"dense": list(range(1, 60))}}}, "tuning": {"search_space": {"dropout": [0, 0.5]}}},
    ],
)  # fmt: skip
def test_values_survive(values):
    text = config_text(CONTENT, values)
    assert yaml.safe_load(text) == values
    assert config_text(CONTENT, yaml.safe_load(text)) == text


def test_an_empty_config_stays_empty():
    assert yaml.safe_load(config_text(CONTENT, {})) is None


def test_values_that_yaml_joins_stay_apart():
    one = [1, 2]
    text = config_text(CONTENT, {"tuning": {"search_space": {"histone_dense": [one], "dna_dense": [one]}}})
    assert "search_space: {histone_dense: [[1, 2]], dna_dense: [[1, 2]]}" in text


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"modles": {}}, "modles"),
        ({"folds": {"nmber": 2}}, "folds.nmber"),
        ({"models": {"m": {"joint": {"drop": 0}}}}, "models.m.joint.drop"),
    ],
)
def test_a_key_that_the_schema_lacks_is_refused(values, key):
    with pytest.raises(
        InputError, match=rf"^config.yaml: the key `{key}` is not in workflow/schemas/config.schema.yaml"
    ):
        config_text(CONTENT, values)


def test_the_first_model_shows_its_keys_with_comments_and_the_others_what_differs():
    text = config_text(CONTENT, VALUES)
    wakawaka, plus = text.partition("  wakawaka:\n")[2].split("  wakawaka-plus:\n")
    assert "      # " in wakawaka
    plus = plus.partition("\n\n")[0]
    assert "#" not in plus and "    histone: {bin_average: 5, convolutions: [], dropout: 0.1, dense: [24]}\n" in plus
    assert "        - {filters: 16, kernel_size: 12, activation: relu, pool_size: 500, padding: same}\n" in plus


@pytest.mark.parametrize("text", [config_text(CONTENT, VALUES), reference_text(CONTENT)], ids=["config", "page"])
def test_lines_are_no_longer_than_120(text):
    assert max(map(len, text.splitlines())) <= 120 and text.endswith("\n") and not text.endswith("\n\n")
    assert text.isascii()


# The page


def test_the_page_has_every_key_with_its_default():
    page = " ".join(reference_text(CONTENT).split())
    for key in CONTENT["properties"]:
        assert f"### `{key}`" in page
    for place in KEYS:
        assert f"**`{place}`**" in page or "." not in place or place.startswith("$defs.")
    assert "**`training.learning_rate`** (number, more than 0; default `0.0005`). Step size of Adam." in page
    assert "**`models.<name>.histone.convolutions.<number>.filters`** (whole number, at least 1; required)." in page
    assert "**`models.<name>.joint.dropout`** (number, at least 0, less than 1; default `0.1`)." in page
    assert "**`genes.tss`** (one of `canonical`, `first`, `longest`; default `canonical`). Reader gtf only:" in page
    assert "- `longest`: the one with most exonic bp" in page


def test_its_parts_are_those_of_the_schema():
    parts = [line[3:] for line in reference_text(CONTENT).splitlines() if line.startswith("## ")]
    assert parts == [about["x-section"] for about in CONTENT["properties"].values() if "x-section" in about]
