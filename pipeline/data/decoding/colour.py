"""An image of any mode of Pillow's as RGB, its colour profile applied."""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

from pipeline.data.decoding.notes import note

# Steps of colour that tell whether a profile is sRGB, whatever its name: 9 of each channel.
_STEPS = 9
# Different editions of sRGB's profile differ by this much in their darkest colours.
_SAME_WITHIN = 2
_SRGB = ImageCms.createProfile("sRGB")
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as RGB: in sRGB where it has a profile, transparency laid on white."""
    if image.mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data:
        rgba = _in_srgb(image.convert("RGBA"), profile)
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    image = _in_srgb(image.convert("RGB") if image.mode == "RGBX" else image, profile)
    # Converting RGB to RGB would copy it.
    return image if image.mode == "RGB" else image.convert("RGB")


def sound_profile(profile: bytes | None) -> bytes | None:
    """The profile, or None with a note where it cannot be read; None where it is sRGB."""
    if not profile:
        return None
    space = _space(profile)
    if space not in _SPACES:
        note("its colour profile is damaged: ignored" if space is None else f"its {space} colour profile is ignored")
        return None
    try:
        return None if _is_srgb(profile) else profile
    # What a damaged profile does inside the library surfaces as one or the other.
    except (ImageCms.PyCMSError, ValueError, OSError):
        note("its colour profile is damaged: ignored")
        return None


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    space = _SPACES[_space(profile) or ""] if profile else None
    if profile is None:
        return image
    if image.mode in ("1", "L", "P", "YCbCr", "HSV") and space == "RGB":
        image = image.convert("RGB")
    elif image.mode == "1" and space == "L":
        image = image.convert("L")
    if space is None or image.mode.removesuffix("A") != space:
        note(f"its colour profile is for {space}, its pixels are {image.mode}: ignored")
        return image
    goal = "RGBA" if image.mode == "RGBA" else "RGB"
    return ImageCms.applyTransform(image, _transform(profile, image.mode, goal)) or image


@functools.lru_cache(maxsize=16)
def _space(profile: bytes) -> str | None:
    """What a profile's colours are in, as the profile calls it; None where it is damaged."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str, goal: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        _SRGB,
        mode,
        goal,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@functools.lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    mode = _SPACES[_space(profile) or ""]
    if mode == "CMYK":
        _transform(profile, mode, "RGB")
        return False
    steps = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(_STEPS, -1, 3)
    image = Image.fromarray(colours) if mode == "RGB" else Image.fromarray(colours[..., 0].copy())
    shown = ImageCms.applyTransform(image, _transform(profile, mode, "RGB"))
    difference = np.asarray(shown).astype(int) - np.asarray(image.convert("RGB"))
    return bool(np.abs(difference).max() <= _SAME_WITHIN)


@functools.cache
def _lab_transform() -> ImageCms.ImageCmsTransform:
    # LAB's white is that of daylight at 5000 K, the one that profiles are connected in.
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB", 5000),
        _SRGB,
        "LAB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        # Its table for LAB is too coarse for dark colours: 13 levels off at worst.
        ImageCms.Flags.NOOPTIMIZE,
    )


def _from_lab(image: Image.Image) -> Image.Image:
    return ImageCms.applyTransform(image, _lab_transform()) or image
