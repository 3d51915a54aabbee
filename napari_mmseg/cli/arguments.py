"""Arguments that several commands take, and what they mean."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..case import Case
    from ..protocol import Protocol
    from ..volume import Modality

#: So much of a name that is too long is shown.
_SHOWN = 40

#: A file, or one channel of a 4D file.
ImageFile = Path | tuple[Path, int]


class Device(StrEnum):
    """Where the network runs; auto: a CUDA GPU if there is one, else the processor."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Looks(StrEnum):
    """How often a model looks at a case, to answer with the mean."""

    SINGLE = "single"
    MIRRORED = "mirrored"
    THOROUGH = "thorough"


CasePaths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="CASE",
        help="A folder, several image files, or one 4D file.",
        show_default=False,
    ),
]
ModalityFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--modality",
        metavar="NAME=FILE[:CHANNEL]",
        help="Say which file is T1, T1ce, T2 or FLAIR; repeatable. FLAIR=scan.nii.gz:0 is the "
        "first channel of a 4D file.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def checked_protocol(name: str) -> str:
    """`name`, if there is a protocol of that name; a wrong one is a usage error."""
    from ..protocol import protocol_names

    if name not in (known := protocol_names()):
        raise typer.BadParameter(f"there is no protocol {name!r}: choose one of {', '.join(known)}")
    return name


ProtocolName = Annotated[
    str,
    typer.Option(
        "--protocol",
        metavar="NAME",
        help="Which regions the labels name.",
        callback=checked_protocol,
    ),
]


def open_from(paths: Sequence[Path] | None, modality_files: Sequence[str] | None) -> Case:
    """The case that the arguments name."""
    from ..io import open_case

    modalities = parse_modalities(modality_files or ())
    chosen = list(paths or ())
    if not chosen:
        files = (f if isinstance(f, Path) else f[0] for f in modalities.values())
        chosen = list(dict.fromkeys(files))
    if not chosen:
        raise typer.BadParameter("name a folder or image files", param_hint="CASE")
    return open_case(chosen[0] if len(chosen) == 1 else chosen, modalities=modalities or None)


def parse_modalities(options: Sequence[str]) -> dict[Modality, ImageFile]:
    """`FLAIR=FILE` and `FLAIR=FILE:CHANNEL` as a mapping; names in any case."""
    from ..volume import Modality

    known = {m.value.lower(): m for m in Modality}
    found: dict[Modality, ImageFile] = {}
    for option in options:
        name, equals, file = option.partition("=")
        modality = known.get(name.strip().lower())
        if not equals or not file or modality is None:
            raise typer.BadParameter(
                f"{option!r} is not NAME=FILE with NAME one of {', '.join(Modality)}",
                param_hint="--modality",
            )
        if modality in found:
            raise typer.BadParameter(f"{modality} is named twice", param_hint="--modality")
        found[modality] = _file_and_channel(file)
    return found


def checked_encoding(protocol: Protocol, name: str | None, option: str) -> str | None:
    """`name`, if the protocol has it; a wrong one is a usage error before any work is done."""
    if name is not None and name not in protocol.encodings:
        raise typer.BadParameter(
            f"{name!r} is no encoding of {protocol.name}: choose one of "
            f"{', '.join(protocol.encodings)}",
            param_hint=option,
        )
    return name


def checked_tolerance(mm: float) -> float:
    """`mm`, if it is a length: an infinite one is a usage error."""
    if not math.isfinite(mm):
        raise typer.BadParameter(f"{mm} is no length in mm", param_hint="--tolerance")
    return mm


def read_labels(path: Path, encoding: str | None, option: str, **more: Any) -> Annotation:
    """`io.read_annotation`; where the encoding has to be named, the sentence names the option."""
    from ..errors import AmbiguousEncodingError
    from ..io import read_annotation

    try:
        return read_annotation(path, encoding=encoding, **more)
    except AmbiguousEncodingError as error:
        raise AmbiguousEncodingError(f"{error} with {option}", error.choices) from error


def check_target(out: Path) -> None:
    """Refuse a target that an export would refuse too, before seconds of work are spent on it.

    Raises
    ------
    ExportError
        When the ending names no format, the name is too long, or the folder is not there or
        read-only.
    """
    from ..errors import ExportError
    from ..io.image import SUFFIXES, suffix_of
    from ..io.safe_write import LONGEST_NAME_BYTES

    if len(os.fsencode(out.name)) > LONGEST_NAME_BYTES:
        raise ExportError(
            f'"{out.name[:_SHOWN]}…" is too long a name: choose a shorter one '
            f"(at most {LONGEST_NAME_BYTES} letters)"
        )
    if out.is_dir():
        raise ExportError(f'"{out.name}" is a folder: name a file in it')
    if suffix_of(out) is None:
        raise ExportError(
            f'"{out.name}" names no format that can be written: end it in {", ".join(SUFFIXES)}'
        )
    if not out.parent.is_dir():
        raise ExportError(
            f'"{out.name}" cannot be written: the folder "{out.parent}" does not exist, '
            "create it first"
        )
    if not os.access(out.parent, os.W_OK):
        raise ExportError(
            f'"{out.name}" cannot be written: the folder "{out.parent.name or out.parent}" is '
            "read-only, choose another one"
        )
    if out.exists() and not out.is_file():
        raise ExportError(f'"{out.name}" is a device or a pipe: name a file')


def keep_inputs(out: Path, case: Case) -> None:
    """Refuse to write over an image of the case, before the model runs.

    Raises
    ------
    ExportError
        When `out` is one of its files.
    """
    from ..errors import ExportError

    files = {volume.path.resolve() for volume in case.volumes.values() if volume.path}
    if out.resolve() in files:
        raise ExportError(f'"{out.name}" is one of the images to segment: choose another name')


def _file_and_channel(text: str) -> ImageFile:
    file, colon, channel = text.rpartition(":")
    # A colon may also belong to the name itself (or to a Windows drive).
    if colon and channel.isdecimal() and not Path(text).exists():
        return Path(file), int(channel)
    return Path(text)
