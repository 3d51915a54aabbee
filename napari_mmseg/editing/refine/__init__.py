"""A few scribbles, and the region near them is solved again.

`Refiner.solve` says what would change and changes nothing; `refine` applies it to an `EditSession`
as one step of undo. Works from the images alone; a network's probabilities make it better.
"""

from __future__ import annotations

from .refiner import Refinement, Refiner, refine
from .scribble import BOX_SIDES, Scribble, together

__all__ = ["BOX_SIDES", "Refinement", "Refiner", "Scribble", "refine", "together"]
