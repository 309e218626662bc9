import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.numpy_lenet import arrays
from pipeline.numpy_lenet.arrays import batch_last, product

lengths = st.integers(1, 9)


@given(
    stack=st.lists(st.integers(1, 3), max_size=1),
    m=lengths,
    k=st.integers(1, 60),
    n=lengths,
    limit=st.integers(17, 200),
)
@settings(max_examples=100, deadline=None)
def test_product_in_pieces_is_the_product(stack, m, k, n, limit):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(*stack, m, k)), rng.normal(size=(*stack, k, n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "ONE_CORE_PRODUCT", limit)
        out = product(left, right, out=np.empty((*stack, m, n)))
    np.testing.assert_allclose(out, left @ right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("m", "k", "n"), [(400, 40, 120), (120, 3072, 32), (6, 75, 3584), (1, 2**20, 1)])
def test_no_piece_is_larger_than_one_core_computes(monkeypatch, m, k, n):
    sizes = []

    def matmul(left, right, out):
        sizes.append(left.shape[-2] * left.shape[-1] * right.shape[-1])
        out[...] = left @ right

    monkeypatch.setattr(arrays.np, "matmul", matmul)
    product(np.ones((m, k)), np.ones((k, n)), out=np.empty((m, n)))
    assert sum(sizes) == m * k * n
    assert arrays.ONE_CORE_PRODUCT / 4 < max(sizes) < arrays.ONE_CORE_PRODUCT


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 6, 3), (1, 1, 1, 1)])
def test_batch_last(shape):
    array = batch_last(shape, np.float32)
    assert array.shape == shape
    assert array.strides[0] == array.itemsize
    np.testing.assert_array_equal(array, 0)
