# make train    sets up .venv and trains on the built-in images (ARGS="-P epochs=3" passes options on)
# make test     sets up .venv and runs the tests, the fast ones first
# make slow     runs the tests that take long for what they add to the others
# make faults   runs the tests that kill, starve and cut off what runs, which takes a while
# make ui       opens MLflow's UI on the runs
# make lint     ruff and mypy
# make audit    looks the pinned packages up in a database of known holes
# make clean-clone-test    the first two, on a fresh clone and in an empty home

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The stages are started as `python`: it has to be the environment's own.
export PATH := $(abspath $(BIN)):$(PATH)
export MLFLOW_DISABLE_TELEMETRY ?= true
# A file's tests share what is costly to make. Files are begun in the order of tests/conftest.py.
PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: train test slow faults ui lint audit clean clean-clone-test

train: $(BIN)/.installed
	$(BIN)/python -m pipeline.make_store
	$(BIN)/mlflow run . -e train --env-manager local $(ARGS)

test: $(BIN)/.installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m "not e2e and not faults and not slow" $(ARGS)
	$(BIN)/python -m pytest $(PARALLEL) -m "not faults and not slow" tests/e2e $(ARGS)

slow: $(BIN)/.installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m slow $(ARGS)

faults: $(BIN)/.installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m faults $(ARGS)

ui: $(BIN)/.installed
	$(BIN)/python -m pipeline.open_ui

lint: $(BIN)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(BIN)/.installed-dev
	$(BIN)/python tests/audit.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

clean-clone-test:
	tests/clean_clone.sh

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(BIN)/.installed-test: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@ $(BIN)/.installed

$(BIN)/.installed-dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@ $(BIN)/.installed $(BIN)/.installed-test
