"""Runs that say in words and figures what they found: comparisons of two runs, diagnoses."""

from pipeline.config import STAGES
from pipeline.report.commands import command
from pipeline.report.contents import Figure, Heading, Paragraph, Section
from pipeline.report.material import FINISHED, NOTE, Material
from pipeline.report.wording import left_out, short_id

MOST_RUNS = 3
# A sheet of images says little beside the words.
MOST_FIGURES = 3


def comparison(material: Material) -> Section:
    """What `compare` found of two runs on the same images."""
    return _described(material, "compare", Section("comparison", "Comparison"))


def diagnosis(material: Material) -> Section:
    """What a diagnosis says holds the accuracy back."""
    return _described(material, "diagnose", Section("diagnosis", "Diagnosis"))


def _described(material: Material, stage: str, found: Section) -> Section:
    runs = [run for run in material.of_stage(stage) if run.status == FINISHED]
    if not runs:
        again = f"; {command(stage, {})} makes one" if stage in STAGES else ""
        found.missing.append(f"{found.title}: there is none{again}.")
    left_out(found, len(runs), MOST_RUNS, f"Runs of {stage}", "MLflow")
    for run in runs[-MOST_RUNS:]:
        said = run.tags.get(NOTE, "")
        found.blocks.append(Heading(f"{run.name} {short_id(run.id)}"))
        found.blocks += [Paragraph(line) for line in said.split("\n\n") if line]
        for name in material.figures(run)[:MOST_FIGURES]:
            png, caption = material.figure(run, name), name.replace("_", " ")
            if png:
                found.blocks.append(Figure(caption, f"{caption}. {said}", png))
    return found
