"""What of an image spoke for the answer: Grad-CAM, for right and for wrong answers."""

import numpy as np

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings

COSTLY = True
# Of right answers, and of wrong ones.
SHOWN = 6


def measure(answers: Answers) -> Findings | None:
    """Heat maps of the most certain right answers and mistakes; nothing where the network has no maps to look into."""
    if answers.heat_maps is None:
        return None
    predicted = answers.probabilities.argmax(axis=1)
    correct = predicted == answers.labels
    chosen = np.concatenate([_chosen(answers, correct), _chosen(answers, ~correct)])
    maps = answers.heat_maps(answers.images[chosen], predicted[chosen])
    if maps is None:
        return None
    named = [
        (answers.class_names[predicted[index]], answers.class_names[answers.labels[index]]) for index in chosen.tolist()
    ]
    title = f"{answers.split}: what spoke for the answer (Grad-CAM)"
    certainty = answers.probabilities[chosen].max(axis=1)
    sheet = figures.attention(answers.images[chosen], maps, named, certainty, title)
    return Findings(figures={"grad_cam": sheet})


def _chosen(answers: Answers, among: np.ndarray) -> np.ndarray:
    """The places of the most certain answers, of each predicted class one."""
    certainty = np.where(among, answers.probabilities.max(axis=1), -1)
    ranked = np.argsort(-certainty, kind="stable")[: int(among.sum())]
    _, first = np.unique(answers.probabilities[ranked].argmax(axis=1), return_index=True)
    return ranked[np.sort(first)][:SHOWN]
