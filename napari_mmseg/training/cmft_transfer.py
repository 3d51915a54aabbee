"""What CMFT learned, handed to a segmentation network: its parameters, all but the last layer's."""

from __future__ import annotations

from pathlib import Path

from napari_mmseg.errors import ModelError
from napari_mmseg.models.networks import RegionNetwork
from napari_mmseg.models.networks.cmff import PAIRS, Cmff
from napari_mmseg.models.networks.cmft import Transition, load_transition
from napari_mmseg.training.cmft import GENERATORS

_OUTPUT = "output."


def begin_with_cmft(run: Path, network: RegionNetwork) -> None:
    """Begin `network` with the generators of a CMFT run's folder.

    Raises
    ------
    ModelError
        When the run has none, or the network cannot take them over (see `transfer`).
    """
    transfer(load_transition(run / GENERATORS), network)


def transfer(transition: Transition, network: RegionNetwork) -> None:
    """Copy each generator into the branch that sees its pair: all but the output convolution.

    Branch A takes the generator of A to B, branch B that of B to A. The output convolutions and
    the fusion keep their own weights, as in the paper.

    Raises
    ------
    ModelError
        When the network has no such branches, or they are of another size.
    """
    if not isinstance(network, Cmff) or network.groups != PAIRS:
        raise ModelError(
            f"the network {network.kind} has no branch for each pair of contrasts: take cmff, or "
            "let the generators teach the network (--init distil)"
        )
    plans = []
    for branch, generator in zip(
        network.branches, (transition.forth, transition.back), strict=True
    ):
        weights = generator.state_dict()
        own = branch.state_dict()
        taken = {name: v for name, v in weights.items() if not name.startswith(_OUTPUT)}
        kept = {name: v for name, v in own.items() if name.startswith(_OUTPUT)}
        if {name: v.shape for name, v in taken.items()} != {
            name: v.shape for name, v in own.items() if name not in kept
        }:
            raise ModelError(
                "the generators are of another size than the network's branches: give the same "
                "base and levels as in the CMFT run"
            )
        plans.append((branch, {**taken, **kept}))
    for branch, weights in plans:
        branch.load_state_dict(weights)
