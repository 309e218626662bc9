"""Equal files that stand in more than one split."""

import pandas as pd

# Of equal files in two splits, the copy in the split that comes first here is kept.
PRECEDENCE = {"test": 0, "val": 1, "train": 2}


def find(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` (columns path, label, split, content) whose content stands in another split too."""
    splits = table.groupby("content")["split"].transform("nunique")
    return table[splits > 1].sort_values(["content", "split", "path"])


def drop(table: pd.DataFrame, leaks: pd.DataFrame) -> pd.DataFrame:
    """`table` without the leaking copies: what stands in test leaves train and val, what stands in val leaves train."""
    rank = leaks["split"].map(PRECEDENCE)
    superfluous = leaks[rank > rank.groupby(leaks["content"]).transform("min")]
    return table.drop(superfluous.index)
