"""Everything, once."""

from pipeline import config as options
from pipeline import tracking
from pipeline.config import EvaluateConfig, MainConfig, PreprocessConfig, TrainConfig
from pipeline.stages.evaluate import evaluate
from pipeline.stages.preprocess import ensure_prepared
from pipeline.stages.train import train

SPLIT = "test"
SHOWN_OF_TRAIN = ("best_val_accuracy", "best_epoch")


def main(config: MainConfig) -> str:
    """Prepare the data, train a model, and evaluate it once on the test split.

    Returns the id of the run that holds the others and their scores. Raises UserError as its stages do.
    """
    with tracking.run("main", f"main {config.model} {options.data_name(config)}") as run:
        run.set_tags({"model": config.model})
        run.log_params(options.identity(config))
        run.log_config(options.identity(config))
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id)
        run.set_tags({"data_digest": data.facts.digest})
        trained = train(options.part(config, TrainConfig), run.id)
        evaluated = evaluate(EvaluateConfig(run_id=trained, split=SPLIT, workdir=config.workdir))
        trained_metrics = tracking.metrics_of(trained)
        run.log_metrics({name: trained_metrics[name] for name in SHOWN_OF_TRAIN} | tracking.metrics_of(evaluated))
    return run.id
