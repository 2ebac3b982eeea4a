"""Single scores from the table of all scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.evaluation.labels import ALL, LOSSES, MEAN, shown_set
from wakawaka.splits.regimes import FINAL, TRAIN

# A score: value, ci_low, ci_high, resampled, cells, genes and samples.
Score = Mapping[Any, Any]

KEY = ("set", "run", "regime", "predictor", "metric", "baseline", "similarity")


class ScoreLookup:
    """The scores of a table that `score` writes, by what they are of.

    Args:
        table: the table of all scores.

    Attributes:
        set_name, run: the set and the run that are shown first.
        loss: mse or bce.
        predictors: names of all predictors, in the order of the table.
        similarities: names of the bins of similarity that have scores.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.set_name, self.run = shown_set(table)
        self.loss = next(loss for loss in LOSSES if loss in set(table["metric"]))
        self.predictors = list(dict.fromkeys(table["predictor"]))
        self.similarities = set(table["similarity"]) - {ALL}
        rows = table.assign(baseline=table["baseline"].astype(object).fillna("")).to_dict("records")
        self._scores: dict[tuple[str, ...], Score] = {tuple(row[name] for name in KEY): row for row in rows}

    def score(
        self,
        predictor: str,
        metric: str,
        regime: str,
        baseline: str = "",
        *,
        set_name: str | None = None,
        run: str | None = None,
        similarity: str = ALL,
    ) -> Score | None:
        """Return one score; None if it is not in the table or undefined.

        Without `set_name` and `run`, they are those of `place`.
        """
        usual = self.place(regime)
        place = set_name or usual[0], run or (self.run if set_name else usual[1])
        found = self._scores.get((*place, regime, predictor, metric, baseline, similarity))
        return found if found and np.isfinite(found["value"]) else None

    def skill(self, predictor: str, baseline: str, regime: str) -> Score | None:
        """Return the skill of a predictor compared with another one."""
        return self.score(predictor, "skill", regime, baseline)

    def place(self, regime: str) -> tuple[str, str]:
        """Return the set and the run of a regime: the test set if it has known truths of the regime, else the mean over folds."""
        if regime == TRAIN:
            return "train", self.run
        of_test = ("test", FINAL, regime, "training_mean", self.loss, "", ALL)
        return ("test", FINAL) if of_test in self._scores else ("validation", MEAN)
