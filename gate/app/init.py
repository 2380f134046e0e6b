"""Sets lockgate up in an existing repository: what is to be written is computed first, and nothing is overwritten."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from gate.app.sample import PROMPT, sample_root
from gate.core.canonical import canonical_json, parse_json
from gate.errors import ConfigurationError
from gate.store.outputs import write_file

OWNED = (".github/", "gate.yaml", "golden_sets/", "baselines/")
CODEOWNERS = ("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS")
IGNORE = ".gitignore"
FIRST_CASES = 40
REMOTE = re.compile(r"[:/](?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/[^/]+?(?:\.git)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What can be found out about a repository without asking."""

    branch: str
    owner: str
    codeowners: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWrite:
    """One file to write; `there` says that it exists already and is left alone, `grows` that it gets further lines."""

    path: str
    text: str
    there: bool = False
    grows: bool = False


def read_facts(root: Path) -> Facts:
    """Look around in a git repository; raises ConfigurationError where there is none."""
    if not (root / ".git").exists():
        top = _git(root, "rev-parse", "--show-toplevel")
        where, hint = ("the root of its git", f"go to {top} first") if top else ("a git", "type `git init` first")
        raise ConfigurationError(f"{root.resolve().name}: not {where} repository", hint=hint)
    head = _git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    remote = REMOTE.search(_git(root, "remote", "get-url", "origin"))
    found = next((path for path in CODEOWNERS if (root / path).exists()), CODEOWNERS[1])
    prompts = sorted(path.relative_to(root).as_posix() for path in root.glob("prompts/**/*") if path.is_file())
    return Facts(
        branch=head or _git(root, "branch", "--show-current") or "main",
        owner=f"@{remote['owner']}" if remote else "",
        codeowners=found,
        prompts=tuple(prompts),
    )


def _git(root: Path, *arguments: str) -> str:
    command = ("git", *arguments)
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 ours
    except FileNotFoundError as error:
        raise ConfigurationError("git is not installed", hint="sudo apt install git") from error
    return done.stdout.strip() if done.returncode == 0 else ""


def _text(path: Path) -> str:
    """A file of the repository that lines are added to; empty where there is none yet."""
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error


def plan_files(root: Path, facts: Facts) -> tuple[FileWrite, ...]:
    """Every file that a first set-up needs, existing ones marked."""
    return tuple(
        FileWrite(
            path=path,
            text=text,
            there=_kept(root / path, text, added=path in {facts.codeowners, IGNORE}),
            grows=(root / path).exists(),
        )
        for path, text in _files(root, facts)
    )


def _kept(path: Path, text: str, *, added: bool) -> bool:
    """Whether a file stays as it is: because it is somebody's, or because our lines stand in it already."""
    return path.exists() and (not added or _text(path) == text)


def apply_files(root: Path, writes: tuple[FileWrite, ...]) -> None:
    """Write what is not there yet."""
    for write in writes:
        if not write.there:
            write_file(root / write.path, write.text)


def _files(root: Path, facts: Facts) -> Iterator[tuple[str, str]]:
    sample = sample_root()
    suite = sample / "golden_sets" / "sales_email_intent"
    yield "gate.yaml", _packaged("gate.yaml")
    yield "prompts/inbox.md", (sample / PROMPT).read_text(encoding="utf-8")
    yield "golden_sets/first/suite.yaml", _packaged("suite.yaml")
    yield "golden_sets/first/cases.jsonl", _first_cases((suite / "cases.jsonl").read_text(encoding="utf-8"))
    yield "golden_sets/first/answer.schema.json", (suite / "answer.schema.json").read_text(encoding="utf-8")
    yield ".github/workflows/gate.yml", _packaged("workflow.yml").replace("DEFAULT_BRANCH", facts.branch)
    yield ".github/workflows/baseline.yml", _packaged("baseline.yml").replace("DEFAULT_BRANCH", facts.branch)
    yield ".github/gate.schema.json", _schema()
    yield facts.codeowners, _codeowners(root / facts.codeowners, facts.owner)
    yield IGNORE, _with_lines(root / IGNORE, ("lockgate-out/", ".lockgate/"))


def _packaged(name: str) -> str:
    return (files("gate.app") / "init_files" / name).read_text(encoding="utf-8")


def _first_cases(text: str) -> str:
    """Plain English cases of the sample: enough to see the gate work."""
    kept = []
    for line in text.splitlines():
        case = parse_json(line)
        if isinstance(case, dict) and '"language":"en"' in line and "plain" in line and "outranks" not in line:
            kept.append(canonical_json(case))
    return "\n".join(kept[:FIRST_CASES]) + "\n"


def _schema() -> str:
    from gate.suites.settings import Settings

    return json.dumps(Settings.model_json_schema(by_alias=True), indent=2) + "\n"


def _codeowners(path: Path, owner: str) -> str:
    """The file with our lines added where they are missing; commented out where no owner could be found."""
    present = _text(path)
    known = {line.split()[0].lstrip("/") for line in present.splitlines() if line.split()}
    lines = [f"/{part} {owner}" if owner else f"# /{part} @your-team" for part in OWNED if part not in known]
    if not lines or all(line in present for line in lines):
        return present
    head = present if not present or present.endswith("\n") else present + "\n"
    return head + "# Changes to the gate itself need a second pair of eyes.\n" + "\n".join(lines) + "\n"


def _with_lines(path: Path, lines: tuple[str, ...]) -> str:
    present = _text(path)
    missing = [line for line in lines if line not in present.splitlines()]
    head = present if not present or present.endswith("\n") or not missing else present + "\n"
    return head + "".join(f"{line}\n" for line in missing)
