"""Softmax and its cross-entropy."""

import numpy as np

from pipeline.numpy_lenet.arrays import Array


def softmax(logits: Array) -> Array:
    """Probabilities of shape (n, classes) from logits of the same shape; each row sums to 1."""
    # The largest logit of a row becomes 0: the result is the same and exp cannot overflow.
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_cross_entropy(logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Mean loss over the batch, and its gradient with respect to the logits.

        loss = 1/n * sum_i w_i * -sum_k t_ik * log softmax(z_i)_k
        dloss/dz_ik = w_i / n * (softmax(z_i)_k - t_ik)

    logits: (n, classes). targets: (n, classes), one-hot or soft; each row sums to 1. weights: (n,), one factor an
    image; the sum is divided by n, not by the sum of the weights, as in Keras. Returns a float and (n, classes).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1, keepdims=True)
    losses = np.log(totals) - (targets * shifted).sum(axis=1, keepdims=True)
    gradients = exponentials / totals - targets

    if weights is not None:
        losses = losses * weights[:, None]
        gradients = gradients * weights[:, None]
    return float(losses.mean()), (gradients / len(logits)).astype(logits.dtype, copy=False)
