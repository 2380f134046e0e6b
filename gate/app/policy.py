"""From gate.yaml to the policy that the decision knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gate.core.canonical import digest
from gate.core.codec import encode
from gate.core.model import Dimension
from gate.core.policy import (
    PROFILES,
    AtLeast,
    LatencyRule,
    Mode,
    Policy,
    Profile,
    Requirement,
    Waiver,
    requirements_for,
    with_margins,
)
from gate.errors import ConfigurationError
from gate.suites.settings import AtLeastSettings, PolicySettings, Settings

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
        dimensions=_dimensions(own, chosen),
        floors=own.floors,
    )
    general = own.margin if "margin" in own.model_fields_set else None
    requirements = with_margins(requirements, margins=own.margins, general=general)
    at_least = _at_least(own.at_least, dict(requirements), chosen)
    requirements = tuple(
        (one, _compared(asked) if at_least and one in at_least.of else asked) for one, asked in requirements
    )
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
        latency=own.latency,
        waivers=tuple(waivers),
        author=author,
        at_least=at_least,
    )


def _at_least(
    own: AtLeastSettings | None, requirements: Mapping[Dimension, Requirement], profile: Profile
) -> AtLeast | None:
    """What gate.yaml asks for; it was checked for its own profile, and this run may have chosen another one."""
    if own is None:
        return None
    optional = [one for one in own.of if one not in requirements or not requirements[one].blocking]
    if optional:
        message = f"`policy.at_least` names {optional[0]}, which does not block under profile {profile}"
        raise ConfigurationError(message, hint="choose a profile that requires all of its dimensions")
    return AtLeast(count=own.count, of=own.of)


def _compared(requirement: Requirement) -> Requirement:
    """A dimension of k of m is compared with the baseline even where its profile only asks for a floor."""
    return replace(requirement, regression=True)


def _dimensions(own: PolicySettings, profile: Profile) -> dict[Dimension, bool]:
    """Which dimensions block by the project's choice; a latency that is to be compared is at least reported."""
    chosen = {dimension: what == "block" for dimension, what in own.dimensions.items()}
    if own.latency is LatencyRule.CONCURRENT and Dimension.LATENCY not in PROFILES[profile]:
        return {Dimension.LATENCY: False} | chosen
    return chosen


def _profile(name: str) -> Profile:
    try:
        return Profile(name)
    except ValueError:
        known = ", ".join(Profile)
        raise ConfigurationError(f"there is no profile {name!r}", hint=f"one of {known}") from None


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
