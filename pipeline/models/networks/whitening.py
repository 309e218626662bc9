"""A first layer that sees each direction of image patches at the same strength."""

import numpy as np

from pipeline.models.networks.quiet_keras import keras

# Added to the eigenvalues (of standardised pixels), so that directions with next to nothing in them stay small.
NOISE = 1e-2
# Neighbouring patches say much the same. No power of two: a grid in the images (JPEG's blocks of 8) is met everywhere.
PATCH_STRIDE = 5


class Whitening(keras.layers.Conv2D):
    """A fixed convolution whose filters are the whitened principal directions of image patches, each with both signs.

    Neighbouring pixels say much the same, so that a network drawn at random first has to find the little in which they
    differ; here each direction begins with variance 1 (Coates and Ng 2011; as a network's first layer: Page 2018).
    `adapt` sets the filters, the strongest directions first; without it they are what the initialiser drew.
    filters: even, at most twice the numbers in a patch.
    """

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, **arguments):
        arguments = {"padding": "same", "use_bias": False, "trainable": False} | arguments
        super().__init__(filters, kernel_size, strides, **arguments)

    def adapt(self, images: np.ndarray) -> None:
        """Fit the filters to images (n, height, width, channels), standardised as the layer will see them."""
        size = self.kernel_size
        windows = np.lib.stride_tricks.sliding_window_view(images, size, axis=(1, 2))
        windows = windows[:, ::PATCH_STRIDE, ::PATCH_STRIDE].transpose(0, 1, 2, 4, 5, 3)
        patches = windows.reshape(-1, np.prod(windows.shape[3:]))
        variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
        strongest = np.argsort(variances)[::-1][: self.filters // 2]
        whitened = directions[:, strongest] / np.sqrt(variances[strongest] + NOISE)
        filters = np.concatenate([whitened, -whitened], axis=1)
        self.set_weights([filters.reshape(*size, images.shape[-1], self.filters)])

    def as_keras_layer(self) -> keras.layers.Conv2D:
        """The plain Keras layer of the same configuration, without its weights."""
        return keras.layers.Conv2D.from_config(self.get_config())
