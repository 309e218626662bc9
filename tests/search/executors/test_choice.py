import pytest
from resolved import resolve

from pipeline.errors import UserError
from pipeline.search.executors.choice import check_engine
from pipeline.search.space import space_of


def check(**typed):
    config = resolve("search", typed)
    check_engine(config, space_of(config, {}))


def test_an_option_of_ray_is_refused_without_ray():
    with pytest.raises(UserError, match="--cpus_per_trial is an option of --engine ray"):
        check(cpus_per_trial="2")


def test_a_space_over_the_data_is_refused_where_nodes_get_one_data_set(tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text("image_size: [16, 32]")
    check(space=str(space))
    with pytest.raises(UserError, match="searches over image_size, which changes the prepared data"):
        check(space=str(space), engine="ray")


def test_ray_is_asked_for_only_where_it_is_wanted():
    check()
    check(engine="ray")
