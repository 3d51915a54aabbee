"""A user's labelled cases, prepared once as a model sees them and kept in the run's folder.

Each case becomes two arrays: images (4, I, P, L) float16, normalised, 0 in a missing modality, and
depths (I, P, L) uint8 (0 background, 1 WT only, 2 TC without ET, 3 ET). A case that cannot be used
is left out with a sentence, which is written down too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case, LabelFile
from napari_mmseg.errors import AmbiguousEncodingError, InputError, MmsegError
from napari_mmseg.inference.prepare import prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.io.image import quoted
from napari_mmseg.models.seen import fingerprints
from napari_mmseg.training.layouts import Place, find_places, leaves
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.presets import Preset, preset_named
from napari_mmseg.training.simulate.chance import Chance

FOLDER = "cases"
INDEX = "cases.json"
_HOLD_OUT_STREAM = 11

Tell = Callable[[str], None]


@dataclass(frozen=True)
class StoredCase:
    """A prepared case: `number` names its files, `missing` the modalities that it lacks.

    `images` are the fingerprints of its images (`models.seen`).
    """

    name: str
    number: int
    held_out: bool
    missing: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A case that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class CaseSet:
    """What a run learns from and is judged on."""

    folder: Path
    cases: tuple[StoredCase, ...]
    skipped: tuple[Skipped, ...]

    @property
    def training(self) -> tuple[StoredCase, ...]:
        return tuple(case for case in self.cases if not case.held_out)

    @property
    def held_out(self) -> tuple[StoredCase, ...]:
        return tuple(case for case in self.cases if case.held_out)

    def read(self, case: StoredCase) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """Images (4, I, P, L) and depths (I, P, L), read from disk where they are looked at."""
        images, depth = case_files(self.folder, case.number)
        return np.load(images, mmap_mode="r"), np.load(depth, mmap_mode="r")


def collect(options: TrainOptions, tell: Tell | None = None) -> CaseSet:
    """Prepare the cases of `options.data`, or find them prepared by the run that is resumed.

    `tell` gets a sentence for each case that is left out, and one on the whole.

    Raises
    ------
    InputError
        When no case can be used, too few are left to hold some out, or the run was begun with
        other cases.
    AmbiguousEncodingError
        When a label file does not tell its encoding and none was given.
    """
    assert options.data is not None
    folder = options.folder / FOLDER
    if options.resume and (folder / INDEX).is_file():
        _refuse_other(folder, options)
        return stored_cases(folder)
    say = tell or (lambda _: None)
    preset = preset_named(options.preset)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(
        missing_ok=True
    )  # until all are prepared there is nothing to go on with
    found: list[StoredCase] = []
    skipped: list[Skipped] = []
    for place in find_places(options.data):
        try:
            case, annotation = opened(place, options.data, options.encoding)
            images, depth, missing = prepared_pair(case, annotation, preset)
        except AmbiguousEncodingError as error:
            raise AmbiguousEncodingError(f"{error} with --encoding", error.choices) from error
        except (MmsegError, OSError) as error:
            skipped.append(Skipped(place.name, _sentence(error)))
            say(f"the case {place.name} was left out: {skipped[-1].reason}")
            continue
        image_file, depth_file = case_files(folder, len(found))
        np.save(image_file, images, allow_pickle=False)
        np.save(depth_file, depth, allow_pickle=False)
        found.append(StoredCase(place.name, len(found), False, missing, fingerprints(case)))
    if not found:
        raise InputError(
            f"no case of {quoted(options.data)} can be trained on, the first because: "
            f"{skipped[0].reason}"
        )
    held = held_out_numbers(len(found), options.hold_out, options.seed)
    cases = tuple(replace(case, held_out=case.number in held) for case in found)
    result = CaseSet(folder, cases, tuple(skipped))
    write_index(result, options)
    say(
        f"{len(result.training)} cases to learn from, {len(result.held_out)} held out, "
        f"{len(skipped)} left out"
    )
    return result


def labelled(
    place: Place, root: Path, preset: Preset, encoding: str | None = None
) -> tuple[NDArray[np.float16], NDArray[np.uint8], tuple[str, ...]]:
    """One case as a model of `preset` sees it: images, depths, and the modalities it lacks.

    Raises
    ------
    InputError
        When its images or labels cannot be used, or it leads out of `root`.
    """
    return prepared_pair(*opened(place, root, encoding), preset)


def opened(place: Place, root: Path, encoding: str | None = None) -> tuple[Case, Annotation]:
    """A case of `root` and its one segmentation; errors as for `labelled`."""
    if (outside := leaves(place, root)) is not None:
        raise InputError(
            f"{quoted(outside)} lies outside the folder that was given, or is a link out of it: "
            "training reads nothing there, copy it into the folder"
        )
    case = open_case(place.path)
    label = _one_label(case.labels, place)
    return case, read_annotation(label.path, encoding=encoding or label.encoding, like=case)


def prepared_pair(
    case: Case, annotation: Annotation, preset: Preset
) -> tuple[NDArray[np.float16], NDArray[np.uint8], tuple[str, ...]]:
    """Images and depths of a case and its segmentation, and the modalities that it lacks."""
    prepared = prepare(case, preset.card, Watch())
    upright = prepared.change.apply(annotation.codes)[prepared.box]
    inner = prepared.interior
    depth = np.zeros(prepared.channels.shape[1:], dtype=np.uint8)
    depth[inner] = nearest(upright, tuple(side.stop - side.start for side in inner))
    return prepared.channels.astype(np.float16), depth, tuple(map(str, prepared.missing))


def nearest(labels: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.uint8]:
    """`labels` on `shape` voxels that fill the same box: no value that was not there."""
    result = labels
    for axis, (old, new) in enumerate(zip(labels.shape, shape, strict=True)):
        if old != new:
            index = np.floor((np.arange(new) + 0.5) * old / new).astype(int)
            result = result.take(np.minimum(index, old - 1), axis=axis)
    return result


def held_out_numbers(count: int, share: float, seed: int) -> frozenset[int]:
    """Which of `count` cases are kept out of training: drawn by lot, the same for a seed.

    Raises
    ------
    InputError
        When nothing would be left on one side.
    """
    if share <= 0:
        return frozenset()
    if count < 2:
        raise InputError(
            "one case alone cannot be parted into some to learn from and some to judge by: "
            "add cases, or hold none out"
        )
    wanted = min(count - 1, max(1, round(share * count)))
    order = Chance(seed, _HOLD_OUT_STREAM).rng.permutation(count)
    return frozenset(int(number) for number in order[:wanted])


def _one_label(labels: Sequence[LabelFile], place: Place) -> LabelFile:
    if not labels:
        raise InputError(
            f"{quoted(place.path)} has no label file that can be read: add one, such as "
            f"{place.name}_seg.nii.gz"
        )
    if len(labels) > 1:
        listed = ", ".join(quoted(label.path) for label in labels)
        raise InputError(f"{listed} are several label files of one case: keep the one to learn")
    return labels[0]


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror})"
    return str(error)


def case_files(folder: Path, number: int) -> tuple[Path, Path]:
    """Where the images and the depths of a prepared case lie."""
    return folder / f"{number:04d}-images.npy", folder / f"{number:04d}-depth.npy"


def _origin(options: TrainOptions) -> dict[str, object]:
    """What the prepared cases depend on; no path, so that a run's folder tells nobody's home."""
    return {
        "preset": options.preset,
        "encoding": options.encoding,
        "hold_out": options.hold_out,
        "seed": options.seed,
    }


def write_index(cases: CaseSet, options: TrainOptions) -> None:
    """Write down what was prepared for a run: from then on it can begin, or be resumed."""
    told = {
        **_origin(options),
        "cases": [asdict(case) for case in cases.cases],
        "skipped": [asdict(case) for case in cases.skipped],
    }
    path = cases.folder / INDEX
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def stored_cases(folder: Path) -> CaseSet:
    """The cases that `collect` has prepared in `folder`."""
    told = _index(folder)
    cases = tuple(
        StoredCase(
            **{
                **case,
                "missing": tuple(case["missing"]),
                "images": tuple(case.get("images", ())),  # runs begun earlier have none
            }
        )
        for case in told["cases"]
    )
    return CaseSet(folder, cases, tuple(Skipped(**case) for case in told["skipped"]))


def _index(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return told


def _refuse_other(folder: Path, options: TrainOptions) -> None:
    told = _index(folder)
    if {key: told.get(key) for key in _origin(options)} != _origin(options):
        raise InputError(
            f"the run {options.name} was begun with another preset, encoding, seed or hold-out: "
            "give the same again, or another --name"
        )
