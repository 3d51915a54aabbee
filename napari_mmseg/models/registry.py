"""Which models there are: those that come with the program, and the user's own folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import ModelError
from .card import CARD_FILE, Card, read_card

DEFAULT_MODEL = "simulated"

#: The user's own models: a folder of model folders (default: `models` in the user's data folder).
MODELS_VARIABLE = "NAPARI_MMSEG_MODELS"

_SHIPPED = Path(__file__).parent / "weights"


def available() -> list[Card]:
    """The cards of all models that can be named, the default first; broken ones are left out.

    Where two have one name, the shipped one counts: the other can be named by its folder.
    """
    cards: dict[str, Card] = {}
    for folder in _model_folders():
        try:
            card = read_card(folder)
        except ModelError:
            continue  # `load_card` says why when it is named
        cards.setdefault(card.name, card)
    return sorted(cards.values(), key=lambda card: (card.name != DEFAULT_MODEL, card.name))


def load_card(model: str | Path = DEFAULT_MODEL) -> Card:
    """The card of a model by its name or its folder's, or of the model in any folder.

    Raises
    ------
    ModelError
        When there is no such model, or its card is damaged.
    """
    for card in available():
        if card.name == str(model):
            return card
    for folder in _model_folders():
        if folder.name == str(model):
            return read_card(folder)  # says what is wrong with a damaged one
    as_folder = Path(model).expanduser()
    if as_folder.is_dir():
        return read_card(as_folder)
    names = ", ".join(card.name for card in available()) or "none is installed"
    raise ModelError(
        f"there is no model {str(model)!r}: choose one of {names}, or name a folder with a "
        f"{CARD_FILE}"
    )


def is_shipped(name: str) -> bool:
    """Does a model that comes with the program have this name?"""
    return (_SHIPPED / name / CARD_FILE).is_file()


def user_models_folder() -> Path:
    """Where a user's own models are looked for by name (it need not exist)."""
    if named := os.environ.get(MODELS_VARIABLE):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("napari-mmseg", appauthor=False) / "models"


def _model_folders() -> Iterator[Path]:
    for home in (_SHIPPED, user_models_folder()):
        if home.is_dir():
            # Hidden ones are still being written.
            yield from sorted(
                f for f in home.iterdir() if f.name[0] != "." and (f / CARD_FILE).is_file()
            )
