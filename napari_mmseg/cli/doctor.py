"""`napari-mmseg doctor`: what is installed, what is missing and how to get it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from .arguments import Json
from .output import print_fields, print_json, quiet_stdout


def doctor(json: Json = False) -> None:
    """Show versions, GPU, engines and models; what is missing and how to get it."""
    from ..doctor import examine, machine

    with quiet_stdout():
        findings = examine()
    lacking = [finding for finding in findings if not finding.ok]
    if json:
        print_json(
            {
                "ok": not lacking,
                "findings": [asdict(finding) for finding in findings],
                "missing": {finding.name: finding.remedy for finding in lacking},
                "machine": machine(),
            }
        )
        return
    print_fields({finding.name: finding.value for finding in findings})
    typer.echo()
    if not lacking:
        typer.echo("nothing is missing")
    for finding in lacking:
        typer.echo(f"{finding.name}: {finding.remedy}")
