"""Several annotations of one case to one consensus, region by region.

Conventions:

- A voxel lies in a region when more than half of the (weighted) vote, or of STAPLE's probability,
  says so. At exactly half it stays out unless `ties` is "in": with an even number of raters the
  consensus is then the larger of the two.
- Nobody marked a region: it is empty, and nothing is said of sensitivity and specificity.
- One rater, or all alike: the consensus is what they say, whatever the method.
- Nesting is restored afterwards, parents first: see `nesting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...annotation import Annotation, Provenance
from ...errors import InputError
from ..panel import Panel, panel_of, sources_of
from ..surfaces import Mask
from .nesting import nested
from .result import METHODS, Consensus, Method, RaterPerformance, Ties
from .simple import FEWEST, simple
from .staple import staple
from .votes import Says, decided, measured, share


@dataclass(frozen=True, eq=False)
class _Region:
    """One region decided by itself; arrays over the panel's box."""

    probability: NDArray[np.float64]
    mask: Mask
    raters: Mapping[str, RaterPerformance]
    note: str | None = None


def consensus(
    annotations: Mapping[str, Annotation], method: Method = "majority", *, ties: Ties = "out"
) -> Consensus:
    """One annotation out of several of the same case.

    Parameters
    ----------
    annotations
        By rater; the names go into the provenance, so they should be pseudonyms.
    method
        "majority": more than half of the raters. "staple": see `staple`. "simple": see `simple`.
    ties
        What becomes of voxels with exactly half of the vote.

    Raises
    ------
    InputError
        When there is none, or they follow different protocols, or the method is not known.
    GeometryError
        When their voxels do not lie in the same places.
    """
    if method not in METHODS:
        raise InputError(f"{method!r} is no consensus method: choose one of {', '.join(METHODS)}")
    panel = panel_of(annotations)
    regions = {r.name: _decide(panel, r.name, method, ties) for r in panel.protocol.regions}
    codes, soft = nested(
        panel.protocol,
        {name: region.probability for name, region in regions.items()},
        {name: region.mask for name, region in regions.items()},
    )
    notes = [f"{name}: {region.note}" for name, region in regions.items() if region.note]
    if len(panel.names) == 1:
        notes = ["there is one rater only: the consensus is what they say"]
    annotation = Annotation(
        codes=panel.whole(codes),
        grid=panel.grid,
        protocol=panel.protocol,
        source=panel.source,
        author=f"consensus:{method}",
        provenance=Provenance(sources=sources_of(annotations), warnings=tuple(notes)),
    )
    return Consensus(
        annotation=annotation,
        soft={name: panel.whole(part) for name, part in soft.items()},
        raters={name: region.raters for name, region in regions.items()},
        method=method,
        ties=ties,
        notes=tuple(notes),
    )


def _decide(panel: Panel, region: str, method: Method, ties: Ties) -> _Region:
    """One region, over the neighbourhood of what anybody marked."""
    says = panel.says(region)
    near = panel.neighbourhood(np.logical_or.reduce(says, axis=0))
    if not near.any():
        unknown = dict.fromkeys(panel.names, RaterPerformance(None, None, None))
        return _Region(np.zeros(near.shape), near, unknown)
    probability, raters, note = _answer(says[:, near], method, ties)
    whole = np.zeros(near.shape)
    whole[near] = probability
    return _Region(whole, decided(whole, ties), dict(zip(panel.names, raters, strict=True)), note)


def _answer(
    said: Says, method: Method, ties: Ties
) -> tuple[NDArray[np.float64], list[RaterPerformance], str | None]:
    """Probability by voxel and performance by rater; `said` has axes (rater, voxel)."""
    note = None
    if method == "staple":
        found = staple(said)
        if found is not None:
            raters = [
                RaterPerformance(p, q, None)
                for p, q in zip(found.sensitivity, found.specificity, strict=True)
            ]
            note = None if found.settled else "STAPLE's estimates had not settled"
            return found.probability, raters, note
        note = "STAPLE came to no answer, the share of raters was taken"
    weights = None
    if method == "simple":
        if len(said) >= FEWEST:
            weights = simple(said)
        else:
            note = f"SIMPLE needs {FEWEST} raters, the majority was taken"
    probability = share(said, weights)
    return probability, measured(said, decided(probability, ties), weights), note
