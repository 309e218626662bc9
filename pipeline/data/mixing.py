"""Training images made of two, with the targets of both."""

import numpy as np

from pipeline.data.batches import Batch, Mix


def cutmix(share: float, count: int, seed: int, epoch: int) -> Mix:
    """CutMix (Yun et al. 2019) for one epoch over `count` images.

    A `share` of the images gets a square of another one of its batch, of an area that is uniform from nothing to all,
    and so much of its target. Like augmentation, the draws are a function of (seed, epoch, image index).
    """
    if not share:
        return lambda batch, indices: batch
    rng = np.random.default_rng((seed, epoch, 2))
    areas = np.where(rng.random(count) < share, rng.random(count), 0.0)
    places, partners = rng.random((count, 2)), rng.random(count)

    def mix(batch: Batch, indices: np.ndarray) -> Batch:
        size, n = batch.images.shape[1], len(indices)
        sides = np.round(size * np.sqrt(areas[indices])).astype(int)
        corners = (places[indices] * (size - sides + 1)[:, None]).astype(int)
        partner = (np.arange(n) + 1 + (partners[indices] * (n - 1)).astype(int)) % n
        images = batch.images.copy()
        for position in np.flatnonzero(sides):
            top, left = corners[position]
            box = slice(top, top + sides[position]), slice(left, left + sides[position])
            images[position][box] = batch.images[partner[position]][box]
        theirs = ((sides / size) ** 2).astype(np.float32) * batch.weights[partner]
        own = (1 - (sides / size) ** 2).astype(np.float32) * batch.weights
        weights = own + theirs
        targets = own[:, None] * batch.targets + theirs[:, None] * batch.targets[partner]
        return Batch(images, targets / weights[:, None], weights)

    return mix
