"""The data set of a study's trials, opened once in a process."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

from pipeline import config as options
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.folds import Fold, folds_of
from pipeline.data.planning import plan
from pipeline.data.prepared import Prepared, open_prepared
from pipeline.data.writing import open_or_write


@dataclass(frozen=True)
class StudyData:
    """The prepared data of a study. config: what they were prepared by. name: what a person calls them."""

    config: PreprocessConfig
    digest: str
    name: str


def data_config(config: TrainConfig) -> PreprocessConfig:
    """What the data of a trial are prepared by; equal for trials on the same data."""
    return dataclasses.replace(options.part(config, PreprocessConfig), given=frozenset())


def open_data(config: TrainConfig, of_study: StudyData) -> Prepared:
    """The data set of a trial; it is prepared here only where the study searches over how."""
    return _open(data_config(config), of_study)


def open_folds(config: TrainConfig, of_study: StudyData) -> list[Fold]:
    """The folds of that data set, `config.folds` of them."""
    return _folds(data_config(config), of_study, config.folds)


def _open(config: PreprocessConfig, of_study: StudyData) -> Prepared:
    # To plan is to look at every file of the source, which other machines need not have.
    if dataclasses.replace(config, workdir=of_study.config.workdir) == of_study.config:
        return _opened(config.workdir / "prepared" / of_study.digest, of_study.name)
    return _planned(config)


@functools.cache
def _opened(folder: Path, name: str) -> Prepared:
    return open_prepared(folder, name)


@functools.cache
def _planned(config: PreprocessConfig) -> Prepared:
    return open_or_write(plan(config))


@functools.cache
def _folds(config: PreprocessConfig, of_study: StudyData, count: int) -> list[Fold]:
    return folds_of(_open(config, of_study), count, config.data_seed)
