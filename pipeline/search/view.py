"""What a study shows while it runs and when it is over: on the screen, and in its run in MLflow."""

import contextlib
import time

import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from pipeline import tracking
from pipeline.errors import first_line
from pipeline.progress import clock
from pipeline.search import figures
from pipeline.search.outcomes import COMPLETE, FAILED, PRUNED, TRIAL_STATES, TrialOutcome
from pipeline.search.space import Space
from pipeline.search.study import ACCURACY, OUTCOME, best_trials, best_value, metric_of_study
from pipeline.search.trial import trial_name
from pipeline.terminal import progress_bar
from pipeline.tracked.descriptions import of_search, short
from pipeline.training.objective import METRICS, in_words

REFRESH_SECONDS = 60.0
# Drawing takes processor time from training: at most a fiftieth of it.
REFRESH_FACTOR = 50
STATES = {state: name for name, state in TRIAL_STATES.items()}


class StudyView:
    """Shows a study of `total` trials, trained by `workers` processes, in the run `run`."""

    def __init__(self, run: tracking.Run, study: optuna.Study, space: Space, total: int, workers: int):
        self._run = run
        self._study = study
        self._metric = metric_of_study(study)
        self._space = space
        self._total = total
        self._workers = workers
        self._trained_seconds = 0.0
        self._compile_seconds = 0.0
        self._started = time.monotonic()
        self._due = self._started + REFRESH_SECONDS
        self._counts = dict.fromkeys(STATES.values(), 0)
        for trial in study.get_trials(deepcopy=False, states=tuple(STATES)):
            self._counts[STATES[trial.state]] += 1
        self._before = self._done()
        self._bar = progress_bar(total=total, initial=self._before, desc="search", unit="trial")

    def _done(self) -> int:
        return self._counts[COMPLETE] + self._counts[PRUNED]

    def begin(self, number: int) -> None:
        """A trial has begun; `trial` will say how it ended."""
        self._bar.set_postfix_str(f"training trial {number}, {self._summary()}")

    def trial(self, outcome: TrialOutcome, params: dict) -> None:
        """A trial is over."""
        self._counts[outcome.state] += 1
        self._trained_seconds += outcome.training_seconds
        self._compile_seconds += outcome.compile_seconds
        best = best_trials(self._study, 1)
        is_best = bool(best) and best[0].number == outcome.number
        scored = f"{self._metric} {'     —' if outcome.value is None else in_words(outcome.value, self._metric):>6}"
        scored += f"{'*' if is_best else ' '}{_accuracy(outcome, self._metric)}"
        shown = "  ".join(f"{name} {short(value)}" for name, value in params.items())
        self._bar.write(
            f"trial {outcome.number:>3}  {outcome.state:<8}  {scored}"
            f"  {shown}  {clock(outcome.seconds)}" + (f"  ({outcome.reason})" if outcome.reason else "")
        )
        if outcome.state != FAILED:
            self._bar.update()
        self._bar.set_postfix_str(self._summary())
        if self._bar.disable:
            # A log file gets no bar.
            print(f"  {self._done()} of {self._total} done, {self._summary()}", flush=True)

    def _summary(self) -> str:
        best = best_trials(self._study, 1)
        shown = f"best {_scored(best[0], self._metric)}" if best else "none complete yet"
        new = self._done() - self._before
        left = (time.monotonic() - self._started) / new * (self._total - self._done()) if new else None
        remaining = f", {clock(max(left, 0))} left" if left is not None else ""
        return f"{self._counts[PRUNED]} pruned, {self._counts[FAILED]} failed, {shown}{remaining}"

    def refresh(self) -> None:
        """Renew the figures in MLflow, if that was last done a while ago."""
        if time.monotonic() >= self._due and not tracking.silence():
            started = time.monotonic()
            try:
                self.log()
            except Exception as error:  # the next time will show more
                self._bar.write(f"the figures could not be updated: {first_line(error)}")
            cost = time.monotonic() - started
            self._due = time.monotonic() + max(REFRESH_SECONDS, REFRESH_FACTOR * cost)

    def log(self) -> None:
        """Log the table of trials, the figures, and the best trial's metrics as they are now."""
        trials = pd.DataFrame(trial_rows(self._study))
        if not len(trials):
            return
        self._run.log_table("trials", trials)
        metric = self._metric
        metrics = study_metrics(trials, metric)
        self._run.log_metrics(metrics | self._time_metrics())
        scales = scales_of(self._space)
        reached = trials[trials[metric].notna()]
        if not len(reached):
            return
        saved = metrics["pruning_saved_seconds"]
        self._run.log_figure("optimization_history", figures.optimization_history(trials, metric))
        self._run.log_figure("slice", figures.slices(reached, scales, metric))
        self._run.log_figure("parallel_coordinates", figures.parallel_coordinates(reached, scales, metric))
        title = f"{len(reached)} trials; pruning saved {clock(saved)}"
        best = next((trial.number for trial in best_trials(self._study, 1)), None)
        curves = figures.learning_curves(curves_table(self._study), title, best, metric)
        self._run.log_figure("learning_curves", curves)
        numeric = [name for name, scale in scales.items() if scale != "category"]
        if len(numeric) > 1:
            x, y = ("learning_rate", "dropout") if {"learning_rate", "dropout"} <= set(numeric) else numeric[:2]
            self._run.log_figure("contour", figures.contour(reached, x, y, scales, metric))
        complete = int((trials["state"] == COMPLETE).sum())
        self._run.log_figure("importances", figures.importances(importance_of(self._study), complete, metric))

    def _time_metrics(self) -> dict[str, float]:
        """Where the time of this command's workers went.

        overhead_fraction: what was neither training nor validation nor building graphs, of trials that are over.
        """
        elapsed = time.monotonic() - self._started
        spent = self._trained_seconds + self._compile_seconds
        return {
            "search_seconds": elapsed,
            "compile_seconds": self._compile_seconds,
            "overhead_fraction": 1 - spent / (elapsed * self._workers),
        }

    def __enter__(self) -> "StudyView":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Take the bar away, and log how far the study came."""
        self._bar.close()
        # What stopped the search says more than what goes wrong now.
        with contextlib.suppress(Exception) if error else contextlib.nullcontext():
            self.log()
        if error is None:
            self._show_best()

    def _show_best(self) -> None:
        if best := best_trials(self._study, 1):
            self._run.log_params({f"best_{name}": value for name, value in best[0].params.items()})
            self._run.set_tags({"best_trial": trial_name(best[0].number), "best_run": best[0].user_attrs["run_id"]})
            print(said := best_of(self._study))
            self._run.describe(of_search(self._study.study_name, len(self._study.trials), said))


def best_of(study: optuna.Study) -> str:
    """The best trial of a study that has one, in words."""
    best = best_trials(study, 1)[0]
    values = ", ".join(f"{name} {short(value)}" for name, value in best.params.items())
    metric = metric_of_study(study)
    scored = f"{metric} {_scored(best, metric)}"
    return f"best of {len(study.trials)} trials: {trial_name(best.number)}, {scored}, {values}"


def _scored(trial: FrozenTrial, metric: str) -> str:
    """The value of a complete trial in words."""
    assert trial.value is not None
    return in_words(trial.value, metric)


def _accuracy(outcome: TrialOutcome, metric: str) -> str:
    """The accuracy of a trial that is judged by something else."""
    accuracy = outcome.scores.get(ACCURACY)
    return "" if metric == ACCURACY or accuracy is None else f"  {ACCURACY} {accuracy:6.1%}"


def scales_of(space: Space) -> dict[str, str]:
    """Option -> linear, log or category."""
    return {
        name: "category"
        if isinstance(distribution, CategoricalDistribution)
        else "log"
        if getattr(distribution, "log", False)
        else "linear"
        for name, distribution in space.items()
    }


def trial_rows(study: optuna.Study) -> list[dict]:
    """One row per trial that is over: number, state, reason, its best scores, epochs, seconds, run_id, values."""
    metric = metric_of_study(study)
    return [_row(trial, metric) for trial in study.get_trials(deepcopy=False, states=tuple(STATES))]


def _row(trial: FrozenTrial, metric: str) -> dict:
    outcome = trial.user_attrs.get(OUTCOME, {})
    reached = trial.intermediate_values.values()
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        **dict.fromkeys(METRICS.values()) | outcome.get("scores", {}) | {metric: best_value(reached, metric)},
        "epochs": len(reached),
        "full_epochs": outcome.get("full_epochs"),
        **trial.params,
        "training_seconds": outcome.get("training_seconds"),
        "compile_seconds": outcome.get("compile_seconds"),
        "seconds": outcome.get("seconds"),
        "memory_mib": outcome.get("memory_mib"),
        "reason": outcome.get("reason", tracking.DIED if trial.state == TrialState.FAIL else ""),
        "run_id": trial.user_attrs.get("run_id"),
    }


def curves_table(study: optuna.Study) -> pd.DataFrame:
    """One row an epoch of a trial: number, state, epoch and the metric that trials are judged by."""
    metric = metric_of_study(study)
    return pd.DataFrame(
        [
            {"number": trial.number, "state": STATES[trial.state], "epoch": epoch, metric: value}
            for trial in study.get_trials(deepcopy=False, states=tuple(STATES))
            for epoch, value in sorted(trial.intermediate_values.items())
        ],
        columns=["number", "state", "epoch", metric],
    )


def study_metrics(trials: pd.DataFrame, metric: str = ACCURACY) -> dict[str, float]:
    """What the study came to so far, by metric name. metric: the one that trials are judged by.

    pruning_saved_seconds: what the pruned trials' missing epochs would have taken, at their own pace.
    """
    counts = trials["state"].value_counts()
    pruned = trials[(trials["state"] == PRUNED) & (trials["epochs"] > 0) & trials["training_seconds"].notna()]
    missing = pruned["full_epochs"] - pruned["epochs"]
    saved = float((missing * pruned["training_seconds"] / pruned["epochs"]).sum())
    trained = float(trials["training_seconds"].fillna(0).sum())
    metrics = {f"trials_{state}": float(counts.get(state, 0)) for state in STATES.values()} | {
        "training_seconds": trained,
        "pruning_saved_seconds": saved,
        "pruning_saved_fraction": saved / (saved + trained) if saved else 0.0,
    }
    complete = trials[trials["state"] == COMPLETE]
    if len(complete):
        best = figures.best_row(complete, metric)
        scores = {f"best_{name}": float(best[name]) for name in METRICS.values() if pd.notna(best[name])}
        metrics |= {"best_trial": float(best["number"])} | scores
    return metrics


def importance_of(study: optuna.Study) -> dict[str, float]:
    """How much each option explains of the differences between complete trials; empty if that cannot be said yet."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < figures.FEWEST_FOR_IMPORTANCE or len({trial.value for trial in complete}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)
