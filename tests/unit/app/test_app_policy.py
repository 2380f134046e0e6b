"""From gate.yaml to the policy that the decision knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.app.policy import looks_for, policy_digest, policy_from
from gate.core.codec import encode
from gate.core.model import Dimension
from gate.core.policy import AtLeast, LatencyRule, Mode, OnBroken, Policy, Profile, SliceRule, Waiver
from gate.errors import ConfigurationError
from gate.suites.settings import Settings

TARGET = {"command": ["true"], "suites": ["golden_sets/a"]}
WAIVER = Waiver(suite="a", case="c", reason="known", by="dana", expires="2026-11-30")


def policy(profile: str | None = None, passes: int | None = None, **own: object) -> Policy:
    settings = Settings.model_validate({"version": 1, "targets": {"t": TARGET}, "policy": own}, strict=False)
    return policy_from(settings, waivers=[WAIVER], author="eve", profile=profile, passes=passes)


@pytest.mark.parametrize(
    ("passes", "looks"),
    [
        (None, (1, 2, 3, 5)),
        (1, (1,)),
        (2, (1, 2)),
        (3, (1, 2, 3)),
        (4, (1, 2, 3, 4)),
        (5, (1, 2, 3, 5)),
        (9, (1, 2, 3, 5, 9)),
    ],
)
def test_looks_for__passes(passes: int | None, looks: tuple[int, ...]) -> None:
    assert looks_for(passes) == looks


@pytest.mark.parametrize("passes", [0, -1])
def test_looks_for__none(passes: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{passes} passes cannot be run"):
        looks_for(passes)


def test_policy_from__k_of_m_compares_its_dimensions() -> None:
    of = ("task_success", "evidence_coverage")
    made = policy(profile="paper", at_least={"count": 1, "of": of}, dimensions={"evidence_coverage": "block"})
    assert made.at_least == AtLeast(count=1, of=(Dimension.TASK_SUCCESS, Dimension.EVIDENCE_COVERAGE))
    compared = {dimension for dimension, asked in made.requirements if asked.regression}
    assert compared == {Dimension.TASK_SUCCESS, Dimension.EVIDENCE_COVERAGE}
    assert policy_digest(made) != policy_digest(replace(made, at_least=None))


def test_policy_from__k_of_m_that_a_chosen_profile_does_not_require() -> None:
    with pytest.raises(ConfigurationError, match="names safety, which does not block under profile ci"):
        policy(profile="ci", at_least={"count": 1, "of": ("task_success", "safety")})


def test_policy_from__carries_everything() -> None:
    made = policy(margin=0.07, slices={"language": "block"}, on_broken="rollback", p95_ms=900.0, floors={"safety": 0.9})
    assert (made.margin, made.slices, made.on_broken, made.p95_ms) == (
        0.07,
        (("language", SliceRule.BLOCK),),
        OnBroken.ROLLBACK,
        900.0,
    )
    assert (made.waivers, made.author, made.profile, made.mode) == ((WAIVER,), "eve", Profile.MERGE, Mode.ENFORCE)
    assert made.requirement(Dimension.SAFETY).floor == 0.9


def test_policy_from__an_own_margin_replaces_the_profiles_and_no_margin_keeps_it() -> None:
    assert policy(profile="ci").requirement(Dimension.TASK_SUCCESS).margin == 0.05
    assert policy(profile="ci", margin=0.02).requirement(Dimension.TASK_SUCCESS).margin is None


def test_policy_from__latency_that_is_compared_is_at_least_reported() -> None:
    assert policy().latency is LatencyRule.BUDGET
    assert Dimension.LATENCY not in dict(policy(profile="ci").requirements)
    shown = policy(profile="ci", latency="concurrent")
    assert (shown.latency, shown.requirement(Dimension.LATENCY).blocking) == (LatencyRule.CONCURRENT, False)
    assert Dimension.LATENCY in dict(shown.requirements)
    blocking = policy(profile="ci", latency="concurrent", dimensions={"latency": "block"})
    assert blocking.requirement(Dimension.LATENCY).blocking
    assert policy(profile="pre-production", latency="concurrent").requirement(Dimension.LATENCY).blocking


def test_policy_digest__latency_by_budget_is_what_it_always_was() -> None:
    """Baselines accepted before there was a choice stay those of the same policy."""
    plain = encode(policy())
    assert isinstance(plain, dict)
    assert "latency" not in plain
    assert policy_digest(policy()) != policy_digest(policy(latency="concurrent"))


@pytest.mark.parametrize(
    ("profile", "own", "wanted"),
    [
        ("pre-production", {}, 0.01),
        ("pre-production", {"margin": 0.05}, 0.01),
        ("pre-production", {"margin": 0.01}, 0.01),
        ("pre-production", {"margin": 0.005}, 0.005),
        ("pre-production", {"margin": 0.005, "margins": {"task_success": 0.02}}, 0.02),
        ("merge", {}, 0.03),
        ("merge", {"margin": 0.2}, 0.2),
        ("merge", {"margin": 0.2, "margins": {"safety": 0.01}}, 0.2),
    ],
)
def test_policy_from__a_general_margin_tightens_a_profile_and_never_widens_it(
    profile: str, own: dict[str, object], wanted: float
) -> None:
    made = policy(profile=profile, **own)
    margin = made.requirement(Dimension.TASK_SUCCESS).margin
    assert (made.margin if margin is None else margin) == wanted


def test_policy_from__margin_by_dimension_asks_for_the_comparison() -> None:
    made = policy(profile="launch", margins={"safety": 0.01, "liveness": 0.02})
    safety, liveness = made.requirement(Dimension.SAFETY), made.requirement(Dimension.LIVENESS)
    assert (safety.regression, safety.margin, safety.vetoes, safety.blocking) == (True, 0.01, True, True)
    assert (liveness.regression, liveness.margin, liveness.blocking) == (True, 0.02, True)
    assert policy(profile="launch").requirement(Dimension.SAFETY).regression is False
    shown = policy(margins={"safety": 0.01}, dimensions={"safety": "report"}).requirement(Dimension.SAFETY)
    assert (shown.margin, shown.blocking) == (0.01, False)


def test_policy_from__profile_of_the_run() -> None:
    assert policy(profile="launch").profile is Profile.LAUNCH
    with pytest.raises(ConfigurationError, match="there is no profile 'lunch'") as caught:
        policy(profile="lunch")
    assert caught.value.hint == "one of merge, ci, paper, pre-production, launch"


def test_policy_digest__ignores_mode_author_waivers_and_looks_and_nothing_else() -> None:
    made = policy()
    same = replace(made, mode=Mode.ADVISORY, author="", waivers=(), looks=(1,))
    assert policy_digest(same) == policy_digest(made)
    for change in ({"margin": 0.5}, {"on_broken": OnBroken.ROLLBACK}, {"cost_limit": 2.0}, {"fewest_cases": 1}):
        assert policy_digest(replace(made, **change)) != policy_digest(made)  # type: ignore[arg-type]
