"""What optuna-dashboard shows of a study beside its trials."""

import optuna

# Where the dashboard's own save_note puts a note, in parts of so many characters; its package need not be installed.
VERSION, PART = "dashboard:note_ver", "dashboard:note_str:"
PART_LENGTH = 2045
# The version of the note that was written here.
OURS = "note_version"


def set_note(study: optuna.Study, text: str) -> None:
    """Have optuna-dashboard show a text, in Markdown, as the study's note. What a person wrote there is kept.

    A note that this function wrote is replaced.
    """
    attributes = study._storage.get_study_system_attrs(study._study_id)
    if attributes.get(VERSION, 0) != attributes.get(OURS, 0):
        return
    version = attributes.get(VERSION, 0) + 1
    parts = [text[start : start + PART_LENGTH] for start in range(0, len(text), PART_LENGTH)]
    written = sum(name.startswith(PART) for name in attributes)
    for number, part in enumerate(parts + [""] * (written - len(parts))):
        study._storage.set_study_system_attr(study._study_id, f"{PART}{number}", part)
    for name in (OURS, VERSION):
        study._storage.set_study_system_attr(study._study_id, name, version)
