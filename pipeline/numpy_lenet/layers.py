"""Layers with their forward and backward passes written out, the simplest first.

Each layer maps inputs to outputs, and the gradient of the loss by its outputs back to the gradient by its inputs:

    outputs = layer.forward(inputs, training)
    grad_inputs = layer.backward(grad_outputs)      # of the latest forward pass; fills layer.gradients

Images are (n, height, width, channels), features (n, features). A layer keeps the arrays that it returns and overwrites
them at its next call: copy what must last. It never writes into what it is given.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from pipeline.numpy_lenet.arrays import Array, batch_last, product
from pipeline.numpy_lenet.initializers import Initializer, glorot_uniform, he_normal

Shape = tuple[int, ...]
NOTHING = np.empty(0)


class Layer:
    """What all layers share: parameters, their gradients under the same names, and arrays kept between calls."""

    def __init__(self, **parameters: Array) -> None:
        self.parameters = parameters
        self.gradients = {name: np.zeros_like(value) for name, value in parameters.items()}
        # A network switches this off in its first layer, since nobody needs the gradient by the images.
        self.needs_grad_inputs = True
        self._kept: dict[str, Array] = {}

    def forward(self, inputs: Array, training: bool) -> Array:
        """Outputs, (n, *output_shape)."""
        raise NotImplementedError

    def backward(self, grad_outputs: Array) -> Array:
        """Gradient by the inputs, in their shape (nothing if not needed), from that by the outputs, in theirs."""
        raise NotImplementedError

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shapes without the batch axis. Raises ValueError for an input that the layer cannot take."""
        return input_shape

    def _keep(
        self, name: str, shape: Shape, dtype: DTypeLike, make: Callable[[Shape, DTypeLike], Array] = batch_last
    ) -> Array:
        """The kept array of this name: zeros when it is new, else as the previous call left it."""
        array = self._kept.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._kept[name] = make(shape, dtype)
        return array


class Dense(Layer):
    """outputs = inputs @ kernel + bias."""

    def __init__(
        self,
        features: int,
        units: int,
        *,
        rng: np.random.Generator,
        initializer: Initializer = glorot_uniform,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(kernel=initializer(rng, (features, units), dtype), bias=np.zeros(units, dtype))

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) -> (units,)."""
        features, units = self.parameters["kernel"].shape
        if input_shape != (features,):
            raise ValueError(f"the input has shape {input_shape}; this dense layer takes ({features},)")
        return (units,)

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, features) -> (n, units)."""
        kernel, bias = self.parameters["kernel"], self.parameters["bias"]
        self._inputs = inputs
        outputs = self._keep("outputs", (len(inputs), len(bias)), kernel.dtype)
        product(kernel.T, inputs.T, out=outputs.T)
        outputs += bias
        return outputs

    def backward(self, grad_outputs: Array) -> Array:
        """(n, units) -> (n, features)."""
        product(self._inputs.T, grad_outputs, out=self.gradients["kernel"])
        np.sum(grad_outputs, axis=0, out=self.gradients["bias"])
        if not self.needs_grad_inputs:
            return NOTHING
        grad_inputs = self._keep("grad_inputs", self._inputs.shape, grad_outputs.dtype)
        product(self.parameters["kernel"], grad_outputs.T, out=grad_inputs.T)
        return grad_inputs


class ReLU(Layer):
    """max(inputs, 0); the gradient at 0 is 0."""

    def forward(self, inputs: Array, training: bool) -> Array:
        """Any shape, and the same out."""
        self._outputs = self._keep("outputs", inputs.shape, inputs.dtype)
        return np.maximum(inputs, 0, out=self._outputs)

    def backward(self, grad_outputs: Array) -> Array:
        """Any shape, and the same out."""
        grad_inputs = self._keep("grad_inputs", grad_outputs.shape, grad_outputs.dtype)
        return np.multiply(grad_outputs, self._outputs > 0, out=grad_inputs)


class Tanh(Layer):
    """tanh(inputs). LeCun et al. 1998 stretch it to 1.7159 * tanh(2/3 * inputs)."""

    def forward(self, inputs: Array, training: bool) -> Array:
        """Any shape, and the same out."""
        self._outputs = self._keep("outputs", inputs.shape, inputs.dtype)
        return np.tanh(inputs, out=self._outputs)

    def backward(self, grad_outputs: Array) -> Array:
        """Any shape, and the same out. The derivative, 1 - tanh(inputs)**2, is a function of the output."""
        grad_inputs = self._keep("grad_inputs", grad_outputs.shape, grad_outputs.dtype)
        np.multiply(self._outputs, self._outputs, out=grad_inputs)
        np.subtract(1, grad_inputs, out=grad_inputs)
        return np.multiply(grad_outputs, grad_inputs, out=grad_inputs)


class Dropout(Layer):
    """While training sets each feature to 0 with probability `rate`, and divides the others by 1 - rate.

    The draws are a function of (seed, step), not of a running generator: training that continues at a step goes on the
    same. Who trains sets `step`. Two layers in one network need two seeds.
    """

    def __init__(self, rate: float, *, seed: int = 0) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"the dropout rate is {rate}; it must be at least 0 and less than 1")
        super().__init__()
        self.rate = rate
        self.seed = seed
        self.step = 0

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, ...) -> the same."""
        self._factors = self._draw(inputs) if training and self.rate else None
        if self._factors is None:
            return inputs
        return np.multiply(inputs, self._factors, out=self._keep("outputs", inputs.shape, inputs.dtype))

    def backward(self, grad_outputs: Array) -> Array:
        """(n, ...) -> the same."""
        if self._factors is None:
            return grad_outputs
        grad_inputs = self._keep("grad_inputs", grad_outputs.shape, grad_outputs.dtype)
        return np.multiply(grad_outputs, self._factors, out=grad_inputs)

    def _draw(self, inputs: Array) -> Array:
        """0 or 1 / (1 - rate) for each feature, in the shape of the inputs."""
        # Philox computes its numbers from a key and a counter (Salmon et al. 2011); a step has 2**64 counts to itself.
        rng = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, self.step, 0, 0]))
        return ((rng.random(inputs.shape) >= self.rate) / (1 - self.rate)).astype(inputs.dtype)


class Flatten(Layer):
    """Images as features, in the order (height, width, channels)."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (height * width * channels,)."""
        return (math.prod(input_shape),)

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, height, width, channels) -> (n, height * width * channels)."""
        self._shape = inputs.shape
        outputs = self._keep("outputs", (len(inputs), math.prod(inputs.shape[1:])), inputs.dtype)
        outputs.T.reshape(*inputs.shape[1:], len(inputs))[...] = inputs.transpose(1, 2, 3, 0)
        return outputs

    def backward(self, grad_outputs: Array) -> Array:
        """(n, height * width * channels) -> (n, height, width, channels)."""
        grad_inputs = self._keep("grad_inputs", self._shape, grad_outputs.dtype)
        grad_inputs.transpose(1, 2, 3, 0)[...] = grad_outputs.T.reshape(*self._shape[1:], self._shape[0])
        return grad_inputs


class Pool(Layer):
    """What both poolings share: one output for each size x size square, first over rows, then over columns.

    Rows and columns that fill no square are left out, as in Keras; their gradient is 0.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (height // size, width // size, channels)."""
        height, width, channels = input_shape
        if min(height, width) < self.size:
            raise ValueError(f"the images are {height}x{width}; pooling needs at least {self.size} pixels each way")
        return height // self.size, width // self.size, channels

    def _rows(self, images: Array) -> list[Array]:
        """The first row of every square, the second, ...: `size` views of (n, height // size, width, channels)."""
        end = images.shape[1] // self.size * self.size
        return [images[:, row : end : self.size] for row in range(self.size)]

    def _columns(self, images: Array) -> list[Array]:
        """The same for columns: `size` views of (n, rows, width // size, channels)."""
        end = images.shape[2] // self.size * self.size
        return [images[:, :, column : end : self.size] for column in range(self.size)]


class MaxPool(Pool):
    """The largest input of each square. On a tie the gradient goes to the first column, then to the first row."""

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, height, width, channels) -> (n, height // size, width // size, channels)."""
        n, _, width, channels = inputs.shape
        rows, columns, _ = self.output_shape(inputs.shape[1:])
        self._inputs = inputs
        self._by_rows = self._keep("by_rows", (n, rows, width, channels), inputs.dtype)
        self._outputs = self._keep("outputs", (n, rows, columns, channels), inputs.dtype)
        _largest(self._rows(inputs), out=self._by_rows)
        return _largest(self._columns(self._by_rows), out=self._outputs)

    def backward(self, grad_outputs: Array) -> Array:
        """(n, height // size, width // size, channels) -> (n, height, width, channels)."""
        grad_by_rows = self._keep("grad_by_rows", self._by_rows.shape, grad_outputs.dtype)
        grad_inputs = self._keep("grad_inputs", self._inputs.shape, grad_outputs.dtype)
        _to_largest(grad_outputs, self._columns(self._by_rows), self._outputs, self._columns(grad_by_rows))
        _to_largest(grad_by_rows, self._rows(self._inputs), self._by_rows, self._rows(grad_inputs))
        return grad_inputs


class AvgPool(Pool):
    """The mean of each square. LeCun et al. 1998 then scale and shift each map by two trained numbers."""

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, height, width, channels) -> (n, height // size, width // size, channels)."""
        n, _, width, channels = inputs.shape
        rows, columns, _ = self.output_shape(inputs.shape[1:])
        self._shape = inputs.shape
        by_rows = self._keep("by_rows", (n, rows, width, channels), inputs.dtype)
        outputs = self._keep("outputs", (n, rows, columns, channels), inputs.dtype)
        _total(self._rows(inputs), out=by_rows)
        _total(self._columns(by_rows), out=outputs)
        return np.divide(outputs, self.size**2, out=outputs)

    def backward(self, grad_outputs: Array) -> Array:
        """(n, height // size, width // size, channels) -> (n, height, width, channels)."""
        grad_inputs = self._keep("grad_inputs", self._shape, grad_outputs.dtype)
        for rows in self._rows(grad_inputs):
            for square in self._columns(rows):
                np.divide(grad_outputs, self.size**2, out=square)
        return grad_inputs


def _largest(views: list[Array], out: Array) -> Array:
    np.maximum(views[0], views[-1], out=out)
    for view in views[1:-1]:
        np.maximum(out, view, out=out)
    return out


def _total(views: list[Array], out: Array) -> None:
    out[...] = views[0]
    for view in views[1:]:
        out += view


def _to_largest(grads: Array, views: list[Array], largest: Array, grad_views: list[Array]) -> None:
    """Give each gradient to the first view that is the largest; what none of the others took is the last one's."""
    left = grads
    for view, grad_view in zip(views[:-1], grad_views[:-1], strict=True):
        np.multiply(left, view == largest, out=grad_view)
        left = np.subtract(left, grad_view, out=grad_views[-1])
    grad_views[-1][...] = left


class Conv2D(Layer):
    """Cross-correlation of images with square kernels, and a bias for each output channel.

        outputs[n, y, x, o] = bias[o] + sum_{i, j, c} padded[n, stride*y + i, stride*x + j, c] * kernel[i, j, c, o]

    The sum over (i, j, c) is a matrix product for each row y of the outputs. Images are unrolled along their width
    only: columns[h, j, c] holds, for all x and n, the pixels that column j of the kernel meets on row h. What output
    row y needs is then `size` neighbouring rows of that array, one under the other as they lie in memory: a view. For
    a 5x5 kernel that is a fifth of the copying, and of the memory, of unrolling both ways (im2col). The gradient by the
    inputs takes the same way back.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        size: int,
        *,
        stride: int = 1,
        padding: Literal["valid", "same"] = "valid",
        rng: np.random.Generator,
        initializer: Initializer = he_normal,
        dtype: DTypeLike = np.float32,
    ) -> None:
        """channels: of the input. filters: channels of the output. size: height and width of the kernel.

        "same" pads with zeros to ceil(length / stride) outputs; an odd row or column goes below or right, as in Keras.
        """
        if padding not in ("valid", "same"):
            raise ValueError(f"padding is {padding!r}; it must be 'valid' or 'same'")
        super().__init__(kernel=initializer(rng, (size, size, channels, filters), dtype), bias=np.zeros(filters, dtype))
        self.size = size
        self.stride = stride
        self.padding = padding

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (rows, columns, filters)."""
        height, width, channels = input_shape
        expected, filters = self.parameters["kernel"].shape[2:]
        if channels != expected:
            raise ValueError(f"the images have {channels} channels; this convolution takes {expected}")
        if self.padding == "valid" and min(height, width) < self.size:
            raise ValueError(f"the images are {height}x{width}; the kernel needs at least {self.size} pixels each way")
        return self._axis(height).outputs, self._axis(width).outputs, filters

    def forward(self, inputs: Array, training: bool) -> Array:
        """(n, height, width, channels) -> (n, rows, columns, filters)."""
        n, height, width, _ = inputs.shape
        rows, columns, filters = self.output_shape(inputs.shape[1:])
        self._vertical, self._horizontal = self._axis(height), self._axis(width)
        self._patches = self._unroll(self._pad(inputs))

        kernel = self.parameters["kernel"].reshape(-1, filters)
        outputs = self._keep("outputs", (rows, filters, columns * n), kernel.dtype, np.zeros)
        product(kernel.T, self._patches, out=outputs)
        outputs += self.parameters["bias"][:, None]
        return outputs.reshape(rows, filters, columns, n).transpose(3, 0, 2, 1)

    def backward(self, grad_outputs: Array) -> Array:
        """(n, rows, columns, filters) -> (n, height, width, channels)."""
        _, rows, _, filters = grad_outputs.shape
        spread = self._spread(grad_outputs)
        grads = spread[self.size - 1 :: self.stride][:rows]  # (rows, filters, columns * n)

        by_row = self._keep("by_row", (rows, self._patches.shape[1], filters), grads.dtype, np.zeros)
        product(self._patches, grads.transpose(0, 2, 1), out=by_row)
        np.sum(by_row, axis=0, out=self.gradients["kernel"].reshape(-1, filters))
        np.einsum("rfp->f", grads, out=self.gradients["bias"])
        return self._backward_inputs(spread) if self.needs_grad_inputs else NOTHING

    def _backward_inputs(self, spread: Array) -> Array:
        """Gradient by the inputs, (n, height, width, channels).

        Row h of the inputs reached row y of the outputs through row i = h - stride*y of the kernel. So it gets back
        from `size` neighbouring rows of `spread`, and the rows of the kernel run backwards.
        """
        size, _, channels, filters = self.parameters["kernel"].shape
        height, width = self._vertical.reach, self._horizontal.outputs
        flipped = self.parameters["kernel"][::-1].transpose(1, 2, 0, 3).reshape(size * channels, size * filters)
        grad_columns = self._keep("grad_columns", (height, size * channels, spread.shape[2]), spread.dtype, np.zeros)
        product(flipped, _neighbouring_rows(spread, size, step=1, count=height), out=grad_columns)
        return self._roll_up(grad_columns.reshape(height, size, channels, width, -1))

    def _pad(self, inputs: Array) -> Array:
        """(n, height, width, channels) -> (padded height, channels, padded width, n)."""
        images = inputs.transpose(1, 3, 2, 0)
        shape = (self._vertical.padded, images.shape[1], self._horizontal.padded, images.shape[3])
        if shape == images.shape and images.flags.c_contiguous:
            return images
        padded = self._keep("padded", shape, self.parameters["kernel"].dtype, np.zeros)
        inside = padded[self._vertical.inside, :, self._horizontal.inside]
        # The same pixel of many images, usually a multiple of 4 KiB apart, does not fit the first cache.
        for first in range(0, shape[3], 16):
            inside[..., first : first + 16] = images[..., first : first + 16]
        return padded

    def _unroll(self, padded: Array) -> Array:
        """(padded height, channels, padded width, n) -> patches, (rows, size * size * channels, columns * n)."""
        _, channels, _, n = padded.shape
        height, width = self._vertical.reach, self._horizontal.outputs
        shape = (height, self.size, channels, width, n)
        columns = self._keep("columns", shape, self.parameters["kernel"].dtype, np.zeros)
        row, channel, pixel, image = padded.strides
        columns[...] = as_strided(
            padded, columns.shape, (row, pixel, channel, self.stride * pixel, image), writeable=False
        )
        flat = columns.reshape(height, self.size * channels, width * n)
        return _neighbouring_rows(flat, self.size, step=self.stride, count=self._vertical.outputs)

    def _roll_up(self, grad_columns: Array) -> Array:
        """(reach, size, channels, columns, n) -> (n, height, width, channels): `_unroll` and `_pad` in reverse."""
        height, size, channels, width, n = grad_columns.shape
        shape = (self._vertical.padded, channels, self._horizontal.padded, n)
        grad_padded = self._keep("grad_padded", shape, grad_columns.dtype, np.zeros)
        grad_padded.fill(0)
        for j in range(size):
            grad_padded[:height, :, j : j + self.stride * width : self.stride] += grad_columns[:, j]
        return grad_padded[self._vertical.inside, :, self._horizontal.inside].transpose(3, 0, 2, 1)

    def _spread(self, grad_outputs: Array) -> Array:
        """(n, rows, columns, filters) -> (reach + size - 1, filters, columns * n).

        Rows stand `stride` apart, as the kernel stood on the inputs, with zeros between them and size - 1 around.
        """
        n, rows, columns, filters = grad_outputs.shape
        height = self._vertical.reach + self.size - 1
        spread = self._keep("spread", (height, filters, columns, n), grad_outputs.dtype, np.zeros)
        spread[self.size - 1 :: self.stride][:rows] = grad_outputs.transpose(1, 3, 2, 0)
        return spread.reshape(height, filters, columns * n)

    def _axis(self, length: int) -> "_Axis":
        """How the kernel moves along one axis of `length` pixels."""
        if self.padding == "valid":
            outputs = (length - self.size) // self.stride + 1
        else:
            outputs = math.ceil(length / self.stride)
        reach = (outputs - 1) * self.stride + self.size
        before = max(reach - length, 0) // 2 if self.padding == "same" else 0
        return _Axis(outputs, reach, max(reach, before + length), slice(before, before + length))


class _Axis(NamedTuple):
    """One axis of a convolution, in pixels."""

    outputs: int  # positions of the kernel
    reach: int  # from the first pixel under the kernel at its first position to the last one at its last
    padded: int  # images with zeros around, and with pixels beyond the reach, if the stride leaves some out
    inside: slice  # where the image lies in that


def _neighbouring_rows(array: Array, size: int, step: int, count: int) -> Array:
    """`size` rows under each other, from every `step`-th one on: (h, m, k) -> (count, size * m, k), a view.

    The results overlap: for reading only.
    """
    _, m, k = array.shape
    row, line, item = array.strides
    return as_strided(array, (count, size * m, k), (step * row, line, item), writeable=False)
