"""The walker's answer is the minimum that it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from napari_mmseg.editing.refine.walker import links, walk

SHAPE = (5, 6, 7)


def by_direct_solution(prior, confidence, weights, known):
    """The same linear system, assembled link by link and solved directly."""
    number = np.arange(prior.size).reshape(prior.shape)
    matrix = np.zeros((prior.size, prior.size))
    matrix[np.diag_indices(prior.size)] = confidence.ravel()
    for axis, weight in enumerate(weights):
        first = np.take(number, range(prior.shape[axis] - 1), axis).ravel()
        second = np.take(number, range(1, prior.shape[axis]), axis).ravel()
        for a, b, w in zip(first, second, weight.ravel(), strict=True):
            matrix[a, a] += w
            matrix[b, b] += w
            matrix[a, b] -= w
            matrix[b, a] -= w
    right = (confidence * prior).ravel().astype(float)
    held = known.ravel()
    matrix[held] = 0
    matrix[held, held] = 1
    right[held] = prior.ravel()[held]
    return spsolve(coo_array(matrix).tocsc(), right).reshape(prior.shape)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
def test_it_solves_the_linear_system(spacing):
    rng = np.random.default_rng(3)
    prior = rng.random(SHAPE).astype(np.float32)
    confidence = (0.02 + 0.3 * rng.random(SHAPE)).astype(np.float32)
    known = rng.random(SHAPE) < 0.1
    prior[known] = prior[known] > 0.5
    weights = links([rng.normal(size=SHAPE).astype(np.float32)], spacing)
    found = walk(prior, confidence, weights, known)
    np.testing.assert_allclose(
        found, by_direct_solution(prior, confidence, weights, known), atol=5e-3
    )
    np.testing.assert_array_equal(found[known], prior[known])


def test_links_are_weak_across_an_edge_and_across_thick_slices():
    image = np.zeros(SHAPE, np.float32)
    image[:, 3:] = 10.0
    along_i, along_p, along_l = links([image], (2.0, 1.0, 1.0))
    assert (along_p[:, 2] < 0.1).all()
    assert (along_p[:, 0] == 1.0).all()
    assert (along_i == 0.25).all()
    assert (along_l == 1.0).all()


def test_an_image_without_contrast_links_all_alike():
    for weight in links([np.zeros(SHAPE, np.float32)], (1.0, 1.0, 1.0)):
        assert (weight == 1.0).all()


def test_without_belief_the_known_spreads_evenly_between():
    line = np.zeros((1, 1, 5), np.float32)
    line[..., 4] = 1.0
    known = np.zeros(line.shape, bool)
    known[..., [0, 4]] = True
    weights = links([np.zeros_like(line)], (1.0, 1.0, 1.0))
    found = walk(line, np.zeros_like(line), weights, known)
    np.testing.assert_allclose(found[0, 0], [0, 0.25, 0.5, 0.75, 1], atol=1e-3)
