"""`napari-mmseg models`: which models there are, what each is, and other people's weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json
from .output import print_fields, print_json, print_table, quiet_stdout

if TYPE_CHECKING:
    from ..models import Card

app = typer.Typer(
    help="List models, show one, import other people's weights.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the models that `segment --model` knows by name."""
    from ..models import available

    cards = available()
    if json:
        print_json({"models": [_short(card) for card in cards]})
        return
    print_table(
        ["model", "version", "network", "takes", "gives"],
        [
            [
                card.name,
                card.version,
                card.network.kind,
                " ".join(card.channels),
                " ".join(card.regions),
            ]
            for card in cards
        ],
    )


@app.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")], json: Json = False
) -> None:
    """Show a model's card, and whether its files are the ones that the card names."""
    from ..models import load_card
    from ..models.members import members_of

    with quiet_stdout():
        card = load_card(model)
        for one in (card, *members_of(card)):
            for name in one.files:
                one.read_verified(name)
    if json:
        print_json({**_short(card), "card": dict(card.details)})
        return
    print_fields(_fields(card))


@app.command("import")
def import_model(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder or zip that you downloaded: a MONAI bundle, or an ONNX or safetensors "
            "file with a manifest.toml.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call the model here.", show_default=False)
    ] = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms of use that come with it.")
    ] = False,
    json: Json = False,
) -> None:
    """Import weights that somebody else trained; nothing in the download is executed."""
    from ..inference.adopt import import_model as adopt

    def accept(terms: str) -> bool:
        typer.echo(f"Terms of use of {source.name}:\n\n{terms}\n", err=True)
        return accept_terms or _asked()

    with quiet_stdout():
        card = adopt(source, accept=accept, name=name)
    if json:
        print_json(_short(card))
        return
    typer.echo(f"{card.name} imported: napari-mmseg segment --model {card.name} CASE --out FILE")


def _asked() -> bool:
    """Does the person at the terminal accept? Where there is none, the option has to say so."""
    from ..errors import ModelError

    if not is_interactive():
        raise ModelError(
            "the terms of use above have to be accepted: read them and add --accept-terms"
        )
    return typer.confirm("Do you accept these terms?", err=True)


def is_interactive() -> bool:
    return sys.stdin.isatty()


def _short(card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "version": card.version,
        "folder": str(card.folder),
        "network": card.network.kind,
        "channels": [str(m) for m in card.channels],
        "regions": list(card.regions),
        "normalisation": card.normalisation,
        "fitted_to_the_case": card.appearance is not None,
        "looks": card.looks,
        "members": list(card.members),
        "weights_sha256": card.weights_sha256,
    }


def _fields(card: Card) -> dict[str, str]:
    from ..models.evidence import evidence_of

    fields = {
        "model": f"{card.name}, version {card.version}",
        "folder": str(card.folder),
        "network": f"{card.network.kind}, {card.network.base} channels at the first level",
        "takes": " ".join(card.channels),
        "gives": " ".join(card.regions),
        "normalisation": card.normalisation,
        "voxels": f"{card.spacing_mm:g} mm, axes {card.orientation}",
        "window": " x ".join(map(str, card.window)) if card.window else "the brain",
        "answer": "fitted to the case" if card.appearance else "as the network gives it",
        "looks": card.looks,
        "together with": ", ".join(card.members) or "no other network",
        "evidence": evidence_of(card),
        "weights": card.weights_sha256,
        "files": "match their hashes",
    }
    for key in ("description", "intended_use", "licence", "research_use"):
        if text := card.details.get(key):
            fields[key.replace("_", " ")] = str(text)
    if not_for := card.details.get("not_for"):
        fields["not for"] = "; ".join(map(str, not_for))
    if imported := card.details.get("imported"):
        fields["imported"] = f"from a {imported.get('from')}, {imported.get('on')}"
    return fields
