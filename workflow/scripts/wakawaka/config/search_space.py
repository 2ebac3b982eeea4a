"""The space of settings that is searched, its points, and the model that each of them is.

A space is a dict from knobs to lists of values, a point a dict from knobs to one value each. In paths and tables a value is a text:
the layers [100, 50] are 100-50, no layers and null are none.
"""

import copy
import itertools
import math
import random
import re

from wakawaka.core.errors import InputError

# The network that is trained with the settings of the best point.
TUNED = "tuned"

# Every point is trained once per fold.
MOST_POINTS = 2000
# So many times the points that are wanted are drawn to find as many that can be trained.
TRIES = 20

MODULES = ("histone", "dna")

# Knobs of convolutions: one value for all of them, or a list with one for each.
LAYERS = {f"{module}_{key}": (module, key) for module in MODULES for key in ("filters", "width", "dilation", "pool")}
# Knobs of the convolutions of both modules.
EVERYWHERE = ("activation", "padding", "batch_norm")
DENSE = {f"{part}_dense": part for part in (*MODULES, "joint")}
TRAINING = ("learning_rate", "batch_size", "weight_decay", "decay")


def model_of(config):
    """Return the name of the model or experiment whose settings are varied: unless one is named wakawaka, or without it the first model."""
    models = config["models"]
    return config["tuning"]["model"] or ("wakawaka" if "wakawaka" in models else next(iter(models)))


def points_of(tuning, seed, check=lambda point: None):
    """Return the points of a search as dicts from knobs to values.

    All combinations, or `points` of them, drawn with the seed: with a larger number those of a smaller one are drawn first, so that
    a search can be gone on with.

    Args:
        tuning: dict as in the config. seed: int.
        check: function that raises InputError for a point that could not be trained. Of all combinations each has to pass; where points
            are drawn, those that do not are passed over.

    Raises:
        InputError: if there are more than MOST_POINTS, one of all does not pass, or hardly any does.
    """
    space, wanted = tuning["space"], tuning["points"]
    total = math.prod(map(len, space.values()))
    count = total if wanted is None else min(wanted, total)
    if count > MOST_POINTS:
        raise InputError(
            f"config key `tuning.points`: {count} points are too many (`tuning.space` has {total}): set it to {MOST_POINTS} or fewer, "
            "which are then drawn at random."
        )
    if count == total:
        points = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
        for point in points if wanted is None else ():
            check(point)
        return points if wanted is None else _passing(points, check, count)
    return _passing(_drawn(space, total, seed), check, count)


def _drawn(space, total, seed):
    """Yield all points in random order."""
    generator, seen = random.Random(seed), set()
    while len(seen) < total:
        number = generator.randrange(total)
        if number not in seen:
            seen.add(number)
            yield _point(number, space)


def _passing(points, check, count):
    """Return the first `count` points that pass, fewer where there are no more; raise InputError if nearly none does."""
    found, refused, tried = [], None, 0
    for point in points:
        if len(found) == count or tried == TRIES * count:
            break
        tried += 1
        try:
            check(point)
        except InputError as error:
            refused = refused or error
        else:
            found.append(point)
    if not found or (len(found) < count and tried == TRIES * count):
        raise InputError(
            f"config key `tuning.space`: of {tried} points that were drawn only {len(found)} could be trained; take values out that fit "
            f"with few others. The first that could not: {refused}"
        )
    return found


def _point(number, space):
    """Return the point of a number from 0 on, as if all combinations stood in a list."""
    point = {}
    for knob, values in reversed(space.items()):
        number, place = divmod(number, len(values))
        point[knob] = values[place]
    return {knob: point[knob] for knob in space}


def sizes_of(tuning, points):
    """Return how many points each rung trains: all, then the part `keep` of those of the rung before, at least one."""
    sizes = [points]
    for _ in tuning["epochs"][1:]:
        sizes.append(max(round(sizes[-1] * tuning["keep"]), 1))
    return sizes


def text(value):
    """Return a value as a part of a path.

    >>> text([100, 50]), text(0.0002), text(True), text(None)
    ('100-50', '0.0002', 'true', 'none')
    """
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def texts(point):
    """Return a point with the texts of its values."""
    return {knob: text(value) for knob, value in point.items()}


def in_words(point):
    """Return a point as a text for people."""
    return ", ".join(f"{knob} {text(value)}" for knob, value in point.items())


def paths_of_points(space):
    """Return a regular expression of the paths of a space's points, which Snakemake's Paramspace makes; also of those not drawn."""
    choices = {knob: "|".join(re.escape(text(value)) for value in values) for knob, values in space.items()}
    return "/".join(f"{knob}~(?:{values})" for knob, values in choices.items())


def point_of(texts, space):
    """Return the point that has these texts, a dict from knobs; further keys are left out."""
    return {knob: next(value for value in values if text(value) == texts[knob]) for knob, values in space.items()}


def apply(point, model):
    """Return a model with the values of a point.

    Args:
        point: dict from knobs to values. model: dict as `models` has them once the config is checked; left as it is.

    Raises:
        InputError: a knob of convolutions where there are none, or a list of values that is not as long as there are convolutions.
    """
    model = copy.deepcopy(model)
    for knob, value in point.items():
        if knob in LAYERS:
            module, key = LAYERS[knob]
            _set_layers(model[module]["convolutions"], key, value, f"config key `tuning.space.{knob}`", module)
        elif knob in EVERYWHERE:
            for module in MODULES:
                for layer in model[module]["convolutions"]:
                    layer[knob] = value
        elif knob in DENSE:
            model[DENSE[knob]]["dense"] = value if isinstance(value, list) else [value]
        elif knob == "dropout":
            for module in MODULES:
                model[module]["dropout"] = value
        elif knob == "dna_crop":
            model["dna"]["crop"] = value
        else:
            model["training"][knob] = value
    return model


def parts_of(model, epochs):
    """Return (spec, schedule) as `train` takes them, of a model as `apply` returns it, trained for so many epochs."""
    spec = {part: model[part] for part in ("histone", "dna", "joint", "leaky_slope")}
    return spec, model["training"] | {"epochs": epochs}


def _set_layers(layers, key, value, where, module):
    if not layers:
        raise InputError(f"{where}: the {module} module of the model has no convolution; remove the knob.")
    values = value if isinstance(value, list) else [value] * len(layers)
    if len(values) != len(layers):
        raise InputError(
            f"{where}: {values} is for {len(values)} convolutions, but the {module} module of the model has {len(layers)}; give one number "
            "for all of them, or a list with one for each."
        )
    for layer, one in zip(layers, values, strict=True):
        layer[key] = one


def module_of(knob):
    """Return the module that a knob belongs to, None for one of all."""
    module = knob.partition("_")[0]
    return module if module in MODULES else None
