"""Everything, once."""

from pipeline import config as options
from pipeline import tracking
from pipeline.cluster.decoding import fill_all
from pipeline.config import MainConfig, PreprocessConfig, SearchConfig
from pipeline.search.study import study_tags
from pipeline.stages.search import search
from pipeline.tracked.data import ensure_prepared, log_data
from pipeline.tracked.fitting import decided, log_options

# Tags of the search that say what came out.
RESULT = ("final_run", "registered_model", "registered_version", tracking.DESCRIPTION)


def main(config: MainConfig) -> str:
    """Prepare the data, search, train the best, and evaluate it once on the test split.

    Returns the id of the run that holds the others and their scores. Raises UserError as its stages do.
    """
    with tracking.run("main", f"main {config.model} {options.data_name(config)}", tags=study_tags(config)) as run:
        log_options(run, config)
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id, fill_all=fill_all(config))
        log_data(run, data, config, "training")
        config = decided(run, config, data)
        searched = search(options.part(config, SearchConfig), run.id)
        run.log_metrics(tracking.metrics_of(searched))
        found = tracking.tags_of(searched)
        run.set_tags({name: found[name] for name in RESULT if name in found})
    return run.id
