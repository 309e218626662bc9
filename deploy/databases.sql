-- What the services need in PostgreSQL. MLflow and Optuna each keep a table called alembic_version: one database each.
CREATE DATABASE mlflow;
CREATE DATABASE mlflow_users;
CREATE DATABASE optuna;
