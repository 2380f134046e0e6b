"""Rewrites the generated blocks of the documentation from the code; `--check` only says which are stale (exit 1).

A block stands between `<!-- generated:NAME:begin -->` and `<!-- generated:NAME:end -->`; what is in between belongs to
this script. Every key of a file format needs a sentence in MEANINGS: a key without one is an error, and so is a
sentence without a key.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel

from gate.cli.main import gate as group
from gate.core.policy import PROFILES, Requirement
from gate.errors import ExitCode
from gate.scorers.table import render_scorer_table
from gate.suites.schema import CaseLine, ScorerUse, SuiteSettings
from gate.suites.settings import (
    AtLeastSettings,
    BaselineSettings,
    BudgetSettings,
    EndpointSettings,
    LimitSettings,
    ModelSettings,
    PolicySettings,
    PriceSettings,
    Settings,
    TargetSettings,
)
from gate.suites.waivers import WaiverSettings

ROOT = Path(__file__).parent.parent
WIDTH = 88

MEANINGS: Mapping[type[BaseModel], Mapping[str, str]] = {
    Settings: {
        "version": "Version of this file's format.",
        "mode": "`advisory` decides and comments, and never fails the job.",
        "credentials": "For each environment variable that holds a key, the hosts that may receive it.",
        "targets": "What is evaluated, by name: small letters, digits and dashes.",
        "policy": "What must hold.",
        "budget": "Where a run stops.",
        "baseline": "How the action brings a new baseline to the repository.",
        "prices": "Your own prices by model name; they win over the built-in price list.",
    },
    TargetSettings: {
        "prompt": "Path of the prompt, a Jinja2 template. With `model`, and where wanted with `endpoint`.",
        "model": "A model behind a provider. Exactly one of `model`, `command`, `python` and `endpoint`.",
        "command": "A program of the repository with its arguments. It is run once for every call.",
        "python": "A function of the repository as `module:function`. It is called once for every call.",
        "endpoint": "An HTTP endpoint that takes and gives what a program does.",
        "suites": "Folders of the suites. The last part of each path is the suite's name and must be unique.",
        "version-files": "Files that shape the answers of a target without `model`; they make up its version.",
        "recordings": "Folder of recorded answers. Those that the base has are used in place of calls; "
        "`gate check --record` adds to them. A target without `model` needs `version-files`.",
        "timeout": "Seconds for one call, retries included.",
        "concurrency": "Calls at the same time; fewer while the provider says that it is too many.",
        "limits": "What the provider grants a minute, for all targets that ask it. Calls wait for their turn.",
    },
    LimitSettings: {
        "requests_per_minute": "Requests, retries included.",
        "tokens_per_minute": "Tokens in and out.",
    },
    ModelSettings: {
        "provider": "Whose format is spoken. `openai` with a `base_url` is any server that speaks the OpenAI chat "
        "format; `offline` is the built-in model.",
        "base_url": "Address of the endpoint. Without it the provider's own. Plain `http` only to this machine.",
        "name": "The model's name with its date or version; names that float are refused.",
        "temperature": "Sent as it is; `null` where the model takes none.",
        "max_output_tokens": "Sent as `max_tokens`, or as the provider or `token_limit_key` has it.",
        "token_limit_key": "What the token limit is sent as. Without it: `max_completion_tokens` to OpenAI itself and "
        "to reasoning models on Azure, else `max_tokens`.",
        "seed": "Sent as `seed`; left out when it is not given. `per-trial` sends another one for each trial, and the "
        "same ones in every run.",
        "api_version": "Azure only: the version of its API, such as `2024-10-21`. Without it the v1 API is used.",
        "api_key": "Name of the environment variable that holds the key; it must be listed under `credentials`.",
        "stream": "Receive answers as a stream, and measure the time to the first token.",
        "response_schema": "Path of a JSON Schema (Draft 2020-12) that answers are asked to follow. They are checked "
        "here again; one that breaks it stays an answer for the scorers, and is marked.",
    },
    PolicySettings: {
        "profile": "The named set of requirements to start from.",
        "margin": "The drop that must be ruled out, as a share of 1. It may tighten a profile's own margin.",
        "margins": "Margins by dimension, which win over `margin` and the profile, and ask for the comparison.",
        "slices": "For each tag, what a drop in one of its values does.",
        "on_broken": "What a confirmed broken case leads to when it is not `critical`.",
        "dimensions": "Dimensions to add to the profile, or to turn into a report.",
        "at_least": "So many of these dimensions must be shown not worse, in place of each of them.",
        "floors": "Other floors by dimension, as shares of 1 (milliseconds for `latency`). The rollback line follows.",
        "p95_ms": "Budget for the 95th percentile of latency, in milliseconds.",
        "latency": "`concurrent` also asks the base's version side by side, and compares how long both take.",
    },
    AtLeastSettings: {
        "count": "How many of them, at most all.",
        "of": "The dimensions, each once. All must block; `cost` and `latency` cannot be among them.",
    },
    BudgetSettings: {
        "usd": "US dollars. Counts only calls with a known price.",
        "calls": "Calls to targets.",
        "minutes": "Minutes on the clock.",
        "tokens": "Tokens in and out, as the target reports them.",
    },
    BaselineSettings: {
        "update": "`push` commits to the default branch, `pull-request` opens one, `branch` commits to `branch` and "
        "opens nothing, `off` decides and writes nothing.",
        "branch": "Branch to commit to, or the first part of the name of a pull request's branch.",
    },
    EndpointSettings: {
        "url": "Address that questions are posted to. Plain `http` only to this machine.",
        "api_key": "Name of the environment variable that holds the key, sent as a bearer token; it must be listed "
        "under `credentials`.",
    },
    PriceSettings: {
        "input": "US dollars for a million input tokens.",
        "output": "US dollars for a million output tokens.",
        "cached_input": "US dollars for a million input tokens from the provider's cache. Without it `input`.",
    },
    SuiteSettings: {
        "kind": "`golden`: known inputs; `adversarial`: attacks; `scenario`: the long tail.",
        "dimension": "The axis of the decision. `safety` for adversarial suites, `task_success` for the others.",
        "scope": "What a PASS claims: inputs like these (`population`), or exactly these cases (`set`).",
        "margin": "The drop that must be ruled out on this suite, as a share of 1. Wins over profile and policy.",
        "pass_mark": "Weighted score from which a trial passes.",
        "metric": "What is compared with the baseline: the share of passes (`pass`), or the mean value (`score`).",
        "scorers": "What judges an answer, one item a scorer.",
    },
    ScorerUse: {
        "weight": "Share in the weighted mean.",
        "required": "A value below 1 makes the whole trial 0.",
    },
    CaseLine: {
        "id": "Unique in the suite, and stable: history is kept under it.",
        "input": "The variables of the prompt.",
        "expected": "What the scorers compare with; at least one scorer must find something here, or judge every case.",
        "tags": "Names and values, for slices.",
        "severity": "How bad a failure is. P0 and P1 can veto in a dimension with vetoes.",
        "cluster": "Cases of one cluster (a document, a template) are not independent of each other.",
        "critical": "If this case breaks, the outcome is ROLLBACK whatever `on_broken` says.",
    },
    WaiverSettings: {
        "suite": "Name of the suite.",
        "case": "Id of the case.",
        "reason": "Why the failure is accepted for now.",
        "by": "Who accepts it. Not the author of the change.",
        "expires": "Last day, `YYYY-MM-DD`, at most 14 days ahead.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One generated block: the file, the text that marks its two ends, and what makes its content."""

    path: str
    name: str
    render: Callable[[], str]

    @property
    def ends(self) -> tuple[str, str]:
        """The comment lines around the content."""
        prefix = "" if self.name == "scorers" else "generated:"
        return f"<!-- {prefix}{self.name}:begin -->", f"<!-- {prefix}{self.name}:end -->"

    def replaced(self, text: str) -> str:
        """The file's text with fresh content; raises ValueError where the ends are not there once each."""
        begin, end = self.ends
        if text.count(begin) != 1 or text.count(end) != 1:
            message = f"{self.path}: needs {begin} and {end} once each"
            raise ValueError(message)
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        return f"{head}{begin}\n{self.render().strip()}\n{end}{tail}"


def _first_sentence(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


def render_command_table() -> str:
    """One row a command, for the README."""
    rows = [
        f"| [`gate {name}`](docs/reference/cli.md#gate-{name}) | {_cell(_first_sentence(command))} |"
        for name, command in _commands()
    ]
    return _table(("Command", "What it does"), rows)


def render_help() -> str:
    """The help text of every command."""
    return "\n\n".join(f"## gate {name}\n\n```text\n{_help(name, command)}\n```" for name, command in _commands())


def _commands() -> Iterator[tuple[str, click.Command]]:
    return ((name, command) for name, command in group.commands.items() if not command.hidden)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"gate {name}", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())


def render_action(part: str) -> str:
    """Inputs or outputs of action.yml."""
    entries = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))[part]
    described = ((name, entry, _cell(entry["description"])) for name, entry in entries.items())
    if part == "outputs":
        return _table(("Output", "Meaning"), [f"| `{name}` | {text} |" for name, _, text in described])
    rows = [f"| `{name}` | {text} | {_code(entry.get('default', ''))} |" for name, entry, text in described]
    return _table(("Input", "Meaning", "Default"), rows)


def _code(text: str) -> str:
    return f"`{text}`" if text else "empty"


def render_fields(model: type[BaseModel]) -> str:
    """One row a key of a file format: kind and default from the model, its meaning from MEANINGS."""
    schema = model.model_json_schema(by_alias=True)
    properties: dict[str, dict[str, Any]] = schema["properties"]
    meanings = MEANINGS[model]
    if properties.keys() != meanings.keys():
        message = f"{model.__name__}: MEANINGS and the model differ in {sorted(properties.keys() ^ meanings.keys())}"
        raise ValueError(message)
    required = schema.get("required", ())
    rows = [
        f"| `{key}` | {_cell(_kind(own, schema.get('$defs', {})))} | "
        f"{'required' if key in required else _default(own)} | {_cell(meanings[key])} |"
        for key, own in properties.items()
    ]
    return _table(("Key", "Kind", "Default", "Meaning"), rows)


def _default(own: Mapping[str, Any]) -> str:
    value = own.get("default")
    if isinstance(value, dict) and value:
        return "see below"
    if value in (None, [], {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(own: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    if "$ref" in own:
        return _referred(own["$ref"].rpartition("/")[2], known)
    if "anyOf" in own:
        return " or ".join(_kind(part, known) for part in own["anyOf"] if part.get("type") != "null")
    if "const" in own:
        return _choice([own["const"]])
    return _choice(own["enum"]) if "enum" in own else _plain(own, known)


def _plain(own: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    words = {
        "string": "text",
        "boolean": "`true` or `false`",
        "integer": "whole number" + _span(own),
        "number": "number" + _span(own),
    }
    match own.get("type"):
        case "array":
            return f"list of {_kind(own['items'], known)}"
        case "object":
            return _mapping(own, known)
        case other:
            return words.get(str(other), "any JSON")


def _referred(name: str, known: Mapping[str, Any]) -> str:
    if name == "Dimension":
        return "[dimension](glossary.md)"
    values = known[name].get("enum")
    if values:
        return _choice(values)
    return f"[{name}](#{name.lower()})" if "properties" in known[name] else "any JSON"


def _choice(values: Iterable[str]) -> str:
    return " \\| ".join(f"`{value}`" for value in values)


def _mapping(own: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    values = own.get("additionalProperties")
    names = own.get("propertyNames", {})
    name = _kind(names, known) if "$ref" in names or "enum" in names else "name"
    return f"{name}: {_kind(values, known)}" if isinstance(values, dict) else "mapping"


def _span(own: Mapping[str, Any]) -> str:
    bounds = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
    words = [f"{word} {own[key]:g}" for key, word in bounds if key in own]
    return f" {' '.join(words)}" if words else ""


def render_profiles() -> str:
    """What each profile asks of each dimension."""
    rows = [
        f"| {f'`{profile}`' if number == 0 else ''} | `{dimension}` | {'yes' if asked.blocking else 'reported'} | "
        f"{_asked(asked)} |"
        for profile, requirements in PROFILES.items()
        for number, (dimension, asked) in enumerate(requirements.items())
    ]
    return _table(("Profile", "Dimension", "Blocks", "Asks for"), rows)


def _asked(asked: Requirement) -> str:
    words = []
    if asked.floor is not None and asked.rollback_below is not None:
        unit = " ms" if asked.floor > 1 else ""
        words.append(f"floor {asked.floor:g}{unit}, rollback line {asked.rollback_below:.5g}{unit}")
        words += ["point rule"] if asked.point else []
    if asked.regression:
        margin = f" with margin {asked.margin:g}" if asked.margin is not None else ""
        words.append(f"no regression{margin}")
    words += ["no broken case"] if asked.broken else []
    words += ["vetoes"] if asked.vetoes else []
    return ", ".join(words) or "the rule of the same name"


def render_exit_codes() -> str:
    """Numbers and names of the exit codes."""
    return _table(("Code", "Name"), [f"| {code.value} | [`{code.name}`](#{_slug(code)}) |" for code in ExitCode])


def _slug(code: ExitCode) -> str:
    return f"{code.value}-{code.name.lower()}"


def _table(head: tuple[str, ...], rows: Iterable[str]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows])


def _cell(text: str) -> str:
    return " ".join(text.split())


def _fields(path: str, *models: type[BaseModel]) -> list[Block]:
    return [Block(path=path, name=model.__name__.lower(), render=partial(render_fields, model)) for model in models]


GATE_YAML, SUITE_YAML = "docs/reference/gate-yaml.md", "docs/reference/suite-yaml.md"
BLOCKS = (
    Block(path="README.md", name="commands", render=render_command_table),
    Block(path="docs/reference/cli.md", name="help", render=render_help),
    Block(path="docs/reference/action.md", name="inputs", render=partial(render_action, "inputs")),
    Block(path="docs/reference/action.md", name="outputs", render=partial(render_action, "outputs")),
    Block(path="docs/reference/exit-codes.md", name="codes", render=render_exit_codes),
    Block(path="docs/reference/scorers.md", name="scorers", render=render_scorer_table),
    Block(path=GATE_YAML, name="profiles", render=render_profiles),
    *_fields(
        GATE_YAML,
        Settings,
        TargetSettings,
        ModelSettings,
        EndpointSettings,
        LimitSettings,
        PolicySettings,
        BudgetSettings,
        BaselineSettings,
        PriceSettings,
    ),
    *_fields(GATE_YAML, AtLeastSettings, WaiverSettings),
    *_fields(SUITE_YAML, SuiteSettings, ScorerUse, CaseLine),
)


def main(arguments: list[str]) -> int:
    """Rewrite the blocks, or with `--check` name the files whose blocks are stale and return 1."""
    stale = []
    for path in sorted({block.path for block in BLOCKS}):
        before = (ROOT / path).read_text(encoding="utf-8")
        after = before
        for block in BLOCKS:
            after = block.replaced(after) if block.path == path else after
        if after != before:
            stale.append(path)
            if "--check" not in arguments:
                (ROOT / path).write_text(after, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'stale, type `make docs`' if '--check' in arguments else 'written'}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
