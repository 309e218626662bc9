#!/usr/bin/env bash
# The README's two commands, on a fresh clone of the last commit and in an empty home directory.
# TRAIN_ARGS passes options on to the first one, for example TRAIN_ARGS="-P epochs=1".
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git clone --quiet "$project" "$folder/clone"
mkdir "$folder/home"
cd "$folder/clone"
unset PIPELINE_WORKDIR MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME VIRTUAL_ENV PYTHONPATH
export HOME="$folder/home"

start=$SECONDS
make train ARGS="${TRAIN_ARGS:-}" | tee "$folder/train.log"
echo "make train took $((SECONDS - start)) s"
grep --quiet 'val_accuracy' "$folder/train.log"
grep --quiet 'workflowType=machine_learning' "$folder/train.log"

start=$SECONDS
make test
echo "make test took $((SECONDS - start)) s"
test -z "$(git status --porcelain)"
echo "a fresh clone passes"
