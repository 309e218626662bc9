"""deploy/compose.yaml starts the very commands that tests/e2e/test_cluster.py starts as processes."""

import re
from pathlib import Path

import yaml

from pipeline.errors import has_password

DEPLOY = Path(__file__).parents[1] / "deploy"
SCRIPT = (DEPLOY / "service.sh").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / "example.env").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
SERVICES = {name: service for name, service in COMPOSE["services"].items() if name != "database"}


def functions(verb):
    """The services that the script can start, or ask."""
    return {name.replace("_", "-") for name in re.findall(rf"^{verb}_(\w+)\(\)", SCRIPT, re.MULTILINE)}


def test_a_service_of_the_compose_file_is_what_the_script_starts_and_asks():
    assert {*SERVICES} == functions("health") == functions("start") - {"ray"}
    for name, service in SERVICES.items():
        assert service["command"] == ["deploy/service.sh", "start", name]
        assert service["healthcheck"]["test"] == ["CMD", "deploy/service.sh", "health", name]
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"


def test_what_a_service_waits_for_has_a_health_check():
    for service in SERVICES.values():
        for name, waited in service["depends_on"].items():
            assert waited == {"condition": "service_healthy"}
            assert "healthcheck" in COMPOSE["services"][name]


def test_no_port_is_published_to_other_machines_and_no_address_holds_a_password():
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not any(has_password(line) for path in DEPLOY.iterdir() for line in path.read_text().splitlines())


def test_secrets_have_no_value_until_somebody_gives_them_one():
    assert {name for name, value in EXAMPLE.items() if not value} == {
        "PGPASSWORD",
        "MLFLOW_AUTH_ADMIN_PASSWORD",
        "MLFLOW_FLASK_SERVER_SECRET_KEY",
        "MLFLOW_TRACKING_PASSWORD",
        "RAY_AUTH_TOKEN",
    }
    named = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))) - {"DATA"}
    assert named <= {*EXAMPLE}


def test_the_image_has_what_the_services_need():
    (installed,) = re.findall(r'--editable "\.\[(.*)\]"', (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert {"dashboard", "postgresql", "ray", "server"} <= {*installed.split(",")}


def test_the_databases_are_those_that_addresses_name():
    made = set(re.findall(r"^CREATE DATABASE (\w+);", (DEPLOY / "databases.sql").read_text(), re.MULTILINE))
    texts = [path.read_text(encoding="utf-8") for path in DEPLOY.iterdir()]
    assert made == {name for text in texts for name in re.findall(r"postgresql:///(\w+)", text)}
