"""Normal distributions over contrasts, several to a tissue, with a prior for every voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Voxels of each tissue that the fit looks at.
SAMPLE = 4_000

#: Of expectation maximisation, and of k-means before it.
ROUNDS = 8
GROUPING_ROUNDS = 10

#: Fewer are not cut further.
VOXELS_A_GAUSSIAN = 50

#: Added to variances (normalised intensities have about 1): tissues of few voxels look wider.
RIDGE = 0.1

#: The network's prior is this much flatter (exponent), and no tissue is ruled out.
FLATNESS = 0.7
LEAST_PRIOR = 0.01

#: A tissue and all inside it to which the network gives less than `DOUBT` is all but ruled out: its
#: prior is cut down to `DOUBT_SHARE` of itself.
DOUBT = 0.03
DOUBT_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Mixture:
    """The fitted distributions.

    Parameters
    ----------
    tissues
        How many there are.
    owner
        The tissue of each distribution, (d,).
    shares
        Of each distribution in its tissue, (d,).
    means, covariances
        (d, contrasts) and (d, contrasts, contrasts).
    """

    tissues: int
    owner: NDArray[np.intp]
    shares: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def knows(self, tissue: int) -> bool:
        """Were there voxels enough to learn this tissue's look?"""
        return bool((self.owner == tissue).any())

    def log_likelihoods(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of values (n, contrasts) by tissue: (tissues, n); very low for tissues unknown."""
        by_distribution = _log_densities(self, values)
        found = np.full((self.tissues, len(values)), -1e3, dtype=np.float32)
        for tissue in range(self.tissues):
            if self.knows(tissue):
                mine = by_distribution[self.owner == tissue]
                found[tissue] = mine[0] if len(mine) == 1 else _log_of_sum(mine)
        return found


def fit_mixture(
    values: NDArray[np.float32],
    prior: NDArray[np.float32],
    gaussians: tuple[int, ...],
    least_voxels: int,
) -> Mixture:
    """The mixture under which `values` (n, contrasts) are likely, given `prior` (tissues, n).

    `gaussians` is the number of distributions by tissue; a tissue that is the likeliest in fewer
    than `least_voxels` gets none. The outcome is the same at every call.
    """
    likeliest = prior.argmax(axis=0)
    chosen, weights = _sample(likeliest, len(prior))
    sample = values[chosen].astype(np.float64)
    trusted = _flattened(prior[:, chosen].astype(np.float64))
    mixture = _begun(sample, likeliest[chosen], gaussians, least_voxels)
    for _ in range(ROUNDS if mixture.owner.size else 0):
        mixture = _improved(mixture, sample, trusted, weights)
    return mixture


def _sample(
    likeliest: NDArray[np.intp], tissues: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which voxels to look at, evenly within each tissue, and how many each stands for."""
    chosen, weights = [], []
    for tissue in range(tissues):
        mine = np.flatnonzero(likeliest == tissue)
        some = mine[np.linspace(0, len(mine) - 1, min(len(mine), SAMPLE)).astype(np.intp)]
        chosen.append(some)
        weights.append(np.full(len(some), len(mine) / max(1, len(some))))
    return np.concatenate(chosen), np.concatenate(weights)


def _flattened(prior: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = np.maximum(prior, 0.0) ** FLATNESS
    flat /= flat.sum(axis=0)
    flat = (flat + LEAST_PRIOR) / (1.0 + len(prior) * LEAST_PRIOR)
    for tissue in range(1, len(prior)):
        flat[tissue, prior[tissue:].sum(axis=0) < DOUBT] *= DOUBT_SHARE
    return np.asarray(flat / flat.sum(axis=0))


def _begun(
    sample: NDArray[np.float64],
    likeliest: NDArray[np.intp],
    gaussians: tuple[int, ...],
    least_voxels: int,
) -> Mixture:
    """From what the network calls each tissue, cut into as many groups as it has gaussians."""
    owner, shares, means, covariances = [], [], [], []
    for tissue, wanted in enumerate(gaussians):
        mine = sample[likeliest == tissue]
        if len(mine) < least_voxels:
            continue
        count = min(wanted, max(1, len(mine) // VOXELS_A_GAUSSIAN))
        groups = _grouped(mine, count)
        for group in range(count):
            members = mine[groups == group]
            if len(members) > sample.shape[1]:
                owner.append(tissue)
                shares.append(len(members) / len(mine))
                means.append(members.mean(axis=0))
                covariances.append(np.atleast_2d(np.cov(members.T)))
    size = sample.shape[1]
    return Mixture(
        len(gaussians),
        np.array(owner, dtype=np.intp),
        np.array(shares),
        np.array(means).reshape(-1, size),
        np.array(covariances).reshape(-1, size, size) + RIDGE * np.eye(size),
    )


def _grouped(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Groups (n,) of like values: k-means (Lloyd), begun with a cut along the main axis.

    Importing scipy's takes longer than all of this.
    """
    if count == 1:
        return np.zeros(len(values), dtype=np.intp)
    away = values - values.mean(axis=0)
    main = np.linalg.eigh(away.T @ away)[1][:, -1]
    groups = np.empty(len(values), dtype=np.intp)
    groups[np.argsort(away @ main, kind="stable")] = np.arange(len(values)) * count // len(values)
    for _ in range(GROUPING_ROUNDS):
        centres = np.array(
            [values[groups == g].mean(axis=0) for g in range(count) if (groups == g).any()]
        )
        groups = ((values[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    return groups


def _improved(
    mixture: Mixture,
    sample: NDArray[np.float64],
    trusted: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Mixture:
    """One round of expectation maximisation."""
    logs = _log_densities(mixture, sample) + np.log(trusted[mixture.owner])
    logs -= logs.max(axis=0)
    share = np.exp(logs)
    share *= weights / share.sum(axis=0)
    totals = np.maximum(share.sum(axis=1), 1e-6)
    means = share @ sample / totals[:, None]
    ridge = RIDGE * np.eye(sample.shape[1])
    covariances = np.empty_like(mixture.covariances)
    for number, (mine, mean) in enumerate(zip(share, means, strict=True)):
        away = sample - mean
        covariances[number] = (mine[:, None] * away).T @ away / totals[number] + ridge
    of_tissue = np.bincount(mixture.owner, totals, minlength=mixture.tissues)
    shares = np.maximum(totals / of_tissue[mixture.owner], 1e-4)
    return Mixture(mixture.tissues, mixture.owner, shares, means, covariances)


def _log_of_sum(logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """log(sum(exp(logs))) over the first axis; numpy's logaddexp takes several times as long."""
    highest = logs.max(axis=0)
    return np.asarray(highest + np.log(np.exp(logs - highest).sum(axis=0)))


def _log_densities(mixture: Mixture, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Of values (n, contrasts) by distribution: (d, n); without the constant all share."""
    found = np.empty((len(mixture.owner), len(values)), dtype=values.dtype)
    for number, (mean, covariance) in enumerate(
        zip(mixture.means, mixture.covariances, strict=True)
    ):
        whitening = np.linalg.cholesky(np.linalg.inv(covariance))
        away = (values - mean.astype(values.dtype)) @ whitening.astype(values.dtype)
        constant = np.log(np.diag(whitening)).sum() + np.log(mixture.shares[number])
        found[number] = constant - 0.5 * np.einsum("ij,ij->i", away, away)
    return found
