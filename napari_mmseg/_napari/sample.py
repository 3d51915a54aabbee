"""Where the sample cases are: beside the package in a clone, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE.parent / "sample_data", _PACKAGE / "sample_data")


def sample_case(name: str) -> Path:
    """The folder of a simulated case.

    Raises
    ------
    InputError
        When this installation does not have it.
    """
    for place in _PLACES:
        if (folder := place / name).is_dir():
            return folder
    raise InputError(
        f"the sample case {name} is not part of this installation: "
        "clone the repository, which has it in sample_data"
    )
