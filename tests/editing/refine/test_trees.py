"""The forest learns what separates two classes, and answers as its questions say."""

from __future__ import annotations

import numpy as np

from napari_mmseg.editing.refine.trees import Forest, grow


def two_classes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Six features of noise; the class is the product of the signs of two of them."""
    samples = rng.normal(size=(6, count)).astype(np.float32)
    return samples, (samples[1] > 0) ^ (samples[4] > 0)


def test_it_learns_what_no_line_separates():
    rng = np.random.default_rng(0)
    samples, inside = two_classes(rng, 800)
    forest = grow(samples, inside, np.ones(800, np.float32))
    fresh, truth = two_classes(rng, 2000)
    said = forest.probability(fresh.reshape(6, 40, 50)).ravel()
    assert ((said > 0.5) == truth).mean() > 0.85


def test_weights_decide_between_samples_that_contradict():
    samples = np.zeros((2, 40), np.float32)
    inside = np.arange(40) % 2 == 0
    weights = np.where(inside, 3.0, 1.0).astype(np.float32)
    said = grow(samples, inside, weights).probability(samples)
    np.testing.assert_allclose(said, 0.75, atol=0.01)


def test_the_same_seed_grows_the_same_forest():
    samples, inside = two_classes(np.random.default_rng(1), 300)
    weights = np.ones(300, np.float32)
    first, second = (grow(samples, inside, weights, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.leaves, second.leaves)


def test_answers_are_read_as_a_binary_number():
    forest = Forest(
        np.array([[0, 1]]), np.array([[0.0, 0.0]], np.float32), np.array([[0, 1, 2, 3]], np.float32)
    )
    bank = np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]], np.float32)
    np.testing.assert_array_equal(forest.probability(bank), [0, 1, 2, 3])
