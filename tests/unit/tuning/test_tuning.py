"""The space, its points, what they make of a model, and which of them is the best one."""

import copy
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from wakawaka.config.check import check_config
from wakawaka.config.search_space import apply, model_of, point_of, points_of, sizes_of, text, texts
from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.figures.plot_tuning import plot_tuning
from wakawaka.tuning.choose_trial import choose_point
from wakawaka.tuning.rank_trials import rank_points

ROOT = Path(__file__).parents[3]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())


def checked(**tuning):
    return check_config({"tuning": tuning}, SCHEMA)


def points(space, *, seed=1, drawn=None):
    return points_of({"space": space, "points": drawn}, seed)


@pytest.fixture
def model():
    return checked()["models"]["wakawaka"]


# Points


def test_all_combinations_in_the_order_of_the_config():
    found = points({"learning_rate": [0.1, 0.2], "dropout": [0, 0.5]})
    assert [tuple(point.values()) for point in found] == [(0.1, 0), (0.1, 0.5), (0.2, 0), (0.2, 0.5)]
    assert list(found[0]) == ["learning_rate", "dropout"]


HUGE = {knob: list(range(100)) for knob in ("histone_pool", "dna_pool", "dna_width", "histone_width", "dna_filters")}


def test_points_are_drawn_without_replacement_with_the_seed():
    space = {"a": list(range(5)), "b": list(range(4))}
    drawn = points(space, drawn=15)
    assert len({tuple(point.values()) for point in drawn}) == 15
    assert all(point["a"] in space["a"] and point["b"] in space["b"] for point in drawn)
    assert drawn == points(space, drawn=15)
    assert drawn != points(space, drawn=15, seed=2)
    # As many as there are, or more: all of them.
    assert points(space, drawn=20) == points(space, drawn=99) == points(space)


def test_a_search_of_more_points_begins_with_those_of_fewer():
    assert points(HUGE, drawn=50)[:20] == points(HUGE, drawn=20)


def test_every_value_of_a_huge_space_may_be_drawn():
    found = pd.DataFrame(points(HUGE, drawn=2000))
    assert (found.nunique() == 100).all()


def test_too_many_points_are_refused_at_once():
    with pytest.raises(InputError, match="`tuning.points`: 10000000000 points are too many .* set it to 2000 or fewer"):
        points(HUGE)


@pytest.mark.parametrize(
    ("epochs", "keep", "count", "sizes"),
    [
        ([10], 0.33, 12, [12]),
        ([1, 3, 10], 0.33, 27, [27, 9, 3]),
        ([1, 2, 3], 0.1, 3, [3, 1, 1]),
        ([1, 2], 1, 3, [3, 3]),
    ],
)
def test_sizes_of_rungs(epochs, keep, count, sizes):
    assert sizes_of({"epochs": epochs, "keep": keep}, count) == sizes


@pytest.mark.parametrize("value", [1e-5, 0.0002, 3, True, "relu", "none", [100, 50], [], None])
def test_a_text_is_a_part_of_a_path_and_leads_back_to_its_value(value):
    assert "/" not in text(value) and text(value)
    space = {"knob": [7, value]}
    assert point_of({**texts({"knob": value}), "loss": "1"}, space) == {"knob": value}


# What a point makes of a model


@pytest.mark.parametrize(
    ("knob", "value", "found"),
    [
        ("histone_dense", 7, lambda m: m["histone"]["dense"] == [7]),
        ("dna_dense", [7, 5], lambda m: m["dna"]["dense"] == [7, 5]),
        ("joint_dense", [], lambda m: m["joint"]["dense"] == []),
        ("histone_filters", 7, lambda m: [one["filters"] for one in m["histone"]["convolutions"]] == [7, 7]),
        ("histone_filters", [7, 5], lambda m: [one["filters"] for one in m["histone"]["convolutions"]] == [7, 5]),
        ("dna_filters", 7, lambda m: m["dna"]["convolutions"][0]["filters"] == 7),
        ("histone_width", 3, lambda m: [one["width"] for one in m["histone"]["convolutions"]] == [3, 3]),
        ("dna_width", 3, lambda m: m["dna"]["convolutions"][0]["width"] == 3),
        ("histone_dilation", 2, lambda m: [one["dilation"] for one in m["histone"]["convolutions"]] == [2, 2]),
        ("dna_dilation", 2, lambda m: m["dna"]["convolutions"][0]["dilation"] == 2),
        ("histone_pool", [2, 1], lambda m: [one["pool"] for one in m["histone"]["convolutions"]] == [2, 1]),
        ("dna_pool", 8, lambda m: m["dna"]["convolutions"][0]["pool"] == 8),
        ("dna_crop", 4000, lambda m: m["dna"]["crop"] == 4000),
        ("dropout", 0.25, lambda m: (m["histone"]["dropout"], m["dna"]["dropout"]) == (0.25, 0.25)),
        ("activation", "tanh", lambda m: {one["activation"] for one in convolutions(m)} == {"tanh"}),
        ("padding", "same", lambda m: {one["padding"] for one in convolutions(m)} == {"same"}),
        ("batch_norm", True, lambda m: {one["batch_norm"] for one in convolutions(m)} == {True}),
        ("learning_rate", 0.1, lambda m: m["training"]["learning_rate"] == 0.1),
        ("batch_size", 7, lambda m: m["training"]["batch_size"] == 7),
        ("weight_decay", 0.1, lambda m: m["training"]["weight_decay"] == 0.1),
        ("decay", "cosine", lambda m: m["training"]["decay"] == "cosine"),
    ],
)
def test_knobs(model, knob, value, found):
    before = copy.deepcopy(model)
    assert not found(model)
    assert found(apply({knob: value}, model))
    # The model itself is as it was, and so is all that the knob does not name.
    assert model == before
    assert apply({knob: value}, model) != before
    checked(space={knob: [value], "learning_rate": [0.001]} if knob != "learning_rate" else {knob: [value]})


def convolutions(model):
    return [*model["histone"]["convolutions"], *model["dna"]["convolutions"]]


def test_every_knob_of_the_schema_is_tested():
    tested = {case[0] for case in test_knobs.pytestmark[0].args[1]}
    assert tested == set(SCHEMA["properties"]["tuning"]["properties"]["space"]["properties"])


@pytest.mark.parametrize(
    ("named", "models", "found"), [(None, "ab", "a"), (None, ["b", "wakawaka"], "wakawaka"), ("b", "ab", "b")]
)
def test_the_model_that_is_varied(named, models, found):
    assert model_of({"tuning": {"model": named}, "models": dict.fromkeys(models)}) == found


# Mistakes


@pytest.mark.parametrize(
    ("tuning", "says"),
    [
        ({"space": {"learnin_rate": [0.1]}}, "unknown key `learnin_rate` in `tuning.space` of the config: did you mean `learning_rate`?"),
        ({"space": {"activation": ["relu", "relux"]}}, "(activation relux).histone.convolutions.1.activation` must be one of relu,"),
        ({"space": {"learning_rate": [0.1], "dna_pool": [20000]}}, "(learning_rate 0.1, dna_pool 20000).dna.convolutions`: convolution 1"),
        ({"space": {"dna_pool": [0]}}, "(dna_pool 0).dna.convolutions.0.pool` must be at least 1"),
        # Each fits, but not both.
        ({"space": {"histone_width": [5, 40], "histone_pool": [2, 3]}}, "(histone_width 40, histone_pool 2).histone.convolutions`: conv"),
        ({"space": {"dna_crop": [None, 12000]}}, "(dna_crop 12000).dna.crop` is 12000 bp, wider than the window"),
        ({"space": {"histone_filters": [[1, 2, 3]]}}, "`tuning.space.histone_filters`: [1, 2, 3] is for 3 convolutions, but"),
        ({"space": {"joint_dense": [100, [100]]}}, "`tuning.space.joint_dense` names 100 twice"),
        ({"space": {"dropout": [0.5, 0.5]}}, "`tuning.space.dropout` names something twice"),
        ({"space": {"dropout": 0.5}}, "`tuning.space.dropout` must be a list"),
        ({"space": {"dropout": [1]}}, "(dropout 1).histone.dropout` must be less than 1"),
        ({"space": {"learning_rate": ["5e-4"]}}, "must be a number, not '5e-4' (write 0.0005)"),
        ({"space": {"learning_rate": [float("inf")]}}, "`tuning.space.learning_rate.0` is inf: it must be a finite number."),
        ({"space": {}}, "`tuning.space` needs at least 1 key"),
        ({"epochs": [3, 3]}, "`tuning.epochs` is [3, 3]: each rung must train for more epochs"),
        ({"model": "nobody"}, "`tuning.model` is nobody, which is neither a model nor an experiment: there are wakawaka"),
        ({"keep": 0}, "`tuning.keep` must be more than 0"),
    ],
)  # fmt: skip
def test_mistakes(tuning, says):
    with pytest.raises(InputError) as error:
        checked(**tuning)
    assert says in str(error.value)


def test_batches_must_hold_whole_genes_at_every_point():
    with pytest.raises(InputError, match=r"\(batch_size 30\).training.genes_per_batch` is 20, which does not divide"):
        check_config({"training": {"genes_per_batch": 20}, "tuning": {"space": {"batch_size": [100, 30]}}}, SCHEMA)


def test_an_experiment_that_does_not_fit_cannot_be_varied():
    config = {"experiments": {"wide": {"dna": {"crop": 20000}}}, "tuning": {"model": "wide"}}
    with pytest.raises(
        InputError, match="`tuning.model` is wide, which cannot be trained: .*`experiments.wide.dna.crop`"
    ):
        check_config(config, SCHEMA)


def test_the_space_is_of_the_experiment_that_is_named():
    more = {"histone": {"convolutions": [{"filters": 1, "width": 2}] * 3}}
    config = {"experiments": {"deep": more}, "tuning": {"model": "deep", "space": {"histone_width": [[2, 3, 4]]}}}
    check_config(config, SCHEMA)


def test_a_knob_of_a_module_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="`tuning.space.dna_pool`: `modules` leaves this module out"):
        check_config({"modules": ["histone"], "tuning": {"space": {"dna_pool": [8]}}}, SCHEMA)


def test_a_knob_of_a_module_without_convolutions_is_refused():
    config = {"models": {"one": {"dna": {"convolutions": []}}}, "tuning": {"space": {"dna_pool": [8]}}}
    with pytest.raises(InputError, match="`tuning.space.dna_pool`: the dna module of the model has no convolution"):
        check_config(config, SCHEMA)


SOME_FIT = {"histone_width": [3, 5, 40], "histone_pool": [2, 3, 4]}


@pytest.mark.parametrize("count", [3, 6, 20])
def test_drawn_points_that_could_not_be_built_are_passed_over(count):
    for seed in range(4):
        drawn = check_config({"seed": seed, "tuning": {"space": SOME_FIT, "points": count}}, SCHEMA)["tuning"]["drawn"]
        assert len(drawn) == min(count, 6) and {point["histone_width"] for point in drawn} <= {3, 5}
        more = check_config({"seed": seed, "tuning": {"space": SOME_FIT, "points": 5}}, SCHEMA)["tuning"]["drawn"]
        assert more[:3] == drawn[:3] or count == 20


def test_a_space_in_which_hardly_anything_fits_is_refused():
    space = {
        "histone_width": [40],
        "histone_pool": list(range(2, 60)),
        "dropout": [number / 100 for number in range(50)],
    }
    with pytest.raises(InputError, match="of 100 points that were drawn only 0 could be trained; .* histone_width 40"):
        checked(space=space, points=5)


def test_each_point_is_trained_as_long_as_the_model():
    assert checked()["tuning"]["epochs"] == [10]
    config = {"models": {"long": {"training": {"epochs": 30}}}, "training": {"epochs": 7}}
    assert check_config(config, SCHEMA)["tuning"]["epochs"] == [30]


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (
            {"histone_pool": [5, 4, [5, 5]]},
            "`tuning.space.histone_pool`: 5 and 5-5 are the same model; remove one of them.",
        ),
        ({"dna_crop": [None, 4000, 10000]}, "`tuning.space.dna_crop`: none and 10000 are the same model"),
    ],
)
def test_values_that_are_the_same_model_are_refused(space, says):
    with pytest.raises(InputError) as error:
        checked(space=space)
    assert says in str(error.value)


def test_a_knob_of_convolutions_that_only_the_absent_module_has_is_refused():
    model = {"histone": {"convolutions": []}}
    config = {"modules": ["histone"], "models": {"m": model}, "tuning": {"space": {"padding": ["valid", "same"]}}}
    with pytest.raises(InputError, match="`tuning.space.padding`: the model has nothing that it sets"):
        check_config(config, SCHEMA)


def test_a_misspelt_knob_is_not_taken_out_but_refused():
    with pytest.raises(
        InputError, match="unknown key `dropuot` in `tuning.space` of the config: did you mean `dropout`?"
    ):
        checked(space={"dropuot": None, "learning_rate": [0.1]})


@pytest.mark.parametrize("section", ["models", "experiments"])
def test_no_model_may_be_called_tuned(section):
    with pytest.raises(InputError, match=f"`{section}.tuned`: this is the name of what `snakemake tuning` trains"):
        check_config({section: {"tuned": {"leaky_slope": 0.1}}}, SCHEMA)


def test_the_order_of_knobs_is_not_that_of_the_config_file():
    """Snakemake puts the keys of several config files together in an order of its own; paths shall not depend on it."""
    found = checked(space={"dropout": [0.1], "dna_pool": [8], "learning_rate": [0.1]})
    assert list(found["tuning"]["space"]) == ["learning_rate", "dropout", "dna_pool"]


def test_null_takes_a_knob_of_config_yaml_out():
    found = checked(space={"learning_rate": None, "dropout": [0.1]})
    assert found["tuning"]["space"] == {"dropout": [0.1]}


# Ranks


@pytest.fixture
def ranked(tmp_path):
    """A function that ranks points by the losses of their folds: per point and fold a dict by regime, or None for a failed training."""

    def make(losses, points, before=(), loss="mse"):
        paths = []
        for number, folds in enumerate(losses):
            for fold, found in enumerate(folds):
                paths.append(tmp_path / f"{number}-{fold}.tsv")
                if found is None:
                    write_table(pd.DataFrame(columns=["epoch", "seconds"]), paths[-1])
                    continue
                last = {f"val_{loss}_{regime}": value for regime, value in found.items()}
                # Of earlier epochs nothing counts.
                rows = [{"epoch": 1, "seconds": 1, f"train_{loss}": 0, **dict.fromkeys(last, 0)}]
                write_table(pd.DataFrame([*rows, {"epoch": 2, "seconds": 10, f"train_{loss}": 0, **last}]), paths[-1])
        output = tmp_path / "ranks.tsv"
        rank_points(paths, before, output, tmp_path / "order.tsv", points=points, folds=len(losses[0]))
        return read_table(output, dtype={"decay": str, "joint_dense": str})

    return make


POINTS = [
    {"learning_rate": "0.1", "decay": "none"},
    {"learning_rate": "0.2", "decay": "none"},
    {"learning_rate": "0.3", "decay": "cosine"},
]


def test_the_loss_is_the_mean_over_regimes_of_their_means_over_folds(ranked):
    first = [{"unseen_cell": 1.0, "unseen_gene": 2.0}, {"unseen_cell": 3.0, "unseen_gene": 4.0}]
    # The second fold has no truth of unseen genes.
    second = [{"unseen_cell": 1.0, "unseen_gene": 1.0}, {"unseen_cell": 2.0}]
    table = ranked([first, second, first], POINTS)
    assert table["learning_rate"].tolist() == [0.2, 0.1, 0.3]
    assert table["decay"].tolist() == ["none", "none", "cosine"]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["val_mse_unseen_cell"].tolist() == [1.5, 2, 2]
    assert table["val_mse_unseen_gene"].tolist() == [1, 3, 3]
    assert table["loss"].tolist() == [1.25, 2.5, 2.5]
    assert table["sd"].tolist() == pytest.approx([np.std([1, 2], ddof=1)] + 2 * [np.std([1.5, 3.5], ddof=1)], rel=1e-6)
    assert table["seconds"].tolist() == [20, 20, 20]


@pytest.mark.parametrize("bad", [None, {"unseen_cell": np.inf}, {"unseen_cell": np.nan}])
def test_a_point_that_failed_in_one_fold_ranks_last(ranked, bad):
    table = ranked([[{"unseen_cell": 0.1}, bad], [{"unseen_cell": 5}, {"unseen_cell": 5}]], POINTS[:2], loss="bce")
    assert table["learning_rate"].tolist() == [0.2, 0.1]
    assert table["loss"][0] == 5 and np.isnan(table["loss"][1]) and np.isnan(table["val_bce_unseen_cell"][1])


def test_a_search_without_any_loss_ends_with_a_sentence(ranked):
    with pytest.raises(InputError, match="no point has a finite validation loss"):
        ranked([[None], [{"unseen_cell": np.inf}]], POINTS[:2])
    with pytest.raises(InputError, match="no sample that a fold holds out has a known truth"):
        ranked([[{}]], POINTS[:1])


def test_points_of_a_further_rung_are_the_first_of_the_one_before(ranked, tmp_path):
    first = ranked([[{"unseen_cell": value}] for value in (3, 1, 2)], POINTS)
    assert first["learning_rate"].tolist() == [0.2, 0.3, 0.1]
    before = (tmp_path / "order.tsv").rename(tmp_path / "before.tsv")
    # Rank 1 of the rung before comes second here.
    table = ranked([[{"unseen_cell": value}] for value in (2, 1)], [], before)
    assert table["learning_rate"].tolist() == [0.3, 0.2]
    assert table["decay"].tolist() == ["cosine", "none"]


def test_the_best_point_becomes_a_model(ranked, tmp_path, model):
    space = {"learning_rate": [0.1, 0.2], "joint_dense": [[], [30, 20]], "decay": ["none"]}
    ranked([[{"unseen_cell": value}] for value in (4, 3, 2, 1)], list(map(texts, points(space))))
    choose_point(tmp_path / "ranks.tsv", tmp_path / "chosen.json", model=model, space=space, epochs=7)
    chosen = json.loads((tmp_path / "chosen.json").read_text())
    assert chosen["point"] == {"learning_rate": 0.2, "joint_dense": [30, 20], "decay": "none"}
    assert chosen["loss"] == 1
    assert chosen["schedule"] == model["training"] | {"epochs": 7, "learning_rate": 0.2}
    assert chosen["spec"] == {part: model[part] for part in ("histone", "dna", "leaky_slope")} | {
        "joint": model["joint"] | {"dense": [30, 20]}
    }


# The figure


@pytest.mark.parametrize(
    "space",
    [
        {"dropout": [0.5]},
        {"dropout": [0.1, 0.5]},
        {"dropout": [0.1, 0.5], "decay": ["none", "cosine"], "batch_size": [10]},
    ],
)
def test_the_figure_shows_every_point_of_every_rung(ranked, tmp_path, space):
    all_points = list(map(texts, points(space)))
    losses = [[{"unseen_cell": place + 1}] for place in range(len(all_points))]
    if len(losses) > 2:
        losses[1] = [None]
    ranked(losses, all_points)
    first = (tmp_path / "ranks.tsv").rename(tmp_path / "first.tsv")
    ranked(losses[:1], [], (tmp_path / "order.tsv").rename(tmp_path / "before.tsv"))
    values = {knob: list(map(text, of_knob)) for knob, of_knob in space.items()}
    plot_tuning([first, tmp_path / "ranks.tsv"], tmp_path / "f.png", tmp_path / "f.tsv", values=values, epochs=[1, 2])
    table = read_table(tmp_path / "f.tsv")
    assert table["rung"].tolist() == [1] * len(all_points) + [2]
    assert table["epochs"].tolist() == [1] * len(all_points) + [2]
    assert (tmp_path / "f.png").stat().st_size > 10000
