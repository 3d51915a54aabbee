"""Open a case: the one way from files to co-registered volumes on one grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..case import Case, LabelFile
from ..errors import GeometryError, InputError
from ..volume import Modality, Volume
from .discover import MSD_CHANNELS, Finding, channels_of, discover, is_msd_file
from .image import StoredImage, quoted, read_image, stem_of
from .label_files import label_files
from .plausible import oddities
from .volume_reader import upright

#: Grids closer than this are the same but for rounding: nothing is interpolated.
RESAMPLE_ABOVE_VOXELS = 0.1

#: Which contrast's grid is preferred where as many volumes lie on one as on another.
_REFERENCE_ORDER = (Modality.T1CE, Modality.FLAIR, Modality.T1, Modality.T2)

_THREADS = 4

Override = Path | tuple[Path, int]


@dataclass(frozen=True)
class _Source:
    """Where one contrast comes from: a file, and a channel of it."""

    path: Path
    channel: int | None = None


def open_case(
    path: str | Path | Sequence[str | Path],
    *,
    modalities: Mapping[Modality, Override] | None = None,
    progress: Callable[[str], None] | None = None,
    with_labels: bool = True,
) -> Case:
    """Open a folder, several files or one file with channels as a case.

    Volumes come in display orientation (I, P, L) in the file's own number type, or float32 where
    the file scales its values. Those on another grid than most are resampled linearly onto that
    grid (of as many, the T1ce's). All that was assumed, replaced or left out is in
    `Case.warnings`.

    Parameters
    ----------
    path
        A folder, files, or a file with one channel a contrast.
    modalities
        The user's word on which file, or which channel of which file, is which contrast; it goes
        before names.
    progress
        Called with a few words before each step, from the calling thread.
    with_labels
        False: label files beside the images are neither opened nor told of.

    Raises
    ------
    InputError
        When the files do not make a case.
    GeometryError
        When a volume lies nowhere near the others, or its affine is impossible.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]
    if not paths:
        raise InputError("no file was given: name a folder or image files")
    tell = progress or (lambda _: None)
    tell("looking for contrasts")
    wanted = {
        _known(m): _Source(Path(given[0]), given[1])
        if isinstance(given, tuple)
        else _Source(Path(given))
        for m, given in (modalities or {}).items()
    }
    finding = discover(
        paths, named=[source.path for source in wanted.values()], chosen=wanted.keys()
    )
    sources = {m: _Source(p) for m, p in finding.images.items()} | wanted
    _refuse_twice(sources)
    warnings = [f"{sentence} and was left out" for sentence in finding.lost]
    opened: dict[Path, StoredImage] = {}
    left_out = list(finding.unknown)
    if not sources:
        sources, opened = _channels(finding, warnings)
        left_out = [p for p in left_out if p not in opened]
    warnings += [
        f"{quoted(p)} was left out: it is none of {', '.join(Modality)}, or another file was named"
        for p in left_out
    ]
    tell("reading " + ", ".join(m for m in Modality if m in sources))
    volumes = _read(sources, opened, warnings)
    opened.clear()
    if not volumes:
        raise InputError(
            f"no image of {quoted(finding.folder)} shows anything: each has the same value "
            "everywhere, or no number at all; copy them again from their source"
        )
    reference = _reference(volumes)
    volumes = _on_one_grid(volumes, reference, warnings, tell)
    warnings += oddities(volumes[reference].grid)
    labels: tuple[LabelFile, ...] = ()
    if with_labels:
        labels, said = label_files(finding.labels, [s.path for s in sources.values()])
        warnings += said
    return Case(
        id=_name(paths, finding),
        volumes=volumes,
        reference=reference,
        labels=labels,
        warnings=tuple(warnings),
    )


def _known(name: str) -> Modality:
    try:
        return Modality(name)
    except ValueError:
        raise InputError(
            f"there is no contrast {name!r}: choose one of {', '.join(Modality)}"
        ) from None


def _refuse_twice(sources: Mapping[Modality, _Source]) -> None:
    """Refuse one image for two contrasts."""
    seen: dict[tuple[Path, int], Modality] = {}
    for modality, source in sources.items():
        key = (source.path.resolve(), source.channel or 0)
        if key in seen:
            raise InputError(
                f"{quoted(source.path)} is named as {seen[key]} and as {modality}: "
                "name another file for one of them, or leave it out"
            )
        seen[key] = modality


def _channels(
    finding: Finding, warnings: list[str]
) -> tuple[dict[Modality, _Source], dict[Path, StoredImage]]:
    """The contrasts of the one file with channels, where names told of none."""
    if not finding.unknown:
        found = "only labels" if finding.labels else "no image"
        raise InputError(
            f"{quoted(finding.folder)} holds {found}: at least one of {', '.join(Modality)} "
            "is needed"
        )
    decathlon = [p for p in finding.unknown if is_msd_file(p)]
    candidates = decathlon or list(finding.unknown)
    if len(decathlon) > 1:
        raise InputError(
            f"{quoted(finding.folder)} holds {len(decathlon)} cases, one a file: open one of them"
        )
    if len(candidates) > 1:
        raise InputError(
            f"no file of {quoted(finding.folder)} is named as a contrast: "
            "name each with --modality, such as --modality T1ce=FILE"
        )
    path = candidates[0]
    image = read_image(path)
    if image.channels == 1:
        raise InputError(
            f"{quoted(path)} is not named as a contrast: say what it is with "
            "--modality, such as --modality T1ce=FILE"
        )
    order = channels_of(path)
    if order is None:
        order = MSD_CHANNELS
        if image.channels == len(order):
            warnings.append(
                f"{quoted(path)} does not name its channels: the Decathlon's usual order "
                f"{', '.join(order)} is assumed"
            )
    if image.channels != len(order) or len(set(order)) != len(order):
        raise InputError(
            f"{quoted(path)} has {image.channels} channels that nothing names: say which is "
            f"which with --modality, such as --modality FLAIR={path.name}:0"
        )
    return {m: _Source(path, i) for i, m in enumerate(order)}, {path: image}


def _read(
    sources: Mapping[Modality, _Source], opened: Mapping[Path, StoredImage], warnings: list[str]
) -> dict[Modality, Volume]:
    """All volumes upright, each file read once, files in parallel."""
    by_file: dict[Path, dict[Modality, _Source]] = {}
    for modality, source in sources.items():
        by_file.setdefault(source.path, {})[modality] = source

    def read(path: Path) -> tuple[dict[Modality, Volume], list[str]]:
        return _volumes_of(opened.get(path) or read_image(path), by_file[path])

    volumes: dict[Modality, Volume] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        for found, notes in pool.map(read, by_file):
            volumes |= found
            warnings += notes
    return volumes


def _volumes_of(
    image: StoredImage, wanted: Mapping[Modality, _Source]
) -> tuple[dict[Modality, Volume], list[str]]:
    """The contrasts that one file holds, and sentences about them."""
    said = list(image.notes)
    volumes: dict[Modality, Volume] = {}
    for modality, source in wanted.items():
        if source.channel is None and image.channels > 1:
            raise InputError(
                f"{quoted(image.path)} has {image.channels} channels: say which is {modality} "
                f"with --modality {modality}={image.path.name}:0"
            )
        array, notes = upright(image, source.channel or 0)
        said += [f"{modality}, {quoted(image.path)}: {note}" for note in notes]
        if array is not None:
            space = image.source
            channel = {} if source.channel is None else {"channel": str(source.channel)}
            volumes[modality] = Volume(
                array,
                space.display_grid,
                modality,
                space,
                image.path,
                image.sha256,
                notes=channel,
            )
    return volumes, said


def _reference(volumes: Mapping[Modality, Volume]) -> Modality:
    """The contrast whose grid most share; of as many, the first of `_REFERENCE_ORDER`."""

    def sharing(modality: Modality) -> int:
        grid = volumes[modality].grid
        return sum(grid.same_as(v.grid, RESAMPLE_ABOVE_VOXELS) for v in volumes.values())

    return max((m for m in _REFERENCE_ORDER if m in volumes), key=sharing)


def _on_one_grid(
    volumes: Mapping[Modality, Volume],
    reference: Modality,
    warnings: list[str],
    tell: Callable[[str], None],
) -> dict[Modality, Volume]:
    grid = volumes[reference].grid
    placed: dict[Modality, Volume] = {}
    for modality, volume in volumes.items():
        if grid.same_as(volume.grid):
            placed[modality] = volume
        elif grid.same_as(volume.grid, RESAMPLE_ABOVE_VOXELS):
            placed[modality] = replace(volume, grid=grid)
            warnings.append(
                f"{modality} lies less than {RESAMPLE_ABOVE_VOXELS} voxels beside {reference}: "
                "taken as the same grid"
            )
        else:
            tell(f"resampling {modality}")
            placed[modality] = _resampled(volume, modality, volumes[reference], reference, warnings)
    return placed


def _resampled(
    volume: Volume, modality: Modality, onto: Volume, reference: Modality, warnings: list[str]
) -> Volume:
    from .resample import resample_linear

    grid = onto.grid
    if not grid.overlaps(volume.grid):
        files = [f"{quoted(v.path)} " if v.path else "" for v in (volume, onto)]
        raise GeometryError(
            f"{files[0]}({modality}) and {files[1]}({reference}) lie in different places, without "
            "overlap: they are not co-registered, or belong to different patients; leave one out"
        )
    sides = " x ".join(str(n) for n in volume.source.grid.shape)
    warnings.append(
        f"{modality} lies on another grid ({sides} voxels): resampled onto that of {reference}"
    )
    array = resample_linear(volume.array, volume.grid, grid)
    array.flags.writeable = False
    return replace(volume, array=array, grid=grid, resampled=True)


def _name(paths: Sequence[Path], finding: Finding) -> str:
    if len(paths) == 1 and not paths[0].is_dir():
        return stem_of(paths[0])
    return finding.folder.absolute().name
