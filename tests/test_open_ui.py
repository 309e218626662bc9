import socket

from pipeline import open_ui, tracking


def test_a_taken_port_is_said_before_an_address_is_shown(here, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(tracking, "UI_PORT", other.getsockname()[1])
        assert open_ui.main() == 2
    said = capsys.readouterr()
    assert "is taken" in said.err
    assert "--port" in said.err
    assert not said.out
