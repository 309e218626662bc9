import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from postgresql import running_server
from sqlalchemy import create_engine, inspect

from pipeline.errors import UserError
from pipeline.search.patience import Patience
from pipeline.search.storage import open_storage, sqlite_address

SPACE = {"x": FloatDistribution(0, 1)}


@pytest.fixture(scope="module")
def server():
    with running_server() as started:
        yield started


@pytest.fixture
def lossy(server, request):
    """(study, lose): a study in PostgreSQL, and a function after which the answer to the next commit is lost."""
    storage = open_storage(server.address())
    study = optuna.create_study(storage=storage, study_name=request.node.name, direction="maximize")
    dialect = storage.engine.dialect
    commit, left = dialect.do_commit, []

    def commit_and_lose_the_answer(connection):
        commit(connection)
        if left:
            left.pop()
            raise dialect.dbapi.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = commit_and_lose_the_answer
    yield study, lambda: left.append(True)
    storage.engine.dispose()


def test_a_trial_whose_creation_was_not_answered_is_created_once(lossy):
    study, lose = lossy
    lose()
    trial = study.ask(SPACE)
    assert trial.number == 0
    assert [each.params for each in study.trials] == [trial.params]
    lose()
    study.enqueue_trial({"x": 0.25})
    assert [each.state for each in study.trials] == [TrialState.RUNNING, TrialState.WAITING]


def test_a_queued_trial_whose_begin_was_not_answered_is_begun(lossy):
    study, lose = lossy
    study.enqueue_trial({"x": 0.25})
    study._storage.get_all_trials(study._study_id)
    states = study._storage.set_trial_state_values

    def begin(trial_id, state, values=None):
        lose()
        return states(trial_id, state, values)

    study._storage.set_trial_state_values = begin
    assert study.ask(SPACE).params == {"x": 0.25}
    assert len(study.trials) == 1


def test_a_trial_whose_end_was_not_answered_has_ended(lossy):
    study, lose = lossy
    trial = study.ask(SPACE)
    trial.report(0.5, 1)
    lose()
    trial.report(0.75, 2)
    lose()
    trial.set_user_attr("name", "value")
    lose()
    study.tell(trial, 0.75)
    (ended,) = study.trials
    assert (ended.state, ended.value, ended.user_attrs) == (TrialState.COMPLETE, 0.75, {"name": "value"})
    assert ended.intermediate_values == {1: 0.5, 2: 0.75}
    with pytest.raises(ValueError, match="Cannot tell a COMPLETE trial"):
        study.tell(trial, 0.5)


def test_a_server_that_stays_away_is_waited_for_once_and_said_in_a_sentence(server, capsys):
    storage = open_storage(server.address())
    study = optuna.create_study(storage=storage, study_name="away", direction="maximize")
    storage.patience.seconds = 1.0
    server.stop()
    try:
        with pytest.raises(UserError, match=r"did not answer for 1 seconds .*the same command goes on"):
            study.ask(SPACE)
        with pytest.raises(UserError, match=r"did not answer \("):
            study.set_user_attr("name", "value")
        with pytest.raises(UserError, match="did not answer"):
            open_storage(server.address(), Patience(0.5))
    finally:
        server.start()
    assert "is away" in capsys.readouterr().err
    study.set_user_attr("name", "value")
    assert study.trials == []


@pytest.fixture
def reader(server):
    """A user of the server who may read what is there, and write nothing."""
    server.execute("CREATE ROLE reader LOGIN")
    open_storage(server.address())
    server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    yield "reader"
    server.execute("DROP OWNED BY reader")
    server.execute("DROP ROLE reader")


def test_a_database_that_cannot_be_written_to_is_refused_in_a_sentence(server, reader):
    with pytest.raises(UserError, match=r"cannot hold a study: its tables cannot be written to \(permission denied"):
        open_storage(server.address(user=reader))


def test_a_database_of_mlflow_is_refused_and_left_as_it_is(server):
    server.execute("CREATE DATABASE runs")
    address = server.address(database="runs")
    tables = "CREATE TABLE experiments (name text); CREATE TABLE alembic_version (version_num text)"
    server.execute(tables, "runs")
    with pytest.raises(UserError, match=r"holds the tables of MLflow.*Optuna needs a database of its own"):
        open_storage(address)
    assert sorted(inspect(create_engine(address)).get_table_names()) == ["alembic_version", "experiments"]


@pytest.mark.parametrize("name", ["50% of a?b#c", "with spaces & more", "{braces}", "%2F", "100%"])
def test_a_sqlite_file_lies_where_its_path_says(tmp_path, name):
    path = tmp_path / name / "optuna.db"
    study = optuna.create_study(storage=open_storage(sqlite_address(path)), study_name="here")
    study.add_trial(optuna.create_trial(value=0.5))
    assert path.exists()
    assert [each.name for each in tmp_path.iterdir()] == [name]
    again = optuna.load_study(study_name="here", storage=open_storage(sqlite_address(path)))
    assert len(again.trials) == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite:////proc/no/optuna.db", "--storage sqlite:////proc/no/optuna.db"),
        ("nonsense", "--storage nonsense cannot be opened"),
        ("postgresql+nodriver://me:secret@localhost/x", "--storage postgresql"),
        ("postgresql://localhost:1/x?user=me&password=secret", r"password=\*\*\* cannot be opened"),
        ("postgresql://me:secret@localhost:word/x", "it is no address of a database"),
        ("sqlite://", "lies in memory.*allowed: sqlite:///FILE"),
        ("sqlite:///:memory:", "lies in memory"),
        ("journal.log", "is a journal.*allowed: sqlite:///FILE"),
        ("redis://:secret@localhost", "is a journal.*allowed: sqlite:///FILE"),
    ],
)
def test_a_storage_that_cannot_be_had_is_refused_in_one_sentence(address, words):
    with pytest.raises(UserError, match=words) as refused:
        open_storage(address)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
