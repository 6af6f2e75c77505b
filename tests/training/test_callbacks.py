"""Checkpoints that survive damage, and curves that survive interruptions."""

import keras
import numpy as np
import pytest

from crack_utils.training.callbacks import Checkpoint


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def kept(folder, model):
    """Keep two epochs; all of an epoch's weights are its number."""
    history = {}
    checkpoint = Checkpoint(folder, model, history, print)
    assert checkpoint.restore() == 0
    for epoch in (1, 2):
        model.set_weights([np.full(weight.shape, epoch) for weight in model.get_weights()])
        history.setdefault("loss", []).append(1 / epoch)
        checkpoint.on_epoch_end(epoch - 1)
    model.set_weights([np.zeros(weight.shape) for weight in model.get_weights()])
    return checkpoint


def test_the_last_epoch_is_restored(tmp_path, model):
    kept(tmp_path, model)
    history = {}
    assert Checkpoint(tmp_path, model, history, print).restore() == 2
    assert history == {"loss": [1, 0.5]}
    assert all((weight == 2).all() for weight in model.get_weights())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["even.npz", "odd.npz"]


def zeros(content):
    return bytes(len(content))


def first_half(content):
    return content[: len(content) // 2]


def one_byte_else(content):
    place = content.index(b"NUMPY") + 129  # in the number of epochs, behind a head of 128 bytes
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [zeros, first_half, one_byte_else, lambda content: b""])
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_is_used(tmp_path, model, damage, capsys):
    kept(tmp_path, model)
    (tmp_path / "even.npz").write_bytes(damage((tmp_path / "even.npz").read_bytes()))
    history = {}
    assert Checkpoint(tmp_path, model, history, print).restore() == 1
    assert history == {"loss": [1]}
    assert all((weight == 1).all() for weight in model.get_weights())
    assert "even.npz is damaged and ignored" in capsys.readouterr().out
    (tmp_path / "odd.npz").write_bytes(b"")
    assert Checkpoint(tmp_path, model, {}, print).restore() == 0
