#!/usr/bin/env bash
# One service of a cluster, started in the foreground, or asked whether it is well:
#
#     deploy/service.sh start mlflow|dashboard|ray-head|ray-worker
#     deploy/service.sh health mlflow|dashboard|ray-head|ray-worker
#
# compose.yaml and bare machines use the same commands. example.env has the variables. Without HOST a server listens on
# this machine alone.
set -euo pipefail

: "${HOST:=127.0.0.1}" "${MLFLOW_PORT:=5000}" "${DASHBOARD_PORT:=8080}" "${RAY_HEAD:=127.0.0.1}" "${RAY_PORT:=6379}"
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 MLFLOW_DISABLE_TELEMETRY=true

start_mlflow() {
    : "${MLFLOW_FLASK_SERVER_SECRET_KEY:?is a long random text, the same at each start}"
    : "${ARTIFACTS:?is a folder or the address of an object store; clients reach it through the server alone}"
    export MLFLOW_AUTH_CONFIG_PATH="${MLFLOW_AUTH_CONFIG_PATH:-$(dirname "$0")/basic_auth.ini}"
    export MLFLOW_BACKEND_STORE_URI=postgresql:///mlflow
    # Each process has a pool of connections for each kind of store, and PostgreSQL allows 100 in all.
    export MLFLOW_SQLALCHEMYSTORE_POOL_SIZE="${MLFLOW_SQLALCHEMYSTORE_POOL_SIZE:-2}"
    export MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW="${MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW:-3}"
    exec mlflow server --app-name basic-auth --host "$HOST" --port "$MLFLOW_PORT" --workers "${MLFLOW_WORKERS:-4}" \
        --artifacts-destination "$ARTIFACTS" --allowed-hosts "${ALLOWED_HOSTS:-localhost:*,127.0.0.1:*,mlflow:*}"
}

start_dashboard() {
    exec optuna-dashboard --host "$HOST" --port "$DASHBOARD_PORT" postgresql:///optuna
}

# Any port will do, so that several nodes can be on one machine. RAY_OPTIONS: more options of `ray start`.
start_ray() {
    : "${RAY_AUTH_TOKEN:?is the token of the cluster, the same on all of its machines}"
    # shellcheck disable=SC2086
    exec ray start --block --min-worker-port=0 --max-worker-port=0 --dashboard-agent-listen-port=0 \
        --metrics-export-port=0 ${RAY_OPTIONS:-} "$@"
}

start_ray_head() { start_ray --head --port="$RAY_PORT" --include-dashboard=false; }
start_ray_worker() { start_ray --address="$RAY_HEAD:$RAY_PORT"; }

answers() { python -c 'import sys, urllib.request as web; web.urlopen(sys.argv[1], timeout=5).close()' "$1"; }
health_mlflow() { answers "http://127.0.0.1:$MLFLOW_PORT/health"; }
health_dashboard() { answers "http://127.0.0.1:$DASHBOARD_PORT/dashboard/"; }
health_ray_head() { ray status --address "127.0.0.1:$RAY_PORT"; }
health_ray_worker() { ray status --address "$RAY_HEAD:$RAY_PORT"; }

"${1:?start or health}_${2//-/_}"
