"""The raters' colours: seen on MRI, told apart, also without red or green."""

from __future__ import annotations

import numpy as np

from napari_mmseg._napari.raters_palette import LETTERS, MOST_RATERS, rater_colour
from napari_mmseg._napari.widgets.swatch import ink_on

#: Machado, Oliveira and Fernandes, IEEE TVCG 15:1291 (2009), severity 1, linear RGB.
SIGHTS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "normal": np.eye(3),
}

#: A just noticeable difference is about 2.3 (Mahy et al., Color Res Appl 19:105, 1994).
LEAST = {5: 27.0, 8: 18.0, 12: 14.0, 20: 10.0}


def lab(sight: str) -> np.ndarray:
    colours = np.array([rater_colour(n)[:3] for n in range(MOST_RATERS)])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SIGHTS[sight]).T, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = seen @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


def test_colours_are_told_apart_with_and_without_red_and_green():
    for sight in SIGHTS:
        seen = lab(sight)
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
        for count, least in LEAST.items():
            pairs = apart[:count, :count][np.triu_indices(count, 1)]
            assert pairs.min() >= least, (sight, count)


def test_colours_stand_out_from_grey():
    seen = lab("normal")
    assert (seen[:, 0] > 45).all()
    assert (seen[:, 0] < 85).all()
    chroma = np.hypot(seen[:, 1], seen[:, 2])
    assert chroma[0] > 35  # the blue that all others were chosen to differ from
    assert (chroma[1:] > 42).all()


def test_there_is_a_letter_for_each():
    assert len(set(LETTERS)) == MOST_RATERS == 20


def test_letters_and_figures_are_read_on_every_colour():
    """WCAG 2.1, success criterion 1.4.11: a contrast of 3 at least."""
    greys = [(grey, grey, 0.8 * grey, 1.0) for grey in np.linspace(0, 1, 21)]
    for colour in [*(rater_colour(n) for n in range(MOST_RATERS)), *greys]:
        parts = np.array(colour[:3])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        ground, ink = linear @ [0.2126, 0.7152, 0.0722], ink_on(colour).lightnessF()
        dark, light = sorted((ground, ink))
        assert (light + 0.05) / (dark + 0.05) >= 3.3, colour
