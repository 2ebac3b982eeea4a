"""Models side by side: what each costs, its scores in every regime, and the models in pairs; as a page, a tidy table and Markdown."""

import html
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from wakawaka.core.files import atomic, read_table, write_table
from wakawaka.evaluation.labels import ALL, BASELINES, LABELS, in_words, shown_set
from wakawaka.splits.regimes import HELD_OUT, POOL

LOSSES = {"mse": "MSE", "bce": "log loss"}
# In the order of the columns; a table has those that its regime has.
METRICS = {
    **LOSSES,
    "skill": "skill beside training mean",
    "r2": "R²",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "auroc": "AUROC",
    "aupr": "AUPR",
    "pearson_across_genes": "Pearson across genes",
    "spearman_across_genes": "Spearman across genes",
    "auroc_across_genes": "AUROC across genes",
    "aupr_across_genes": "AUPR across genes",
    "pearson_across_cells": "Pearson across cells",
    "spearman_across_cells": "Spearman across cells",
    "auroc_across_cells": "AUROC across cells",
    "pearson_beyond_gene_mean": "Pearson beyond gene means",
    "spearman_beyond_gene_mean": "Spearman beyond gene means",
}
COSTS = {
    "parameters": "parameters",
    "members": "members",
    "training_samples": "training samples",
    "epochs": "epochs",
    "minutes": "minutes",
    "samples_per_second": "samples/s",
}
COLUMNS = ["set", "regime", "run", "predictor", "metric", "baseline", "value", "low", "high", "over"]
COLUMNS += ["cells", "genes", "samples"]

# Ink, grey and the colours of models and ablations are those of the figures (figures.py, which would import matplotlib).
STYLE = """
body { margin: 1rem; font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; color: #262626; background: white; }
h1 { font-size: 1.5rem; margin: 0 0 0.5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.25rem; }
p { max-width: 48rem; margin: 0.25rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.75rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.45rem; text-align: right; vertical-align: bottom; border-bottom: 1px solid #e6e6e6; }
td { white-space: pre; }
thead th { color: #7f7f7f; font-weight: 600; border-bottom: 1px solid #b0b0b0; }
tbody th { font-weight: 400; white-space: nowrap; }
th:first-child { text-align: left; }
.model th { color: #0173b2; font-weight: 600; }
.ablation th { color: #b06f00; }
strong { font-weight: 700; }
"""


class Scores(NamedTuple):
    """What is shown of the scores.

    Attributes:
        rows: DataFrame as `score` writes it, of one set and similarity, and of one run and the ensembles.
        set_name, run: of what is shown. loss: mse or bce. models: list of str.
    """

    rows: pd.DataFrame
    set_name: str
    run: str
    loss: str
    models: list

    def row(self, regime, predictor, metric, baseline=None, run=None):
        """Return the row of one score as a dict, None where there is none or it is not defined."""
        rows = self.rows[
            (self.rows["regime"] == regime)
            & (self.rows["predictor"] == predictor)
            & (self.rows["metric"] == metric)
            & (self.rows["run"] == (run or self.run))
        ]
        rows = rows[rows["baseline"].isna() if baseline is None else rows["baseline"] == baseline]
        return rows.iloc[0].to_dict() if len(rows) and np.isfinite(rows["value"].iloc[0]) else None

    def regimes(self):
        """Return the regimes that have scores, the pool of all last."""
        there = set(self.rows["regime"])
        return [regime for regime in (*HELD_OUT, POOL) if regime in there]

    def predictors(self):
        """Return pairs of predictor and run in the order of the scores, the mean of the fold models below its model."""
        names = list(dict.fromkeys(self.rows["predictor"]))
        who = dict.fromkeys(zip(self.rows["predictor"], self.rows["run"], strict=True))
        return sorted(who, key=lambda one: (names.index(one[0]), one[1] == "ensemble"))

    def baselines(self):
        """Return the baselines that have scores, in their order."""
        return [name for name, _ in self.predictors() if name in BASELINES]

    def pairs(self):
        """Return each model beside those before it in the config and, below, beside each baseline, as pairs of names."""
        return [(model, other) for model in self.models for other in self.beside(model)]

    def beside(self, model):
        """Return what a model is compared with."""
        return [*self.models[: self.models.index(model)], *self.baselines()]

    def where(self):
        return "the test set" if self.set_name == "test" else "what the folds held out, as the mean over the folds"


def compare(scores, histories, preprocessing, page, table, markdown, *, networks, models):
    """Write the comparison of all networks and baselines.

    Of the test set, if a truth of it is known, else of what the folds held out. `skill` of one model beside another is on the same
    samples and under the same draws; it wins or loses if the whole interval is above or below 0.

    Args:
        scores: path as `score` writes it. histories, preprocessing: paths as `train` writes them, of the final run of each of `networks`.
        page: output path, a page of HTML that needs no other file.
        table: output path, TSV with the numbers of the page: set, regime, run, predictor, metric, baseline, value, low, high, over, cells,
            genes and samples as in `scores`; what a network costs has neither set nor regime: parameters (of all members, and gene
            effects), members, training_samples, epochs, minutes and samples_per_second (training samples times epochs, those of
            pre-training too, times members, by the seconds).
        markdown: output path, Markdown tables of losses by regime, and of each model's skills.
        networks: list of str, the names of models and of their ablations. models: list of str, those of the models.
    """
    everything = read_table(scores)
    shown = _shown(everything, models)
    costs = [
        _cost(network, read_table(history), json.loads(Path(about).read_text(encoding="utf-8")))
        for network, history, about in zip(networks, histories, preprocessing, strict=True)
    ]
    rows = [
        {"run": "final", "predictor": cost["predictor"], "metric": metric, "value": cost[metric]}
        for cost in costs
        for metric in COSTS
    ]
    # As objects, so that whole numbers stay whole.
    tidy = [pd.DataFrame(rows, columns=COLUMNS, dtype=object), shown.rows[COLUMNS].astype(object)]
    write_table(pd.concat(tidy), table)
    for path, text in ((page, _page(shown, costs)), (markdown, _markdown(shown))):
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _shown(table, models):
    """Return the `Scores` that are shown of a table of all scores."""
    set_name, run = shown_set(table)
    rows = table[(table["similarity"] == ALL) & (table["set"] == set_name) & table["run"].isin([run, "ensemble"])]
    in_pairs = rows["predictor"].isin(models) & rows["baseline"].isin([*models, *BASELINES]) & (rows["run"] == run)
    beside = (rows["baseline"] == "training_mean") | in_pairs
    rows = rows[rows["metric"].isin(METRICS) & ((rows["metric"] != "skill") | beside)]
    # What is shown may be empty: of what was held out perhaps no truth is known.
    return Scores(rows, set_name, run, next(loss for loss in LOSSES if loss in set(table["metric"])), models)


def _cost(network, history, about):
    """Return what a network costs, as a dict from `predictor` and the names of COSTS."""
    epochs, seconds = len(history), float(history["seconds"].iloc[-1])
    passes = (epochs + about["schedule"]["pretraining_epochs"]) * about["schedule"]["members"]
    return {
        "predictor": network,
        "parameters": about["parameters"],
        "members": about["schedule"]["members"],
        "training_samples": about["samples"],
        "epochs": epochs,
        "minutes": round(seconds / 60, 3),
        "samples_per_second": round(about["samples"] * passes / seconds, 1) if seconds else np.nan,
    }


def _page(shown, costs):
    """Return the page as HTML."""
    loss = LOSSES[shown.loss]
    parts = [
        "<h1>Models side by side</h1>",
        _text(
            f"Scores of {shown.where()}, regime by regime, with 95% intervals. Bold: the lowest {loss}. Skill is 1 - {loss} / {loss} of "
            "another predictor on the same samples: zero is no better, below zero is worse. A dash is a score that is not defined."
        ),
        "<h2>What they cost</h2>",
        _text(
            "Of the training of the final run on this machine, beside whatever else ran on it. Parameters are those of all members, and "
            "one per gene where there are gene effects. Samples/s counts a sample once per epoch and member."
        ),
        _grid(["", *COSTS.values()], [_cost_row(cost, shown.models) for cost in costs]),
        "<h2>In pairs</h2>",
        *_in_pairs(shown),
    ]
    for regime in shown.regimes():
        size = shown.row(regime, "training_mean", shown.loss)
        note = "For comparison with published numbers alone. " if regime == POOL else ""
        parts += [
            f"<h2>{_escaped(_capital(LABELS[regime]))}</h2>",
            _text(
                f"{note}{size['samples']:,} samples of {size['genes']:,} genes in {size['cells']:,} cells, "
                f"{'too few for intervals' if size['over'] == 'nothing' else 'intervals over ' + size['over']}."
            ),
            _regime_grid(shown, regime),
        ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Models side by side</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _cost_row(cost, models):
    cells = [f"{cost[name]:,}" for name in ("parameters", "members", "training_samples", "epochs")]
    cells += [
        f"{cost['minutes']:.1f}",
        "–" if np.isnan(cost["samples_per_second"]) else f"{cost['samples_per_second']:,.0f}",
    ]
    return _kind(cost["predictor"], models), [in_words(cost["predictor"]), *cells]


def _in_pairs(shown):
    """Return the parts of the page that compare each model with other models and with the baselines."""
    rows = [
        (
            _kind(other, shown.models),
            [f"{one} beside {in_words(other)}", *(_in_pair(shown, regime, one, other) for regime in shown.regimes())],
        )
        for one, other in shown.pairs()
    ]
    return [
        _text(
            "The skill of a model beside another or a baseline, of the same samples and under the same draws. Better, worse: the whole "
            "interval is above or below zero."
        ),
        _grid(["", *(LABELS[regime] for regime in shown.regimes())], rows),
    ]


def _in_pair(shown, regime, one, other):
    """Return the skill of one model beside another, and whether it wins, in words."""
    row = shown.row(regime, one, "skill", other)
    return f"{_with_ends(row, _fixed)}\n{_verdict(row)}" if row else "–"


def _verdict(row):
    if not np.isfinite(row["low"]):
        return "no interval"
    return "better" if row["low"] > 0 else "worse" if row["high"] < 0 else "not told apart"


def _regime_grid(shown, regime):
    """Return the table of one regime: a row per predictor, a column per metric."""
    there = set(shown.rows.loc[shown.rows["regime"] == regime, "metric"])
    metrics = [metric for metric in METRICS if metric in there]
    losses = {who: (shown.row(regime, who[0], shown.loss, run=who[1]) or {}).get("value") for who in shown.predictors()}
    losses = {who: loss for who, loss in losses.items() if loss is not None}
    rows = []
    for predictor, run in losses:
        name = f"{predictor}, mean of the folds" if run == "ensemble" else in_words(predictor)
        cells = [_score(shown, regime, predictor, run, metric) for metric in metrics]
        if losses[predictor, run] == min(losses.values()):
            cells[0] = Bold(cells[0])
        rows.append((_kind(predictor, shown.models), [name, *cells]))
    return _grid(["", *(METRICS[metric] for metric in metrics)], rows)


def _score(shown, regime, predictor, run, metric):
    """Return one score as text, losses and skills with their intervals."""
    row = shown.row(regime, predictor, metric, "training_mean" if metric == "skill" else None, run)
    if row is None:
        return "–"
    if metric == "skill":
        return _with_ends(row, _fixed)
    return _with_ends(row, _significant) if metric in LOSSES else _fixed(row["value"])


def _markdown(shown):
    """Return a Markdown table of losses, and for each model one of its skills beside the models before it and the baselines."""
    regimes = shown.regimes()
    models = [name for name in shown.models if (name, shown.run) in shown.predictors()]
    rows = [
        (name, [shown.row(regime, name, shown.loss) for regime in regimes]) for name in [*models, *shown.baselines()]
    ]
    tables = [_markdown_table(f"{LOSSES[shown.loss]} of {shown.where()}", regimes, rows, _significant)]
    for model in models:
        rows = [(name, [shown.row(regime, model, "skill", name) for regime in regimes]) for name in shown.beside(model)]
        tables.append(_markdown_table(f"skill of {model} beside", regimes, rows, _fixed))
    return "\n".join(tables)


def _markdown_table(title, regimes, rows, form):
    """Return a table with a column per regime; `rows` are pairs of a predictor and its rows of the scores."""
    lines = [[title, *(LABELS[regime] for regime in regimes)], ["---"] * (1 + len(regimes))]
    lines += [[in_words(name), *(_with_ends(row, form) if row else "–" for row in found)] for name, found in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# Text


class Bold(str):
    """The text of a cell that stands out."""


def _grid(header, rows):
    """Return a table as HTML; `rows` are pairs of a class and of the row's cells, the first of which is its name."""
    lines = ["".join(f"<th>{_escaped(cell)}</th>" for cell in header)]
    lines = ['<div class="wide"><table>', f"<thead><tr>{lines[0]}</tr></thead>", "<tbody>"]
    for kind, (name, *cells) in rows:
        texts = [f"<strong>{_escaped(cell)}</strong>" if isinstance(cell, Bold) else _escaped(cell) for cell in cells]
        lines.append(
            f'<tr class="{kind}"><th>{_escaped(name)}</th>{"".join(f"<td>{text}</td>" for text in texts)}</tr>'
        )
    return "\n".join([*lines, "</tbody>", "</table></div>"])


def _text(sentences):
    return f"<p>{_escaped(sentences)}</p>"


def _escaped(text):
    return html.escape(str(text))


def _kind(predictor, models):
    return "baseline" if predictor in BASELINES else "model" if predictor in models else "ablation"


def _with_ends(row, form):
    ends = f" ({form(row['low'])} to {form(row['high'])})" if np.isfinite(row["low"]) else ""
    return form(row["value"]) + ends


def _significant(value):
    return f"{value:#.3g}".rstrip(".").replace("-", "−")


def _fixed(value):
    # Adding 0 takes the sign off a zero.
    return f"{round(value, 3) + 0:.3f}".replace("-", "−")


def _capital(text):
    return text[0].upper() + text[1:]
