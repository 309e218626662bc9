"""`glyphs`, the built-in images: 50 characters, drawn by a seed in the fonts that matplotlib ships.

They are posed, coloured and cluttered at random: made in seconds, with nothing downloaded, and hard enough to tell
networks apart.
"""

import functools
import hashlib
import io
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import PIL
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

from pipeline.config import PreprocessConfig
from pipeline.data.source import SPLITS, Source

SIZE = 64
IMAGES_A_CLASS = {"train": 240, "val": 50, "test": 50}

# No two of these look alike in any size, case or font used here: no 0 beside O, no 1 beside l or I, no c beside C.
CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ" + "23456789" + "adefhimnrt" + "&@#%?$ΩΨ"

FONTS = [
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
]
FONT_SIZE = 96  # pixels, before a glyph is scaled to its height in the image
GLYPH_HEIGHTS = (30, 56)  # pixels
MAX_ROTATION = np.deg2rad(20)
MAX_SHEAR = 0.25  # pixels sideways a pixel upwards
# The ink is always the darker colour: with either polarity the resnet had learned nothing after eight epochs.
MIN_CONTRAST = 60  # of brightness, 0 to 255
BRIGHTNESS = np.array([0.299, 0.587, 0.114])  # of red, green and blue (ITU-R BT.601)


def accepts(data: str) -> bool:
    """Whether `data` names this source."""
    return data == "glyphs"


def open_source(config: PreprocessConfig) -> Source:
    """The glyphs of `config.data_seed`."""
    table = pd.DataFrame(
        [
            (f"{split}/{ord(character):04x}-{number:03d}", label, split)
            for split in SPLITS
            for number in range(IMAGES_A_CLASS[split])
            for label, character in enumerate(CHARACTERS)
        ],
        columns=["path", "label", "split"],
    )
    return Source(
        class_names=list(CHARACTERS),
        table=table,
        read=functools.partial(draw_png, config.data_seed),
        where=_where,
        content_digests=functools.partial(_content_digests, config.data_seed),
        mirrorable=False,
        digests_are_of_bytes=False,
    )


def _where(path: str) -> str:
    return f"the glyph {path}"


def _content_digests(seed: int, paths: list[str]) -> list[str]:
    """One digest an image from all that decides what is drawn, without drawing it."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    versions = f"{code} {np.__version__} {PIL.__version__} {features.version('freetype2')} {matplotlib.__version__}"
    return [hashlib.sha256(f"{versions} {seed} {path}".encode()).hexdigest() for path in paths]


def draw_png(seed: int, path: str) -> bytes:
    """The image that `path` names, as the bytes of a PNG file."""
    split, name = path.split("/")
    code, number = name.split("-")
    character = chr(int(code, 16))
    rng = np.random.default_rng((seed, SPLITS.index(split), int(code, 16), int(number)))
    content = io.BytesIO()
    Image.fromarray(_draw(character, rng)).save(content, format="png", compress_level=1)
    return content.getvalue()


def _draw(character: str, rng: np.random.Generator) -> np.ndarray:
    ground, ink = _contrasting_colours(rng)
    canvas = _cluttered(_gradient(ground, rng), ink, rng)
    mask = _posed_glyph(character, rng)
    ink_layer = Image.fromarray(_gradient(ink, rng))
    canvas.paste(ink_layer, mask=mask)
    if rng.random() < 0.5:
        canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    noise = rng.normal(0, rng.uniform(4, 24), (SIZE, SIZE, 3))
    return np.clip(np.asarray(canvas) + noise, 0, 255).astype(np.uint8)


def _contrasting_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours, (3,) each, the first at least MIN_CONTRAST brighter."""
    while True:
        ground, ink = rng.uniform(0, 255, (2, 3))
        if (ground - ink) @ BRIGHTNESS >= MIN_CONTRAST:
            return ground, ink


def _gradient(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`colour` with a slope of light across it, (SIZE, SIZE, 3) uint8."""
    slope_x, slope_y = rng.uniform(-30, 30, 2)
    ramp = np.linspace(-1, 1, SIZE)
    light = slope_x * ramp[None, :, None] + slope_y * ramp[:, None, None]
    return np.clip(colour + light, 0, 255).astype(np.uint8)


def _cluttered(ground: np.ndarray, ink: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Strokes behind the glyph, some of them in its own colour."""
    canvas = Image.fromarray(ground)
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(1, 6)):
        colour = ink if rng.random() < 0.25 else rng.uniform(0, 255, 3)
        fill = tuple(int(value) for value in colour)
        x0, y0, x1, y1 = (float(value) for value in rng.uniform(-8, SIZE + 8, 4))
        if rng.random() < 0.6:
            draw.line((x0, y0, x1, y1), fill=fill, width=int(rng.integers(1, 4)))
        else:
            box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            draw.arc(
                box, float(rng.uniform(0, 360)), float(rng.uniform(0, 360)), fill=fill, width=int(rng.integers(1, 4))
            )
    return canvas


def _posed_glyph(character: str, rng: np.random.Generator) -> Image.Image:
    """The glyph as a mask in a random font, height, rotation, shear and place, all of it inside the image."""
    glyph = _rendered(character, FONTS[rng.integers(len(FONTS))])
    scale = rng.uniform(*GLYPH_HEIGHTS) / glyph.height
    angle, shear = rng.uniform(-MAX_ROTATION, MAX_ROTATION), rng.uniform(-MAX_SHEAR, MAX_SHEAR)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    pose = scale * rotation @ np.array([[1.0, shear], [0.0, 1.0]])
    extent = np.abs(pose) @ np.array([glyph.width, glyph.height])
    pose *= min(1.0, (SIZE - 2) / extent.max())
    room = np.maximum(SIZE - np.abs(pose) @ np.array([glyph.width, glyph.height]), 0)
    centre = SIZE / 2 + room * rng.uniform(-0.5, 0.5, 2)

    inverse = np.linalg.inv(pose)
    offset = np.array([glyph.width, glyph.height]) / 2 - inverse @ centre
    coefficients = (*inverse[0], offset[0], *inverse[1], offset[1])
    return glyph.transform((SIZE, SIZE), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)


@functools.cache
def _rendered(character: str, font_name: str) -> Image.Image:
    """The glyph at FONT_SIZE, cut to its ink with a margin of a few pixels."""
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / font_name, FONT_SIZE)
    left, top, right, bottom = (int(value) for value in font.getbbox(character))
    margin = 3
    glyph = Image.new("L", (right - left + 2 * margin, bottom - top + 2 * margin))
    ImageDraw.Draw(glyph).text((margin - left, margin - top), character, fill=255, font=font)
    # Drawn at about twice the size it ends in: a light blur stands in for antialiasing.
    return glyph.filter(ImageFilter.GaussianBlur(1.0))
