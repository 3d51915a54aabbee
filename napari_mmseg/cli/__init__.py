"""Every job without a screen: `napari-mmseg COMMAND ...`."""

from __future__ import annotations

#: What a shell tells of a program that Ctrl-C has ended.
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process; exits with 0 done, 1 refused, 2 usage."""
    try:
        from .app import app
        from .output import speak_any_alphabet

        speak_any_alphabet()
        app(prog_name="napari-mmseg")
    except KeyboardInterrupt:  # while it starts; later the parser ends in the same way
        raise SystemExit(EXIT_INTERRUPTED) from None


__all__ = ["main"]
