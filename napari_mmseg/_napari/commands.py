"""What the manifest names: thin functions that import their work when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from .layers import LayerTuple

PathOrPaths = str | Path | Sequence[str | Path]


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerTuple]] | None:
    """A reader for folders and files that belong to a case; None leaves them to others."""
    from . import reader

    return reader.get_reader(path)


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    from . import writer

    return writer.write_labels(path, data, meta)


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    from . import writer

    return writer.write_image(path, data, meta)


def write_layers(path: str, layer_data: list[tuple[Any, dict[str, Any], str]]) -> list[str]:
    from . import writer

    return writer.write_layers(path, layer_data)


def open_sample() -> list[LayerTuple]:
    from . import reader, sample

    return reader.read_case(sample.sample_case("simulated-001"))


def make_panel() -> QWidget:
    """The dock widget of the current viewer."""
    from . import panel

    return panel.make_panel()


def make_raters() -> QWidget:
    """The dock widget that compares the raters of the current viewer's case."""
    from . import raters_panel

    return raters_panel.make_raters()


def make_worklist() -> QWidget:
    """The dock widget with one rater's readings of a study."""
    from . import study_panel

    return study_panel.make_worklist()


def show_segment() -> None:
    from . import panel

    panel.show_section("segment")


def show_correct() -> None:
    from . import panel

    panel.show_section("correct")


def show_volumes() -> None:
    from . import panel

    panel.show_section("volumes")


def show_inside() -> None:
    from . import panel

    panel.show_section("inside")


def show_raters() -> None:
    from . import raters_panel

    raters_panel.show_raters()


def show_worklist() -> None:
    from . import study_panel

    study_panel.show_worklist()


def start_afresh() -> None:
    from . import panel

    panel.start_afresh()


def add_subtraction() -> None:
    from . import panel

    panel.add_subtraction()
