"""Networks on two devices: the processor of this machine, told to be two, which has to be done before it is used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRAINED = """
import json, sys, tempfile
from pathlib import Path
import numpy as np
from pipeline.data.quiet import quiet_start
with quiet_start():
    import tensorflow as tf
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
sys.path.insert(0, "tests")
from network_specs import network_spec
from pipeline import models
from pipeline.data.batches import Batch

random = np.random.default_rng(0)
SIZES = [8, 5, 1]
BATCHES = [
    Batch(
        random.integers(0, 256, (size, 32, 32, 3), dtype=np.uint8),
        np.eye(4, dtype=np.float32)[random.integers(0, 4, size)],
        random.uniform(0.5, 1.5, size).astype(np.float32),
    )
    for size in SIZES
]
RATES = [0.02] * len(BATCHES)
IMAGES = BATCHES[0].images

def network(devices):
    hyperparameters = {"dropout": 0.0, "depth": 1, "width": 8}
    return models.build("resnet", network_spec(devices=devices, hyperparameters=hyperparameters))

def apart(one, other):
    return float(np.abs(one.predict(IMAGES) - other.predict(IMAGES)).max())

one, two = network(1), network(2)
first, second = (each.fit_epoch(BATCHES, RATES) for each in (one, two))
found = {"losses": [first.losses.tolist(), second.losses.tolist()], "accuracies": [first.accuracy, second.accuracy]}
found["apart"] = apart(one, two)
found["apart_when_loaded"] = apart(two, models.load(two.save(Path(tempfile.mkdtemp()))))

half = two.state()
whole = two.fit_epoch(BATCHES, RATES).losses
again = network(2)
again.load_state(half)
found["same_losses"] = np.array_equal(whole, again.fit_epoch(BATCHES, RATES).losses)
found["same_state"] = all(np.array_equal(value, again.state()[name]) for name, value in two.state().items())
try:
    network(3)
except Exception as error:
    found["refusal"] = str(error)
print(json.dumps(found))
"""


@pytest.mark.slow
def test_two_devices_take_the_steps_of_one_and_a_training_on_them_goes_on_exactly():
    done = subprocess.run([sys.executable, "-c", TRAINED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["losses"][1] == pytest.approx(found["losses"][0], rel=1e-4)
    assert found["accuracies"][0] == pytest.approx(found["accuracies"][1])
    assert found["apart"] < 1e-4
    assert found["apart_when_loaded"] < 1e-5
    assert found["same_losses"]
    assert found["same_state"]
    assert found["refusal"] == "--devices 3: TensorFlow finds 2 CPU and no GPU on this machine"
