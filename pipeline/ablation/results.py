"""What a ladder came to: its tables, its figure and its sentences, logged and printed."""

import pandas as pd

from pipeline import tracking
from pipeline.ablation import figures
from pipeline.ablation.effects import effects, sentences
from pipeline.ablation.ladder import CLIMB, START, Change


def log_results(run: tracking.Run, results: pd.DataFrame, found: list[Change]) -> None:
    """Log and print what each change brought. results: one row per training, as `train_all` gives them."""
    names = [change.name for change in found]
    means = results[results["reading"] == CLIMB].groupby("change")["val_accuracy"].mean().reindex([START, *names])
    table = effects(results, names)
    said = sentences(table, means.iloc[0], means.iloc[-1])
    run.log_table("rungs", results)
    run.log_table("effects", table)
    titles = {change.name: change.title for change in found}
    run.log_figure("waterfall", figures.waterfall(means, table, said[0], titles))
    run.log_metrics({"start_val_accuracy": means.iloc[0], "goal_val_accuracy": means.iloc[-1]})
    run.set_tags({tracking.DESCRIPTION: "\n\n".join(said)})
    print("\n".join(said))
    print(f"  {tracking.run_address(run)}")
