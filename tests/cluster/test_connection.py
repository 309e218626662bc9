import socket

import pytest

from pipeline.cluster.connection import check_engine
from pipeline.errors import UserError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without a token."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def with_token(home, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "127.0.0.1:6379"])
def test_a_cluster_is_not_joined_without_a_token(home, address):
    with pytest.raises(UserError, match=rf"--ray_address {address}: there is no token.*RAY_AUTH_TOKEN"):
        check_engine(address)


def test_a_cluster_of_this_machine_needs_no_token_from_anybody(home):
    check_engine(None)


@pytest.mark.parametrize("path", [".ray/auth_token", "elsewhere"])
def test_a_token_may_lie_in_a_file(home, monkeypatch, path):
    (home / path).parent.mkdir(exist_ok=True)
    (home / path).write_text("a" * 64)
    if path == "elsewhere":
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(home / path))
    check_engine("auto")


def test_a_cluster_that_anybody_can_use_is_not_joined(with_token, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(UserError, match="RAY_AUTH_MODE=token is allowed"):
        check_engine("auto")


@pytest.mark.parametrize("address", ["somewhere", "10.0.0.1:", "host:word", ":6379", "host:70000", "ray://host:1"])
def test_what_is_no_address_is_refused(with_token, address):
    with pytest.raises(UserError, match=f"--ray_address {address}: (auto or HOST:PORT is allowed|nothing answers)"):
        check_engine(address)


def test_an_address_where_nothing_answers_is_said(with_token):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        check_engine(address)
    with pytest.raises(UserError, match=r"nothing answers there \(Connection refused\)"):
        check_engine(address)
