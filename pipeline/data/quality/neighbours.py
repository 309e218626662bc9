"""Which hashes differ in a few bits alone."""

import itertools
from collections.abc import Iterator

import numpy as np

BITS = 64


def close_pairs(hashes: np.ndarray, distance: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The pairs of hashes that differ in at most `distance` bits, each once, some at a time.

    hashes: (n,) uint64, all different. Gives the numbers of the first and of the second of each pair, and in how many
    bits they differ. Of distance + 1 bands of the bits, at least one is the same in such a pair: only hashes that share
    a band are compared.
    """
    masks = _bands(distance + 1)
    for number, mask in enumerate(masks):
        order = np.argsort(hashes & mask, kind="stable")
        for first, second in _within_runs(order, (hashes & mask)[order]):
            differing = hashes[first] ^ hashes[second]
            bits = np.bitwise_count(differing)
            # A pair that shares an earlier band has been given there.
            new = bits <= distance
            for earlier in masks[:number]:
                new &= (differing & earlier) != 0
            if new.any():
                yield first[new], second[new], bits[new].astype(np.int64)


def _bands(count: int) -> list[np.uint64]:
    """Masks of `count` bands of neighbouring bits that make up all of them."""
    bounds = [BITS * number // count for number in range(count + 1)]
    return [np.uint64((1 << high) - (1 << low)) for low, high in itertools.pairwise(bounds)]


def _within_runs(order: np.ndarray, keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of numbers in `order` whose keys are equal. keys: sorted, in the same order."""
    begins = np.arange(len(keys))
    for step in range(1, len(keys)):
        # Whoever has no equal `step` places on has none further on.
        begins = begins[begins < len(keys) - step]
        begins = begins[keys[begins] == keys[begins + step]]
        if not len(begins):
            return
        yield order[begins], order[begins + step]
