import yaml
from resolved import resolve

from pipeline import config


def test_what_is_logged_repeats_the_run(tmp_path):
    first = resolve(typed={"learning_rate": "0.01", "dropout": "0.1", "depth": "3"}, recipe={"width": 24})
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config.identity(first)))
    again = resolve(typed={"config": str(file)}, recipe={"width": 99})
    assert config.identity(again) == config.identity(first)
    assert "workdir" not in config.identity(first)
