"""What is said of a request that cannot be answered."""

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE


class Refusal(MlflowException):
    """A wrong request: a 400 when served. Its text stays as it was raised.

    MLflow's server writes the whole request into the `message` of what it passes on.
    """

    def __init__(self, reason: str):
        self._reason = reason
        super().__init__(reason, error_code=INVALID_PARAMETER_VALUE)

    @property
    def message(self) -> str:
        return self._reason

    @message.setter
    def message(self, text: str) -> None:
        """Keep the reason alone."""
