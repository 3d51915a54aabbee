"""A contact sheet of simulated cases beside real ones: would a radiologist tell them apart?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from napari_mmseg.protocol import load_protocol
from napari_mmseg.training.statistics import NamedCase

TILE = 180  # pixels a side; a brain of 200 mm is shrunk a little
WINDOW_PERCENT = (0.5, 99.5)  # of the brain's intensities, black to white
OUTLINE_SHARE = 0.75  # how much of an outline's pixel is its colour

Image = NDArray[np.uint8]


def case_row(case: NamedCase) -> Image:
    """T1, T1ce, T2, FLAIR and the labels' outlines on FLAIR in the tumour's largest axial slice."""
    _, volumes, depth = case
    brain = (volumes != 0).any(axis=0)
    where = depth > 0 if depth.any() else brain
    index = int(np.argmax(where.sum(axis=(1, 2))))
    tiles = [grey(image[index], image[brain]) for image in volumes]
    tiles.append(outlined(tiles[-1], depth[index]))
    return np.concatenate([square(tile) for tile in tiles], axis=1)


def write_sheet(groups: Mapping[str, Sequence[NamedCase]], path: Path) -> Path:
    """A PNG with one group of cases after the other, each under its title."""
    from PIL import Image as Picture
    from PIL import ImageDraw

    title_height = 16
    rows: list[Image] = []
    titles: list[tuple[int, str]] = []
    height = 0
    for title, cases in groups.items():
        titles.append((height, title))
        rows.append(np.zeros((title_height, 5 * TILE, 3), np.uint8))
        rows += [case_row(case) for case in cases]
        height += title_height + len(cases) * TILE
    picture = Picture.fromarray(np.concatenate(rows))
    pen = ImageDraw.Draw(picture)
    for top, title in titles:
        pen.text((4, top + 2), f"{title}: T1, T1ce, T2, FLAIR, labels", fill=(255, 255, 255))
    temporary = path.with_name(f".{path.name}.tmp")
    picture.save(temporary, format="PNG")
    temporary.replace(path)
    return path


def grey(plane: NDArray[np.float32], brain: NDArray[np.float32]) -> Image:
    """A plane as a picture (rows, columns, 3), in the window of the `brain`'s intensities."""
    low, high = np.percentile(brain[::7], WINDOW_PERCENT)
    # A voxel that is exactly at the median is 0 too: only what is open to the outside is black.
    covered = binary_fill_holes(plane != 0)
    shade = np.clip((plane - low) / max(float(high - low), 1e-6), 0, 1) * covered
    return np.repeat((shade * 255).astype(np.uint8)[..., None], 3, axis=-1)


def outlined(tile: Image, depth: NDArray[np.uint8]) -> Image:
    """A picture with the borders of the plane's nested regions in their colours."""
    result = tile.astype(np.float32)
    for region, level in zip(load_protocol("glioma").regions, (1, 2, 3), strict=True):
        inside = depth >= level
        middle = np.pad(inside, 1)
        deep = middle[:-2, 1:-1] & middle[2:, 1:-1] & middle[1:-1, :-2] & middle[1:-1, 2:]
        border = inside & ~deep
        colour = 255 * np.array(region.colour)
        result[border] = (1 - OUTLINE_SHARE) * result[border] + OUTLINE_SHARE * colour
    return result.astype(np.uint8)


def square(tile: Image) -> Image:
    """Centred in, or cut to, TILE x TILE pixels."""
    result = np.zeros((TILE, TILE, 3), np.uint8)
    into, outof = [], []
    for length in tile.shape[:2]:
        extra = TILE - length
        into.append(slice(max(0, extra // 2), max(0, extra // 2) + min(TILE, length)))
        outof.append(slice(max(0, -extra // 2), max(0, -extra // 2) + min(TILE, length)))
    result[tuple(into)] = tile[tuple(outof)]
    return result
