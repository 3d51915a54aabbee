"""Every job without a screen: `napari-mmseg COMMAND ...`."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process; exits with 0 done, 1 refused, 2 usage."""
    from .app import app
    from .output import speak_any_alphabet

    speak_any_alphabet()
    app(prog_name="napari-mmseg")


__all__ = ["main"]
