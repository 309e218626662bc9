"""python -m pipeline.make_store: make MLflow's SQLite store before MLflow does, which breaks if two do so at once."""

import sys

from pipeline import tracking
from pipeline.errors import EXIT_DONE, EXIT_USER_ERROR, UserError


def main() -> int:
    """Make the store that MLFLOW_TRACKING_URI means, if it is not there; returns the exit code."""
    try:
        tracking.make_store()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
