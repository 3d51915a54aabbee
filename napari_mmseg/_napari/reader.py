"""napari's reader: folders and files that belong to a case become layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..annotation import Annotation
from ..case import Case
from ..errors import MmsegError
from .layers import case_tuples, labels_tuple

if TYPE_CHECKING:
    from .commands import PathOrPaths
    from .layers import LayerTuple


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerTuple]] | None:
    from ..io import looks_like_case

    return read_case if looks_like_case(_paths(path)) else None


def read_case(path: PathOrPaths) -> list[LayerTuple]:
    """Layer tuples of the case at a folder, file or list of files.

    A label file beside the images comes along when its encoding is known; otherwise the panel
    asks for it.
    """
    from ..io import open_case
    from . import adoption

    paths = _paths(path)
    case = open_case(paths[0] if len(paths) == 1 else paths)
    tuples = case_tuples(case)
    if (annotation := own_annotation(case)) is not None:
        tuples.append(labels_tuple(case, annotation))
    adoption.expect_layers(case, len(tuples))
    return tuples


def own_annotation(case: Case) -> Annotation | None:
    """The annotation in the label file beside the images, if its encoding is known."""
    from ..io import read_annotation

    for label in case.labels:
        if label.encoding is None:
            continue
        try:
            return read_annotation(label.path, encoding=label.encoding, like=case)
        except MmsegError:
            continue  # the panel names the file and says why when the user opens it
    return None


def _paths(path: PathOrPaths) -> list[Path]:
    if isinstance(path, str | Path):
        return [Path(path)]
    return [Path(p) for p in path]
