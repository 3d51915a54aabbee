"""What the layers of a network answer to a case: its feature maps, to be looked at.

One pass through torch on the processor, left as soon as the layer asked for has spoken. Files that
hold no network of ours (ONNX) have no layers to hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..case import Case
from ..errors import InputError, ModelError
from ..models import DEFAULT_MODEL, Card, load_card
from ..models.card import ONNX_KIND
from .memory import channels_held, free_bytes
from .prepare import Box, Prepared, prepare
from .progress import Progress, Watch
from .rescale import rescale
from .torch import BYTES_PER_VOXEL_AND_CHANNEL, MEMORY_SHARE, build_network, load_network

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.networks import RegionNetwork

#: In place of a layer: the mask guidance of networks that have one (CMFF).
GUIDANCE = "guidance"

#: More maps than this nobody looks at, and they fill the memory.
MOST_MAPS = 16

#: The share of the job after which the network runs.
_PREPARED = 0.3


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Feature maps of one layer on a case's grid.

    Parameters
    ----------
    channels
        The layer's channel of each map, the most active first; classes in order for the guidance.
    maps
        (maps, I, P, L), the layer's own values, enlarged to the case's voxels.
    box
        Where they lie in the case's grid.
    available
        How many channels the layer has.
    coarseness
        Voxels of the network's input along each side of one value of the layer.
    warnings
        What was said while the case was prepared.
    """

    model: str
    layer: str
    channels: tuple[int, ...]
    maps: NDArray[np.float32]
    box: Box
    available: int
    coarseness: int
    warnings: tuple[str, ...] = ()


class _Heard(Exception):
    """Leaves a pass whose layer has spoken."""


def layer_names(model: str | Path = DEFAULT_MODEL) -> tuple[str, ...]:
    """The layers of a model that can be looked at, from the input to the output.

    Raises
    ------
    ModelError
        When the model is missing or damaged, or came without a network that is built here.
    """
    card = load_card(model)
    network = build_network(_with_layers(card).name, card.network)
    guided = (GUIDANCE,) if hasattr(network, "guidance") else ()
    return (*network.feature_layers, *guided)


def look_inside(
    case: Case,
    layer: str,
    *,
    model: str | Path = DEFAULT_MODEL,
    most: int = MOST_MAPS,
    smooth: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FeatureMaps:
    """The feature maps of `layer` while `model` looks at `case`.

    Parameters
    ----------
    layer
        One of `layer_names(model)`.
    most
        How many maps: the channels that vary most over the head, `MOST_MAPS` at most.
    smooth
        Enlarge linearly; else every value is a block, as coarse as the layer sees.

    Raises
    ------
    InputError
        When the case shows no brain or there is too little memory.
    ModelError
        When the model cannot be used, or has no such layer.
    Cancelled
        Soon after `cancelled` is true.
    """
    watch = Watch(progress, cancelled)
    watch.reach("prepare", 0.0)
    card = _with_layers(load_card(model))
    prepared = prepare(case, card, watch)
    _check_memory(card, prepared)
    network = load_network(card).eval()
    if layer != GUIDANCE and layer not in network.feature_layers:
        raise ModelError(
            f"the model {card.name} has no layer {layer!r}: it has "
            f"{', '.join(network.feature_layers)}"
        )
    answer = _answer(network, layer, prepared.channels, watch.pulse("predict", _PREPARED, 0.95))
    watch.reach("finish", 0.95)
    sides = prepared.channels.shape[1:]
    coarseness = max(1, round(sides[0] / answer.shape[1]))
    chosen = _chosen(answer, prepared, layer, min(most, MOST_MAPS))
    wide = np.stack([_enlarged(answer[i], sides, smooth) for i in chosen])
    maps, box = prepared.to_case(wide)
    watch.reach("done", 1.0)
    return FeatureMaps(
        model=card.name,
        layer=layer,
        channels=chosen,
        maps=maps,
        box=box,
        available=answer.shape[0],
        coarseness=coarseness,
        warnings=prepared.warnings,
    )


def _with_layers(card: Card) -> Card:
    if card.network.kind == ONNX_KIND:
        raise ModelError(
            f"the model {card.name} came as an ONNX file, whose layers cannot be looked at: "
            "choose another model"
        )
    return card


def _check_memory(card: Card, prepared: Prepared) -> None:
    voxels = int(np.prod(prepared.channels.shape[1:]))
    needed = voxels * BYTES_PER_VOXEL_AND_CHANNEL["fp32"] * channels_held(card.network)
    if needed > free_bytes() * MEMORY_SHARE:
        raise InputError(
            f"looking inside {card.name} takes {needed / 1e9:.1f} GB of memory, which are not "
            "free: close other programs"
        )


def _answer(
    network: RegionNetwork,
    layer: str,
    channels: NDArray[np.float32],
    check: Callable[[], None],
) -> NDArray[np.float32]:
    """What the layer gives for `channels`: (features, I, P, L), coarser than its input."""
    import torch

    heard: list[Tensor] = []

    def listen(_module: Any, _given: Any, result: Tensor) -> None:
        heard.append(result)
        raise _Heard

    def beat(*_: Any) -> None:
        check()  # raises when the result is no longer wanted

    hooks = [module.register_forward_pre_hook(beat) for module in network.modules()]
    volumes = torch.from_numpy(channels[None])
    try:
        with torch.inference_mode():
            if layer == GUIDANCE:
                heard.append(network.guidance(volumes))  # type: ignore[operator]
            else:
                hooks.append(network.get_submodule(layer).register_forward_hook(listen))
                network(volumes)
    except _Heard:
        pass
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        raise InputError(
            f"there is not enough memory to look at the layer {layer}: close other programs"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    result: NDArray[np.float32] = heard[0][0].float().numpy()
    return result


def _chosen(
    answer: NDArray[np.float32], prepared: Prepared, layer: str, most: int
) -> tuple[int, ...]:
    """The channels to show: those that vary most where the head is."""
    count = answer.shape[0]
    if layer == GUIDANCE:
        return tuple(range(count))[:most]
    head = _shrunk(np.asarray(prepared.channels.any(axis=0)), answer.shape[1:])
    spread = [float(answer[i][head].std()) if head.any() else 0.0 for i in range(count)]
    return tuple(int(i) for i in np.argsort(spread, kind="stable")[::-1][:most])


def _shrunk(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask's values at the centres of larger voxels."""
    return mask[np.ix_(*(_centres(n, m) for n, m in zip(mask.shape, shape, strict=True)))]


def _enlarged(
    values: NDArray[np.float32], shape: tuple[int, ...], smooth: bool
) -> NDArray[np.float32]:
    if values.shape == shape:
        return values
    if smooth:
        return rescale(values, (shape[0], shape[1], shape[2]))
    where = (
        np.minimum(np.arange(n) * m // n, m - 1) for n, m in zip(shape, values.shape, strict=True)
    )
    return values[np.ix_(*where)]


def _centres(long: int, short: int) -> NDArray[np.intp]:
    return np.asarray((np.arange(short) + 0.5) * long / short, dtype=np.intp)
