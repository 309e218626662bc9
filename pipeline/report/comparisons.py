"""The comparisons of two runs on the same images, in words and figures."""

from pipeline.report.contents import Figure, Heading, Paragraph, Section
from pipeline.report.material import FINISHED, NOTE, Material
from pipeline.report.wording import newest, short_id
from pipeline.tracked.descriptions import command

MOST_RUNS = 3
# A sheet of images says little beside the words.
MOST_FIGURES = 3


def section(material: Material) -> Section:
    """What `compare` found of two runs on the same images."""
    found = Section("comparison", "Comparison")
    runs = [run for run in material.of_stage("compare") if run.status == FINISHED]
    for run in newest(found, runs, MOST_RUNS, "Runs of compare", command("compare")):
        said = run.tags.get(NOTE, "")
        found.blocks.append(Heading(f"{run.name} {short_id(run.id)}"))
        found.blocks += [Paragraph(line) for line in said.split("\n\n") if line]
        for name in material.figures(run)[:MOST_FIGURES]:
            png, caption = material.figure(run, name), name.replace("_", " ")
            if png:
                found.blocks.append(Figure(caption, f"{caption}. {said}", png))
    return found
