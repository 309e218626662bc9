"""Whether a new model takes the place of the best one so far."""

from dataclasses import dataclass

import pandas as pd

from pipeline import metrics

ALIAS = "champion"
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Decision:
    """The outcome of a comparison on the same images.

    only_new, only_old: images that one of the two alone has right. p: McNemar's, of a difference by chance.
    """

    wins: bool
    new_accuracy: float
    old_accuracy: float
    only_new: int
    only_old: int
    p: float

    def tags(self) -> dict[str, str]:
        """The figures, for a model version's tags."""
        return {
            "champion_decision": "champion" if self.wins else "challenger",
            "val_accuracy": f"{self.new_accuracy:.4f}",
            "champion_val_accuracy": f"{self.old_accuracy:.4f}",
            "only_this_one_right": str(self.only_new),
            "only_champion_right": str(self.only_old),
            "mcnemar_p": f"{self.p:.3g}",
        }

    def sentence(self, old: str) -> str:
        """The decision for a person. old: what the champion so far is called."""
        verdict = "takes the alias" if self.wins else "does not take the alias"
        return (
            f"val_accuracy {self.new_accuracy:.2%} against {self.old_accuracy:.2%} of {old}, on the same images: "
            f"{self.only_new} are right here alone, {self.only_old} there alone (McNemar, p = {self.p:.2g}); "
            f"it {verdict} {ALIAS}, which wants p < {SIGNIFICANT}"
        )


def decide(new: pd.DataFrame, old: pd.DataFrame) -> Decision:
    """Whether `new` beats `old` by more than chance. Both: predictions, with path and correct, of the same images."""
    both = new.merge(old, on="path", suffixes=("_new", "_old"))
    only_new, only_old, p = metrics.mcnemar(both["correct_new"].to_numpy(), both["correct_old"].to_numpy())
    return Decision(
        wins=only_new > only_old and p < SIGNIFICANT,
        new_accuracy=float(both["correct_new"].mean()),
        old_accuracy=float(both["correct_old"].mean()),
        only_new=only_new,
        only_old=only_old,
        p=p,
    )
