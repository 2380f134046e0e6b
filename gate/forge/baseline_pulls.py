"""Pull requests that bring baselines: one for the newest commit that was measured stays open, older ones are closed."""

from dataclasses import dataclass

from gate.core.model import Json
from gate.errors import PublishError
from gate.forge.branch import WRITE_HINT, Barred, Branch, measured_on, trailers
from gate.forge.comments import Thread, author_of, own_login, write_reply

PAGE = 100
DENIED = (401, 403)
SETTING = "not permitted to create or approve"
SETTING_HINT = (
    "switch on Settings > Actions > General > Allow GitHub Actions to create and approve pull requests; until then open"
    " one by hand"
)
EXISTS = "already exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePull:
    """An open pull request of ours: its number, its page, and the commit that it was measured on."""

    number: int
    url: str
    measured: str


def open_baseline_pull(main: Branch, side: Branch, *, title: str, measured: str) -> BaselinePull | Barred:
    """Open a pull request from a branch, or find the one that stands; close those of older commits.

    Raises PublishError for what the API does.
    """
    body = (
        f"Fresh passes of {measured[:12]} on `{main.name}`, measured after its merge.\n"
        f"Merge this so that the next change is compared with them.\n\n{trailers(measured)}\n"
    )
    wanted: dict[str, Json] = {"title": title, "head": side.name, "base": main.name, "body": body}
    reply = main.api.post(f"{main.path}/pulls", wanted)
    if reply.status in DENIED and reply.wait_s is None:
        return Barred(reason=reply.detail, hint=_setting(main, side) if SETTING in reply.detail else WRITE_HINT)
    if not (reply.ok or reply.unknown or EXISTS in reply.detail):
        reply.expect("the pull request could not be opened")
    standing = open_pulls(main)
    own = next((pull for pull in standing if pull.measured == measured), None)
    if own is None:
        raise PublishError(f"the pull request from {side.name} could not be opened: {reply.detail}")
    for other in standing:
        if other != own and _is_older(main, other, own):
            _close(main, other, own)
    return own


def _setting(main: Branch, side: Branch) -> str:
    return f"{SETTING_HINT}: {main.name}...{side.name}"


def open_pulls(main: Branch) -> tuple[BaselinePull, ...]:
    """Our open pull requests with baselines for a branch, the oldest first."""
    login = own_login(main.api)
    params: dict[str, int | str] = {"state": "open", "base": main.name, "per_page": PAGE}
    body = main.api.get(f"{main.path}/pulls", params).expect("the pull requests could not be read").body
    found = [_pull(item) for item in (body if isinstance(body, list) else []) if author_of(item) == login]
    return tuple(sorted((pull for pull in found if pull is not None), key=lambda pull: pull.number))


def _pull(value: Json) -> BaselinePull | None:
    if not isinstance(value, dict):
        return None
    number, url, body = value.get("number"), value.get("html_url"), value.get("body")
    measured = measured_on(body) if isinstance(body, str) else ""
    if not isinstance(number, int) or not isinstance(url, str) or not measured:
        return None
    return BaselinePull(number=number, url=url, measured=measured)


def _is_older(main: Branch, other: BaselinePull, own: BaselinePull) -> bool:
    history = main.since(other.measured, own.measured)
    return history is not None and own.measured in history.commits


def _close(main: Branch, other: BaselinePull, own: BaselinePull) -> None:
    """Say which one took its place, and close it; its branch stays."""
    write_reply(Thread(api=main.api, repository=main.repository, number=other.number), f"#{own.number} is newer.")
    main.api.patch(f"{main.path}/pulls/{other.number}", {"state": "closed"}).expect(
        f"pull request {other.number} could not be closed"
    )


def merged_pull(main: Branch, commit: str) -> int | None:
    """The number of the pull request that brought a commit onto the branch; None where there is none."""
    body = main.api.get(f"{main.path}/commits/{commit}/pulls").expect("the merged pull request could not be read").body
    for item in body if isinstance(body, list) else []:
        base = item.get("base") if isinstance(item, dict) else None
        merged = isinstance(item, dict) and bool(item.get("merged_at"))
        number = item.get("number") if isinstance(item, dict) else None
        if merged and isinstance(base, dict) and base.get("ref") == main.name and isinstance(number, int):
            return number
    return None
