"""What a perceptual hash keeps, and what it does not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from pipeline.data.decoding.fitting import square
from pipeline.data.quality.hashing import hashes


def scene(seed, width=96, height=64):
    colours = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


def prepared(image, resize="stretch", size=64):
    return np.asarray(square(image, size, resize, lambda each: each))


def hashed(*images, **options):
    return hashes(np.stack(images), np.arange(len(images)), **options)[:2]


def as_jpeg(image):
    content = io.BytesIO()
    image.save(content, "JPEG", quality=50)
    return Image.open(content).convert("RGB")


@pytest.mark.parametrize(
    "change",
    [
        as_jpeg,
        lambda image: image.resize((77, 51)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.9),
        lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    ],
)
def test_small_changes_change_few_bits_and_other_images_many(change):
    originals, _ = hashed(*(prepared(scene(seed)) for seed in range(20)))
    changed, _ = hashed(*(prepared(change(scene(seed))) for seed in range(20)))
    bits = np.bitwise_count(originals[:, None] ^ changed[None])
    assert np.diag(bits).max() <= 4
    assert bits[~np.eye(20, dtype=bool)].min() > 8


def test_a_picture_of_one_colour_is_known_with_noise_and_a_dark_scene_is_none():
    noise = np.random.default_rng(0).normal(0, 5, (64, 64, 3))
    plain = np.clip(np.array([30, 120, 200]) + noise, 0, 255).astype(np.uint8)
    slope = np.broadcast_to(np.linspace(0, 20, 64)[:, None, None], (64, 64, 3)).astype(np.uint8)
    assert hashed(plain, np.zeros((64, 64, 3), np.uint8), slope)[1].tolist() == [True, True, False]


def test_what_was_padded_is_left_out():
    pictures = [scene(seed, *size) for seed, size in enumerate([(96, 64), (30, 96), (200, 10)])]
    plain = Image.new("RGB", (96, 40), (200, 100, 50))
    padded = [prepared(image, "pad") for image in (*pictures, plain)]
    sizes = np.array([image.size for image in (*pictures, plain)])
    found, one_colour = hashed(*padded, sizes=sizes)
    assert one_colour.tolist() == [False, False, False, True]
    whole, _ = hashed(*(prepared(image) for image in pictures))
    assert np.bitwise_count(found[:2] ^ whole[:2]).max() <= 6


def test_images_are_taken_by_their_positions():
    images = np.stack([prepared(scene(seed)) for seed in range(5)])
    every, _, _ = hashes(images, np.arange(5))
    assert hashes(images, np.array([3, 0]))[0].tolist() == every[[3, 0]].tolist()
