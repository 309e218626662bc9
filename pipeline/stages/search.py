"""A study: trials, then the best of them trained in full."""

import contextlib
from collections.abc import Iterator

import optuna

from pipeline import config as options
from pipeline import models, tracking
from pipeline.cluster.decoding import fill_all
from pipeline.config import PreprocessConfig, SearchConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import ServerGoneError
from pipeline.search import study as studies
from pipeline.search.dashboard import set_note
from pipeline.search.executors.choice import check_engine, executors
from pipeline.search.final import train_best
from pipeline.search.ownership import owned
from pipeline.search.small_val import of_small_val
from pipeline.search.space import Space, first_configurations, space_of
from pipeline.search.storage import storage_address
from pipeline.search.take_over import take_over
from pipeline.search.trial import StudyPlace
from pipeline.search.trial_data import StudyData, data_config
from pipeline.search.trials import Search, keep_best_models, run_trials
from pipeline.search.view import StudyView
from pipeline.tracked.data import ensure_prepared, log_data, summary
from pipeline.tracked.delivery import deliver_all
from pipeline.tracked.fitting import decided, log_options
from pipeline.tracked.folds import folds
from pipeline.tracked.training import check_weights
from pipeline.training.objective import metric_of


def search(config: SearchConfig, parent: str | None = None) -> str:
    """Search a study's space on validation data, train the best in full, and evaluate that on the test split.

    Returns the id of the study's run. Raises UserError if the study cannot be begun or continued as asked for, or if
    trials fail again and again.
    """
    _check(config)
    name, tags = studies.study_name(config), studies.study_tags(config)
    with tracking.run("search", f"search {name}", parent, tags=tags) as run:
        log_options(run, config)
        check_weights(config)
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id, fill_all=fill_all(config))
        log_data(run, data, config, "training")
        config = decided(run, config, data)
        space = space_of(config, models.ranges(config.model))
        first = first_configurations(config, space)
        if config.folds:
            # What cannot be divided is refused before the study is begun.
            folds(data, config)
        address = storage_address(config)
        metric = metric_of(config, data.facts)
        pruner = studies.make_pruner(config.pruner, config.epochs, config.warmup)
        study = studies.open_study(address, name, pruner, metric)
        with owned(study) as owner:
            run.set_tags({"judged_by": metric})
            studies.check_identity(study, config, space, data.facts.digest)
            take_over(study, run, parent, config)
            studies.enqueue(study, first)
            _announce(study, config, space, data, run)
            of_study = StudyData(data_config(config), data.facts.digest, data.name)
            place = StudyPlace(
                address, name, config.pruner, config.epochs, config.warmup, metric, run.id, tags, of_study
            )
            with _saying_how_far(study, config), StudyView(run, study, space, config.trials, config.workers) as view:
                with executors(config, place) as start:
                    run_trials(Search(study, config, space, view, owner), start)
                deliver_all(config.workdir, name)
                keep_best_models(study)
            studies.check_complete(study)
            train_best(study, config, space, run, data.facts.class_names)
            said = tracking.tags_of(run.id).get(tracking.DESCRIPTION, "")
            set_note(study, f"{said}\n\n{tracking.run_address(run)}")
    return run.id


def _check(config: SearchConfig) -> None:
    """Refuse what can be refused before the data are known."""
    studies.check_sampler(config.sampler)
    space = space_of(config, models.ranges(config.model))
    check_engine(config, space)
    first_configurations(config, space)


def _announce(study: optuna.Study, config: SearchConfig, space: Space, data: Prepared, run: tracking.Run) -> None:
    """Say what is searched on what, and where it is to be seen."""
    address = tracking.run_address(run)
    print(f"searching {', '.join(space)} of {config.model} on {summary(data)}, by {metric_of(config, data.facts)}")
    if not config.folds and (said := of_small_val(data.facts.counts)):
        print(said)
    print(f"study {study.study_name}: {address}")
    set_note(study, f"Search of {config.model} on {summary(data)}: {address}")


@contextlib.contextmanager
def _saying_how_far(study: optuna.Study, config: SearchConfig) -> Iterator[None]:
    """Have an error that says that the tracking server is gone also say what is done."""
    try:
        yield
    except ServerGoneError as error:
        count = f"{len(studies.finished(study))} of {config.trials} trials are finished"
        lies = f"what MLflow has not got of them lies in {config.workdir / 'runs'}"
        raise ServerGoneError(f"{error}. {count}; {lies}") from error
