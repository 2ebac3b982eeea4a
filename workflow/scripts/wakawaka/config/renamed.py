"""Keys and values of config.yaml that have another name now. They are refused with their new names."""

from typing import Any

from wakawaka.core.errors import InputError

# Where networks and their modules are described. `*` is a name of the user's own, or any entry of a list.
NETWORKS = ("models.*", "experiments.*")
MODULES = tuple(f"{network}.{module}" for network in NETWORKS for module in ("histone", "dna"))
SCHEDULES = ("training", *(f"{network}.training" for network in NETWORKS))

# By the place of a group of keys, each old key and its new name.
KEYS: dict[str, dict[str, str]] = {
    "": {"oriented": "strand_aware"},
    "bootstrap": {"draws": "replicates", "rank_draws": "rank_replicates"},
    "tuning": {"space": "search_space", "points": "trials", "keep": "keep_fraction"},
    "tuning.search_space": {
        "decay": "lr_schedule",
        "histone_width": "histone_kernel_size",
        "histone_pool": "histone_pool_size",
        "dna_width": "dna_kernel_size",
        "dna_pool": "dna_pool_size",
    },
    "models.*": {"leaky_slope": "negative_slope"},
    "experiments.*": {"leaky_slope": "negative_slope", "printed": "published_mse"},
    **{place: {"average": "bin_average", "summary": "global_pooling"} for place in MODULES},
    **{f"{place}.convolutions.*": {"width": "kernel_size", "pool": "pool_size"} for place in MODULES},
    **{place: {"decay": "lr_schedule", "members": "ensemble_size", "dna_words": "kmer_length"} for place in SCHEDULES},
}
# By the place of a value, under the new name of its key, each old value and its new name.
VALUES: dict[str, dict[str, str]] = {
    "ablations.*": {"shuffled_dna": "permuted_genes"},
    "submission.prediction": {"ensemble_mean": "fold_mean"},
    "tuning.search_space.lr_schedule.*": {"none": "constant"},
    **{f"{place}.global_pooling": {"flatten": "none", "mean": "average"} for place in MODULES},
    **{f"{place}.lr_schedule": {"none": "constant"} for place in SCHEDULES},
}


def refuse_old_names(config: Any) -> None:
    """Refuse the first key or value of a config that has another name now.

    Args:
        config: as read from YAML, before anything else in it is checked: it may be of any type.

    Raises:
        InputError: with the old and the new name.
    """
    _walk(config, (), ())


def _walk(value: Any, keys: tuple[str, ...], place: tuple[str, ...]) -> None:
    """Refuse old names in a value. `keys`: those that lead to it; `place`: the same as KEYS and VALUES write it."""
    if isinstance(value, dict):
        renamed = KEYS.get(".".join(place), {})
        for key, content in value.items():
            if key in renamed:
                raise InputError(_sentence((*keys, key), renamed[key], content, place))
            own = place in (("models",), ("experiments",))
            _walk(content, (*keys, str(key)), (*place, "*" if own else str(key)))
    elif isinstance(value, list):
        for number, content in enumerate(value):
            _walk(content, (*keys, str(number)), (*place, "*"))
    elif isinstance(value, str):
        new = VALUES.get(".".join(place), {}).get(value)
        if new:
            raise InputError(f"config key `{'.'.join(keys)}`: the value `{value}` is now `{new}`: rename it.")


def _sentence(keys: tuple[str, ...], new: str, content: Any, place: tuple[str, ...]) -> str:
    start = f"config key `{'.'.join(keys)}` is now `{new}`"
    value = VALUES.get(".".join((*place, new)), {}).get(content) if isinstance(content, str) else None
    return f"{start}, and its value `{content}` is `{value}`: rename both." if value else f"{start}: rename it."
