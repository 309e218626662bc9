"""The entry points: one file each, a function from its configuration to the id of its MLflow run."""
