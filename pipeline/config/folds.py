"""The number of folds of a cross-validation."""

from typing import Any

import click

MOST = 100


class FoldsType(click.IntRange):
    """0 for no cross-validation, or at least 2."""

    def __init__(self) -> None:
        super().__init__(0, MOST)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Fails with what is allowed."""
        count = super().convert(value, param, ctx)
        if count == 1:
            self.fail(f"1 fold would leave nothing to train on; 0 (no cross-validation) or 2 to {MOST} is allowed")
        return count
