import pytest
from resolved import resolve

from pipeline.errors import UserError


def test_one_fold_is_refused():
    assert resolve(typed={"folds": "5"}).folds == 5
    assert resolve().folds == 0
    with pytest.raises(UserError, match=r"--folds: .*1 fold would leave nothing to train on"):
        resolve(typed={"folds": "1"})
