"""`gate schema`: JSON Schemas for editors."""

from __future__ import annotations

import json

import click

from gate.cli import options


@click.command(
    short_help="Print the JSON Schema of a file, for editors.",
    epilog=options.examples("gate schema gate > gate.schema.json"),
)
@click.argument("what", type=click.Choice(["gate", "suite", "case"]), default="gate")
def schema(*, what: str) -> int:
    """Print the JSON Schema of gate.yaml, of suite.yaml, or of one line of cases.jsonl."""
    from pydantic import BaseModel

    from gate.suites.schema import CaseLine, SuiteSettings
    from gate.suites.settings import Settings

    models: dict[str, type[BaseModel]] = {"gate": Settings, "suite": SuiteSettings, "case": CaseLine}
    click.echo(json.dumps(models[what].model_json_schema(by_alias=True), indent=2, ensure_ascii=False))
    return 0
