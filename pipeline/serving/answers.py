"""What a model answers, as a table."""

import numpy as np
import pandas as pd
from mlflow.types.schema import Array, ColSpec, DataType, Object, Property, Schema

TOP = 5

OUTPUTS = Schema(
    [
        ColSpec(DataType.string, "label"),
        ColSpec(DataType.double, "probability"),
        ColSpec(
            Array(Object([Property("label", DataType.string), Property("probability", DataType.double)])), f"top_{TOP}"
        ),
    ]
)


def answers(probabilities: np.ndarray, class_names: list[str], unsure_below: float) -> pd.DataFrame:
    """Columns label, probability and top_5, and where `unsure_below` is above 0 unsure: whether it is below that.

    probabilities: (n, classes).
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    ranked = [
        [{"label": class_names[label], "probability": float(row[label])} for label in labels]
        for row, labels in zip(probabilities, best, strict=True)
    ]
    table = pd.DataFrame(
        {
            "label": [answer[0]["label"] for answer in ranked],
            "probability": [answer[0]["probability"] for answer in ranked],
            f"top_{TOP}": ranked,
        }
    )
    return table.assign(unsure=table["probability"] < unsure_below) if unsure_below else table
