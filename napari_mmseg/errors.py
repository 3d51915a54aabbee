"""What can go wrong, said in one sentence that a user can act on.

Every error that a user may meet derives from `MmsegError`; its text says what is wrong, where,
and what to do. The command line prints that text and exits with 1, the viewer shows it.
"""

from __future__ import annotations


class MmsegError(Exception):
    """A refusal, explained in one sentence."""


class InputError(MmsegError):
    """A file or folder that the user named cannot be used."""


class GeometryError(InputError):
    """A position in space is missing, impossible or does not fit the others."""


class EncodingError(InputError):
    """Label values that do not belong to the encoding, or an encoding that is not known."""


class AmbiguousEncodingError(EncodingError):
    """Label values that mean different regions in different encodings: the user has to choose."""

    def __init__(self, sentence: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.choices = choices


class ModelError(MmsegError):
    """A model is missing, damaged or made for another network."""


class ExportError(MmsegError):
    """A file could not be written, or did not read back as it was written."""


class Cancelled(MmsegError):
    """The user stopped the job."""
