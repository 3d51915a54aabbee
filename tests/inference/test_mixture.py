"""Normal distributions fitted to tissues, with a network's answer as the prior."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from napari_mmseg.inference.mixture import RIDGE, Mixture, fit_mixture

LEAST = 20


def two_tissues(
    seed: int = 0, voxels: int = 4000
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Values of two contrasts, which are of the second tissue, and a poor prior of it."""
    generator = np.random.default_rng(seed)
    second = np.arange(voxels) < voxels // 4
    values = generator.normal(size=(voxels, 2)) * 0.5 + np.where(second, 3.0, 0.0)[:, None]
    says = np.clip(np.where(second, 0.7, 0.3) + generator.normal(size=voxels) * 0.2, 0.01, 0.99)
    return values.astype(np.float32), second, np.stack([1 - says, says]).astype(np.float32)


def test_it_learns_how_tissues_look() -> None:
    values, second, prior = two_tissues()
    mixture = fit_mixture(values, prior, (1, 1), LEAST)
    assert mixture.means[0] == pytest.approx([0.0, 0.0], abs=0.1)
    assert mixture.means[1] == pytest.approx([3.0, 3.0], abs=0.1)
    assert mixture.covariances[1] == pytest.approx(np.eye(2) * (0.25 + RIDGE), abs=0.08)
    # The prior alone is wrong about one voxel in six or so.
    likelihoods = mixture.log_likelihoods(values)
    assert np.mean((likelihoods[1] > likelihoods[0]) == second) > 0.995
    assert np.mean((prior[1] > prior[0]) == second) < 0.9


def test_log_likelihoods_are_those_of_normal_distributions() -> None:
    generator = np.random.default_rng(1)
    spread = generator.normal(size=(3, 4, 4))
    mixture = Mixture(
        tissues=2,
        owner=np.array([0, 0, 1]),
        shares=np.array([0.3, 0.7, 1.0]),
        means=generator.normal(size=(3, 4)),
        covariances=spread @ spread.transpose(0, 2, 1) + np.eye(4),
    )
    values = generator.normal(size=(50, 4))
    each = np.array(
        [
            multivariate_normal(mean, covariance).logpdf(values)
            for mean, covariance in zip(mixture.means, mixture.covariances, strict=True)
        ]
    )
    constant = -0.5 * 4 * np.log(2 * np.pi)  # shared by all, left out
    expected = np.array([logsumexp(each[:2].T, b=[0.3, 0.7], axis=1), each[2]]) - constant
    found = mixture.log_likelihoods(values.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_tissue_of_several_looks_gets_several_gaussians() -> None:
    values, _, _prior = two_tissues()
    certain = np.stack([np.ones(len(values)), np.zeros(len(values))]).astype(np.float32)
    mixture = fit_mixture(values, certain, (2, 1), LEAST)
    assert mixture.owner.tolist() == [0, 0]
    assert sorted(mixture.means[:, 0]) == pytest.approx([0.0, 3.0], abs=0.2)
    assert sorted(mixture.shares) == pytest.approx([0.25, 0.75], abs=0.02)
    assert not mixture.knows(1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**16), st.integers(1, 4), st.integers(1, 400))
def test_any_answer_of_a_network_gives_a_sound_mixture(
    seed: int, contrasts: int, voxels: int
) -> None:
    """Constant images and tissues of a few voxels too; and the same answer every time."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(voxels, contrasts)).astype(np.float32)
    values[:, : seed % (contrasts + 1)] = 1.0
    prior = generator.dirichlet(np.full(4, 0.3), size=voxels).T.astype(np.float32)
    first, second = (fit_mixture(values, prior, (6, 1, 1, 1), LEAST) for _ in range(2))
    assert np.isfinite(first.means).all()
    assert all(np.linalg.eigvalsh(c).min() > 0.9 * RIDGE for c in first.covariances)
    np.testing.assert_array_equal(first.log_likelihoods(values), second.log_likelihoods(values))
