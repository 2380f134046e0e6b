"""`gate init`: set lockgate up in an existing repository."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli import options
from gate.cli.console import say


@click.command(
    short_help="Set lockgate up in an existing repository.",
    epilog=options.examples("cd my-repository && gate init && gate promote && gate check --all"),
)
@options.root_option
def init(*, root: Path) -> int:
    """Write gate.yaml (advisory), a first golden set, the workflow and CODEOWNERS lines; nothing is overwritten."""
    from gate.app.init import apply_files, plan_files, read_facts

    facts = read_facts(root)
    writes = plan_files(root, facts)
    apply_files(root, writes)
    for write in writes:
        say(f"{'kept ' if write.there else 'added lines to' if write.grows else 'wrote'} {write.path}")
    others = [path for path in facts.prompts if path != "prompts/inbox.md"]
    if others:
        say(
            f"found your prompts: {', '.join(others[:5])}; name one under `prompt:` in gate.yaml and write cases for it"
        )
    if facts.owner:
        say(f"owner in {facts.codeowners}: {facts.owner}, from the remote; an organization must name a team")
    else:
        say(f"no owner found: name one in {facts.codeowners}")
    say("put the owner and the commit of the action into .github/workflows/gate.yml")
    say("next: gate validate, then gate promote (first baseline), then gate check --all")
    return 0
