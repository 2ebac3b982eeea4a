"""The trials and rungs of the search, as the rules name them. Training does not import this module."""

from dataclasses import dataclass
from typing import Any

from wakawaka.config.search_space import Trial, trial_pattern, trial_texts, value_text
from wakawaka.core.errors import InputError


@dataclass(frozen=True)
class Search:
    """The search of hyperparameters.

    Attributes:
        model: name of the model or experiment that is varied.
        space: values of each hyperparameter.
        trials: the trials of the first rung.
        epochs: the epochs of each rung.
        sizes: number of trials of each rung.
    """

    model: str
    space: dict[str, list[Any]]
    trials: list[Trial]
    epochs: list[int]
    sizes: list[int]

    @property
    def rungs(self) -> list[str]:
        """The names of the rungs, from 1 on."""
        return [str(number + 1) for number in range(len(self.sizes))]

    @property
    def texts(self) -> list[dict[str, str]]:
        """The trials with the texts of their values, as they are in paths."""
        return [trial_texts(trial) for trial in self.trials]

    @property
    def values(self) -> dict[str, list[str]]:
        """The texts of the values of each hyperparameter."""
        return {name: list(map(value_text, values)) for name, values in self.space.items()}

    @property
    def pattern(self) -> str:
        """A regular expression of the wildcard `trial`. It also matches trials that were not drawn."""
        return "|".join(["rank-[1-9][0-9]*", trial_pattern(self.space)])

    def ranked_trials(self, rung: str) -> list[str]:
        """Return the names of the trials of a rung after the first: their ranks in the rung before."""
        return [f"rank-{rank + 1}" for rank in range(self.sizes[int(rung) - 1])]

    def rank(self, rung: str, trial: str) -> int:
        """Return the rank that a trial of a rung after the first has in the rung before.

        Raises:
            InputError: if the rung has no such trial.
        """
        names = self.ranked_trials(rung)
        if trial not in names:
            raise InputError(
                f"Rung {rung} of the search has no trial {trial}: there, trials are called by their rank in the rung before, "
                f"from {names[0]} to {names[-1]}."
            )
        return int(trial.removeprefix("rank-"))
