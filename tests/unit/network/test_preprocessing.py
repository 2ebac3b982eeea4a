"""The file preprocessing.json: what is written is read, and other files are refused in a sentence."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from helpers.preprocessing import preprocessing_of
from wakawaka.core.errors import InputError
from wakawaka.network import preprocessing as module
from wakawaka.network.preprocessing import read_preprocessing, write_preprocessing


def test_what_is_written_is_read_again(tmp_path):
    given = preprocessing_of(
        fitted={"gene_id": ["G1"], "mean": [0.1 + 0.2], "sd": [1e-300]}, permuted_genes=0, scale=None
    )
    write_preprocessing(given, tmp_path / "new" / "preprocessing.json")
    assert read_preprocessing(tmp_path / "new" / "preprocessing.json") == given


def test_the_file_has_these_keys_in_this_order(tmp_path):
    write_preprocessing(preprocessing_of(), tmp_path / "preprocessing.json")
    assert list(json.loads((tmp_path / "preprocessing.json").read_text())) == [
        "run", "spec", "modules", "target", "schedule", "permuted_genes", "binary", "fitted", "marks", "window", "bins",
        "strand_aware", "scale", "counting", "samples", "parameters", "made_with",
    ]  # fmt: skip


def test_a_number_that_is_not_finite_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_preprocessing(preprocessing_of(fitted={"mean": [float("nan")]}), tmp_path / "preprocessing.json")
    assert not list(tmp_path.iterdir())


def test_further_keys_are_ignored(tmp_path):
    (tmp_path / "preprocessing.json").write_text(json.dumps(asdict(preprocessing_of()) | {"later": 1}))
    assert read_preprocessing(tmp_path / "preprocessing.json") == preprocessing_of()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"spec": 1}', b"\xff\xfe"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "preprocessing.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"preprocessing.json: this is not (what training writes|a text file)"):
        read_preprocessing(path)


@pytest.mark.parametrize("key", ["spec", "modules", "schedule", "binary", "fitted", "window", "samples", "made_with"])
def test_a_key_that_is_missing_or_of_another_type_is_refused(tmp_path, key):
    path, whole = tmp_path / "preprocessing.json", asdict(preprocessing_of())
    for content in (whole | {key: "text"}, {name: value for name, value in whole.items() if name != key}):
        path.write_text(json.dumps(content))
        with pytest.raises(
            InputError, match="this is not what training writes with a model; copy the folder of the model"
        ):
            read_preprocessing(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="preprocessing.json: the file does not exist"):
        read_preprocessing(tmp_path / "preprocessing.json")


@pytest.mark.parametrize("given", [True, False])
def test_z_scores_are_a_setting_of_the_histone_module(given):
    rest = {"joint": {"dense": [], "dropout": 0}, "negative_slope": 0.05}
    histone = {"convolutions": [], "dropout": 0, "dense": []}
    assert preprocessing_of({"histone": histone | {"z_scores": given}, **rest}).z_scores == given
    assert not preprocessing_of({"histone": histone, **rest}).z_scores
    assert not preprocessing_of(rest, ["dna"]).z_scores


def test_fixed_kmers_need_dna():
    schedule = preprocessing_of().schedule | {"kmer_length": 8}
    assert preprocessing_of(schedule=schedule).fixed_kmers
    assert not preprocessing_of().fixed_kmers
    assert not preprocessing_of(modules=["histone"], schedule=schedule).fixed_kmers


def test_reading_it_imports_no_tensorflow():
    """Reports read this file in processes that have no TensorFlow."""
    program = f"import sys, {module.__name__}; assert not {{'tensorflow', 'keras', 'numba'}} & set(sys.modules)"
    scripts = module.__file__.partition("/wakawaka/network/")[0]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {scripts!r}); {program}"], check=True)
