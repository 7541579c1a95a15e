"""The command `prognoscope`: its verbs in the order in which a user meets them."""

from __future__ import annotations

import typer

from prognoscope.cli import (
    audit,
    checklist,
    conformance,
    curate,
    deidentify,
    demo,
    history,
    ingest,
    init,
    keys,
    listen,
    predict,
    quarantine,
    query,
    radiomics,
    run,
    samplesize,
    validate,
    verify,
)

COMMANDS = (
    demo.demo,
    init.init,
    run.run,
    predict.predict,
    ingest.ingest,
    query.query,
    query.diff,
    history.history,
    verify.verify,
    curate.curate,
    listen.listen,
    deidentify.deidentify,
    keys.keys,
    radiomics.radiomics,
    validate.validate,
    samplesize.samplesize,
    checklist.checklist,
    conformance.conformance,
)

app = typer.Typer(
    name="prognoscope",
    help="From medical images and clinical records to honest, usable outcome predictions.",
    epilog="Begin with: prognoscope demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"prognoscope {installed('prognoscope')}")
        raise typer.Exit


GROUPS = {"quarantine": quarantine.quarantine, "audit": audit.audit}

for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
for _command in COMMANDS:
    app.command(epilog=f"Example: {_command.example}")(_command)


def main() -> None:
    """Run the command line."""
    app(prog_name="prognoscope")
