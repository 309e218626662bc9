import contextlib
import signal
import threading

import numpy as np
import pytest

from pipeline import models
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.planning import plan
from pipeline.data.writing import open_or_write
from pipeline.training import checkpoints
from pipeline.training.checkpoints import Checkpoint, CheckpointWriter
from pipeline.training.fit import Callbacks, Interrupted, fit
from pipeline.training.network_spec import network_spec


def checkpoint(epoch):
    rng = np.random.default_rng(epoch)
    state = {"model/0/a kernel": rng.random((3, 4)).astype(np.float32), "optimizer/steps": np.array(epoch)}
    return Checkpoint(epoch, state, {name: array + 1 for name, array in state.items()}, rng.random(epoch))


def assert_equal(first, second):
    assert first.epoch == second.epoch
    assert np.array_equal(first.step_losses, second.step_losses)
    for group in ("state", "best_state"):
        one, other = getattr(first, group), getattr(second, group)
        assert list(one) == list(other)
        assert all(np.array_equal(one[name], other[name]) and one[name].dtype == other[name].dtype for name in one)


def test_a_checkpoint_comes_back_as_it_was_and_the_newest_two_are_kept(tmp_path):
    for epoch in (1, 2, 3):
        checkpoints.write(tmp_path, checkpoint(epoch))
    assert len(list(tmp_path.iterdir())) == 2
    assert_equal(checkpoints.newest(tmp_path, 3), checkpoint(3))
    assert_equal(checkpoints.newest(tmp_path, 2), checkpoint(2))
    assert checkpoints.newest(tmp_path, 1) is None


def test_a_signal_at_any_moment_holds_nothing_up(tmp_path, monkeypatch):
    """A signal that came while the writer was told of a checkpoint once left it waiting, and the training for it."""
    monkeypatch.setattr(checkpoints, "write", lambda folder, checkpoint: None)
    monkeypatch.setattr(checkpoints, "WRITING_SHARE", 1e9)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for round_number in range(100):
            writer = CheckpointWriter(tmp_path)
            signal.setitimer(signal.ITIMER_REAL, 1e-4 + 1e-5 * round_number)
            with contextlib.suppress(KeyboardInterrupt):
                save_for_ever(writer, checkpoint(1))
            closing = threading.Thread(target=writer.close, daemon=True)
            closing.start()
            closing.join(30)
            assert not closing.is_alive()
    finally:
        signal.signal(signal.SIGALRM, before)


def save_for_ever(writer, given):
    while True:
        writer.save(given)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_is_recognised_and_the_one_before_it_taken(tmp_path, kept):
    checkpoints.write(tmp_path, checkpoint(1))
    path = checkpoints.write(tmp_path, checkpoint(2))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert_equal(checkpoints.newest(tmp_path, 2), checkpoint(1))


def test_a_damaged_checkpoint_is_recognised(tmp_path):
    checkpoints.write(tmp_path, checkpoint(1))
    path = checkpoints.write(tmp_path, checkpoint(2))
    content = bytearray(path.read_bytes())
    place = content.index(checkpoint(2).state["model/0/a kernel"].tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert_equal(checkpoints.newest(tmp_path, 2), checkpoint(1))


def test_the_writer_writes_the_last_one_before_it_closes(tmp_path):
    writer = CheckpointWriter(tmp_path)
    for epoch in range(1, 200):
        writer.save(checkpoint(epoch))
    writer.close()
    assert_equal(checkpoints.newest(tmp_path, 199), checkpoint(199))


def test_a_full_disk_is_heard_of(tmp_path):
    writer = CheckpointWriter(tmp_path / "missing")
    writer.save(checkpoint(1))
    writer.close()
    with pytest.raises(OSError, match="missing"):
        writer.save(checkpoint(2))


SMALL_RESNET = {"depth": 1, "width": 8, "dropout": 0.3}
# Of 48 images batches of 9 leave a smaller last one; images of 16 pixels grow to 32.
GROWING = {"image_size": 32, "initial_scale": 0.5, **SMALL_RESNET}


@pytest.fixture
def configured(image_folder, tmp_path):
    """A short training of these options, and its data."""

    def make(**options):
        values = {"image_size": 16, "epochs": 4, "batch_size": 9, "learning_rate": 0.01, "precision": "float32"}
        config = TrainConfig(data=str(image_folder), workdir=tmp_path, **(values | options))
        source = PreprocessConfig(data=str(image_folder), image_size=config.image_size, workdir=tmp_path)
        return config, open_or_write(plan(source))

    return make


def assert_goes_on_from_every_epoch(config, data, folder):
    """Train without a break, then on from each of its checkpoints, and compare all but times to the bit."""
    spec = network_spec(config, data)
    whole, saved, epochs = models.build(config.model, spec), [], []
    expected = fit(whole, data, config, Callbacks(epochs.append, on_checkpoint=saved.append))
    for interruption in range(1, len(epochs)):
        checkpoints.write(folder, saved[interruption - 1])
        before = Interrupted(epochs[:interruption], checkpoints.newest(folder, interruption))
        heard = []
        continued = models.build(config.model, spec)
        result = fit(continued, data, config, Callbacks(heard.append), before)
        assert [epoch.epoch for epoch in heard] == list(range(interruption + 1, len(epochs) + 1))
        assert [epoch.val_loss for epoch in result.epochs] == [epoch.val_loss for epoch in expected.epochs]
        assert np.array_equal(result.step_losses, expected.step_losses)
        first, second = whole.state(), continued.state()
        assert [name for name in first if not np.array_equal(first[name], second[name])] == []
    return epochs


@pytest.mark.parametrize(
    "options",
    [
        {"model": "resnet", "cutmix": 0.5, "epochs": 3, **GROWING},
        {"model": "lenet5-numpy", "dropout": 0.3},
        {"model": "lenet5-numpy", "optimizer": "adamw"},
        {"model": "two-layer-numpy", "optimizer": "adam"},
    ],
    ids=lambda options: " ".join(str(options.get(name, "")) for name in ("model", "optimizer", "precision")),
)
def test_a_training_that_goes_on_ends_as_an_unbroken_one_to_the_bit(configured, tmp_path, options):
    assert_goes_on_from_every_epoch(*configured(**options), tmp_path)


def test_so_does_one_that_begins_with_weights_and_its_last_layer(configured, tmp_path):
    network = {"model": "resnet", "cutmix": 0.5, **SMALL_RESNET}
    config, data = configured(**network)
    file = models.build("resnet", network_spec(config, data)).save(tmp_path)
    begun = {"weights": str(file), "head_epochs": 2, "head_learning_rate": 0.05, "trained_body": 0.5}
    assert_goes_on_from_every_epoch(*configured(**network, optimizer="adamw", **begun), tmp_path)


def test_so_does_one_that_runs_out_of_patience(configured, tmp_path):
    config, data = configured(model="two-layer-numpy", learning_rate=1e-9, epochs=30, patience=3)
    assert len(assert_goes_on_from_every_epoch(config, data, tmp_path)) < 30


def test_patience_counts_what_was_before(image_folder, tmp_path):
    config = TrainConfig(
        data=str(image_folder),
        workdir=tmp_path,
        model="two-layer-numpy",
        image_size=16,
        epochs=30,
        learning_rate=1e-9,
        patience=2,
        precision="float32",
    )
    source = PreprocessConfig(data=str(image_folder), image_size=16, workdir=tmp_path)
    data = open_or_write(plan(source))
    spec = network_spec(config, data)
    saved, epochs = [], []
    expected = fit(models.build(config.model, spec), data, config, Callbacks(epochs.append, on_checkpoint=saved.append))
    before = Interrupted(epochs, saved[-1])
    heard = []
    result = fit(models.build(config.model, spec), data, config, Callbacks(heard.append), before)
    assert not heard
    assert result.epochs == expected.epochs
