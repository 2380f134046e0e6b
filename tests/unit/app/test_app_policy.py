"""From gate.yaml to the policy that the decision knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.app.policy import looks_for, policy_digest, policy_from
from gate.core.model import Dimension
from gate.core.policy import Mode, OnBroken, Policy, Profile, SliceRule, Waiver
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
