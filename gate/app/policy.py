"""From gate.yaml to the policy that the decision knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gate.core.canonical import digest
from gate.core.codec import encode
from gate.core.policy import Mode, Policy, Profile, Requirement, Waiver, requirements_for
from gate.errors import ConfigurationError
from gate.suites.settings import Settings

LOOKS = (1, 2, 3, 5)
FEWEST_CASES = 30
LAUNCH_CASES = 100  # a 100-case holdout: R15, R20


def policy_from(
    settings: Settings, *, waivers: Sequence[Waiver], author: str, profile: str | None, passes: int | None
) -> Policy:
    """The base's policy; `profile` and `passes` are choices of this run. Raises ConfigurationError for bad ones."""
    own = settings.policy
    chosen = _profile(profile) if profile else own.profile
    requirements = requirements_for(
        chosen,
        dimensions={dimension: what == "block" for dimension, what in own.dimensions.items()},
        floors=own.floors,
    )
    if "margin" in own.model_fields_set:
        requirements = tuple((dimension, _without_margin(entry)) for dimension, entry in requirements)
    return Policy(
        profile=chosen,
        mode=settings.mode,
        margin=own.margin,
        requirements=requirements,
        slices=tuple(sorted(own.slices.items())),
        on_broken=own.on_broken,
        looks=looks_for(passes),
        fewest_cases=LAUNCH_CASES if chosen is Profile.LAUNCH else FEWEST_CASES,
        p95_ms=own.p95_ms,
        waivers=tuple(waivers),
        author=author,
    )


def _profile(name: str) -> Profile:
    try:
        return Profile(name)
    except ValueError:
        known = ", ".join(Profile)
        raise ConfigurationError(f"there is no profile {name!r}", hint=f"one of {known}") from None


def _without_margin(requirement: Requirement) -> Requirement:
    return replace(requirement, margin=None)


def looks_for(passes: int | None) -> tuple[int, ...]:
    """The looks of a run that may make so many passes."""
    if passes is None:
        return LOOKS
    if passes < 1:
        raise ConfigurationError(f"{passes} passes cannot be run", hint="ask for 1 or more")
    return tuple(sorted({look for look in LOOKS if look < passes} | {passes}))


def policy_digest(policy: Policy) -> str:
    """What a baseline remembers of the policy it was accepted under: all but mode, author and waivers."""
    return digest(encode(replace(policy, mode=Mode.ENFORCE, author="", waivers=(), looks=LOOKS)))
