"""How to repeat each run by one command."""

from pipeline.report.commands import command_of
from pipeline.report.contents import Command, Paragraph, Section
from pipeline.report.material import COMMIT, PARENT, TRAINING_STAGES, Material
from pipeline.report.wording import left_out, listed, short_id
from pipeline.tracking import StoredRun

MOST_COMMANDS = 50
COMMIT_LENGTH = 12


def section(material: Material) -> Section:
    """The commands, for the runs that a person asked for; what those made by themselves is repeated with them."""
    found = Section("repeat", "Repeat it")
    asked = [(run, line) for run in material.runs if _was_asked(run, material) and (line := command_of(run))]
    if not asked:
        found.missing.append("Repeat it: no run here was started by itself.")
        return found
    left_out(found, len(asked), MOST_COMMANDS, "Commands", "MLflow")
    found.blocks.append(
        Paragraph(
            "In the project's folder, with the same tracking store (MLFLOW_TRACKING_URI) and the same data in the same "
            f"place.{_commits(material)} A run that is repeated by config=RUN_ID takes its options from that run."
        )
    )
    found.blocks += [Command(f"{run.name} {short_id(run.id)}", line) for run, line in asked[-MOST_COMMANDS:]]
    return found


def _was_asked(run: StoredRun, material: Material) -> bool:
    """Whether a run is worth a command of its own: no step of a search or an ablation, but for full trainings."""
    nested = PARENT in run.tags and run.id not in material.chosen
    return not nested or run.tags["stage"] in {"train", "evaluate"}


def _commits(material: Material) -> str:
    trained = [run for run in material.runs if run.tags.get("stage") in TRAINING_STAGES]
    found = sorted({run.tags[COMMIT][:COMMIT_LENGTH] for run in trained if COMMIT in run.tags})
    return f" The code is that of commit {listed(found)}." if found else ""
