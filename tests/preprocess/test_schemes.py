"""Each way of normalising does what its name says, and nothing outside the brain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_mmseg.models.card import NORMALISATIONS
from napari_mmseg.preprocess.normalise import normalise
from napari_mmseg.preprocess.schemes import SCHEMES, normalise_as


def image(seed: int = 0, background: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A textured block, part of which this image does not cover, and the brain's mask."""
    random = np.random.default_rng(seed)
    mask = np.zeros((14, 12, 10), bool)
    mask[2:-2, 2:-2, 2:-2] = True
    array = np.where(mask, random.gamma(4.0, 100.0, mask.shape) + 1.0, background)
    array[2:4] = background
    return array.astype(np.float32), mask


def test_a_card_may_name_each_scheme() -> None:
    assert tuple(SCHEMES) == NORMALISATIONS


def test_robust_is_what_our_networks_are_trained_with() -> None:
    array, mask = image()
    np.testing.assert_array_equal(normalise_as("robust", array, mask), normalise(array, mask))


def test_nonzero_zscore_is_that_of_monai() -> None:
    transforms = pytest.importorskip("monai.transforms", reason="MONAI is an extra")
    array, mask = image()
    expected = transforms.NormalizeIntensity(nonzero=True, channel_wise=True)(array[None])[0]
    found = normalise_as("zscore-nonzero", array, mask)
    np.testing.assert_allclose(found, np.asarray(expected), atol=1e-5)


def test_zscore_counts_the_whole_brain() -> None:
    array, mask = image()
    found = normalise_as("zscore", array, mask)
    assert found[mask].mean() == pytest.approx(0.0, abs=1e-5)
    assert found[mask].std() == pytest.approx(1.0, abs=1e-5)
    assert (found[2:4][mask[2:4]] < 0).all()


def test_clipped_zscore_forgets_extremes() -> None:
    array, mask = image()
    array[7, 6, 5] = 1e6
    covered = mask & (array != 0)
    found = normalise_as("zscore-clipped", array, mask)
    cut = np.clip(array[covered], *np.percentile(array[covered], (2, 98)))
    np.testing.assert_allclose(found[covered], (cut - cut.mean()) / cut.std(), atol=1e-4)
    assert found.max() < 5


def test_minmax_begins_at_the_background() -> None:
    array, mask = image()
    found = normalise_as("minmax", array, mask)
    np.testing.assert_allclose(found, np.where(mask, array / array.max(), 0), atol=1e-6)


@given(scheme=st.sampled_from(list(SCHEMES)), background=st.sampled_from([0.0, -1.5, 7.0]))
def test_outside_is_zero_and_a_constant_image_is_missing(scheme: str, background: float) -> None:
    array, mask = image(background=background)
    found = normalise_as(scheme, array, mask)
    assert found.dtype == np.float32
    assert not found[~mask].any()
    assert found[mask].any()
    flat = np.where(mask, np.float32(3), np.float32(background))
    assert not normalise_as(scheme, flat, mask, background).any()


def test_what_cannot_be_is_refused() -> None:
    array, mask = image()
    with pytest.raises(KeyError):
        normalise_as("histogram", array, mask)
    with pytest.raises(ValueError, match="differ in shape"):
        normalise_as("zscore", array, mask[1:])
