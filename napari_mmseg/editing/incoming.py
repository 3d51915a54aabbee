"""Labels from outside are checked at the door, before a voxel of the session changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..errors import EncodingError, GeometryError
from ..protocol import Protocol


def checked_codes(
    result: Annotation | NDArray[np.integer], present: Annotation
) -> NDArray[np.uint8]:
    """The codes of a result that fits the annotation that is being edited.

    Raises
    ------
    GeometryError
        When the result lies on another grid or follows another protocol.
    EncodingError
        When it has codes that the protocol does not know.
    """
    if not isinstance(result, Annotation):
        if result.dtype != np.uint8 and result.size:  # a cast would wrap 259 around to 3
            check_known(present.protocol, int(result.min()), int(result.max()), "the labels")
        return present.with_codes(result).codes
    if not result.grid.same_as(present.grid):
        raise GeometryError(
            "the labels lie on another grid than the case: open them together with its images"
        )
    if result.protocol != present.protocol:
        raise GeometryError(
            f"the labels follow the protocol {result.protocol.name}, "
            f"the case {present.protocol.name}: choose labels of the same protocol"
        )
    return result.codes


def check_known(protocol: Protocol, lowest: int, highest: int, what: str) -> None:
    """Refuse values that are no codes of the protocol.

    Raises
    ------
    EncodingError
        Saying which values `what` has and which are known.
    """
    if lowest < 0 or highest > protocol.highest_code:
        raise EncodingError(
            f"{what}: label values {lowest} to {highest} are not all codes of the protocol "
            f"{protocol.name} (0 to {protocol.highest_code})"
        )
