"""What a user reads when a command cannot be done: one sentence on stderr, exit code 1."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import MmsegError
from .output import printable

#: Environment variable with the effect of --debug.
DETAILS_VARIABLE = "NAPARI_MMSEG_DEBUG"

EXIT_REFUSED = 1

#: So much of a file's name is shown.
_SHOWN = 80

#: What Python names a file by in an error; some are numbers.
_NAMES = (str, bytes, os.PathLike)


def show_details() -> None:
    """Print tracebacks from now on."""
    os.environ[DETAILS_VARIABLE] = "1"


class RefusingGroup(TyperGroup):
    """Commands whose errors become one sentence; usage errors stay with the parser (exit 2)."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MmsegError as error:
            refuse(str(error), error)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: the parser ends without a word
        except MemoryError as error:
            refuse("there is not enough memory for this: close other programs", error)
        except Exception as error:
            # The parser's own signals carry the exit code that they want.
            if isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
                raise
            refuse(_unexpected(error), error)


def refuse(sentence: str, error: BaseException) -> None:
    """Say why, and leave with `EXIT_REFUSED`."""
    if os.environ.get(DETAILS_VARIABLE):
        traceback.print_exception(error)
    typer.echo(f"napari-mmseg: {printable(' '.join(sentence.split()))}", err=True)
    raise typer.Exit(EXIT_REFUSED) from error


def _unexpected(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        name = Path(os.fsdecode(error.filename)).name if isinstance(error.filename, _NAMES) else ""
        what = f'"{name[:_SHOWN]}": ' if name else ""
        return (
            f"{what}{error.strerror}: check the file and its folder, or set {DETAILS_VARIABLE}=1 "
            "to see where this happened"
        )
    return (
        f"something unforeseen went wrong ({type(error).__name__}: {error}): "
        f"set {DETAILS_VARIABLE}=1 to see where, and please report it"
    )
