"""Banding finds what a comparison of all with all finds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.quality.neighbours import close_pairs


def found(hashes, distance):
    blocks = [np.stack(block, axis=1) for block in close_pairs(hashes, distance)]
    rows = np.concatenate([np.empty((0, 3), np.int64), *blocks])
    return [(min(one, two), max(one, two), bits) for one, two, bits in rows.tolist()]


def compared(hashes, distance):
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None])
    return [
        (one, two, int(bits[one, two]))
        for one in range(len(hashes))
        for two in range(one + 1, len(hashes))
        if bits[one, two] <= distance
    ]


numbers = st.integers(0, 2**64 - 1)
# Most pairs of random numbers are far apart: some are made from others by changing a few bits.
changed = st.tuples(numbers, st.lists(st.integers(0, 63), max_size=10)).map(
    lambda both: [both[0], both[0] ^ sum(1 << bit for bit in set(both[1]))]
)
several = st.lists(changed, max_size=15).map(lambda pairs: np.unique(np.array(pairs, np.uint64)))


@settings(max_examples=200)
@given(several, st.integers(0, 12))
def test_banding_finds_each_close_pair_once(hashes, distance):
    assert sorted(found(hashes, distance)) == compared(hashes, distance)


def test_all_hashes_may_be_close_to_each_other():
    hashes = np.arange(256, dtype=np.uint64)
    assert sorted(found(hashes, 8)) == compared(hashes, 8)
