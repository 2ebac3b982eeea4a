"""Checkpoints: what is saved is loaded, and the log says why one is not used."""

import json
import logging
import pickle

import numpy as np
import pytest

from wakawaka.training.checkpoint import load_checkpoint, save_checkpoint

IDENTITY = {
    "settings": {
        "run": "fold-1",
        "spec": {"negative_slope": 0.05, "dense": [82]},
        "modules": ["histone", "dna"],
        "seed": 1,
    },
    "code": "0123456789abcdef",
    "threads": 2,
    "data": {"results/store/dna.npy": "ab" * 32},
    "versions": {"keras": "3.0", "numpy": "2.0"},
}
ROWS = [
    {"epoch": 1, "seconds": 1.25, "train_mse": 0.1 + 0.2, "val_mse_unseen_cell": 1 / 3},
    {"epoch": 2, "seconds": 2.5, "train_mse": 1e-17, "val_mse_unseen_cell": float(np.float32(0.1))},
]
# As the variables of Keras have them; more than ten, because the tenth would come before the second by name.
STATE = [np.random.default_rng(number).normal(size=(number, 3)).astype(np.float32) for number in range(12)]
STATE += [
    np.array(7),
    np.float32(0.0005),
    np.array([2**32 - 1, 5], np.uint32),
    np.array([-0.0, np.nan, np.inf, 1e-45], np.float32),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "folder" / "checkpoint.npz"
    save_checkpoint(path, IDENTITY, ROWS, STATE)
    return path


@pytest.fixture
def warning(caplog):
    """A function that returns the only message, a warning."""

    def warning():
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        return record.getMessage()

    return warning


def test_what_is_saved_comes_back_bit_for_bit(path, caplog):
    rows, state = load_checkpoint(path, IDENTITY)
    assert rows == ROWS
    assert len(state) == len(STATE)
    for array, saved in zip(state, STATE, strict=True):
        assert array.dtype == saved.dtype and array.shape == saved.shape and array.tobytes() == saved.tobytes()
    assert not caplog.records
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_rows_without_a_number_come_back(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.npz", IDENTITY, [{"epoch": 1, "train_mse": float("nan")}], [])
    (row,), state = load_checkpoint(tmp_path / "checkpoint.npz", IDENTITY)
    assert np.isnan(row["train_mse"]) and state == []


def test_a_later_one_takes_the_place_of_an_earlier(path):
    save_checkpoint(path, IDENTITY, ROWS[:1], STATE[:2])
    rows, state = load_checkpoint(path, IDENTITY)
    assert rows == ROWS[:1] and len(state) == 2


def test_what_fails_while_writing_leaves_the_earlier_one(path):
    with pytest.raises(ValueError, match="[Oo]bject"):
        save_checkpoint(path, IDENTITY, ROWS[:1], [np.array([None], object)])
    assert load_checkpoint(path, IDENTITY)[0] == ROWS


def test_none_without_a_file_and_without_a_word(tmp_path, caplog):
    assert load_checkpoint(tmp_path / "checkpoint.npz", IDENTITY) is None
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "fedcba9876543210"),
        ("settings", {**IDENTITY["settings"], "seed": 2}),
        ("settings", {**IDENTITY["settings"], "spec": {"negative_slope": 0.05, "dense": [83]}}),
        ("data", {"results/store/dna.npy": "cd" * 32}),
        ("data", {**IDENTITY["data"], "results/store/histone.npy": "ab" * 32}),
        ("versions", {"keras": "3.0", "numpy": "2.1"}),
        ("threads", 1),
    ],
)
def test_what_differs_is_named(path, warning, name, value):
    assert load_checkpoint(path, {**IDENTITY, name: value}) is None
    message = warning()
    assert message == f"training starts afresh, because these differ from the checkpoint {path}: {name}"


def test_all_that_differs_is_named(path, warning):
    assert load_checkpoint(path, {**IDENTITY, "code": "", "threads": 4}) is None
    assert warning().endswith(": code, threads")


def test_what_an_earlier_checkpoint_does_not_know_differs(tmp_path, warning):
    save_checkpoint(tmp_path / "checkpoint.npz", {"code": IDENTITY["code"]}, ROWS, STATE)
    assert load_checkpoint(tmp_path / "checkpoint.npz", {"code": IDENTITY["code"], "threads": 2}) is None
    assert warning().endswith(": threads")


class Trap:
    """Says so when it is unpickled."""

    sprung = False

    def __reduce__(self):
        return setattr, (Trap, "sprung", True)


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_its_end(path):
    path.write_bytes(path.read_bytes()[:-1])


def one_byte_of_a_weight(path):
    content = bytearray(path.read_bytes())
    content[content.find(STATE[11].tobytes()) + 5] ^= 1
    path.write_bytes(content)


def one_array(path):
    with open(path, "wb") as file:
        np.save(file, STATE[3])


def pickled(path):
    path.write_bytes(pickle.dumps(Trap()))


def pickled_array(path):
    np.savez(path, about=json.dumps({"identity": IDENTITY, "rows": ROWS}), state_0=np.array([Trap()], object))


def pickled_about(path):
    np.savez(path, about=np.array([Trap()], object), state_0=STATE[3])


def a_state_is_missing(path):
    np.savez(path, about=json.dumps({"identity": IDENTITY, "rows": ROWS}), state_1=STATE[3])


def no_about(path):
    np.savez(path, state_0=STATE[3])


def about_is_no_json(path):
    np.savez(path, about="{", state_0=STATE[3])


def about_is_something_else(path):
    np.savez(path, about="[]", state_0=STATE[3])


def about_has_no_identity(path):
    np.savez(path, about="{}", state_0=STATE[3])


def about_has_no_rows(path):
    np.savez(path, about=json.dumps({"identity": IDENTITY}), state_0=STATE[3])


DAMAGES = [half, without_its_end, one_byte_of_a_weight, one_array, pickled, pickled_array, pickled_about]
DAMAGES += [
    a_state_is_missing,
    no_about,
    about_is_no_json,
    about_is_something_else,
    about_has_no_identity,
    about_has_no_rows,
]


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b""), lambda path: path.write_text("text\n"), *DAMAGES]
)
def test_a_damaged_file_is_no_checkpoint_and_runs_nothing(path, warning, damage):
    damage(path)
    assert load_checkpoint(path, IDENTITY) is None
    assert warning().startswith(f"training starts afresh, because the checkpoint {path} cannot be read: ")
    assert not Trap.sprung


def test_the_trap_would_spring(path):
    pickled_array(path)
    np.load(path, allow_pickle=True)["state_0"]
    sprung, Trap.sprung = Trap.sprung, False
    assert sprung
