"""The few lines of Python that run an export without this project."""

from types import ModuleType

# What `data.decoding` does to an upright opaque image in sRGB.
PREPARED = {
    "stretch": "image.resize((size, size), Image.Resampling.BILINEAR)",
    "crop": "ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)",
    "pad": "ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR)",
}
SAMPLE = '''\
"""Say what an image file shows: python THIS_FILE IMAGE. It needs: pip install {packages}."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

{run_import}

model = str(Path(__file__).with_suffix(""))  # the export lies beside this file
facts = json.loads(Path(model + ".json").read_text(encoding="utf-8"))
size = facts["image_size"]
image = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
image = {prepared}
images = np.asarray(image)[None]  # (1, size, size, 3) uint8
{run}
for label in np.argsort(-probabilities, kind="stable")[:5]:
    print(f"{{probabilities[label]:.4f}} {{facts['class_names'][label]}}")
'''


def sample_of(export_format: ModuleType, resize: str) -> str:
    """The text of a program that runs an export, beside which it is to lie as NAME.py."""
    return SAMPLE.format(
        packages=" ".join(("numpy", "pillow", *export_format.PACKAGES)),
        prepared=PREPARED[resize],
        run_import=export_format.SAMPLE_IMPORT,
        run=export_format.SAMPLE.rstrip(),
    )
