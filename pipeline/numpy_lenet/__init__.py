"""Convolutional networks written out by hand: NumPy and the standard library, nothing else.

Read in this order: `layers` (and `arrays`, for how they are fast), `losses`, `initializers`, `optimizers`, `network`,
then `lenet5` and `two_layer`. Images are (n, height, width, channels), kernels (height, width, in, out) or, of dense
layers, (in, out): all as in Keras.
"""
