"""Early abort, earlier evidence and the A/A check, from the command line on a real model server."""

from __future__ import annotations

import json

from tests.projects import BASELINE, CASES, ModelServer, Project, Response, echo


def test_check__broken_candidate__aborted_after_a_few_calls(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: "nonsense"
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 20, ran.text
    assert "broken, stopped after 20 cases: 100.0 -> 0.0" in ran.out
    assert len(promoted.evidence()["suites"][0]["asked"]) == 20
    assert 20 <= len(promoted.trials()) <= CASES
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0


def test_check__an_outage_is_never_an_abort(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: Response(status=400, body=b"no")
    ran = promoted.gate("check", "--all", "--quiet")
    assert ran.code == 10
    assert len(promoted.trials()) == CASES


def test_check__earlier_evidence_counts_and_is_not_asked_again(promoted: Project, model: ModelServer) -> None:
    first = promoted.gate("check", "--all", "--quiet", "--out", "first")
    asked = len(promoted.trials("first"))
    assert asked >= CASES
    again = promoted.gate("check", "--all", "--quiet", "--out", "second", "--evidence", "first/evidence.json")
    assert again.code == first.code
    assert promoted.trials("second") == []
    one, two = (json.loads((promoted.root / name / "decision.json").read_text()) for name in ("first", "second"))
    assert [finding["verdict"] for finding in one["findings"]] == [finding["verdict"] for finding in two["findings"]]


def test_check__a_broken_version_stays_broken_without_a_call(promoted: Project, model: ModelServer) -> None:
    model.answers = lambda _prompt: "nonsense"
    promoted.gate("check", "--all", "--quiet", "--out", "first")
    model.answers = echo
    again = promoted.gate("check", "--all", "--quiet", "--out", "second", "--evidence", "first/evidence.json")
    assert again.code == 20
    assert promoted.trials("second") == []


def test_check__evidence_out_of_the_window_or_unreadable(promoted: Project, model: ModelServer) -> None:
    promoted.gate("check", "--all", "--quiet", "--out", "first", "--as-of", "2026-11-01")
    old = promoted.gate("check", "--all", "--quiet", "--evidence", "first/evidence.json", "--as-of", "2026-11-21")
    assert len(promoted.trials()) >= CASES, old.text
    missing = promoted.gate("check", "--all", "--quiet", "--evidence", "nowhere.json")
    assert (missing.code, "nowhere.json" in missing.text) == (2, True)


def test_check__whitespace_and_comments_share_evidence(promoted: Project, model: ModelServer) -> None:
    promoted.gate("check", "--all", "--quiet", "--out", "first")
    prompt = promoted.root / "prompts" / "echo.md"
    prompt.write_text("{# the same #}\n\n" + prompt.read_text().replace(" ", "  "))
    promoted.gate("check", "--all", "--quiet", "--out", "second", "--evidence", "first/evidence.json")
    assert promoted.trials("second") == []
    prompt.write_text(prompt.read_text() + "x")
    promoted.gate("check", "--all", "--quiet", "--out", "third", "--evidence", "first/evidence.json")
    assert len(promoted.trials("third")) >= 20


def test_check__aa__a_loss_marks_the_baseline_stale_and_everything_holds(promoted: Project, model: ModelServer) -> None:
    assert promoted.gate("check", "--aa", "--quiet").code == 0
    assert '"stale": ""' in (promoted.root / BASELINE).read_text()
    model.answers = lambda _prompt: "nonsense"
    assert promoted.gate("check", "--aa", "--quiet", "--as-of", "2026-11-21").code == 20
    assert "the provider moved: on 2026-11-21" in (promoted.root / BASELINE).read_text()
    model.answers = echo
    held = promoted.gate("check", "--all", "--quiet")
    assert held.code == 10
    assert "the baseline is stale: the provider moved" in promoted.sentences()
    assert promoted.gate("promote", "--passes", "2", "--quiet").code == 0
    assert promoted.gate("check", "--all", "--quiet").code == 0


def test_check__aa__refused_for_another_version(promoted: Project, model: ModelServer) -> None:
    prompt = promoted.root / "prompts" / "echo.md"
    prompt.write_text("Again: " + prompt.read_text())
    ran = promoted.gate("check", "--aa", "--quiet")
    assert ran.code == 2
    assert "the version here is not the baseline's" in ran.text
