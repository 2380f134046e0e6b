"""Releasing a HOLD on a command line: `gate approve`, and `gate check --release`."""

from __future__ import annotations

import json

import pytest

from tests.projects import OFFLINE_PROMPT, Project, offline_files
from tests.rigs.repository import Repository

OUT = ("--out", "lockgate-out", "--quiet")


@pytest.fixture
def held(empty: Project) -> Project:
    """A project without a baseline, committed by Dana, whose check held."""
    empty.write(offline_files())
    empty.repository()
    assert empty.gate("check", *OUT).code == 10
    return empty


def approve(project: Project, by: str = "robin", reason: str = "agreed") -> tuple[int, str]:
    done = project.gate("approve", "--by", by, "--reason", reason)
    return done.code, done.err


def test_approve__passes_the_recorded_hold(held: Project) -> None:
    assert approve(held) == (0, "")
    record = json.loads((held.root / "lockgate-out" / "release.json").read_text())
    assert (record["by"], record["reason"], record["pull"], record["comment"]) == ("robin", "agreed", 0, None)
    done = held.gate("check", *OUT, "--release", "lockgate-out/release.json")
    assert (done.code, "HOLD, released by robin" in done.out) == (0, True)
    assert "released by `@robin`:** agreed" in (held.root / "lockgate-out" / "comment.md").read_text()


@pytest.mark.parametrize("by", ["Dana", "@dana", "dana@acme.example"])
def test_approve__by_the_author_of_the_commit(held: Project, by: str) -> None:
    code, err = approve(held, by)
    assert (code, "is the author of the head commit" in err) == (2, True)


def test_approve__needs_a_reason(held: Project) -> None:
    assert approve(held, reason=" ")[0] == 2


def test_release__is_void_after_a_commit(held: Project) -> None:
    approve(held)
    Repository(held.root).commit({"notes.md": "more"})
    done = held.gate("check", *OUT, "--release", "lockgate-out/release.json")
    assert (done.code, "is for the commit" in done.err) == (4, True)


def test_release__of_another_decision(held: Project) -> None:
    approve(held)
    assert held.gate("check", *OUT, "--passes", "2").code == 10
    done = held.gate("check", *OUT, "--passes", "2", "--release", "lockgate-out/release.json")
    assert (done.code, "a release is for one decision only" in done.err) == (4, True)


def test_release__judged_by_other_options(held: Project) -> None:
    approve(held)
    done = held.gate("check", *OUT, "--passes", "7", "--release", "lockgate-out/release.json")
    assert (done.code, "and this base makes" in done.err) == (4, True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "lockgate.release/1"}'])
def test_release__that_is_none(held: Project, text: str) -> None:
    held.write({"lockgate-out/release.json": text})
    assert held.gate("check", *OUT, "--release", "lockgate-out/release.json").code == 2


def test_release__written_by_hand_for_a_rollback(held: Project) -> None:
    approve(held)
    release = json.loads((held.root / "lockgate-out" / "release.json").read_text())
    assert held.gate("promote", "--passes", "2", "--quiet").code == 0
    held.write({"prompts/inbox.md": OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")})
    done = held.gate("check", *OUT)
    assert done.code == 20
    assert approve(held)[0] == 2
    digest = held.gate("replay", "lockgate-out/decision.json").out.split()[-1]
    held.write({"lockgate-out/release.json": json.dumps(release | {"decision": digest})})
    done = held.gate("check", *OUT, "--release", "lockgate-out/release.json")
    assert (done.code, "the decision is ROLLBACK, and only a HOLD can be released" in done.err) == (4, True)
