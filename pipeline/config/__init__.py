"""Every option of every stage: what it is, how its value is resolved, and what of it identifies a run."""

from pipeline.config.declarations import (
    GROUPS,
    HEADINGS,
    STAGES,
    AblateConfig,
    CleanConfig,
    CompareConfig,
    Config,
    DiagnoseConfig,
    EngineConfig,
    EvaluateConfig,
    ExportConfig,
    MainConfig,
    PredictConfig,
    PreprocessConfig,
    ReportConfig,
    SearchConfig,
    TrainConfig,
    TrainWithinConfig,
    Values,
    fields_of,
    part,
)
from pipeline.config.identities import data_name, digest, identity, recipe_of_training
from pipeline.config.layers import resolve
from pipeline.config.model_names import MODELS
from pipeline.config.places import PACKAGE, PRESETS, PROJECT_WORKDIR, USER_WORKDIR
from pipeline.config.precision import faster_precision, fastest_precision
from pipeline.config.references import in_library, is_folder_of_library, name_in_library
from pipeline.config.thresholds import AUTO
from pipeline.config.values import (
    check_value,
    checked,
    convert,
    options_in,
    unknown_option,
)
from pipeline.config.yaml_files import dump_yaml, parse_yaml, read_yaml

__all__ = [
    "AUTO",
    "GROUPS",
    "HEADINGS",
    "MODELS",
    "PACKAGE",
    "PRESETS",
    "PROJECT_WORKDIR",
    "STAGES",
    "USER_WORKDIR",
    "AblateConfig",
    "CleanConfig",
    "CompareConfig",
    "Config",
    "DiagnoseConfig",
    "EngineConfig",
    "EvaluateConfig",
    "ExportConfig",
    "MainConfig",
    "PredictConfig",
    "PreprocessConfig",
    "ReportConfig",
    "SearchConfig",
    "TrainConfig",
    "TrainWithinConfig",
    "Values",
    "check_value",
    "checked",
    "convert",
    "data_name",
    "digest",
    "dump_yaml",
    "faster_precision",
    "fastest_precision",
    "fields_of",
    "identity",
    "in_library",
    "is_folder_of_library",
    "name_in_library",
    "options_in",
    "parse_yaml",
    "part",
    "read_yaml",
    "recipe_of_training",
    "resolve",
    "unknown_option",
]
