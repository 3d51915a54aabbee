"""A model's card: what the network takes and gives, which files hold it, what it is for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import ModelError
from ..volume import Modality
from .appearance import Appearance, read_appearance
from .calibration import Calibration, read_calibration

#: What a card follows whose model finds the brain, not a tumour.
BRAIN_PROTOCOL = "brain"

CARD_FILE = "card.json"

#: How a model's output is to be read: probabilities in 0..1, or logits still to be squashed.
OUTPUTS = ("probabilities", "logits")

#: How often a network looks at a case: once; at the mirrored brain too (twice the network's time);
#: or, for the outermost region, also on coarser voxels without all contrasts but T1 in turn (three
#: times).
LOOKS = SINGLE, MIRRORED, THOROUGH = ("single", "mirrored", "thorough")

#: How intensities are brought to the network's scale (`preprocess.schemes`).
NORMALISATIONS = ("robust", "zscore", "zscore-nonzero", "zscore-clipped", "minmax")

#: The kind of a network that is only known as an ONNX file.
ONNX_KIND = "onnx"

#: MONAI's SegResNet with the arguments in the card's options: `networks.bundled_segresnet`.
BUNDLED_SEGRESNET = "bundled-segresnet"

#: Files that can hold the trained weights, whose hash is the model's identity.
WEIGHTS_SUFFIXES = (".safetensors", ".onnx")


@dataclass(frozen=True)
class Network:
    """Which network the weights belong to.

    `options` are further arguments of kinds that have them, such as MONAI's SegResNet.
    """

    kind: str
    base: int
    levels: int
    inputs: int
    outputs: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A further network of a model: the hash of its weights, its share (0 to 1) of the answer."""

    sha256: str
    share: float


@dataclass(frozen=True, eq=False)
class Card:
    """A model on disk, as its `card.json` describes it.

    Parameters
    ----------
    folder
        Where the card and its files lie.
    channels
        The modalities of the input channels, in order; a missing one is all zeros.
    regions
        The regions of the output channels, in order, named as in `protocol`.
    orientation
        Where the array axes point that the network was trained on.
    spacing_mm
        Edge of the (cubic) voxels that the network was trained on.
    stride
        Every side of an input is a multiple of this.
    output
        "probabilities" or "logits".
    files
        SHA-256 by file name.
    thresholds
        Probability from which on a voxel belongs to a region, by region.
    smallest_component_mm3
        By region: components smaller than this are dropped. Empty: none are.
    peaks
        By region: components that nowhere reach this probability are dropped. Empty: none are.
    normalisation
        One of `NORMALISATIONS`.
    window
        Least side of an input by axis, zeros around; None: just the brain. Networks whose
        normalisation layers saw a wide background need it around in use too.
    resize
        The voxels that the brain box is stretched to, whatever their edges then are; None: voxels
        of `spacing_mm`. For recipes that bring every case to one shape.
    calibration
        What makes probabilities of the network's numbers; None when nobody has fitted it.
        Thresholds and peaks are of the network's own numbers all the same.
    appearance
        How far the looks of a case's tissues may move the network's answer; None: not at all.
    looks
        One of `LOOKS`, unless the user asks for another.
    members
        Further networks in sub-folders (`models.members`), by folder.
    part
        Of a member: its share of its model's answer.
    details
        The whole card as read: training, validation, intended use, licence.
    """

    name: str
    version: str
    folder: Path
    network: Network
    channels: tuple[Modality, ...]
    regions: tuple[str, ...]
    orientation: str
    spacing_mm: float
    stride: int
    output: str
    files: Mapping[str, str]
    thresholds: Mapping[str, float]
    protocol: str = "glioma"
    smallest_component_mm3: Mapping[str, float] = field(default_factory=dict)
    peaks: Mapping[str, float] = field(default_factory=dict)
    normalisation: str = "robust"
    window: tuple[int, int, int] | None = None
    resize: tuple[int, int, int] | None = None
    calibration: Calibration | None = None
    appearance: Appearance | None = None
    looks: str = SINGLE
    members: Mapping[str, Member] = field(default_factory=dict)
    part: float = 1.0
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def weights_sha256(self) -> str:
        """The hash of the trained weights: the model's identity in provenance.

        Where there are members, of all hashes one after the other.
        """
        weights = next((name for name in self.files if name.endswith(WEIGHTS_SUFFIXES)), None)
        own = self.files[weights or self.file_name(WEIGHTS_SUFFIXES[0])]  # says what is wrong
        if not self.members:
            return own
        hashes = [own, *(self.members[name].sha256 for name in sorted(self.members))]
        return hashlib.sha256("".join(hashes).encode()).hexdigest()

    @property
    def share(self) -> float:
        """What the network of this folder has of the whole model's answer, 1 without members."""
        return self.part - sum(member.share for member in self.members.values())

    def file_name(self, suffix: str) -> str:
        """The name of the card's one file that ends with `suffix`.

        Raises
        ------
        ModelError
            When the card lists none.
        """
        for name in self.files:
            if name.endswith(suffix):
                return name
        raise ModelError(
            f"the card of the model {self.name} in {self.folder} lists no {suffix} file: "
            "export the model again"
        )

    def read_verified(self, suffix: str) -> bytes:
        """The bytes of the card's file that ends with `suffix`, their hash compared.

        What is hashed is what is returned: hashing costs about 1 ms a megabyte, so nothing is
        remembered between runs.

        Raises
        ------
        ModelError
            When the file is missing, unreadable or not the one that the card names.
        """
        name = self.file_name(suffix)
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise ModelError(
                f"the model {self.name} lacks its file {name} in {self.folder}: "
                "copy the whole model folder again or reinstall napari-mmseg"
            ) from None
        except OSError as error:
            raise ModelError(
                f"{self.folder / name} of the model {self.name} cannot be read: {error.strerror}"
            ) from error
        if hashlib.sha256(content).hexdigest() != self.files[name]:
            raise ModelError(
                f"{self.folder / name} is truncated, damaged or of another model (its SHA-256 is "
                f"not the one in {CARD_FILE}): copy the whole model folder again or reinstall "
                "napari-mmseg"
            )
        return content


def read_card(folder: Path) -> Card:
    """The card of the model in `folder`; its other files are not opened.

    Raises
    ------
    ModelError
        When there is no card, or it does not describe a model.
    """
    path = folder / CARD_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f'the folder "{folder.name or folder}" holds no {CARD_FILE}: name a folder that '
            "a training run exported"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is not a readable model card: {error}") from error
    try:
        card = _parse(folder, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path} is not a complete model card: {what}") from error
    return card


def _parse(folder: Path, data: Mapping[str, Any]) -> Card:
    network = data["network"]
    regions = tuple(str(name) for name in data["regions"])
    channels = tuple(Modality(name) for name in data["channels"])
    card = Card(
        name=str(data["name"]),
        version=str(data["version"]),
        folder=folder,
        network=Network(
            kind=str(network["kind"]),
            base=int(network["base"]),
            levels=int(network["levels"]),
            inputs=int(network["in"]),
            outputs=int(network["out"]),
            options=MappingProxyType(dict(network.get("options", {}))),
        ),
        channels=channels,
        regions=regions,
        orientation=str(data["orientation"]),
        spacing_mm=float(data["spacing_mm"]),
        stride=int(data["stride"]),
        output=str(data["output"]),
        files=MappingProxyType({str(k): str(v) for k, v in data["files"].items()}),
        thresholds=MappingProxyType({r: float(data["thresholds"][r]) for r in regions}),
        protocol=str(data.get("protocol", "glioma")),
        smallest_component_mm3=MappingProxyType(
            {str(k): float(v) for k, v in data.get("smallest_component_mm3", {}).items()}
        ),
        peaks=MappingProxyType({str(k): float(v) for k, v in data.get("peaks", {}).items()}),
        normalisation=str(data.get("normalisation", "robust")),
        window=_sides(data.get("window"), "window"),
        resize=_sides(data.get("resize"), "resize"),
        calibration=(
            read_calibration(data["calibration"], regions) if data.get("calibration") else None
        ),
        appearance=(
            read_appearance(data["appearance"], regions, channels)
            if data.get("appearance")
            else None
        ),
        looks=str(data.get("looks", SINGLE)),
        members=MappingProxyType(
            {
                str(name): Member(str(told["weights"]), float(told["share"]))
                for name, told in data.get("members", {}).items()
            }
        ),
        details=MappingProxyType(dict(data)),
    )
    if sorted(card.orientation) not in (
        sorted(a + b + c) for a in "LR" for b in "PA" for c in "IS"
    ):
        raise ValueError(f"{card.orientation!r} is no orientation")
    if card.output not in OUTPUTS:
        raise ValueError(f"output is {card.output!r}, not one of {', '.join(OUTPUTS)}")
    if card.normalisation not in NORMALISATIONS:
        raise ValueError(
            f"normalisation is {card.normalisation!r}, not one of {', '.join(NORMALISATIONS)}"
        )
    if card.looks not in LOOKS:
        raise ValueError(f"looks is {card.looks!r}, not one of {', '.join(LOOKS)}")
    if not card.spacing_mm > 0 or card.stride < 1:
        raise ValueError("spacing_mm and stride are positive")
    if card.network.inputs != len(card.channels) or card.network.outputs != len(regions):
        raise ValueError("the network's channels do not match the card's channels and regions")
    if any(Path(name).name != name for name in (*card.files, *card.members)):
        raise ValueError("files and members lie in the model's own folder")
    shares = [member.share for member in card.members.values()]
    if any(not share > 0 for share in shares) or not sum(shares) < 1:
        raise ValueError("members' shares are positive and leave some to the model's own network")
    return card


def _sides(sides: Any, name: str) -> tuple[int, int, int] | None:
    if sides is None:
        return None
    a, b, c = (int(side) for side in sides)
    if min(a, b, c) < 1:
        raise ValueError(f"{name} is three positive sides")
    return a, b, c
