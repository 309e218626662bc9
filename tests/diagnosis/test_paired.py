import dataclasses

import numpy as np
import pytest
from diagnoses import outcome

from pipeline.diagnosis.paired import gain


def test_a_gain_is_known_better_where_the_same_images_change():
    before, after = outcome(0.50), outcome(0.56)
    order = np.random.default_rng(3).permutation(len(after.labels))
    shuffled = dataclasses.replace(after, labels=after.labels[order], probabilities=after.probabilities[order])
    paired, loose = gain({0: before}, {0: after}), gain({0: before}, {0: shuffled})
    assert paired.value == pytest.approx(0.06, abs=1e-3)
    assert loose.value == pytest.approx(0.06, abs=1e-3)
    assert paired.low > 0.03
    assert loose.high - loose.low > paired.high - paired.low


def test_more_seeds_narrow_the_interval_and_seeds_that_differ_widen_it():
    one = gain({0: outcome(0.50)}, {0: outcome(0.55)})
    two = gain({0: outcome(0.50), 1: outcome(0.50, seed=1)}, {0: outcome(0.55), 1: outcome(0.55, seed=1)})
    apart = gain({0: outcome(0.48), 1: outcome(0.52, seed=1)}, {0: outcome(0.53), 1: outcome(0.57, seed=1)})
    assert two.high - two.low < one.high - one.low
    assert apart.high - apart.low > two.high - two.low
    assert gain({0: outcome(0.5)}, {1: outcome(0.6)}) is None
