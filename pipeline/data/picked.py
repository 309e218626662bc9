"""Images that are read where they lie."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Images(Protocol):
    """Images (n, size, size, 3) uint8: an array of them, or some of those of another one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, size, size, 3)."""

    def __len__(self) -> int:
        """The number of images."""

    def __getitem__(self, which: Any, /) -> Any:
        """One image by its number, or an array of some of them by a slice."""


class Picked:
    """Some images of several arrays, in an order of their own: each is read when it is asked for.

    arrays: (n, size, size, 3) each. rows: (n,) which images, counted over all arrays in their order.
    """

    def __init__(self, arrays: Sequence[Images], rows: np.ndarray):
        self._arrays = arrays
        self._starts = np.cumsum([0, *map(len, arrays)])
        self._rows = rows

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._rows), *self._arrays[0].shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: int | slice, /) -> np.ndarray:
        if not isinstance(which, slice):
            return self._image(self._rows[which])
        return np.array([self._image(row) for row in self._rows[which]]).reshape(-1, *self.shape[1:])

    def _image(self, row: int) -> np.ndarray:
        array = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._arrays[array][row - self._starts[array]]
