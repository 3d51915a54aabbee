"""A folder from what the user names: the folder itself, or a zip unpacked with suspicion."""

from __future__ import annotations

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from ...errors import ModelError

#: A zip that would unpack to more than this is refused (bytes).
MOST_BYTES = 4 * 2**30
#: A zip with more members than this is refused.
MOST_MEMBERS = 5000
#: Weights hardly compress: a larger file packed tighter than this is a trap.
MOST_RATIO = 100
_SMALL_BYTES = 2**20

#: What an importer reads; everything else in a zip stays packed.
SUFFIXES = (".json", ".toml", ".pt", ".pth", ".onnx", ".safetensors", ".txt", ".md")
LICENCE_STEMS = ("license", "licence", "copying", "terms", "notice")

_CHUNK_BYTES = 2**20


@contextmanager
def open_source(source: Path) -> Iterator[Path]:
    """The folder that `source` is, or a temporary one with the content of the zip that it is.

    Raises
    ------
    ModelError
        When it is neither, or the zip is damaged, unsafe or larger than any model.
    """
    if source.is_dir():
        yield source
        return
    if not source.exists():
        raise ModelError(
            f'"{source.name}" does not exist: name the folder or zip that you downloaded'
        )
    if not zipfile.is_zipfile(source):
        raise ModelError(
            f'"{source.name}" is no folder and no readable zip file: download it again, or '
            "name the folder that holds the model"
        )
    with tempfile.TemporaryDirectory(prefix="mmseg-import-") as temporary:
        folder = Path(temporary) / source.stem  # a bundle without a name is called after it
        folder.mkdir()
        try:
            with zipfile.ZipFile(source) as archive:
                check_members(archive, source)
                for member in archive.infolist():
                    if not member.is_dir() and _is_wanted(member.filename):
                        _unpack(archive, member, folder)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise ModelError(
                f"{source} is damaged or not a plain zip: download it again"
            ) from error
        except OSError as error:  # two members of one name, a name too long, a full disk
            raise ModelError(
                f"{source} cannot be unpacked here: {error.strerror or error}"
            ) from error
        yield folder


def check_members(archive: zipfile.ZipFile, source: Path) -> None:
    """Refuse an archive that would write elsewhere or fill the disk, before anything is unpacked.

    Raises
    ------
    ModelError
        Naming the member that is wrong.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise ModelError(f"{source} holds {len(members)} files, more than any model: it is refused")
    for member in members:
        if _leads_outside(member.filename):
            raise ModelError(
                f"{source} holds {member.filename!r}, which leads out of its folder: it is refused"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ModelError(
                f"{source} holds the link {member.filename!r}: unpack it yourself first"
            )
        if member.file_size > _SMALL_BYTES and member.file_size > MOST_RATIO * max(
            1, member.compress_size
        ):
            raise ModelError(
                f"{source} holds {member.filename!r}, which unpacks to more than {MOST_RATIO} "
                "times its size: it is refused as a trap"
            )
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise ModelError(
            f"{source} unpacks to more than {MOST_BYTES / 2**30:g} GiB, more than any model: "
            "it is refused"
        )


def _leads_outside(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return (
        posix.is_absolute()
        or bool(windows.drive)
        or windows.is_absolute()
        or "\\" in name
        or "\0" in name
        or ".." in posix.parts
    )


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.lower().endswith(SUFFIXES) or path.stem.lower().startswith(LICENCE_STEMS)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """One member below `folder`, never more of it than it declared."""
    target = folder.joinpath(*PurePosixPath(member.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as packed, target.open("xb") as unpacked:
        while chunk := packed.read(min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile("a member is longer than it declares")
            unpacked.write(chunk)
