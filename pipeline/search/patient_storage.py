"""A database of Optuna's that a search can be without for some minutes."""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.orm import Session

from pipeline.search.patience import Patience, is_away

# What a trial is found by, if the answer to its creation was lost.
CREATION = "creation"
# It would tell in eight lines what `Patience` tells in one.
logging.getLogger("optuna.storages._rdb.storage").setLevel(logging.ERROR)

# To do any of these twice is as good as once: attributes, values and params are overwritten.
REPEATABLE = (
    "create_new_study",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "set_study_user_attr",
    "set_study_system_attr",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "set_trial_intermediate_value",
    "_set_trial_param",
    "get_trial",
    "get_trial_id_from_study_id_trial_number",
    "_get_trials",
    "_get_best_trial_id",
)


class PatientStorage(RDBStorage):
    """Optuna's RDBStorage, which asks a database that is away again, as `patience` says.

    A trial could be created twice, or a state be refused because it is set already: there it looks before it repeats.
    Raises UserError if the database stays away.
    """

    def __init__(self, url: str, engine_kwargs: dict[str, Any], patience: Patience):
        self.patience = patience
        super().__init__(url, engine_kwargs)

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        marked = template_trial or _running_trial()
        marked.system_attrs = marked.system_attrs | {CREATION: uuid.uuid4().hex}
        create = super()._create_new_trial
        return self.patience.call(lambda: create(study_id, marked))

    def _get_prepared_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None, session: Session
    ) -> models.TrialModel:
        # Called while the study is locked, by each try, Optuna's own five among them.
        assert template_trial is not None
        created = _created(study_id, template_trial.system_attrs[CREATION], session)
        return created or super()._get_prepared_new_trial(study_id, template_trial, session)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        set_state = super().set_trial_state_values
        answer_lost = False

        def look_and_set() -> bool:
            nonlocal answer_lost
            if answer_lost and self._has(trial_id, state, values):
                return True
            try:
                return set_state(trial_id, state, values)
            except Exception as error:
                answer_lost = is_away(error)
                raise

        return self.patience.call(look_and_set)

    def _has(self, trial_id: int, state: TrialState, values: Sequence[float] | None) -> bool:
        trial = self.get_trial(trial_id)
        return trial.state == state and (values is None or list(values) == trial.values)


def _running_trial() -> FrozenTrial:
    """What Optuna creates where it is given no template."""
    return FrozenTrial(
        number=-1,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=-1,
    )


def _created(study_id: int, creation: str, session: Session) -> models.TrialModel | None:
    """The trial of a creation that was carried out before, though nobody heard of it."""
    return (
        session.query(models.TrialModel)
        .join(models.TrialSystemAttributeModel)
        .filter(models.TrialModel.study_id == study_id)
        .filter(models.TrialSystemAttributeModel.key == CREATION)
        .filter(models.TrialSystemAttributeModel.value_json == f'"{creation}"')
        .one_or_none()
    )


def _again_while_away(name: str) -> Callable:
    method = getattr(RDBStorage, name)

    def call(storage: PatientStorage, *arguments: Any, **keywords: Any) -> Any:
        return storage.patience.call(lambda: method(storage, *arguments, **keywords))

    return call


for _name in REPEATABLE:
    setattr(PatientStorage, _name, _again_while_away(_name))
