"""The search space of hyperparameters, its trials, and the model that each trial gives.

A search space is a dict from hyperparameters to lists of values. A trial is a dict from hyperparameters to one value each.
In paths and tables a value is a text: the layers [100, 50] are 100-50; no layers and null are none.
"""

import copy
import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from wakawaka.core.errors import InputError

Space = dict[str, list[Any]]
Trial = dict[str, Any]

# The name of the network that is trained with the settings of the best trial.
TUNED = "tuned"

# Each trial is trained once per fold.
MOST_TRIALS = 2000
# The search for trials that can be trained ends after this many draws per trial that is wanted.
DRAWS_PER_TRIAL = 20

MODULES = ("histone", "dna")

# Hyperparameters of a module's convolutions: one value for all layers, or a list with one value per layer.
LAYERS = {
    f"{module}_{key}": (module, key)
    for module in MODULES
    for key in ("filters", "kernel_size", "dilation", "pool_size")
}
# Hyperparameters of all convolutions of both modules.
ALL_LAYERS = ("activation", "padding", "batch_norm")
DENSE = {f"{module}_dense": module for module in (*MODULES, "joint")}


def varied_model(config: Mapping[str, Any]) -> str:
    """Return the name of the model or experiment that the search varies: `tuning.model`, else wakawaka, else the first model."""
    models = config["models"]
    return config["tuning"]["model"] or ("wakawaka" if "wakawaka" in models else next(iter(models)))


def draw_trials(
    tuning: Mapping[str, Any], seed: int, check: Callable[[Trial], None] = lambda trial: None
) -> list[Trial]:
    """Return the trials of a search: all combinations of values, or as many as `trials` says, drawn at random.

    A larger number of trials begins with those of a smaller number, so that a search can be extended.

    Args:
        tuning: the section `tuning` of the config.
        seed: the seed of the draws.
        check: raises InputError for a trial that cannot be trained. Without a number of trials, every combination must pass.
            Among drawn trials, those that do not pass are skipped.

    Raises:
        InputError: more than MOST_TRIALS trials, a combination that does not pass, or hardly any that does.
    """
    space, wanted = tuning["search_space"], tuning["trials"]
    total = math.prod(map(len, space.values()))
    count = total if wanted is None else min(wanted, total)
    if count > MOST_TRIALS:
        raise InputError(
            f"config key `tuning.trials`: {count} trials are too many (`tuning.search_space` has {total}): "
            f"set it to {MOST_TRIALS} or fewer, which are then drawn at random."
        )
    if wanted is not None and count < total:
        return _passing(_drawn(space, total, seed), check, count)
    trials = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    if wanted is not None:
        return _passing(trials, check, count)
    for trial in trials:
        check(trial)
    return trials


def _drawn(space: Space, total: int, seed: int) -> Iterator[Trial]:
    """Yield all combinations in random order."""
    generator = random.Random(seed)
    seen: set[int] = set()
    while len(seen) < total:
        number = generator.randrange(total)
        if number not in seen:
            seen.add(number)
            yield _combination(number, space)


def _passing(trials: Iterable[Trial], check: Callable[[Trial], None], count: int) -> list[Trial]:
    """Return the first `count` trials that pass, fewer where there are no more. Raises InputError if hardly any does."""
    found: list[Trial] = []
    first: InputError | None = None
    tried = 0
    for trial in trials:
        if len(found) == count or tried == DRAWS_PER_TRIAL * count:
            break
        tried += 1
        try:
            check(trial)
        except InputError as error:
            first = first or error
        else:
            found.append(trial)
    if not found or (len(found) < count and tried == DRAWS_PER_TRIAL * count):
        raise InputError(
            f"config key `tuning.search_space`: only {len(found)} of {tried} drawn trials can be trained; take values out that fit "
            f"with few others. The first trial that cannot: {first}"
        )
    return found


def _combination(number: int, space: Space) -> Trial:
    """Return the combination with an index, as if all combinations stood in a list."""
    trial = {}
    for name, values in reversed(space.items()):
        number, place = divmod(number, len(values))
        trial[name] = values[place]
    return {name: trial[name] for name in space}


def rung_sizes(tuning: Mapping[str, Any], trials: int) -> list[int]:
    """Return the number of trials of each rung: all of them, then `keep_fraction` of the rung before, at least one."""
    sizes = [trials]
    for _ in tuning["epochs"][1:]:
        sizes.append(max(round(sizes[-1] * tuning["keep_fraction"]), 1))
    return sizes


def value_text(value: Any) -> str:
    """Return a value as a component of a path.

    >>> value_text([100, 50]), value_text(0.0002), value_text(True), value_text(None)
    ('100-50', '0.0002', 'true', 'none')
    """
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def trial_texts(trial: Trial) -> dict[str, str]:
    """Return a trial with the texts of its values."""
    return {name: value_text(value) for name, value in trial.items()}


def describe_trial(trial: Trial) -> str:
    """Return a trial as a text for logs and error sentences."""
    return ", ".join(f"{name} {value_text(value)}" for name, value in trial.items())


def trial_pattern(space: Space) -> str:
    """Return a regular expression of the paths that Snakemake's Paramspace gives to the combinations of a space."""
    choices = {name: "|".join(re.escape(value_text(value)) for value in values) for name, values in space.items()}
    return "/".join(f"{name}~(?:{values})" for name, values in choices.items())


def trial_of(texts: Mapping[Any, Any], space: Space) -> Trial:
    """Return the trial that has these texts by hyperparameter. Further keys are left out."""
    return {name: next(value for value in values if value_text(value) == texts[name]) for name, values in space.items()}


def apply_trial(trial: Trial, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model with the values of a trial.

    Args:
        trial: value of each hyperparameter.
        model: complete settings, as `models.<name>` of a checked config. They are not changed.

    Raises:
        InputError: a hyperparameter of convolutions for a module without any, or a list whose length is not their number.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(model))
    for name, value in trial.items():
        if name in LAYERS:
            module, key = LAYERS[name]
            _set_layers(changed[module]["convolutions"], key, value, f"config key `tuning.search_space.{name}`", module)
        elif name in ALL_LAYERS:
            for module in MODULES:
                for layer in changed[module]["convolutions"]:
                    layer[name] = value
        elif name in DENSE:
            changed[DENSE[name]]["dense"] = value if isinstance(value, list) else [value]
        elif name == "dropout":
            for module in MODULES:
                changed[module]["dropout"] = value
        elif name == "dna_crop":
            changed["dna"]["crop"] = value
        else:
            changed["training"][name] = value
    return changed


def spec_and_schedule(model: Mapping[str, Any], epochs: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the specification and the schedule of a model of `apply_trial`, trained for a number of epochs."""
    spec = {key: model[key] for key in ("histone", "dna", "joint", "negative_slope")}
    return spec, model["training"] | {"epochs": epochs}


def _set_layers(layers: list[dict[str, Any]], key: str, value: Any, where: str, module: str) -> None:
    if not layers:
        raise InputError(f"{where}: the {module} module of the model has no convolution; remove the hyperparameter.")
    values = value if isinstance(value, list) else [value] * len(layers)
    if len(values) != len(layers):
        raise InputError(
            f"{where}: {values} is for {len(values)} convolutions, but the {module} module of the model has {len(layers)}; give one number "
            "for all of them, or a list with one for each."
        )
    for layer, one in zip(layers, values, strict=True):
        layer[key] = one


def module_of(hyperparameter: str) -> str | None:
    """Return the module that a hyperparameter belongs to, None for one of several modules."""
    module = hyperparameter.partition("_")[0]
    return module if module in MODULES else None
