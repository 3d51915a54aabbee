"""Label files found beside a case: read at once when clear, asked about when not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..annotation import Annotation
from ..case import Case, LabelFile
from ..errors import EncodingError
from ..protocol import Protocol

if TYPE_CHECKING:
    from ..io.image import StoredImage

#: Asks which encoding a file has: (file name, [(title, name), ...]) -> name or None.
Ask = Callable[[str, list[tuple[str, str]]], str | None]


def read_label(case: Case, label: LabelFile, protocol: Protocol, ask: Ask) -> Annotation | None:
    """The annotation in a label file; None when the user gave no encoding for an unclear one.

    Raises
    ------
    MmsegError
        When the file cannot be read under any encoding.
    """
    from ..io import read_annotation

    try:
        return read_annotation(label.path, protocol=protocol, encoding=label.encoding, like=case)
    except EncodingError:
        choices = encoding_choices(label, protocol)
        if label.encoding is not None or len(choices) < 2:
            raise
    chosen = ask(label.path.name, choices)
    if chosen is None:
        return None
    return read_annotation(label.path, protocol=protocol, encoding=chosen, like=case)


def encoding_choices(label: LabelFile, protocol: Protocol) -> list[tuple[str, str]]:
    """The encodings that can be meant, as (title, name): only those that read the file's values."""
    from ..io.image import read_image

    return choices_in(read_image(label.path), protocol)


def choices_in(image: StoredImage, protocol: Protocol) -> list[tuple[str, str]]:
    """The same of an image that was read.

    Raises
    ------
    MmsegError
        When it holds no whole numbers from 0 to 255.
    """
    import numpy as np

    from ..io.label_files import label_values

    values = label_values(image)
    counts = np.bincount(values.ravel(order="K"), minlength=256)
    found = [int(v) for v in np.flatnonzero(counts)]
    return [(e.title, e.name) for e in protocol.encodings.values() if e.accepts(found)]
