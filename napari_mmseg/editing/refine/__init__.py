"""A few scribbles, and the region near them is solved again.

`Refiner.solve` says what would change and changes nothing; `refine` applies it to an `EditSession`
as one step of undo. `carry` goes on from slices that are right to those between. Both work from
the images alone; a network's probabilities make them better.
"""

from __future__ import annotations

from .carry import Carrier, carry
from .refiner import Refinement, Refiner, refine
from .scribble import BOX_SIDES, Scribble, together

__all__ = [
    "BOX_SIDES",
    "Carrier",
    "Refinement",
    "Refiner",
    "Scribble",
    "carry",
    "refine",
    "together",
]
