"""An ONNX or safetensors file with a small manifest that says how to use it.

`manifest.toml` (or .json; or NAME.toml beside NAME.onnx):

    name = "my-network"
    weights = "my-network.onnx"           # may be left out where there is one file of weights
    channels = ["T1ce", "T1", "T2", "FLAIR"]
    outputs = ["TC", "WT", "ET"]          # regions; or classes = ["background", "ED", "NCR", "ET"]
    output_form = "logits"                # or "probabilities"; not for safetensors
    normalisation = "zscore-nonzero"      # robust, zscore, zscore-nonzero, zscore-clipped, minmax
    orientation = "LPS"                   # where the array axes point
    spacing_mm = 1.0
    stride = 16                           # sides of an input are multiples; not for safetensors
    window = [240, 240, 160]              # optional: the least input
    threshold = 0.5                       # optional
    licence = "CC BY 4.0"                 # optional beside a LICENSE file

    [network]                             # for safetensors
    kind = "unet"
    base = 16
    levels = 5
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ModelError
from ..card import NORMALISATIONS, ONNX_KIND, Network
from .fields import Fields, read_fields
from .foreign import DEFAULT_THRESHOLD, ForeignModel
from .names import classes_of, modalities_of, regions_of
from .segresnet import bundled_weights, read_segresnet
from .terms import find_terms
from .weights import fit, read_onnx, read_safetensors

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST_STEM = "manifest"
MANIFEST_SUFFIXES = (".toml", ".json")
WEIGHTS_SUFFIXES = (".onnx", ".safetensors")

_FIELDS = {
    "name", "version", "description", "intended_use", "weights", "channels", "outputs", "classes",
    "output_form", "normalisation", "orientation", "spacing_mm", "stride", "window", "threshold",
    "licence", "license", "network", "base",
}  # fmt: skip
_MOST_SIDE = 1024
_MOST_STRIDE = 128
_MOST_BASE = 512
_MOST_LEVELS = 8
#: First-level channels of a network that nobody knows: decides how much memory a pass is given.
_UNKNOWN_BASE = 32


def find_manifest(folder: Path) -> Path | None:
    """The manifest in `folder`: manifest.toml or .json, or one named like a file of weights."""
    stems = [MANIFEST_STEM]
    stems += [p.stem for p in sorted(folder.iterdir()) if p.suffix.lower() in WEIGHTS_SUFFIXES]
    for stem in stems:
        for suffix in MANIFEST_SUFFIXES:
            if (folder / (stem + suffix)).is_file():
                return folder / (stem + suffix)
    return None


def read_manifest(path: Path) -> ForeignModel:
    """The model that the manifest at `path` describes.

    Raises
    ------
    ModelError
        When a field is missing, unknown or cannot be, or the weights do not fit it.
    """
    manifest = read_fields(path)
    unknown = [key for key in manifest.keys() if key not in _FIELDS]  # noqa: SIM118
    if unknown:
        raise ModelError(
            f"{path.name} has the unknown field {unknown[0]!r}: fields are "
            f"{', '.join(sorted(_FIELDS))}"
        )
    name = manifest.text("name")
    channels = modalities_of(manifest.texts("channels"), path.name)
    membership, form, count = _outputs(manifest)
    file = _weights_file(manifest, path.parent)
    weights: Mapping[str, Tensor] | bytes
    if file.suffix.lower() == ".onnx":
        weights = read_onnx(file)
        base = manifest.whole("base", _UNKNOWN_BASE, most=_MOST_BASE)
        network = Network(ONNX_KIND, base, 1, len(channels), count)
        stride = manifest.whole("stride", most=_MOST_STRIDE)
    else:
        network, weights, stride = _known_network(manifest, file, len(channels), count)
        if form != "logits":
            raise ModelError(
                f"output_form in {path.name} is {form!r}: networks built here give region logits, "
                "so outputs are regions and the form is logits"
            )
    threshold = manifest.number("threshold", DEFAULT_THRESHOLD)
    if not 0 < threshold < 1:
        raise ModelError(f"threshold in {path.name} is {threshold}: it lies between 0 and 1")
    licence = manifest.text("licence", manifest.text("license", ""))
    return ForeignModel(
        name=name,
        network=network,
        weights=weights,
        channels=channels,
        membership=membership,
        output_form=form,
        orientation=manifest.text("orientation").upper(),
        spacing_mm=manifest.number("spacing_mm"),
        stride=stride,
        normalisation=_normalisation(manifest),
        window=_window(manifest),
        thresholds=dict.fromkeys(membership, threshold),
        terms=find_terms(path.parent, (licence, manifest.text("intended_use", ""))),
        facts={
            "format": f"{file.suffix.lower().removeprefix('.')} with manifest",
            "version": manifest.text("version", "1"),
            "description": manifest.text("description", ""),
            "intended_use": manifest.text("intended_use", ""),
            "licence": licence,
        },
    )


def _outputs(manifest: Fields) -> tuple[dict[str, tuple[int, ...]], str, int]:
    """Output channels by region, what they are, and how many there are."""
    if ("outputs" in manifest) == ("classes" in manifest):
        raise ModelError(
            f"{manifest.where} needs either outputs (regions) or classes: name every output "
            "channel in one of them"
        )
    form = manifest.text("output_form", "logits")
    if form not in ("logits", "probabilities"):
        raise ModelError(
            f"output_form in {manifest.where} is {form!r}, not one of logits, probabilities"
        )
    if "outputs" in manifest:
        names = manifest.texts("outputs")
        return regions_of(names, manifest.where), form, len(names)
    names = manifest.texts("classes")
    return classes_of(names, manifest.where), f"class-{form}", len(names)


def _weights_file(manifest: Fields, folder: Path) -> Path:
    if "weights" in manifest:
        named = manifest.text("weights")
        if Path(named).name != named or "\\" in named:
            raise ModelError(
                f"weights in {manifest.where} is {named!r}: it lies beside the manifest"
            )
        path = folder / named
        if path.suffix.lower() not in WEIGHTS_SUFFIXES:
            raise ModelError(
                f"weights in {manifest.where} is {named!r}: only .onnx and .safetensors files are "
                "read"
            )
        return path
    found = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in WEIGHTS_SUFFIXES]
    if len(found) != 1:
        raise ModelError(
            f"{len(found)} files of weights lie beside {manifest.where}: name one with the field "
            "weights"
        )
    return found[0]


def _known_network(
    manifest: Fields, file: Path, inputs: int, outputs: int
) -> tuple[Network, dict[str, Tensor], int]:
    from ..networks import KINDS, build

    definition = manifest.table("network")
    tensors = read_safetensors(file)
    if "_target_" in definition:
        network = read_segresnet(definition)
        if (network.inputs, network.outputs) != (inputs, outputs):
            raise ModelError(
                f"{manifest.where} names {inputs} channels and {outputs} outputs, its network has "
                f"{network.inputs} and {network.outputs}: correct that file"
            )
        stride = 2 ** (network.levels - 1)
        return network, bundled_weights(network, tensors, file.name), stride
    kind = definition.text("kind")
    if kind not in KINDS:
        raise ModelError(
            f"kind in {definition.where} is {kind!r}: the networks built here are "
            f"{', '.join(KINDS)}"
        )
    base = definition.whole("base", most=_MOST_BASE)
    levels = definition.whole("levels", most=_MOST_LEVELS)
    built = fit(lambda: build(kind, inputs, outputs, base, levels), tensors, file.name)
    network = Network(kind, base, levels, inputs, outputs)
    return network, _contiguous(built.state_dict()), built.stride


def _contiguous(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().contiguous() for name, value in state.items()}


def _normalisation(manifest: Fields) -> str:
    name = manifest.text("normalisation")
    if name not in NORMALISATIONS:
        raise ModelError(
            f"normalisation in {manifest.where} is {name!r}, not one of {', '.join(NORMALISATIONS)}"
        )
    return name


def _window(manifest: Fields) -> tuple[int, int, int] | None:
    if "window" not in manifest:
        return None
    sides = manifest.wholes("window", most=_MOST_SIDE)
    if len(sides) != 3:
        raise ModelError(f"window in {manifest.where} is not three sides: correct that file")
    return sides[0], sides[1], sides[2]
