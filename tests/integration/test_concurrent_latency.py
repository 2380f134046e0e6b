"""`latency: concurrent`: the base's version is asked side by side, on a real git base and a real model server."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

import pytest

from gate.runner import client_lag
from tests.projects import (
    CASES,
    SUITE,
    WIDE,
    ModelServer,
    Project,
    Response,
    case_lines,
    echo,
    echo_cases,
    echo_files,
    offline_files,
    program_files,
)
from tests.rigs.repository import Repository

POLICY = {
    "profile": "ci",
    "margin": 0.1,
    "margins": WIDE,
    "latency": "concurrent",
    "dimensions": {"latency": "block"},
}
NEW = {"prompts/echo.md": "Please repeat: {{ word }}\n"}
SLOW_S, QUICK_S = 0.08, 0.005


@pytest.fixture(autouse=True)
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, it is in time; a test may say otherwise."""
    monkeypatch.setattr(client_lag, "LEAST_TICKS", 10**9)


def is_new(prompt: str) -> bool:
    return prompt.startswith("Please")


def takes(model: ModelServer, *, base: float, now: float) -> None:
    def answer(prompt: str) -> str:
        time.sleep(now if is_new(prompt) else base)
        return echo(prompt)

    model.answers = answer


def latency(project: Project) -> dict[str, Any]:
    (finding,) = [finding for finding in project.decision()["findings"] if finding["rule"] == "latency"]
    return finding


def with_policy(project: Project, **changes: object) -> None:
    settings = json.loads((project.root / "gate.yaml").read_text())
    project.write({"gate.yaml": json.dumps(settings | {"policy": POLICY, **changes})})


@pytest.fixture
def repository(promoted: Project, model: ModelServer) -> Repository:
    """A base whose policy compares latencies, and a change of the prompt."""
    with_policy(promoted)
    made = promoted.repository()
    made.commit(NEW)
    model.prompts.clear()
    return made


@pytest.mark.usefixtures("repository")
def test_check__slower_than_the_base_holds(promoted: Project, model: ModelServer) -> None:
    takes(model, base=QUICK_S, now=SLOW_S)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 10
    finding = latency(promoted)
    assert (finding["verdict"], finding["demands"], finding["subject"]) == ("FAIL", "HOLD", "against the base")
    figures = dict(finding["figures"])
    assert figures["lower"] > 1.1
    assert figures["p50"] > 1000 * SLOW_S > figures["base_p50"]
    assert figures["cases"] == CASES
    # Each side once for each case, with its own prompt; the base's answers are nobody's trials.
    words = [case["id"] for case in echo_cases()]
    asked = [f"Repeat: {word}\n" for word in words] + [f"Please repeat: {word}\n" for word in words]
    assert sorted(model.prompts) == sorted(asked)
    cases = promoted.evidence()["suites"][0]["cases"]
    assert {(case["marks"], len(case["base_ms"]), len(case["beside_ms"])) for case in cases} == {("P", 1, 1)}
    assert len(promoted.trials()) == CASES
    assert "slower" in (promoted.record / "comment.md").read_text()


@pytest.mark.usefixtures("repository")
def test_check__faster_than_the_base_promotes_and_can_be_replayed_and_explained(
    promoted: Project, model: ModelServer
) -> None:
    takes(model, base=SLOW_S, now=QUICK_S)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 0
    assert latency(promoted)["verdict"] == "PASS"
    assert len(model.prompts) == 2 * CASES
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0
    told = promoted.gate("explain", "lockgate-out/decision.json", "--rule", "latency").out
    assert "latency against the base: PASS" in told
    assert "L = mean of ln(now / base), one ratio of medians a case, 36 cases" in told
    assert "PASS needs upper bound " in told


@pytest.mark.usefixtures("repository")
def test_check__timed_by_a_busy_machine__holds_and_keeps_no_latency(
    promoted: Project, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes(model, base=SLOW_S, now=QUICK_S)
    monkeypatch.setattr(client_lag, "LEAST_TICKS", 1)
    monkeypatch.setattr(client_lag, "LEAST_LIMIT_MS", 0.0)
    monkeypatch.setattr(client_lag, "SHARE_OF_LATENCY", 0.0)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 10
    finding = latency(promoted)
    assert (finding["verdict"], finding["demands"]) == ("INCONCLUSIVE", "HOLD")
    assert "not known, because the client was late: one wake-up in a hundred by " in finding["sentence"]
    suite = promoted.evidence()["suites"][0]
    assert suite["late"].startswith("the client was late")
    assert {(case["marks"], len(case["latency_ms"]), len(case.get("base_ms", ()))) for case in suite["cases"]} == {
        ("P", 0, 0)
    }
    assert promoted.gate("replay", "lockgate-out/decision.json").code == 0


@pytest.mark.parametrize(("rule", "at_a_time"), [("concurrent", 8), ("budget", 20)])
def test_check__latency_is_timed_with_few_calls_at_a_time(
    rule: str, at_a_time: int, promoted: Project, model: ModelServer
) -> None:
    lock, under_way, most = threading.Lock(), [0], [0]

    def answer(prompt: str) -> str:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.1)
        with lock:
            under_way[0] -= 1
        return echo(prompt)

    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"]["concurrency"] = 20
    policy = {name: value for name, value in POLICY.items() if name != "dimensions"} | {"latency": rule}
    promoted.write({"gate.yaml": json.dumps(settings | {"policy": policy})})
    model.answers = answer
    assert promoted.gate("check", "--quiet", "--all", "--passes", "1").code in (0, 10)
    assert len(model.prompts) == CASES
    assert at_a_time - 4 <= most[0] <= at_a_time


@pytest.mark.usefixtures("repository")
def test_check__calls_to_the_base_are_within_the_budget(promoted: Project, model: ModelServer) -> None:
    promoted.write({"prompts/echo.md": "Repeat: {{ word }}\n"})
    with_policy(promoted, budget={"calls": CASES + 9})
    Repository(promoted.root).commit({})
    promoted.write(NEW)
    model.prompts.clear()
    assert promoted.gate("check", "--quiet", "--base", "HEAD").code == 10
    assert len(model.prompts) == CASES + 9
    assert "the budget of 45 calls is used up" in promoted.sentences()
    assert "are needed" in latency(promoted)["sentence"]


@pytest.mark.usefixtures("repository")
def test_check__calls_that_were_repeated_are_not_timed(promoted: Project, model: ModelServer) -> None:
    seen: Counter[str] = Counter()

    def answer(prompt: str) -> str | Response:
        seen[prompt] += 1
        return (
            Response(status=500)
            if is_new(prompt) and prompt.rsplit(maxsplit=1)[-1] < "w-08" and seen[prompt] == 1
            else echo(prompt)
        )

    model.answers = answer
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 10
    assert latency(promoted)["sentence"].endswith("29 cases were timed on both sides, and 30 are needed")
    assert [len(case["latency_ms"]) for case in promoted.evidence()["suites"][0]["cases"]] == [0] * 7 + [1] * 29


def test_check__second_run_adds_no_calls_to_the_base_and_keeps_what_it_showed(
    repository: Repository, promoted: Project, model: ModelServer
) -> None:
    takes(model, base=SLOW_S, now=QUICK_S)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^", "--out", "../first").code == 0
    model.prompts.clear()
    words = ("check", "--all", "--quiet", "--evidence", "../first/evidence.json")
    assert promoted.gate(*words, "--base", "HEAD^").code == 0
    assert (model.prompts, latency(promoted)["verdict"]) == ([], "PASS")
    # Against another base the old latencies say nothing.
    repository.git("branch", "head")
    repository.git("checkout", "--quiet", "HEAD^")
    repository.commit({"prompts/echo.md": "Repeat it: {{ word }}\n"})
    repository.git("branch", "moved")
    repository.git("checkout", "--quiet", "head")
    assert promoted.gate(*words, "--base", "moved").code == 10
    assert "0 cases were timed on both sides" in latency(promoted)["sentence"]


@pytest.mark.usefixtures("repository")
def test_plan__counts_the_calls_to_the_base(promoted: Project, model: ModelServer) -> None:
    ran = promoted.gate("plan", "--no-rates", "--base", "HEAD^")
    assert "calls: 72 to 216 (36 of them to the base's version, for its latency); " in ran.out
    assert "calls: 72 at least, 216 at most" in ran.out
    assert "calls: 36 to 180; " in promoted.gate("plan", "--no-rates").out
    assert model.prompts == []


# --- a base that cannot be asked


def test_check__no_base_is_named(repository: Repository, promoted: Project, model: ModelServer) -> None:
    assert repository.path == promoted.root
    assert promoted.gate("check", "--quiet").code == 10
    assert "no base is named, so that both are the same files" in latency(promoted)["sentence"]
    assert len(model.prompts) == CASES


def test_check__a_prompt_to_try_beside_the_one_that_is_there(promoted: Project, model: ModelServer) -> None:
    with_policy(promoted)
    promoted.write({"draft.md": "Please repeat: {{ word }}\n"})
    takes(model, base=SLOW_S, now=QUICK_S)
    model.prompts.clear()
    assert promoted.gate("check", "--quiet", "--prompt", "draft.md").code == 0
    assert (latency(promoted)["verdict"], sum(map(is_new, model.prompts))) == ("PASS", CASES)


def test_check__base_prompt_that_does_not_render_for_these_cases(promoted: Project, model: ModelServer) -> None:
    promoted.write({"prompts/echo.md": "Repeat {{ gone }}: {{ word }}\n"})
    with_policy(promoted)
    repository = promoted.repository()
    repository.commit(NEW)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 10
    sentence = latency(promoted)["sentence"]
    assert "the base's version could not be asked: prompts/echo.md:1: case " in sentence
    assert "'gone' is undefined" in sentence
    assert sum(map(is_new, model.prompts)) == CASES


def test_check__target_that_the_base_does_not_have(promoted: Project, model: ModelServer) -> None:
    with_policy(promoted)
    repository = promoted.repository()
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"] |= {"fresh": settings["targets"]["echo"] | {"prompt": "prompts/fresh.md"}}
    repository.commit({"gate.yaml": json.dumps(settings), "prompts/fresh.md": "Please repeat: {{ word }}\n"})
    promoted.gate("check", "--quiet", "--base", "HEAD^", "--target", "fresh")
    finding = latency(promoted)
    assert "the base does not have this target yet" in finding["sentence"]
    assert not finding["blocking"]
    assert len(model.prompts) >= CASES


def test_check__base_model_whose_key_is_not_there(promoted: Project, model: ModelServer) -> None:
    settings = json.loads((promoted.root / "gate.yaml").read_text()) | {"policy": POLICY}
    here = json.dumps(settings | {"credentials": {"OTHER_KEY": ["127.0.0.1"]}})
    settings["targets"]["echo"]["model"]["api_key"] = "OTHER_KEY"
    promoted.write({"gate.yaml": json.dumps(settings | {"credentials": {"OTHER_KEY": ["127.0.0.1"]}})})
    repository = promoted.repository()
    repository.commit({**NEW, "gate.yaml": here})
    promoted.gate("check", "--quiet", "--base", "HEAD^")
    assert "needs the key OTHER_KEY, which is not set" in latency(promoted)["sentence"]
    assert sum(map(is_new, model.prompts)) >= CASES


# --- other kinds of target


def program_project(empty: Project) -> Repository:
    empty.write(program_files(command=["sh", "answer.sh"], concurrency=4))
    empty.write({f"{SUITE}/cases.jsonl": case_lines(echo_cases(30))})
    with_policy(empty)
    assert empty.gate("promote", "--passes", "1", "--quiet").code == 0
    return empty.repository()


def test_check__program_of_the_base_runs_from_the_base(empty: Project) -> None:
    repository = program_project(empty)
    script = (empty.root / "answer.sh").read_text()
    repository.commit({"answer.sh": script.replace("exec", "sleep 0.4\nexec")})
    assert empty.gate("check", "--quiet", "--base", "HEAD^").code == 10
    finding = latency(empty)
    assert (finding["verdict"], dict(finding["figures"])["cases"]) == ("FAIL", 30)


def test_check__program_whose_code_is_not_in_the_base(empty: Project) -> None:
    repository = program_project(empty)
    script = (empty.root / "answer.sh").read_text()
    repository.git("rm", "--quiet", "--cached", "answer.sh")
    repository.git("commit", "--quiet", "--message", "built, and not committed")
    repository.commit({"answer.sh": script})
    assert empty.gate("check", "--quiet", "--base", "HEAD^").code == 10
    assert "its code is not in the base: answer.sh" in latency(empty)["sentence"]


def test_check__endpoint_that_is_the_same_on_both_sides(promoted: Project, model: ModelServer) -> None:
    """Whatever runs there would be compared with itself."""
    settings = json.loads((promoted.root / "gate.yaml").read_text())
    settings["targets"]["echo"] = {"endpoint": {"url": f"{model.url}/chat/completions"}, "suites": [SUITE]}
    promoted.write({"gate.yaml": json.dumps(settings | {"policy": POLICY})})
    promoted.repository()
    promoted.gate("check", "--quiet", "--base", "HEAD")
    assert "one endpoint answers for both, with the version that runs there" in latency(promoted)["sentence"]
    assert "calls: 36 to " in promoted.gate("plan", "--no-rates", "--base", "HEAD").out


def test_check__offline_model_is_modelled_on_both_sides_and_decides_nothing(empty: Project) -> None:
    empty.write(offline_files())
    with_policy(empty)
    assert empty.gate("promote", "--quiet").code == 0
    repository = empty.repository()
    prompt = (empty.root / "prompts/inbox.md").read_text()
    repository.commit({"prompts/inbox.md": prompt.replace("Sort the e-mail.", "Sort this e-mail.")})
    assert empty.gate("check", "--quiet", "--base", "HEAD^").code == 10
    assert "modelled on both sides, not measured" in latency(empty)["sentence"]


def test_check__policy_of_the_change_is_not_obeyed(promoted: Project, model: ModelServer) -> None:
    """Neither may a change switch the comparison off, nor on."""
    plain = echo_files(model.url)["gate.yaml"]
    with_policy(promoted)
    repository = promoted.repository()
    repository.commit({**NEW, "gate.yaml": str(plain)})
    takes(model, base=QUICK_S, now=SLOW_S)
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 10
    assert latency(promoted)["verdict"] == "FAIL"
    repository.commit({"prompts/echo.md": "Do repeat: {{ word }}\n"})
    model.prompts.clear()
    assert promoted.gate("check", "--quiet", "--base", "HEAD^").code == 0
    assert len(model.prompts) == CASES
