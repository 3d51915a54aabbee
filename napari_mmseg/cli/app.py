"""The commands put together. Their modules load nothing heavy until a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (
    adjudicate,
    agree,
    consensus,
    convert,
    doctor,
    evaluate,
    finetune,
    history,
    info,
    models,
    recover,
    segment,
    strip,
    study,
    study_reading,
    study_results,
    study_state,
    synthesise,
    train,
    view,
)
from .refusal import RefusingGroup, show_details

# rich would cost a quarter of a second and draw boxes where a script expects one line.
app = typer.Typer(
    cls=RefusingGroup,
    help="Segment brain tumours in multi-modal MRI, on this machine. For research use.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"napari-mmseg {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Segment brain tumours in multi-modal MRI, on this machine. For research use.

    Without a command an empty viewer opens.
    """
    if debug:
        show_details()
    if context.invoked_subcommand is None:
        view.open_window(None)


app.command("view")(view.view)
app.command("info")(info.info)
app.command("segment")(segment.segment)
app.command("evaluate")(evaluate.evaluate)
app.command("agree")(agree.agree)
app.command("consensus")(consensus.consensus)
app.command("adjudicate")(adjudicate.adjudicate)
app.command("convert")(convert.convert)
app.command("strip")(strip.strip)
app.command("synthesise")(synthesise.synthesise)
app.command("train")(train.train)
app.command("finetune")(finetune.finetune)
app.command("history")(history.history)
app.command("recover")(recover.recover)
app.add_typer(models.app, name="models")
study.app.command("status")(study_state.status)
study.app.command("check")(study_state.check)
study.app.command("open")(study_reading.open_reading)
study.app.command("submit")(study_reading.submit)
study.app.command("reopen")(study_reading.reopen)
study.app.command("lock")(study_reading.lock)
study.app.command("unlock")(study_reading.unlock)
study.app.command("sign")(study_reading.sign)
study.app.command("review")(study_reading.review)
study.app.command("report")(study_results.report)
study.app.command("export")(study_results.export_dataset)
app.add_typer(study.app, name="study")
app.command("doctor")(doctor.doctor)
