"""Where policy and baselines are read from: the base's commit, brought along where a shallow checkout lacks it."""

from __future__ import annotations

from dataclasses import dataclass

from gate.errors import ConfigurationError
from gate.forge.event import Activity
from gate.forge.git import Git, fetch_commit
from gate.forge.settings import ActionSettings

MERGE_HINT = "run actions/checkout on pull_request without `ref:`, or name the `base` input"
CHECKOUT = "add this to the step that checks out:\n- uses: actions/checkout@COMMIT\n  with: {{fetch-depth: {depth}}}"


@dataclass(frozen=True, slots=True)
class MissingBase:
    """The base's commit is not here and cannot be had; `error` says so, with the line of the workflow to add."""

    error: ConfigurationError


def reachable_base(settings: ActionSettings, activity: Activity) -> str | MissingBase | None:
    """The ref that the event's base can be read at; None where the working tree is meant.

    Raises ConfigurationError for a checkout that is not what the event is about.
    """
    git = Git(settings.workspace)
    if not activity.merge_checkout:
        return activity.base and _here(git, activity.base, settings, depth=0)
    # A shallow commit still names its parents: they say what it is, even where they are not here.
    parents = git.named_parents("HEAD")
    if parents[1:] != (activity.head,):
        raise ConfigurationError("this checkout is not GitHub's merge of the pull request's head", hint=MERGE_HINT)
    return activity.base if git.parents("HEAD") else _here(git, parents[0], settings, depth=2)


def _here(git: Git, base: str, settings: ActionSettings, *, depth: int) -> str | MissingBase:
    url = f"{settings.server_url}/{settings.repository}.git"
    if git.holds(base) or fetch_commit(git, url, commit=base, token=settings.github_token):
        return base
    message = f"the base commit {base[:12]} is not in this checkout and could not be fetched"
    return MissingBase(ConfigurationError(message, hint=CHECKOUT.format(depth=depth)))
