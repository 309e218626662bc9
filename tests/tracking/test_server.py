import pytest
from mlflow.exceptions import MlflowException, RestException

from pipeline.errors import UserError
from pipeline.tracking.server import patiently

LOGIN = "API request to endpoint /api/2.0/mlflow/runs/create failed with error code 401 != 200. Response body: 'no'"


@pytest.mark.parametrize(
    "answer",
    [MlflowException(LOGIN), RestException({"error_code": "PERMISSION_DENIED", "message": "no"})],
)
def test_who_may_not_write_is_told_so_in_a_sentence_and_at_once(here, answer):
    def call():
        raise answer

    with pytest.raises(UserError, match="MLFLOW_TRACKING_USERNAME"):
        patiently(call)
