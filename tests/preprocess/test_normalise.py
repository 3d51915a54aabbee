"""Normalisation: one scale for every scanner, and nothing outside the brain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_mmseg.preprocess.normalise import (
    CLIP_SIGMA,
    background_value,
    brain_mask,
    normalise,
)


def head(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A ball of noise around 500 in a box of zeros, and where it is."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(-1.2, 1.2, 32)] * 3, indexing="ij"))
    inside = np.linalg.norm(grid, axis=0) < 1
    image = np.where(inside, rng.normal(500, 60, inside.shape), 0).astype(np.float32)
    return image, inside


def test_median_is_zero_and_spread_is_one_inside_and_zero_outside() -> None:
    image, inside = head()
    result = normalise(image, inside)
    assert result.dtype == np.float32
    assert abs(np.median(result[inside])) < 0.02
    assert abs(np.std(result[inside]) - 1) < 0.05
    assert not result[~inside].any()


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 100), shift=st.floats(0, 1000))
def test_scale_and_offset_of_the_scanner_do_not_matter(scale: float, shift: float) -> None:
    image, inside = head()
    other = np.where(inside, image * np.float32(scale) + np.float32(shift), 0)
    np.testing.assert_allclose(normalise(other, inside), normalise(image, inside), atol=2e-2)


def test_a_bright_lesion_of_a_tenth_of_the_brain_moves_healthy_tissue_little() -> None:
    image, inside = head()
    lesion = inside & (np.indices(image.shape)[0] < 9)
    assert 0.05 < lesion.sum() / inside.sum() < 0.3
    with_lesion = image + 900 * lesion
    healthy = inside & ~lesion
    moved = normalise(with_lesion, inside)[healthy] - normalise(image, inside)[healthy]
    mean_and_deviation = (with_lesion[healthy] - with_lesion[inside].mean()) / with_lesion[
        inside
    ].std() - normalise(image, inside)[healthy]
    assert np.abs(moved).mean() < 0.5 * np.abs(mean_and_deviation).mean()


def test_extremes_are_clipped() -> None:
    image, inside = head()
    image[16, 16, 16] = 1e9
    image[16, 16, 17] = -1e9
    result = normalise(image, inside)
    assert result[16, 16, 16] == CLIP_SIGMA[1]
    assert result[16, 16, 17] == CLIP_SIGMA[0]


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float64])
def test_integer_and_double_images_come_out_as_float32(kind: type) -> None:
    image, inside = head()
    np.testing.assert_allclose(
        normalise(image.astype(kind), inside), normalise(image, inside), atol=0.05
    )


def test_a_constant_image_looks_like_a_missing_modality() -> None:
    _, inside = head()
    assert not normalise(np.where(inside, 7.0, 0.0), inside).any()


def test_a_mask_of_another_shape_is_refused() -> None:
    image, inside = head()
    with pytest.raises(ValueError, match="differ in shape"):
        normalise(image, inside[1:])


def test_a_shorter_field_of_view_does_not_count() -> None:
    image, inside = head()
    cut = image.copy()
    cut[:12] = 0
    result = normalise(cut, inside)
    assert not result[:12].any()
    assert abs(np.median(result[12:][inside[12:]])) < 0.05


def test_mask_is_where_any_modality_has_signal() -> None:
    image, inside = head()
    part, rest = image.copy(), image.copy()
    part[16:] = 0
    rest[:16] = 0
    np.testing.assert_array_equal(brain_mask([part, rest]), inside)


def test_background_of_images_already_standardised_is_found() -> None:
    image, inside = head()
    standardised = (image - 300) / 200
    assert background_value(standardised) == pytest.approx(-1.5)
    np.testing.assert_array_equal(brain_mask([standardised]), inside)
    np.testing.assert_allclose(normalise(standardised, inside), normalise(image, inside), atol=1e-3)


def test_negative_interpolation_values_belong_to_the_brain() -> None:
    image, _ = head()
    image[16, 16, 10] = -3
    assert brain_mask([image])[16, 16, 10]


def test_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        brain_mask([])
