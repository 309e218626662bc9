import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.data.decoding import decode
from pipeline.export.sample import PREPARED


@pytest.mark.parametrize("shape", [(40, 23), (23, 40), (9, 9)])
@pytest.mark.parametrize("resize", PREPARED)
def test_a_sample_prepares_an_image_as_a_training_does(resize, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    names = {"image": Image.fromarray(pixels), "size": 16, "Image": Image, "ImageOps": ImageOps}
    prepared = np.asarray(eval(PREPARED[resize], names))
    np.testing.assert_array_equal(prepared, decode(file.getvalue(), 16, resize))
