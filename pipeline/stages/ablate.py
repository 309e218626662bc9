"""A ladder from one configuration to another, one change per rung."""

import pandas as pd

from pipeline import tracking
from pipeline.ablation.climb import close_abandoned, ladder_tags, train_all
from pipeline.ablation.ends import ends, for_their_data
from pipeline.ablation.ladder import ALONE, WITHOUT, changes, read_groups, rungs
from pipeline.ablation.results import log_results
from pipeline.config import AblateConfig
from pipeline.tracked.fitting import log_options


def ablate(config: AblateConfig) -> str:
    """Train every rung between two configurations, with several seeds, and say which changes mattered.

    A rung and seed that an earlier ladder has trained is not trained again. Returns the id of the run.
    Raises UserError if the ends cannot be found, do not differ, or the start itself cannot be trained.
    """
    start, goal = ends(config)
    groups = read_groups(config.groups)
    same = ladder_tags(start, goal)
    with tracking.run("ablate", f"ablate {config.start} to {config.goal}", tags=same) as run:
        close_abandoned(run, same)
        config, start, goal = for_their_data(config, start, goal, run.id)
        found = changes(start, goal, groups)
        ladder = rungs(start, found, (ALONE, WITHOUT) if config.alone_seeds else ())
        log_options(run, config)
        print(f"{len(found)} changes from {config.start} to {config.goal}, {start.epochs} epochs per training:")
        for change in found:
            print(f"  {change.name}: {change.describe()}")
        results = pd.DataFrame(train_all(ladder, config, run))
        log_results(run, results, found)
    return run.id
