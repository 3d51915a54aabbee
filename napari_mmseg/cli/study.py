"""`napari-mmseg study`: a folder in which several raters label the same cases, blind."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import Device, Json, ProtocolName
from .output import counted, print_json, quiet_stdout

if TYPE_CHECKING:
    from ..study import Study


class Proposal(StrEnum):
    """Whether raters begin with the model's proposal (`study.Proposals`, loaded later)."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    RANDOMISED = "randomised"


app = typer.Typer(
    help="Let several raters label the same cases, blind to each other.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The study's folder.")]
Cases = Annotated[
    list[Path] | None,
    typer.Option("--cases", metavar="DIR", help="A folder of cases; repeatable."),
]
Raters = Annotated[
    str, typer.Option("--raters", metavar="A,B,...", help="Pseudonyms, with commas between.")
]
Copy = Annotated[
    bool, typer.Option("--copy", help="Copy the images into the study instead of naming them.")
]


@app.command("new")
def new(
    folder: Folder,
    cases: Cases = None,
    raters: Raters = "",
    repeats: Annotated[
        float, typer.Option(min=0, max=1, help="The share of cases that come back, unnoticed.")
    ] = 0.0,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Exchange left and right where a case comes back.")
    ] = False,
    proposal: Annotated[
        Proposal, typer.Option(help="Do raters begin with the model's proposal?")
    ] = Proposal.HIDDEN,
    each: Annotated[
        int, typer.Option("--each", metavar="N", min=0, help="Raters of each case; 0: all.")
    ] = 0,
    protocol: ProtocolName = "glioma",
    seed: Annotated[
        int | None, typer.Option(help="Of all that is left to chance.", show_default="drawn")
    ] = None,
    name: Annotated[str, typer.Option(help="What the study is called.")] = "",
    copy: Copy = False,
    json: Json = False,
) -> None:
    """Make a study: hand out the cases to the raters and record who reads what."""
    from ..study import Design, Proposals, new_study

    with quiet_stdout():
        made = new_study(
            folder,
            name=name,
            protocol=protocol,
            design=Design(Proposals(proposal.value), repeats, mirror, each),
            seed=seed,
            cases=_found(cases),
            raters=_names(raters),
            copy=copy,
            progress=_progress,
        )
    _tell_size(made, json)


@app.command("add")
def add(
    folder: Folder,
    cases: Cases = None,
    raters: Raters = "",
    copy: Copy = False,
    json: Json = False,
) -> None:
    """Add cases or raters; what was handed out before stays as it is."""
    from ..study import add_cases, add_raters, load_study

    if not cases and not raters:
        raise typer.BadParameter("name --cases or --raters", param_hint="--cases")
    with quiet_stdout():
        study = load_study(folder)
        if cases:
            study = add_cases(study, _found(cases), copy=copy, progress=_progress)
        if raters:
            study = add_raters(study, _names(raters))
    _tell_size(study, json)


@app.command("propose")
def propose(
    folder: Folder,
    model: Annotated[str, typer.Option(help="A shipped model or a model's folder.")] = "simulated",
    device: Annotated[Device, typer.Option(help="Where the network runs.")] = Device.AUTO,
    labels: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take label files named as the cases instead."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How those label files are encoded.")
    ] = None,
) -> None:
    """Make the proposals that raters begin with, where the study shows them."""
    from ..inference import predict
    from ..io import export, open_case, read_annotation
    from ..study import load_study, set_proposal
    from ..study.proposal import FOLDER, label_file_for

    with quiet_stdout():
        study = load_study(folder)
        shown = {a.case for a in study.assignments if a.proposal_shown}
        todo = [c for c in study.plan.cases if c.id in shown and not c.proposal]
        (folder / FOLDER).mkdir(exist_ok=True)
        for entry in todo:
            _progress(f"proposing {entry.id}")
            case = open_case(study.case_path(entry.id))
            if labels is not None:
                file = label_file_for(labels, entry)
                found = read_annotation(file, protocol=study.protocol, encoding=encoding, like=case)
            else:
                found = predict(case, model=model, device=device.value).annotation()
            export(found, folder / FOLDER / f"{entry.id}.nii.gz")
            study = set_proposal(study, entry.id, f"{FOLDER}/{entry.id}.nii.gz")
    typer.echo(f"{counted(len(todo), 'proposal')} made, {len(shown) - len(todo)} were there")


def _tell_size(study: Study, json: bool) -> None:
    facts = {
        "name": study.name,
        "cases": len(study.cases),
        "raters": len(study.raters),
        "readings": len(study.assignments),
        "repeats": sum(bool(a.repeat) for a in study.assignments),
        "seed": study.plan.seed,
    }
    if json:
        print_json(facts)
        return
    typer.echo(
        f"{study.name}: {counted(len(study.cases), 'case')}, "
        f"{counted(len(study.raters), 'rater')}, {counted(len(study.assignments), 'reading')}, "
        f"{facts['repeats']} of them repeats (seed {facts['seed']})"
    )
    typer.echo(f"next: {_next_step(study)}")


def _next_step(study: Study) -> str:
    """What whoever runs the study does now."""
    folder = shlex.quote(str(study.folder))
    if not study.cases or not study.raters:
        lacking = [
            *([] if study.cases else ["--cases DIR"]),
            *([] if study.raters else ["--raters ann,bob"]),
        ]
        return f"napari-mmseg study add {folder} {' '.join(lacking)}"
    if any(a.proposal_shown and not study.cases[a.case].proposal for a in study.assignments):
        return f"napari-mmseg study propose {folder}, which makes what raters begin with"
    return f"each rater: napari-mmseg study open {folder} --rater NAME"


def _found(folders: list[Path] | None) -> list[Path]:
    from ..study import cases_in

    return [case for folder in folders or () for case in cases_in(folder)]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _progress(text: str) -> None:
    # Folders may be called after patients: on a screen only, in no log.
    if sys.stderr.isatty():
        typer.echo(text, err=True)
