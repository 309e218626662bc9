"""An image of any size as a square, in RGB."""

from collections.abc import Callable

from PIL import Image

BILINEAR = Image.Resampling.BILINEAR
# What is brought to RGB at a time: the rest of a large image stays in its own, smaller type.
_STRIP_PIXELS = 1 << 22

Box = tuple[float, float, float, float]


def square(image: Image.Image, size: int, resize: str, to_rgb: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The image as RGB of (size, size), antialiased. resize: stretch, crop (the middle) or pad (with black).

    At any shape at least one row and one column of the image is seen.
    """
    width, height = image.size
    if resize == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return _resized(image, (size, size), (left, top, left + side, top + side), to_rgb)
    if resize == "pad":
        inner = contained(width, height, size)
        canvas = Image.new("RGB", (size, size), "black")
        canvas.paste(
            _resized(image, inner, (0, 0, width, height), to_rgb),
            (round((size - inner[0]) / 2), round((size - inner[1]) / 2)),
        )
        return canvas
    return _resized(image, (size, size), (0, 0, width, height), to_rgb)


def contained(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height of an image of any size that is scaled to fit in a square of `size`."""
    if width > height:
        return size, max(1, round(height / width * size))
    return max(1, round(width / height * size)), size


def _resized(
    image: Image.Image, size: tuple[int, int], box: Box, to_rgb: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The part `box` (left, top, right, bottom) of the image in RGB of the size (width, height).

    Pillow resizes first along the rows and then along the columns, with 8 bits between: a large image, whose rows are
    done in strips, comes out the same to the bit.
    """
    width, height = image.size
    if width * height <= _STRIP_PIXELS:
        return to_rgb(image).resize(size, BILINEAR, box)
    left, top, right, bottom = box
    rows = max(1, _STRIP_PIXELS // width)
    narrow = Image.new("RGB", (size[0], height))
    for start in range(0, height, rows):
        end = min(start + rows, height)
        strip = to_rgb(image.crop((0, start, width, end)))
        narrow.paste(strip.resize((size[0], end - start), BILINEAR, (left, 0, right, end - start)), (0, start))
    return narrow.resize(size, BILINEAR, (0, top, size[0], bottom))
