"""Label files: their values as integers, and what says which encoding they are in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..case import LabelFile
from ..errors import AmbiguousEncodingError, EncodingError, InputError, MmsegError
from ..protocol import Protocol, load_protocol
from . import sidecar
from .discover import dataset_of
from .image import StoredImage, quoted, read_image, stem_of
from .names import words_of

#: A stored label may be this far from an integer (float32 scaling gives 1.0000153 for 1).
LABEL_TOLERANCE = 1e-3

#: A sentence names so many values and counts the rest.
_LISTED = 8

#: Not the paediatric files, which mean other things by the same values.
_BRATS_2023 = re.compile(r"brats-(?!ped)[a-z]+-\d+-\d+\b", re.IGNORECASE)
_BRATS_2023_IMAGE = re.compile(r"(?!brats-ped)(?:.*-)?(?:t1n|t1c|t2w|t2f)", re.IGNORECASE)
_BRATS_2017 = re.compile(r"brats(?:20)?(?:17|18|19|20|21)_", re.IGNORECASE)


def label_values(image: StoredImage) -> NDArray[np.uint8]:
    """The file's label values, in the file's axis order.

    Raises
    ------
    EncodingError
        When a value is no whole number between 0 and 255.
    InputError
        When the file has several channels.
    """
    where = quoted(image.path)
    if image.channels > 1:
        raise InputError(f"{where} has {image.channels} channels: a label file has one volume")
    raw = image.raw
    if raw.dtype == np.uint8 and not image.is_scaled:
        return raw
    if raw.dtype.kind == "f" or image.is_scaled:
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused in a sentence
            meant = raw * np.float64(image.slope) + image.inter
            rounded = np.rint(meant)
            off = np.abs(meant - rounded)
        if not np.isfinite(meant).all() or float(off.max()) > LABEL_TOLERANCE:
            worst = meant.flat[int(np.argmax(np.where(np.isfinite(off), off, np.inf)))]
            raise EncodingError(
                f"{where} holds the value {worst:g}, which is no label: "
                "labels are whole numbers (is it an image or a probability map?)"
            )
        raw = rounded
    if raw.min() < 0 or raw.max() > 255:
        raise EncodingError(
            f"{where} holds values from {raw.min():g} to {raw.max():g}, which are no labels "
            "of an encoding: is it an image?"
        )
    return raw.astype(np.uint8)


def encoding_of(path: Path, beside: Sequence[Path] = ()) -> tuple[str, str] | None:
    """The encoding that a sidecar or the dataset's naming says, and who says it; else None.

    Parameters
    ----------
    path
        The label file.
    beside
        The case's image files, whose names tell the dataset too.
    """
    if (said := sidecar.encoding_in(path)) is not None:
        return said, "its sidecar"
    stem = stem_of(path)
    if "vsd" in words_of(stem):
        return "brats2015", "the names of BraTS 2015"
    if _BRATS_2017.match(stem):
        return "brats2017", "the names of BraTS 2017 to 2021"
    if _BRATS_2023.match(stem) or (
        beside and all(_BRATS_2023_IMAGE.fullmatch(stem_of(p)) for p in beside)
    ):
        return "brats2023", "the names of BraTS 2023"
    if _is_decathlon(path):
        return "msd", "the Decathlon's dataset.json"
    return None


def label_files(
    paths: Sequence[Path], images: Sequence[Path]
) -> tuple[tuple[LabelFile, ...], list[str]]:
    """The label files beside a case's images, each with its encoding where something tells it.

    A file is opened only when names say nothing: its values may allow one reading only. Returns
    the files and sentences about those that stay ambiguous or hold no labels.
    """
    found: list[LabelFile] = []
    said: list[str] = []
    for path in [*paths, *_decathlon_labels(images)]:
        if (region := sidecar.region_in(path)) is not None:
            said.append(f"{quoted(path)} was left out: it holds {region} alone of an export")
            continue
        evidence = encoding_of(path, images)
        if evidence is None:
            try:
                encoding = _told_by_values(path, label_values(read_image(path)), load_protocol())
                evidence = encoding, "its values, which only one reading fits"
            except AmbiguousEncodingError as error:
                said.append(str(error))
            except MmsegError as error:
                said.append(f"a label file was left out: {error}")
                continue
        found.append(LabelFile(path, *(evidence or (None, ""))))
    return tuple(found), said


def choose_encoding(
    path: Path, values: NDArray[np.uint8], protocol: Protocol, beside: Sequence[Path] = ()
) -> str:
    """The encoding to read a label file in, when the user named none.

    Raises
    ------
    EncodingError
        When nothing tells, naming the choices.
    """
    evidence = encoding_of(path, beside)
    if evidence is not None and evidence[0] in protocol.encodings:
        return evidence[0]
    return _told_by_values(path, values, protocol)


def _told_by_values(path: Path, values: NDArray[np.uint8], protocol: Protocol) -> str:
    """The encoding that label values tell by themselves: where all that have them read them alike.

    Raises
    ------
    AmbiguousEncodingError
        When they may mean different regions, naming the choices.
    EncodingError
        When no encoding has them.
    """
    present = np.flatnonzero(np.bincount(values.ravel(order="K"), minlength=256))
    readings = protocol.readings(present)
    if len(readings) == 1:
        return next(iter(readings))
    listed = ", ".join(str(v) for v in present[:_LISTED])
    if present.size > _LISTED:
        listed += f" and {present.size - _LISTED} more, up to {present[-1]}"
    if not readings:
        raise EncodingError(
            f"{quoted(path)} has the label values {listed}, which no encoding of "
            f"{protocol.name} has ({', '.join(protocol.encodings)}): it holds other labels, or "
            "follows another protocol"
        )
    choices = tuple(name for names in readings.values() for name in names)
    raise AmbiguousEncodingError(
        f"{quoted(path)} has the label values {listed}, which mean different regions in different "
        f"encodings: name one of {', '.join(choices)}",
        choices,
    )


def _decathlon_labels(images: Sequence[Path]) -> list[Path]:
    """`labelsTr/NAME` of an image in `imagesTr/NAME`."""
    found: list[Path] = []
    for path in dict.fromkeys(images):
        if path.parent.name.lower() == "imagestr":
            label = path.parent.parent / "labelsTr" / path.name
            if label.is_file():
                found.append(label)
    return found


def _is_decathlon(path: Path) -> bool:
    data = dataset_of(path)
    labels = data.get("labels") if data else None
    if not isinstance(labels, dict):
        return False
    meaning = {str(k): str(v).lower() for k, v in labels.items()}
    return (
        meaning.get("1", "").startswith(("edema", "oedema"))
        and "non" in meaning.get("2", "")
        and meaning.get("3", "").startswith("enhancing")
    )
