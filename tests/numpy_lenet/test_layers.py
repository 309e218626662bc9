import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from pipeline.numpy_lenet.layers import AvgPool, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, ReLU, Tanh

from .central_differences import assert_same_gradient, central_differences, without_ties

seeds = st.integers(0, 2**32 - 1)
image_shapes = array_shapes(min_dims=4, max_dims=4, min_side=1, max_side=6)


@st.composite
def convolutions(draw):
    """A convolution in float64 and images that it takes, down to one image, one channel, one output pixel."""
    rng = np.random.default_rng(draw(seeds))
    n, channels, filters = (draw(st.integers(1, 3)) for _ in range(3))
    size, stride = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    padding = draw(st.sampled_from(["valid", "same"]))
    smallest = size if padding == "valid" else 1
    height, width = (draw(st.integers(smallest, 7)) for _ in range(2))
    layer = Conv2D(channels, filters, size, stride=stride, padding=padding, rng=rng, dtype=np.float64)
    layer.parameters["bias"][...] = rng.normal(size=filters)
    return layer, rng.normal(size=(n, height, width, channels))


def assert_backward_is_the_derivative(layer: Layer, inputs: np.ndarray, training: bool = True) -> None:
    """The gradients of sum(outputs * fixed factors) by inputs and parameters are those of central differences."""
    factors = np.random.default_rng(1).normal(size=layer.forward(inputs, training).shape)

    def loss() -> float:
        return float((layer.forward(inputs, training) * factors).sum())

    expected = {name: central_differences(loss, value) for name, value in layer.parameters.items()}
    expected_inputs = central_differences(loss, inputs)
    layer.forward(inputs, training)
    assert_same_gradient(layer.backward(factors), expected_inputs)
    assert layer.gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        assert_same_gradient(layer.gradients[name], gradient)


def naive_convolution(layer: Conv2D, inputs: np.ndarray) -> np.ndarray:
    """The definition, written as loops over images, rows, columns and filters; padding as Keras documents it."""
    kernel, bias = layer.parameters["kernel"], layer.parameters["bias"]
    size, stride = len(kernel), layer.stride
    if layer.padding == "same":
        lacking = [max((-(-length // stride) - 1) * stride + size - length, 0) for length in inputs.shape[1:3]]
        around = [(total // 2, total - total // 2) for total in lacking]
        inputs = np.pad(inputs, ((0, 0), *around, (0, 0)))
    n, height, width, _ = inputs.shape
    outputs = np.zeros((n, (height - size) // stride + 1, (width - size) // stride + 1, kernel.shape[3]))
    for image, y, x, o in np.ndindex(outputs.shape):
        patch = inputs[image, y * stride : y * stride + size, x * stride : x * stride + size]
        outputs[image, y, x, o] = (patch * kernel[..., o]).sum() + bias[o]
    return outputs


class TestConv2D:
    @given(convolutions())
    @settings(max_examples=150, deadline=None)
    def test_forward_is_the_definition(self, case):
        layer, inputs = case
        outputs = layer.forward(inputs, training=True)
        assert outputs.shape == (len(inputs), *layer.output_shape(inputs.shape[1:]))
        np.testing.assert_allclose(outputs, naive_convolution(layer, inputs), rtol=1e-12, atol=1e-12)

    @given(convolutions())
    @settings(max_examples=80, deadline=None)
    def test_gradients(self, case):
        assert_backward_is_the_derivative(*case)

    @given(convolutions(), st.lists(st.integers(1, 4), min_size=1, max_size=3), seeds)
    @settings(max_examples=40, deadline=None)
    def test_kept_arrays_leave_no_trace(self, case, batch_sizes, seed):
        layer, inputs = case
        fresh = copy.deepcopy(layer)
        rng = np.random.default_rng(seed)
        for n in batch_sizes:
            outputs = layer.forward(rng.normal(size=(n, *inputs.shape[1:])), training=True)
            layer.backward(rng.normal(size=outputs.shape))
        outputs = layer.forward(inputs, True)
        grads = np.ones(outputs.shape)
        np.testing.assert_array_equal(outputs, fresh.forward(inputs, True))
        np.testing.assert_array_equal(layer.backward(grads), fresh.backward(grads))
        np.testing.assert_array_equal(layer.gradients["kernel"], fresh.gradients["kernel"])

    def test_memory_order_of_the_images_does_not_matter(self):
        layer = Conv2D(3, 4, 3, rng=np.random.default_rng(0), dtype=np.float64)
        images = np.random.default_rng(1).normal(size=(5, 8, 9, 3))
        expected = layer.forward(images, True).copy()
        for order in ((3, 0, 1, 2), (1, 3, 2, 0), (2, 1, 0, 3)):
            reordered = np.ascontiguousarray(images.transpose(order)).transpose(np.argsort(order))
            np.testing.assert_array_equal(layer.forward(reordered, True), expected)

    @pytest.mark.parametrize(
        ("input_shape", "message"), [((4, 9, 3), "4x9.*at least 5"), ((8, 8, 2), "2 channels.*takes 3")]
    )
    def test_refuses_images_it_cannot_take(self, input_shape, message):
        layer = Conv2D(3, 4, 5, rng=np.random.default_rng(0))
        with pytest.raises(ValueError, match=message):
            layer.output_shape(input_shape)

    def test_refuses_an_unknown_padding(self):
        with pytest.raises(ValueError, match=r"'full'.*'valid' or 'same'"):
            Conv2D(3, 4, 5, padding="full", rng=np.random.default_rng(0))


class TestPool:
    @pytest.mark.parametrize(("layer", "function"), [(MaxPool, np.max), (AvgPool, np.mean)])
    @given(shape=image_shapes, size=st.integers(1, 4), seed=seeds)
    @settings(max_examples=60, deadline=None)
    def test_forward_is_the_definition(self, layer, function, shape, size, seed):
        inputs = np.random.default_rng(seed).normal(size=shape)
        if min(shape[1:3]) < size:
            with pytest.raises(ValueError, match="at least"):
                layer(size).output_shape(shape[1:])
            return
        outputs = layer(size).forward(inputs, training=True)
        assert outputs.shape == (shape[0], shape[1] // size, shape[2] // size, shape[3])
        for image, y, x, c in np.ndindex(outputs.shape):
            square = inputs[image, y * size : (y + 1) * size, x * size : (x + 1) * size, c]
            assert outputs[image, y, x, c] == pytest.approx(function(square), rel=1e-12, abs=1e-12)

    @pytest.mark.parametrize("layer", [MaxPool, AvgPool])
    @given(shape=image_shapes, size=st.integers(1, 4), seed=seeds)
    @settings(max_examples=50, deadline=None)
    def test_gradients(self, layer, shape, size, seed):
        shape = (shape[0], max(shape[1], size), max(shape[2], size), shape[3])
        assert_backward_is_the_derivative(layer(size), without_ties(np.random.default_rng(seed), shape))

    @given(shape=image_shapes, size=st.integers(1, 3), seed=seeds)
    @settings(max_examples=50, deadline=None)
    def test_a_tie_gives_its_gradient_to_one_pixel(self, shape, size, seed):
        shape = (shape[0], max(shape[1], size), max(shape[2], size), shape[3])
        rng = np.random.default_rng(seed)
        inputs = rng.integers(0, 2, shape).astype(float)
        layer = MaxPool(size)
        outputs = layer.forward(inputs, training=True)
        grads = rng.normal(size=outputs.shape)
        grad_inputs = layer.backward(grads)
        for image, y, x, c in np.ndindex(outputs.shape):
            square = np.s_[image, y * size : (y + 1) * size, x * size : (x + 1) * size, c]
            taken = grad_inputs[square] != 0
            assert taken.sum() == 1
            assert inputs[square][taken] == outputs[image, y, x, c]
            assert grad_inputs[square][taken] == grads[image, y, x, c]


class TestDense:
    @given(n=st.integers(1, 4), features=st.integers(1, 6), units=st.integers(1, 5), seed=seeds)
    @settings(max_examples=50, deadline=None)
    def test_forward_and_gradients(self, n, features, units, seed):
        rng = np.random.default_rng(seed)
        layer = Dense(features, units, rng=rng, dtype=np.float64)
        layer.parameters["bias"][...] = rng.normal(size=units)
        inputs = rng.normal(size=(n, features))
        expected = inputs @ layer.parameters["kernel"] + layer.parameters["bias"]
        np.testing.assert_allclose(layer.forward(inputs, True), expected, rtol=1e-12, atol=1e-12)
        assert_backward_is_the_derivative(layer, inputs)

    def test_refuses_another_number_of_features(self):
        with pytest.raises(ValueError, match=r"\(5,\).*\(4,\)"):
            Dense(4, 2, rng=np.random.default_rng(0)).output_shape((5,))


class TestElementwise:
    @pytest.mark.parametrize(("layer", "function"), [(ReLU, lambda x: x * (x > 0)), (Tanh, np.tanh)])
    @given(shape=array_shapes(min_dims=2, max_dims=4, max_side=5), seed=seeds)
    @settings(max_examples=40, deadline=None)
    def test_forward_and_gradients(self, layer, function, shape, seed):
        inputs = without_ties(np.random.default_rng(seed), shape)
        np.testing.assert_allclose(layer().forward(inputs, True), function(inputs), rtol=1e-14)
        assert_backward_is_the_derivative(layer(), inputs)

    def test_relu_has_no_gradient_at_zero(self):
        layer = ReLU()
        layer.forward(np.array([[-1.0, 0.0, 2.0]]), True)
        np.testing.assert_array_equal(layer.backward(np.array([[5.0, 5.0, 5.0]])), [[0, 0, 5]])

    @given(shape=image_shapes, seed=seeds)
    @settings(max_examples=40, deadline=None)
    def test_flatten_is_a_reshape(self, shape, seed):
        inputs = np.random.default_rng(seed).normal(size=shape)
        layer = Flatten()
        outputs = layer.forward(inputs, True)
        np.testing.assert_array_equal(outputs, inputs.reshape(shape[0], -1))
        np.testing.assert_array_equal(layer.backward(inputs.reshape(shape[0], -1)), inputs)


class TestDropout:
    @given(
        shape=array_shapes(min_dims=2, max_dims=4, max_side=5), rate=st.sampled_from([0, 0.25, 0.5, 0.9]), seed=seeds
    )
    @settings(max_examples=40, deadline=None)
    def test_gradients(self, shape, rate, seed):
        inputs = np.random.default_rng(seed).normal(size=shape)
        assert_backward_is_the_derivative(Dropout(rate, seed=seed), inputs, training=True)
        assert_backward_is_the_derivative(Dropout(rate, seed=seed), inputs, training=False)

    def test_does_nothing_when_not_training(self):
        inputs = np.random.default_rng(0).normal(size=(4, 7))
        np.testing.assert_array_equal(Dropout(0.5).forward(inputs, training=False), inputs)

    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
    def test_drops_its_rate_and_keeps_the_mean(self, rate):
        outputs = Dropout(rate, seed=3).forward(np.ones((500, 85)), training=True)
        kept = outputs[outputs != 0]
        np.testing.assert_allclose(kept, 1 / (1 - rate))
        deviation = (rate * (1 - rate) / outputs.size) ** 0.5
        assert (outputs == 0).mean() == pytest.approx(rate, abs=5 * deviation)

    def test_seeds_steps_and_images_draw_differently(self):
        def draw(seed: int, step: int) -> np.ndarray:
            layer = Dropout(0.5, seed=seed)
            layer.step = step
            return layer.forward(np.ones((2, 64)), training=True).copy()

        draws = np.concatenate([draw(seed, step) for seed in (0, 1) for step in (0, 1, 2)])
        assert len(np.unique(draws, axis=0)) == len(draws)
        np.testing.assert_array_equal(draw(1, 2), draw(1, 2))

    @pytest.mark.parametrize("rate", [-0.1, 1, 1.5])
    def test_refuses_an_impossible_rate(self, rate):
        with pytest.raises(ValueError, match=f"{rate}.*at least 0 and less than 1"):
            Dropout(rate)


@pytest.mark.parametrize(
    "layer",
    [
        Conv2D(2, 3, 3, padding="same", rng=np.random.default_rng(0), dtype=np.float64),
        Conv2D(2, 3, 1, rng=np.random.default_rng(0), dtype=np.float64),
        MaxPool(),
        AvgPool(),
        ReLU(),
        Tanh(),
        Flatten(),
        Dropout(0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("order", ["C", "batch last"])
def test_no_layer_writes_into_what_it_is_given(layer, order):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 6, 6, 2))
    if order == "batch last":
        images = np.ascontiguousarray(images.transpose(1, 3, 2, 0)).transpose(3, 0, 2, 1)
    images.flags.writeable = False
    grads = rng.normal(size=layer.forward(images, training=True).shape)
    grads.flags.writeable = False
    layer.backward(grads)
