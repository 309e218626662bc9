"""How arrays lie in memory here, and the matrix product that every layer uses.

Between layers an array is (n, height, width, channels) or (n, features) to whoever indexes it, but its memory is
ordered (height, channels, width, n) or (features, n): the batch runs innermost. Shifting an image by a pixel, pooling,
and unrolling for a convolution are then copies of long contiguous runs, whatever the number of channels.
Every layer takes any memory order; this one is fast.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

# From this many multiplications on OpenBLAS divides a product between threads. LeNet's take less than a millisecond,
# and where another process has one of the cores, each of them waits for the scheduler: up to 6 ms (measured).
ONE_CORE_PRODUCT = 2**19


def batch_last(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros of `shape`, (n, height, width, channels) or (n, ...), with the batch innermost in memory."""
    if len(shape) == 4:
        n, height, width, channels = shape
        return np.zeros((height, channels, width, n), dtype).transpose(3, 0, 2, 1)
    n, *rest = shape
    return np.moveaxis(np.zeros((*rest, n), dtype), -1, 0)


def product(left: Array, right: Array, out: Array) -> Array:
    """Matrix product left @ right, in pieces that BLAS computes on the calling thread.

    The longer side of the result is cut in two, and so on; the sum only where it is far longer, since its halves have
    to be added. left: (..., m, k). right: (..., k, n). out: (..., m, n), overwritten and returned.
    """
    rows, inner = left.shape[-2:]
    columns = right.shape[-1]
    if rows * inner * columns < ONE_CORE_PRODUCT:
        np.matmul(left, right, out=out)
    elif inner > 16 * max(rows, columns):
        half = inner // 2
        product(left[..., :half], right[..., :half, :], out)
        out += product(left[..., half:], right[..., half:, :], np.empty_like(out))
    elif rows > columns:
        half = rows // 2
        product(left[..., :half, :], right, out[..., :half, :])
        product(left[..., half:, :], right, out[..., half:, :])
    else:
        half = columns // 2
        product(left, right[..., :half], out[..., :half])
        product(left, right[..., half:], out[..., half:])
    return out
