"""Networks on two devices: the processor of this machine, told to be two, which has to be done before it is used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SETUP = """
import json, sys, tempfile
from pathlib import Path
import numpy as np
from pipeline.models.networks.quiet_keras import quiet_start
with quiet_start():
    import tensorflow as tf
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
sys.path.insert(0, "tests")
from network_specs import network_spec
from pipeline import models
from pipeline.data.batches import Batch

random = np.random.default_rng(0)
SIZES = [8, 8, 5, 1]
BATCHES = [
    Batch(
        random.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8),
        np.eye(4, dtype=np.float32)[random.integers(0, 4, size)],
        random.uniform(0.5, 1.5, size).astype(np.float32),
    )
    for size in SIZES
]
RATES = [0.02] * len(BATCHES)

def network(name, devices):
    hyperparameters = {"dropout": 0.0, "depth": 1, "width": 8} if name == "resnet" else {"dropout": 0.0}
    return models.build(name, network_spec(devices=devices, hyperparameters=hyperparameters))
"""
SAME_LOSSES = """
found = {}
for name in ("lenet", "resnet"):
    of_one, of_two = network(name, 1), network(name, 2)
    fits = [each.fit_epoch(BATCHES, RATES) for each in (of_one, of_two)]
    found[name] = [[fit.losses.tolist(), fit.accuracy] for fit in fits]
    folder = Path(tempfile.mkdtemp())
    images = BATCHES[0].images
    loaded = models.load(of_two.save(folder)).predict(images)
    found[name].append(float(np.abs(of_two.predict(images) - of_one.predict(images)).max()))
    found[name].append(float(np.abs(of_two.predict(images) - loaded).max()))

"""
GOES_ON = """
whole = network("resnet", 2)
whole.fit_epoch(BATCHES, RATES)
half = whole.state()
losses = whole.fit_epoch(BATCHES, RATES).losses
again = network("resnet", 2)
again.load_state(half)
same = again.fit_epoch(BATCHES, RATES).losses
equal = all(np.array_equal(value, again.state()[name]) for name, value in whole.state().items())
try:
    network("lenet", 3)
except Exception as error:
    refusal = str(error)
print(json.dumps([losses.tolist(), same.tolist(), equal, refusal]))
"""


def run(code):
    command = [sys.executable, "-c", SETUP + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_take_the_steps_of_one_and_a_training_on_them_goes_on_exactly():
    found = run(SAME_LOSSES + GOES_ON.replace("print(json.dumps([", "print(json.dumps([found, "))
    by_name, losses, same, equal, refusal = found
    for one, two, apart, apart_when_loaded in by_name.values():
        assert two[0] == pytest.approx(one[0], rel=1e-4)
        assert two[1] == one[1]
        assert apart < 1e-4
        assert apart_when_loaded < 1e-5
    assert losses == same
    assert equal
    assert refusal == "--devices 3: TensorFlow finds 2 CPU and no GPU on this machine"
