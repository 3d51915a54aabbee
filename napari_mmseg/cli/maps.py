"""Maps of where raters differ, as images: what several commands offer and how they call them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..annotation import Annotation
    from ..protocol import Protocol

Maps = Annotated[
    Path | None,
    typer.Option(
        "--maps",
        metavar="FILE",
        help="Write where raters differ, an image a map: FILE-entropy (bits, over all codes), "
        "FILE-dissent (how many do not say what most say), FILE-WT-count (how many mark it), "
        "FILE-WT-entropy and so on.",
        show_default=False,
    ),
]

ENTROPY, DISSENT, COUNT = "entropy", "dissent", "count"


def map_targets(maps: Path, protocol: Protocol) -> dict[str, Path]:
    """`entropy`, `dissent`, `WT-count`, `WT-entropy`, ... and the file each is written to."""
    from ..io.image import stem_of

    stem = stem_of(maps)
    suffix = maps.name[len(stem) :]
    regions = [region.name for region in protocol.regions]
    names = [ENTROPY, DISSENT, *(f"{r}-{what}" for r in regions for what in (COUNT, ENTROPY))]
    return {name: maps.with_name(f"{stem}-{name}{suffix}") for name in names}


def write_maps(raters: Mapping[str, Annotation], targets: Mapping[str, Path]) -> None:
    """Write the maps of `map_targets`, on the voxels of the first rater's file.

    Raises
    ------
    ExportError
        When one cannot be written.
    """
    from ..agreement.disagreement import disagreement
    from ..io import write_volume

    found = disagreement(raters)
    source = next(iter(raters.values())).source
    made: dict[str, NDArray[Any]] = {ENTROPY: found.overall_entropy, DISSENT: found.dissent}
    made |= {f"{region}-{COUNT}": votes for region, votes in found.count.items()}
    made |= {f"{region}-{ENTROPY}": bits for region, bits in found.entropy.items()}
    for name, target in targets.items():
        write_volume(made[name], target, source)
