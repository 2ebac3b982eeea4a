"""The comparison of all models: cost, scores in every regime, and models in pairs; as a page, a tidy table and Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic, read_table, write_table
from wakawaka.evaluation.labels import (
    ALL,
    BASELINES,
    FOLD_MEAN,
    LOSSES,
    METRICS,
    REGIMES,
    UNDECIDED,
    metric_title,
    predictor_title,
)
from wakawaka.network.preprocessing import Preprocessing, read_preprocessing
from wakawaka.report import html
from wakawaka.report.score_lookup import Score, ScoreLookup
from wakawaka.report.text import capitalised, three_decimals, three_digits, with_interval
from wakawaka.splits.regimes import FINAL, HELD_OUT, POOL

# The metrics that are shown, in the order of the columns.
HIDDEN = ("rmse", "sd_ratio", "coverage", "spread_factor", "spread_error_rank", "calibration_error")
SHOWN = [metric for metric in METRICS if metric not in HIDDEN]
COSTS = {
    "parameters": "parameters",
    "ensemble_size": "ensemble members",
    "training_samples": "training samples",
    "epochs": "epochs",
    "minutes": "minutes",
    "samples_per_second": "samples/s",
}
COLUMNS = ["set", "regime", "run", "predictor", "metric", "baseline", "value", "ci_low", "ci_high", "resampled"]
COLUMNS += ["cells", "genes", "samples"]
TITLE = "Comparison of models"
UNDEFINED = "–"


@dataclass(frozen=True)
class Shown:
    """The scores that are shown.

    Attributes:
        scores: the table of all scores.
        models: names of the models.
        rows: the shown rows of the table.
        regimes: regimes with scores, the pool of all last.
        predictors: (predictor, run), the mean of the fold models after its model.
    """

    scores: ScoreLookup
    models: list[str]
    rows: pd.DataFrame
    regimes: list[str]
    predictors: list[tuple[str, str]]

    def score(
        self, regime: str, predictor: str, metric: str, baseline: str = "", run: str | None = None
    ) -> Score | None:
        """Return one score of the shown set; None if it does not exist or is undefined."""
        at = {"set_name": self.scores.set_name, "run": run or self.scores.run}
        return self.scores.score(predictor, metric, regime, baseline, **at)

    @property
    def loss(self) -> str:
        """The title of the loss."""
        return LOSSES[self.scores.loss].title

    @property
    def where(self) -> str:
        """What the scores are of."""
        if self.scores.set_name == "test":
            return "the test set"
        return "the samples that the folds hold out (mean over folds)"

    @property
    def baselines(self) -> list[str]:
        """The baselines with scores, in their order."""
        return [name for name, _ in self.predictors if name in BASELINES]

    def compared_with(self, model: str) -> list[str]:
        """Return what a model is compared with: the models before it, and the baselines."""
        return [*self.models[: self.models.index(model)], *self.baselines]


def compare(
    scores: PathLike,
    networks: Iterable[tuple[str, PathLike, PathLike]],
    page: PathLike,
    table: PathLike,
    markdown: PathLike,
    *,
    models: Sequence[str],
) -> None:
    """Write the comparison of all networks and baselines.

    It is on the test set if any of its truths is known, else on what the folds hold out. The skill of a model compared with another
    predictor uses the same samples and replicates. A model is better (worse) if the whole interval is above (below) 0.

    Args:
        scores: path of what `score` writes.
        networks: (network, path of its history, path of its preprocessing.json) of the final run of all models and ablations.
        page: output path, a page of HTML that needs no other file.
        table: output path, a table with the numbers of the page. Columns: set, regime, run, predictor, metric, baseline, value,
            ci_low, ci_high, resampled, cells, genes and samples, as `score` writes them. The costs of a network have neither set nor
            regime: parameters (of all ensemble members and gene effects), ensemble_size, training_samples, epochs, minutes, and
            samples_per_second (training samples * epochs, with those of pre-training, * members / seconds).
        markdown: output path, Markdown tables of losses by regime, and of each model's skills.
        models: names of the models.
    """
    shown = _shown(read_table(scores), list(models))
    costs = [_cost(name, read_table(history), read_preprocessing(about)) for name, history, about in networks]
    rows = [
        {"run": FINAL, "predictor": cost["predictor"], "metric": metric, "value": cost[metric]}
        for cost in costs
        for metric in COSTS
    ]
    # As objects, so that whole numbers stay whole.
    tidy = [pd.DataFrame(rows, columns=COLUMNS, dtype=object), shown.rows[COLUMNS].astype(object)]
    write_table(pd.concat(tidy), table)
    for path, text in ((page, _page(shown, costs)), (markdown, _markdown(shown))):
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _shown(table: pd.DataFrame, models: list[str]) -> Shown:
    """Return what is shown of the table of all scores; it is empty if no held-out truth is known."""
    scores = ScoreLookup(table)
    of_set = (table["similarity"] == ALL) & (table["set"] == scores.set_name)
    rows = table[of_set & table["run"].isin([scores.run, FOLD_MEAN])]
    in_pairs = (
        rows["predictor"].isin(models) & rows["baseline"].isin([*models, *BASELINES]) & (rows["run"] == scores.run)
    )
    compared = (rows["baseline"] == "training_mean") | in_pairs
    rows = rows[rows["metric"].isin(SHOWN) & ((rows["metric"] != "skill") | compared)]
    names = list(dict.fromkeys(rows["predictor"]))
    predictors = dict.fromkeys(zip(rows["predictor"], rows["run"], strict=True))
    return Shown(
        scores,
        models,
        rows,
        regimes=[regime for regime in (*HELD_OUT, POOL) if regime in set(rows["regime"])],
        predictors=sorted(predictors, key=lambda one: (names.index(one[0]), one[1] == FOLD_MEAN)),
    )


def _cost(network: str, history: pd.DataFrame, about: Preprocessing) -> dict[str, Any]:
    """Return the costs of a network: `predictor`, and the names of COSTS."""
    epochs, seconds = len(history), float(history["seconds"].iloc[-1])
    passes = (epochs + about.schedule["pretraining_epochs"]) * about.schedule["ensemble_size"]
    return {
        "predictor": network,
        "parameters": about.parameters,
        "ensemble_size": about.schedule["ensemble_size"],
        "training_samples": about.samples,
        "epochs": epochs,
        "minutes": round(seconds / 60, 3),
        "samples_per_second": round(about.samples * passes / seconds, 1) if seconds else np.nan,
    }


# The page


def _page(shown: Shown, costs: list[dict[str, Any]]) -> str:
    """Return the page as HTML."""
    loss = shown.loss
    parts = [
        html.paragraph(
            f"Scores on {shown.where}, regime by regime, with 95% intervals. The lowest {loss} is in bold type. Skill is 1 - {loss} / "
            f"{loss} of another predictor on the same samples: zero is no better, below zero is worse. A dash is an undefined score."
        ),
        html.heading("Cost"),
        html.paragraph(
            "The training of the final run on this machine, where other jobs may have run at the same time. Parameters are those of all "
            "ensemble members, and one for each gene with gene effects. Samples/s counts a sample once per epoch and member."
        ),
        html.table(["", *COSTS.values()], [_cost_row(cost, shown.models) for cost in costs]),
        html.heading("Models in pairs"),
        html.paragraph(
            "The skill of a model compared with another model or a baseline, on the same samples and replicates. A model is better or "
            f"worse if the whole interval is above or below zero, else it is {UNDECIDED}."
        ),
        html.table(["", *(REGIMES[regime] for regime in shown.regimes)], _pair_rows(shown)),
    ]
    for regime in shown.regimes:
        parts += [
            html.heading(capitalised(REGIMES[regime])),
            html.paragraph(_sizes(shown, regime)),
            _regime_table(shown, regime),
        ]
    return html.page(TITLE, parts)


def _kind(predictor: str, models: Sequence[str]) -> str:
    return "baseline" if predictor in BASELINES else "model" if predictor in models else "ablation"


def _cost_row(cost: dict[str, Any], models: Sequence[str]) -> html.Row:
    cells = [f"{cost[name]:,}" for name in ("parameters", "ensemble_size", "training_samples", "epochs")]
    speed = cost["samples_per_second"]
    cells += [f"{cost['minutes']:.1f}", UNDEFINED if np.isnan(speed) else f"{speed:,.0f}"]
    return _kind(cost["predictor"], models), [predictor_title(cost["predictor"]), *cells]


def _pair_rows(shown: Shown) -> list[html.Row]:
    """Return a row for each model and what it is compared with: skill and verdict in each regime."""
    return [
        (
            _kind(other, shown.models),
            [
                f"{model} compared with {predictor_title(other)}",
                *(_pair(shown.score(regime, model, "skill", other)) for regime in shown.regimes),
            ],
        )
        for model in shown.models
        for other in shown.compared_with(model)
    ]


def _pair(skill: Score | None) -> str:
    """Return a skill, and in the second line whether the model is better."""
    if not skill:
        return UNDEFINED
    if not np.isfinite(skill["ci_low"]):
        verdict = "no interval"
    else:
        verdict = "better" if skill["ci_low"] > 0 else "worse" if skill["ci_high"] < 0 else UNDECIDED
    return f"{with_interval(skill, three_decimals)}\n{verdict}"


def _sizes(shown: Shown, regime: str) -> str:
    """Return a sentence on the samples of a regime and on its intervals."""
    size = shown.score(regime, "training_mean", shown.scores.loss)
    assert size is not None
    note = "Only for comparison with published numbers. " if regime == POOL else ""
    intervals = "too few for intervals" if size["resampled"] == "nothing" else f"intervals over {size['resampled']}"
    return f"{note}{size['samples']:,} samples of {size['genes']:,} genes in {size['cells']:,} cells, {intervals}."


def _regime_table(shown: Shown, regime: str) -> str:
    """Return the table of one regime: a row per predictor, a column per metric."""
    metrics = [metric for metric in SHOWN if metric in set(shown.rows.loc[shown.rows["regime"] == regime, "metric"])]
    losses = {who: shown.score(regime, who[0], shown.scores.loss, run=who[1]) for who in shown.predictors}
    values = {who: loss["value"] for who, loss in losses.items() if loss}
    rows = []
    for predictor, run in values:
        cells = [_metric(shown, regime, predictor, run, metric) for metric in metrics]
        if values[predictor, run] == min(values.values()):
            cells[0] = html.Bold(cells[0])
        rows.append((_kind(predictor, shown.models), [predictor_title(predictor, run), *cells]))
    titles = [metric_title(metric, "training_mean" if metric == "skill" else None) for metric in metrics]
    return html.table(["", *titles], rows)


def _metric(shown: Shown, regime: str, predictor: str, run: str, metric: str) -> str:
    """Return one score as text; losses and skills with their intervals."""
    score = shown.score(regime, predictor, metric, "training_mean" if metric == "skill" else "", run)
    if score is None:
        return UNDEFINED
    if metric == "skill":
        return with_interval(score, three_decimals)
    return with_interval(score, three_digits) if metric in LOSSES else three_decimals(score["value"])


# Markdown


def _markdown(shown: Shown) -> str:
    """Return a Markdown table of losses, and for each model one of its skills compared with other models and baselines."""
    regimes = shown.regimes
    models = [name for name in shown.models if (name, shown.scores.run) in shown.predictors]
    losses = [
        (name, [shown.score(regime, name, shown.scores.loss) for regime in regimes])
        for name in [*models, *shown.baselines]
    ]
    tables = [_markdown_table(f"{shown.loss} on {shown.where}", regimes, losses, three_digits)]
    for model in models:
        skills = [
            (name, [shown.score(regime, model, "skill", name) for regime in regimes])
            for name in shown.compared_with(model)
        ]
        tables.append(_markdown_table(f"skill of {model} compared with", regimes, skills, three_decimals))
    return "\n".join(tables)


def _markdown_table(
    title: str,
    regimes: Sequence[str],
    rows: Iterable[tuple[str, Sequence[Score | None]]],
    form: Callable[[float], str],
) -> str:
    """Return a table with a column per regime; `rows` are predictors and their scores."""
    lines = [[title, *(REGIMES[regime] for regime in regimes)], ["---"] * (1 + len(regimes))]
    for name, scores in rows:
        lines.append([predictor_title(name), *(with_interval(one, form) if one else UNDEFINED for one in scores)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
