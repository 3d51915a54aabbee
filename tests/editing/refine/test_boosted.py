"""Boosted trees learn what separates two classes, better than a forest that is as quick."""

from __future__ import annotations

import numpy as np

from napari_mmseg.editing.refine.boosted import DEPTH, Boosted, boost
from napari_mmseg.editing.refine.trees import grow


def two_classes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Six features of noise; a curved border between two of them, blurred by a third."""
    samples = rng.normal(size=(6, count)).astype(np.float32)
    odds = 8 * (samples[1] ** 2 - samples[4] + 0.2 * samples[0])
    return samples, rng.random(count) < 1 / (1 + np.exp(-odds))


def test_it_comes_closer_than_the_forest():
    rng = np.random.default_rng(0)
    samples, inside = two_classes(rng, 2500)
    fresh, truth = two_classes(rng, 4000)
    said = boost(samples, inside).probability(fresh)
    forest = grow(samples, inside, np.ones(inside.size, np.float32)).probability(fresh)
    assert ((said > 0.5) == truth).mean() > 0.91
    assert ((said - truth) ** 2).mean() < 0.8 * ((forest - truth) ** 2).mean()


def test_it_says_how_sure_it_is():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(3, 3000)).astype(np.float32)
    said = boost(noise, rng.random(3000) < 0.2, rounds=20).probability(noise)
    assert 0.17 < said.mean() < 0.23
    assert said.max() < 0.6


def test_the_same_seed_grows_the_same_trees_and_few_where_little_is_to_learn():
    rng = np.random.default_rng(2)
    samples = rng.normal(size=(4, 300)).astype(np.float32)
    first, second = (boost(samples, samples[2] > 0, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.leaves, second.leaves)
    np.testing.assert_array_equal(first.thresholds, second.thresholds)
    assert len(first.leaves) < 100
    assert ((first.probability(samples) > 0.5) == (samples[2] > 0)).all()


def test_a_volume_is_answered_voxel_by_voxel():
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(2, 120)).astype(np.float32)
    trees = boost(samples, samples[0] > samples[1], rounds=5)
    flat = trees.probability(samples)
    np.testing.assert_array_equal(trees.probability(samples.reshape(2, 4, 5, 6)).ravel(), flat)


def test_answers_are_read_as_a_binary_number():
    asked = np.array([[0] * (DEPTH - 2) + [0, 1]])
    leaves = np.zeros((1, 1 << DEPTH), np.float32)
    leaves[0, 1] = 2.0  # all answers no but the last
    trees = Boosted(asked, np.zeros((1, DEPTH), np.float32), leaves, bias=-1.0)
    bank = np.array([[-1, -1, 1], [-1, 1, 1]], np.float32)
    np.testing.assert_allclose(trees.probability(bank), 1 / (1 + np.exp([1.0, -1.0, 1.0])))
