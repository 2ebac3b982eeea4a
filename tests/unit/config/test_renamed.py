"""Old names of keys and values are refused with the new ones, wherever they may stand."""

from pathlib import Path

import pytest
import yaml

from wakawaka.config.check import check_config
from wakawaka.config.renamed import KEYS, VALUES, refuse_old_names
from wakawaka.core.errors import InputError

ROOT = Path(__file__).parents[3]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def said(config):
    with pytest.raises(InputError) as caught:
        refuse_old_names(config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"oriented": True}, "config key `oriented` is now `strand_aware`: rename it."),
        ({"bootstrap": {"draws": 40}}, "config key `bootstrap.draws` is now `replicates`: rename it."),
        ({"bootstrap": {"rank_draws": 40}}, "config key `bootstrap.rank_draws` is now `rank_replicates`: rename it."),
        ({"training": {"members": 2}}, "config key `training.members` is now `ensemble_size`: rename it."),
        ({"training": {"dna_words": 8}}, "config key `training.dna_words` is now `kmer_length`: rename it."),
        ({"training": {"decay": "cosine"}}, "config key `training.decay` is now `lr_schedule`: rename it."),
        (
            {"training": {"decay": "none"}},
            "config key `training.decay` is now `lr_schedule`, and its value `none` is `constant`: rename both.",
        ),
        (
            {"training": {"lr_schedule": "none"}},
            "config key `training.lr_schedule`: the value `none` is now `constant`: rename it.",
        ),
        (
            {"models": {"m.1": {"training": {"members": 2}}}},
            "config key `models.m.1.training.members` is now `ensemble_size`: rename it.",
        ),
        (
            {"experiments": {"e": {"training": {"decay": ["none"]}}}},
            "config key `experiments.e.training.decay` is now `lr_schedule`: rename it.",
        ),
        (
            {"models": {"wakawaka": {"histone": {"average": 5}}}},
            "config key `models.wakawaka.histone.average` is now `bin_average`: rename it.",
        ),
        (
            {"models": {"m": {"dna": {"summary": "max"}}}},
            "config key `models.m.dna.summary` is now `global_pooling`: rename it.",
        ),
        (
            {"models": {"m": {"histone": {"summary": "flatten"}}}},
            "config key `models.m.histone.summary` is now `global_pooling`, and its value `flatten` is `none`: rename both.",
        ),
        (
            {"experiments": {"e": {"dna": {"global_pooling": "mean"}}}},
            "config key `experiments.e.dna.global_pooling`: the value `mean` is now `average`: rename it.",
        ),
        (
            {"experiments": {"e": {"dna": {"convolutions": [{"filters": 1, "kernel_size": 2}, {"width": 2}]}}}},
            "config key `experiments.e.dna.convolutions.1.width` is now `kernel_size`: rename it.",
        ),
        (
            {"models": {"m": {"histone": {"convolutions": [{"pool": 2}]}}}},
            "config key `models.m.histone.convolutions.0.pool` is now `pool_size`: rename it.",
        ),
        ({"models": {1: {"leaky_slope": 0}}}, "config key `models.1.leaky_slope` is now `negative_slope`: rename it."),
        (
            {"experiments": {"e": {"leaky_slope": 0}}},
            "config key `experiments.e.leaky_slope` is now `negative_slope`: rename it.",
        ),
        (
            {"experiments": {"e": {"printed": 3.2}}},
            "config key `experiments.e.printed` is now `published_mse`: rename it.",
        ),
        ({"tuning": {"space": {"decay": ["none"]}}}, "config key `tuning.space` is now `search_space`: rename it."),
        ({"tuning": {"points": 3}}, "config key `tuning.points` is now `trials`: rename it."),
        ({"tuning": {"keep": 0.5}}, "config key `tuning.keep` is now `keep_fraction`: rename it."),
        (
            {"tuning": {"search_space": {"decay": ["none"]}}},
            "config key `tuning.search_space.decay` is now `lr_schedule`: rename it.",
        ),
        (
            {"tuning": {"search_space": {"lr_schedule": ["cosine", "none"]}}},
            "config key `tuning.search_space.lr_schedule.1`: the value `none` is now `constant`: rename it.",
        ),
        *(
            (
                {"tuning": {"search_space": {f"{module}_{old}": None}}},
                f"config key `tuning.search_space.{module}_{old}` is now `{module}_{new}`: rename it.",
            )
            for module in ("histone", "dna")
            for old, new in (("width", "kernel_size"), ("pool", "pool_size"))
        ),
        (
            {"submission": {"prediction": "ensemble_mean"}},
            "config key `submission.prediction`: the value `ensemble_mean` is now `fold_mean`: rename it.",
        ),
        (
            {"ablations": ["dna_only", "shuffled_dna"]},
            "config key `ablations.1`: the value `shuffled_dna` is now `permuted_genes`: rename it.",
        ),
        # The first one in the order of the file.
        ({"tuning": {"keep": 0.5}, "oriented": True}, "config key `tuning.keep` is now `keep_fraction`: rename it."),
    ],
)
def test_old_names_are_refused(config, says):
    assert said(config) == says
    # Before whatever else is wrong.
    with pytest.raises(InputError) as caught:
        check_config({**config, "seed": "one"}, SCHEMA)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    "config",
    [
        # Names of the user's own, and the same words at other places.
        {"models": {"average": {}, "decay": None}, "experiments": {"printed": {"model": "decay"}}},
        {"expression": {"names": {"oriented": "draws"}, "transform": "none", "label": "shuffled_dna"}},
        {"histone": {"duplicates": "keep"}, "cells": {"train": ["mean", "flatten", "pool", "width"]}},
        {"models": {"m": {"histone": {"global_pooling": "none"}}}},
        [],
        None,
        {"models": None, "ablations": "dna_only", "training": [1], 3: 4},
    ],
)
def test_other_names_are_not(config):
    refuse_old_names(config)


def test_new_names_are_those_of_the_schema():
    """Every new key and value is legal where the table has it."""
    for place, renamed in KEYS.items():
        assert not set(renamed) & set(keys_at(place))
        assert set(renamed.values()) <= set(keys_at(place))
    for place, renamed in VALUES.items():
        if place != "tuning.search_space.lr_schedule.*":
            legal = schema_at(place)["enum"]
            # `none` is a legal value of `global_pooling` and was one of what is `lr_schedule` now.
            assert set(renamed.values()) <= set(legal) and not set(renamed) & set(legal)


def schema_at(place):
    """Return the schema at a place as KEYS writes it; of `training` in a network, the section `training` itself."""
    if place.endswith(".training") or ".training." in place:
        place = place[place.index(".training") + 1 :]
    if place.startswith("experiments."):
        found = SCHEMA["$defs"]["experiment"]["properties"]
        if "." in (below := place.removeprefix("experiments.*").removeprefix(".")) or below in ("histone", "dna"):
            return schema_at(f"models.*.{below}")
        return found[below] if below else SCHEMA["$defs"]["experiment"]
    found = SCHEMA
    for part in place.split(".") if place else ():
        entries = found.get("items") or found.get("additionalProperties")
        found = entries if part == "*" else found["properties"][part]
        if "$ref" in found:
            found = SCHEMA["$defs"][found["$ref"].removeprefix("#/$defs/")]
    return found


def keys_at(place):
    # Of modules, `dna` has neither z-scores nor averages.
    found = schema_at(place)["properties"]
    return schema_at(place.replace(".dna", ".histone"))["properties"] | found if place.endswith(".dna") else found
