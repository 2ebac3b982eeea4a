"""Complete models and experiments: the settings of each network and its training, and which networks are the same."""

import copy
from collections.abc import Mapping
from typing import Any

from wakawaka.config.schema import validate

Network = dict[str, Any]

# What an experiment has apart from the settings of a network.
ABOUT = ("network", "base", "published_mse")


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dict with changes. A dict in both is merged, any other value is replaced."""
    both = {
        key: merged(base[key], value)
        for key, value in changes.items()
        if isinstance(base.get(key), dict) and isinstance(value, dict)
    }
    return {**base, **changes, **both}


def network_settings(network: Network) -> Network:
    """Return the settings of a model or an experiment, without its name, base and published error."""
    return {key: value for key, value in network.items() if key not in ABOUT}


def complete_networks(config: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Write all settings of the network and its training into every model and experiment of a config.

    Each experiment also gets `network`, the name under which it is trained, and `base`, the model that it is a variant of.
    An experiment without a base gets the key `error`, a sentence, instead of settings. It is shown only when the experiment
    is asked for: the experiments of config.yaml fit its own models, and must not stop a config with other ones.

    Raises:
        InputError: for settings that the schema refuses.
    """
    definitions = {"$defs": schema["$defs"]}
    schedule, model = definitions | schema["properties"]["training"], definitions | schema["$defs"]["model"]
    for name, spec in config["models"].items():
        spec["training"] = config["training"] | spec["training"]
        validate(spec["training"], schedule, ("models", name, "training"))
    known = {name: spec | {"network": name, "base": name} for name, spec in config["models"].items()}
    for name, changes in config["experiments"].items():
        about = {"network": name, "base": name, "published_mse": changes["published_mse"]}
        base = known.get(changes["model"])
        if base is None:
            config["experiments"][name] = about | {"error": _without_base(name, changes["model"], config, list(known))}
            continue
        own = {key: value for key, value in changes.items() if key not in ("model", "published_mse")}
        spec = network_settings(merged(copy.deepcopy(base), own))
        validate(spec, model, ("experiments", name))
        validate(spec["training"], schedule, ("experiments", name, "training"))
        wanted = trained_settings(spec, config)
        same = (other["network"] for other in known.values() if trained_settings(other, config) == wanted)
        # The same network is trained once, under the first name.
        spec |= about | {"network": next(same, name), "base": base["base"]}
        known[name] = config["experiments"][name] = spec


def trained_settings(network: Network, config: Mapping[str, Any]) -> Network:
    """Return the settings that affect the training of a network. Those of modules that are left out do not."""
    modules, schedule = config["modules"], dict(network["training"])
    settings = {key: network[key] for key in (*modules, "joint", "negative_slope")}
    if len(modules) == 1:
        schedule["pretraining_epochs"] = 0
    if "dna" not in modules:
        return settings | {"training": schedule | {"kmer_length": 0, "gene_effects": False}}
    crop = network["dna"]["crop"]
    whole = crop == config["window"]
    return settings | {"training": schedule, "dna": network["dna"] | {"crop": None if whole else crop}}


def _without_base(name: str, model: str, config: Mapping[str, Any], known: list[str]) -> str:
    """Return why an experiment has no base."""
    key = f"config key `experiments.{name}.model` is {model}"
    error = config["experiments"].get(model, {}).get("error")
    if error:
        return f"{key}, which cannot be trained: {error}"
    return f"{key}, which is neither a model nor an experiment above it: there are {', '.join(known)}."
