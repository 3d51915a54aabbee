"""The features of a box do not depend on where the box was cut."""

from __future__ import annotations

import numpy as np

from napari_mmseg.editing.refine.features import feature_bank, gradient

SHAPE = (30, 34, 38)


def test_a_box_has_the_features_of_the_whole():
    rng = np.random.default_rng(0)
    image = rng.normal(size=SHAPE).astype(np.float32)
    probability = rng.integers(0, 255, SHAPE).astype(np.uint8)
    box = (slice(10, 18), slice(9, 20), slice(12, 24))
    spacing = (2.0, 1.0, 1.0)
    part = feature_bank([image], [probability], box, spacing)
    whole = feature_bank([image], [probability], tuple(slice(0, n) for n in SHAPE), spacing)
    np.testing.assert_allclose(part[:-3], whole[(slice(None), *box)][:-3], atol=1e-4)
    np.testing.assert_array_equal(part[-4], probability[box])
    np.testing.assert_array_equal(part[-3, :, 0, 0], np.arange(8) * 2.0)


def test_the_gradient_is_per_millimetre():
    ramp = np.broadcast_to(np.arange(9, dtype=np.float32)[:, None, None] * 6.0, (9, 5, 5))
    np.testing.assert_allclose(gradient(np.ascontiguousarray(ramp), (3.0, 1.0, 1.0)), 2.0)


def test_a_single_slice_has_features():
    image = np.random.default_rng(0).normal(size=(1, 20, 20)).astype(np.float32)
    bank = feature_bank([image], [], (slice(0, 1), slice(0, 20), slice(0, 20)), (5.0, 1.0, 1.0))
    assert np.isfinite(bank).all()
