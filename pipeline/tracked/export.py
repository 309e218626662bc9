"""An export as MLflow sees it: a child of the run whose model it writes in another format."""

import json
import shlex
from pathlib import Path

import numpy as np

from pipeline import config as options
from pipeline import tracking
from pipeline.config import ExportConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.export.agreement import refuse_if_far_worse, refuse_unless_equal
from pipeline.export.facts import facts_of
from pipeline.export.formats import Facts, format_named
from pipeline.export.measuring import Measured, expected_answers, measured
from pipeline.export.placing import FACTS, SAMPLE, beside, digest_of, files_of, place_of, staged
from pipeline.export.sample import sample_of
from pipeline.tracked.data import ensure_prepared, log_data
from pipeline.tracked.descriptions import of_export
from pipeline.tracked.model_data import check_fit, data_config_of

# Training images that the ranges of 8-bit numbers are taken from: TensorFlow's guide takes a few hundred.
CALIBRATION = 300


def export_tracked(config: ExportConfig) -> str:
    """Write a logged model in another format, and log it, once it answers to the validation images as the model does.

    Returns the id of the run, a child of the exported one. Raises UserError if there is no such model or it cannot be
    exported so, RefusedError if the export answers otherwise; then nothing new is at `output`.
    """
    export_format = format_named(config.format)
    if config.quantize != "none" and not export_format.QUANTIZES:
        raise UserError(f"--quantize {config.quantize} is for --format litert; --format {config.format} takes none")
    with tracking.run("export", f"export {config.format}", config.run_id) as run:
        model = tracking.load_model(config.run_id, config.model_uri, config.mirror_predict)
        run.nest_in(model.run_id)
        data_config = data_config_of(config, model.run_id)
        own = {name: getattr(config, name) for name in ("format", "quantize", "mirror_predict")}
        run.log_params(options.identity(data_config) | own | {"exported_run": model.run_id})
        name = tracking.tags_of(model.run_id).get("model", "model")
        run.set_tags({"model": name})
        default_name = "-".join([name, options.data_name(data_config), *_variants(config)])
        place = place_of(config.output, default_name, export_format)
        data = ensure_prepared(data_config, run.id)
        check_fit(data, model)
        log_data(run, data, data_config, "evaluation")
        found = _export(run, config, model, data, place)
        run.describe(of_export(config.format, model.uri, found.size, found.accuracy, found.expected_accuracy))
    _print_end(run, model, place, found)
    return run.id


def _variants(config: ExportConfig) -> list[str]:
    return [config.quantize] * (config.quantize != "none") + ["mirrored"] * config.mirror_predict


def _export(
    run: tracking.Run, config: ExportConfig, model: tracking.LoggedModel, data: Prepared, place: Path
) -> Measured:
    """Write, measure and check an export, move it to `place`, and log it."""
    # Keras is not imported before everything that can be refused without it has been.
    from pipeline.export.graph import end_to_end

    export_format, preprocessing = format_named(config.format), model.classifier.preprocessing
    network, facts = model.classifier.network, _facts(config, model, data)
    graph = end_to_end(network, preprocessing, config.mirror_predict)
    expected = expected_answers(
        network,
        preprocessing,
        data["val"].images[:],
        mirrored=config.mirror_predict,
        bfloat16=_computes_in_bfloat16(model),
    )
    with staged(place) as path:
        export_format.write(graph, path, facts, _calibration(data) if config.quantize == "int8" else None)
        found = measured(config.format, path, data["val"], expected)
        _check(run, config, found)
        described = facts | {"sha256": digest_of(path), "measured": found.metrics()}
        beside(path, FACTS).write_text(json.dumps(described, indent=1), encoding="utf-8")
        beside(path, SAMPLE).write_text(sample_of(export_format, preprocessing.resize), encoding="utf-8")
    for made in files_of(place):
        run.log_file(made, "export")
    return found


def _computes_in_bfloat16(model: tracking.LoggedModel) -> bool:
    return tracking.config_of(model.run_id).get("precision") == "bfloat16"


def _facts(config: ExportConfig, model: tracking.LoggedModel, data: Prepared) -> Facts:
    origin = {
        "format": config.format,
        "quantize": config.quantize,
        "mirror_predict": config.mirror_predict,
        "model": tracking.tags_of(model.run_id).get("model", ""),
        "run_id": model.run_id,
        "temperature": model.temperature,
        "data": data.name,
        "data_digest": data.facts.digest,
    }
    packages = ("keras", "tensorflow", "numpy", *format_named(config.format).PACKAGES)
    return facts_of(model.classifier.preprocessing, model.classifier.class_names, packages, origin)


def _calibration(data: Prepared) -> np.ndarray:
    """Training images, evenly spread over all of them."""
    images = data["train"].images
    return images[np.linspace(0, len(images) - 1, min(CALIBRATION, len(images))).astype(int)]


def _check(run: tracking.Run, config: ExportConfig, found: Measured) -> None:
    """Log what was found. Raises RefusedError if the export does not answer as the model does."""
    run.log_metrics(found.metrics())
    if config.quantize == "none":
        refuse_unless_equal(found.agreement)
    else:
        refuse_if_far_worse(found.agreement, found.accuracy, found.expected_accuracy)


def _print_end(run: tracking.Run, model: tracking.LoggedModel, place: Path, found: Measured) -> None:
    print(
        f"run {run.id}: {place}, {found.size:,} bytes, from {model.uri}\n"
        f"  of {found.agreement.images:,} validation images it gets {found.accuracy:.1%} right, the network in float32 "
        f"{found.expected_accuracy:.1%}; {found.agreement}"
    )
    if _computes_in_bfloat16(model):
        print(f"  the network was trained in bfloat16 and is exported in float32; between the two {found.rounding}")
    print(f"  {found.latency_ms:.2f} ms for an image on one core (median)")
    print(f"python {shlex.quote(str(beside(place, SAMPLE)))} IMAGE    runs it without this project")
    print(f"  {tracking.run_address(run)}")
