"""Checks of the section `tuning`: the search space, and that its trials can be trained."""

from collections.abc import Mapping
from typing import Any

from wakawaka.config.check_network import check_network, check_schedule
from wakawaka.config.experiments import network_settings, trained_settings
from wakawaka.config.schema import validate
from wakawaka.config.search_space import (
    Trial,
    apply_trial,
    describe_trial,
    draw_trials,
    module_of,
    value_text,
    varied_model,
)
from wakawaka.core.errors import InputError

Config = dict[str, Any]


def check_tuning(config: Config, schema: Mapping[str, Any]) -> None:
    """Check the search of a config whose models are complete. Write its epochs, and its trials as `drawn`.

    Hyperparameters get the order of the schema, because paths depend on it.

    Raises:
        InputError: for a model that cannot be varied, rungs that do not grow, or a space with values or trials that fail.
    """
    order = schema["properties"]["tuning"]["properties"]["search_space"]["properties"]
    tuning, known = config["tuning"], config["models"] | config["experiments"]
    tuning["search_space"] = {name: tuning["search_space"][name] for name in order if name in tuning["search_space"]}
    name = varied_model(config)
    if name not in known:
        raise InputError(
            f"config key `tuning.model` is {name}, which is neither a model nor an experiment: there are {', '.join(known)}."
        )
    if "error" in known[name]:
        raise InputError(f"config key `tuning.model` is {name}, which cannot be trained: {known[name]['error']}")
    tuning["epochs"] = tuning["epochs"] or [known[name]["training"]["epochs"]]
    if tuning["epochs"] != sorted(set(tuning["epochs"])):
        raise InputError(
            f"config key `tuning.epochs` is {tuning['epochs']}: each rung must train for more epochs than the one before."
        )
    model = network_settings(known[name])
    for hyperparameter, values in tuning["search_space"].items():
        _check_values(hyperparameter, values, model, config, schema)
    # Whether values fit together depends on the trial.
    tuning["drawn"] = draw_trials(tuning, config["seed"], lambda trial: check_trial(trial, model, config))


def check_trial(trial: Trial, model: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Refuse a trial that cannot be trained. `model`: the settings that it varies. Raises InputError."""
    key, changed = f"tuning.search_space ({describe_trial(trial)})", apply_trial(trial, model)
    check_network(changed, key, modules=config["modules"], window=config["window"], bins=config["bins"])
    check_schedule(changed["training"], f"{key}.training")


def _check_values(name: str, values: list[Any], model: Config, config: Config, schema: Mapping[str, Any]) -> None:
    """Refuse values of a hyperparameter that no model may have, that are equal, or that change nothing."""
    key = f"config key `tuning.search_space.{name}`"
    if module_of(name) not in (None, *config["modules"]):
        raise InputError(
            f"{key}: `modules` leaves this module out, so that nothing would differ; remove the hyperparameter."
        )
    texts = [value_text(value) for value in values]
    twice = [text for text in texts if texts.count(text) > 1]
    if twice:
        raise InputError(f"{key} names {twice[0]} twice, which would be one trial; remove one of the two.")
    definitions = {"$defs": schema["$defs"]}
    models = [apply_trial({name: value}, model) for value in values]
    for text, changed in zip(texts, models, strict=True):
        place = f"tuning.search_space ({name} {text})"
        validate(changed, definitions | schema["$defs"]["model"], (place,))
        validate(changed["training"], definitions | schema["properties"]["training"], (place, "training"))
    found = [trained_settings(changed, config) for changed in models]
    if len(found) > 1 and all(one == found[0] for one in found):
        raise InputError(
            f"{key}: the model has nothing that it sets, so that nothing would differ; remove the hyperparameter."
        )
    for number, one in enumerate(found):
        if one in found[:number]:
            raise InputError(
                f"{key}: {texts[found.index(one)]} and {texts[number]} are the same model; remove one of them."
            )
