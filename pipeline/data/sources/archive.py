"""A .zip or .tar archive (.tar.gz, .tgz, .tar.bz2, .tar.xz too) of class folders, of lists, or of images with a table.

It is read in place, and means what its unpacked folder would; a folder that wraps all of it is looked through. A table
at its top counts if it alone names images there. A compressed tar archive can only be read from its beginning: it is
decompressed once into a plain one in the work folder.
"""

import dataclasses

from pipeline.config import PreprocessConfig
from pipeline.data.archives.tree import ENDINGS, open_archive
from pipeline.data.source import Source
from pipeline.data.sources import folder, lists, table
from pipeline.data.split_names import lists_in
from pipeline.data.tables import is_table
from pipeline.data.trees import FileTree
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of


def accepts(data: str) -> bool:
    """Whether `data` is a file with the ending of an archive."""
    return data.lower().endswith(ENDINGS) and is_file(data)


def open_source(config: PreprocessConfig) -> Source:
    """The images in the archive `config.data`.

    Raises UserError if it cannot be read or needs a password, and as the sources for folders, lists and tables do.
    """
    tree = open_archive(path_of(config.data), config.workdir)
    if "train" in lists_in(tree.root):
        return lists.of_tree(tree, config)
    tables = [place for place in tree.root.iterdir() if place.is_file() and is_table(place.name)]
    of_images = [place for place in tables if table.names_images(place, tree.root, config)]
    if len(of_images) == 1:
        return table.of_table(of_images[0], tree, config)
    if tables:
        return _beside_tables(tree, sorted(shown(place.name) for place in tables), config)
    return folder.of_tree(tree, config)


def _beside_tables(tree: FileTree, names: list[str], config: PreprocessConfig) -> Source:
    """The images by their folders, and a warning that tables are not used. Raises UserError if one was asked for."""
    unused = (
        f"no table at the top of {shown(str(tree.root))}, or more than one, names images there ({', '.join(names)}); "
        "unpack the archive to give one as --data"
    )
    if config.path_column:
        raise UserError(f"--path_column {shown(config.path_column)}: {unused}")
    try:
        source = folder.of_tree(tree, config)
    except UserError as error:
        raise UserError(f"{error}; {unused}") from error
    return dataclasses.replace(source, warnings=(*source.warnings, f"the folders count: {unused}"))
