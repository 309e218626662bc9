"""An experiment trained in a run of its own, or found again where it was trained before."""

import io
import shutil
import time

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import models, tracking
from pipeline.data.folds import folds_of
from pipeline.data.portions import portion
from pipeline.data.prepared import Prepared
from pipeline.diagnosis.experiment import Experiment, Outcome, Part
from pipeline.errors import UserError
from pipeline.evaluation.measures.predictions import predictions
from pipeline.metrics import accuracy
from pipeline.models.networks.contract import Network, predict_prepared
from pipeline.tracked.data import log_data
from pipeline.tracked.fitting import best_metrics, fit_tracked, history_path, log_history, log_options
from pipeline.training.fit import Callbacks, DivergedError, FitResult
from pipeline.training.network_spec import network_spec, preprocessing_of

STAGE = "experiment"
# The tag that says what of the data an experiment took.
PART = "part"
# Training images that are looked at without augmentation.
LOOKED_AT = 2000


def part_of(data: Prepared, part: Part, seed: int) -> Prepared:
    """What an experiment trains on and answers. seed: of the division."""
    if part.folds:
        data = folds_of(data, part.folds, seed)[part.fold - 1]
    return portion(data, part.fraction, part.without, part.detail, seed)


def find(experiment: Experiment, data: Prepared) -> tracking.FoundRun | None:
    """The finished run of an experiment on this data, or the one that diverged; None if there is neither."""
    same = _tags(experiment, data)
    found = tracking.find(same, "FINISHED") or tracking.find(same | {"diverged": "true"}, "FAILED")
    return found[-1] if found else None


def outcome_of(experiment: Experiment, data: Prepared, parent: str) -> Outcome:
    """What an experiment comes to. It is trained in a run nested in `parent`, unless that was done before."""
    if found := find(experiment, data):
        tracking.handle_of(found.id).nest_in(parent)
        return _failed(data, experiment.part, found.tags["error"]) if found.status == "FAILED" else read(found.id)
    try:
        return read(_trained(experiment, data, parent))
    except tracking.RunUnavailableError:
        raise
    except UserError as error:
        return _failed(data, experiment.part, str(error))


def read(run_id: str) -> Outcome:
    """What a finished experiment came to, as its run holds it."""
    answered, metrics = tracking.predictions_of(run_id), tracking.metrics_of(run_id)
    losses = tracking.RunFiles().read(run_id, "tables/step_losses.csv") or b"loss\n"
    return Outcome(
        run_id=run_id,
        paths=answered["path"].tolist(),
        labels=answered["number"].to_numpy(),
        probabilities=np.stack(answered["probabilities"].to_list()),
        train_accuracy=metrics["train_images_accuracy"],
        step_losses=pd.read_csv(io.BytesIO(losses))["loss"].to_numpy(float),
        seconds=metrics["seconds"],
        fit_seconds=metrics["fit_seconds"],
    )


def _tags(experiment: Experiment, data: Prepared) -> dict[str, str]:
    return {
        "stage": STAGE,
        "config_digest": options.digest(experiment.config),
        "data_digest": data.facts.digest,
        PART: experiment.part.describe(),
    }


def _trained(experiment: Experiment, data: Prepared, parent: str) -> str:
    """The id of the run in which an experiment was trained."""
    config, started = experiment.config, time.perf_counter()
    with tracking.run(STAGE, experiment.name, parent, tags=_tags(experiment, data)) as run:
        log_options(run, config)
        log_data(run, data, config, "training")
        taken = part_of(data, experiment.part, config.data_seed)
        network = models.build(config.model, network_spec(config, taken))
        try:
            result = fit_tracked(run, network, taken, config, Callbacks())
        except DivergedError:
            run.set_tags({"diverged": "true"})
            raise
        _log(run, experiment, network, taken, result)
        run.log_metrics({"seconds": time.perf_counter() - started})
        shutil.rmtree(history_path(config, run).parent)
    return run.id


def _log(run: tracking.Run, experiment: Experiment, network: Network, data: Prepared, result: FitResult) -> None:
    config, val = experiment.config, data["val"]
    log_history(run, history_path(config, run))
    assert result.val_probabilities is not None  # it is trained in one go
    answered = predictions(val.paths, val.labels, result.val_probabilities, data.facts.class_names)
    run.log_parquet("predictions", answered.assign(number=val.labels))
    run.log_table("step_losses", pd.DataFrame({"loss": result.step_losses}), digits=None)
    train = data["train"]
    some = slice(None, None, -(-len(train.labels) // LOOKED_AT))
    seen = predict_prepared(network, train.images[some], preprocessing_of(config, data.facts))
    fitting = sum(epoch.epoch_seconds + epoch.val_seconds for epoch in result.epochs)
    learned = {"train_images_accuracy": accuracy(train.labels[some], seen), "fit_seconds": fitting}
    run.log_metrics(best_metrics(result.best, result.epochs) | learned)


def _failed(data: Prepared, part: Part, reason: str) -> Outcome:
    """The outcome of a training that came to nothing: it always names the largest class."""
    val = part_of(data, part, 0)["val"]
    probabilities = np.zeros((len(val.labels), len(data.facts.class_names)), np.float32)
    probabilities[:, int(np.argmax(data.facts.counts["train"]))] = 1.0
    return Outcome(None, val.paths, val.labels, probabilities, 0.0, np.empty(0), 0.0, failure=reason)
