"""What lies beside images and is none, told by its name: left by file managers, archives, notebooks and cameras."""

HIDDEN = "hidden"
SYSTEM = "left by a program"
SPECIAL = "no regular file"
# Of Windows, macOS, network storage, archives and Python.
SYSTEM_NAMES = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "__macosx",
    "@eadir",
    "@recycle",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__pycache__",
}
# Texts, tables, annotations, programs, sound, films, and what cameras write beside a picture. A file with another
# ending, or none, may be an image: its contents decide.
SIDE_FILES = {
    *(".txt", ".caption", ".md", ".rst", ".rtf", ".doc", ".docx", ".odt", ".log", ".url", ".lnk", ".html", ".htm"),
    *(".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".csv", ".tsv", ".xls", ".xlsx", ".parquet"),
    *(".npy", ".npz", ".pkl", ".pickle", ".h5", ".hdf5", ".pt", ".pth", ".mat", ".db", ".sqlite", ".cache"),
    *(".py", ".ipynb", ".sh", ".bat", ".m", ".r", ".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".md5", ".sha256"),
    *(
        ".mov",
        ".mp4",
        ".avi",
        ".mkv",
        ".m4v",
        ".mpg",
        ".wav",
        ".mp3",
        ".thm",
        ".lrv",
        ".xmp",
        ".aae",
        ".ctg",
        ".ds_store",
    ),
}


def why_ignored(name: str) -> str | None:
    """Why a file or folder of this name is no image and no class; None if it may be one."""
    if name.casefold() in SYSTEM_NAMES:
        return SYSTEM
    return HIDDEN if name.startswith(".") else None


def why_no_image(name: str) -> str | None:
    """Why a file that `why_ignored` lets pass is no image, by its name; None if it may be one."""
    # Folders hold many files: `PurePath.suffix` takes longer than asking the file system for one.
    _, dot, ending = name.rpartition(".")
    suffix = dot + ending.lower()
    return f"side file ({suffix})" if suffix in SIDE_FILES else None
