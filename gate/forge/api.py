"""GitHub's REST API as far as lockgate needs it: one call at a time, bounded, and never retried blindly."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests
from requests.auth import AuthBase

from gate.core.model import Json
from gate.errors import PublishError

TIMEOUT_S = (5.0, 20.0)
ATTEMPTS = 3
LONGEST_WAIT_S = 60
SHOWN_DETAIL = 200
LIMITED = (403, 429)
SERVER_ERROR = 500
CHANGING = ("POST", "PUT")
GRAPHQL = "/graphql"
ENTERPRISE = "/api/v3"
SECONDARY = "secondary rate limit"
REDIRECT = 302
DOWNLOADED = 2**16
PERMISSION_HINT = "give the job this in its workflow file:\npermissions:\n  contents: read\n  pull-requests: write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: `status` is 0 when nothing did; `detail` is a short printable reason when it was not a success.

    `wait_s` is how long the API wants a limited caller to wait, in seconds; None when it is no limit.
    """

    status: int
    body: Json = None
    detail: str = ""
    last_page: bool = True
    wait_s: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the call did what it was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 the range that HTTP calls success

    @property
    def unknown(self) -> bool:
        """Whether the call may have been carried out or not."""
        return self.status == 0 or self.status >= SERVER_ERROR

    def expect(self, doing: str) -> "Reply":
        """Return the reply itself, or raise PublishError with what was attempted and what to do."""
        if self.ok:
            return self
        permission = self.status == LIMITED[0] and "not accessible" in self.detail
        message = f"{doing}: {'HTTP ' + str(self.status) + ', ' if self.status else ''}{self.detail}"
        raise PublishError(message, hint=PERMISSION_HINT if permission or self.status in (401, 404) else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One repository's API under one token; `url` is the API's root, which on GHES ends in /api/v3."""

    session: requests.Session
    url: str
    token: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, params: Mapping[str, int | str] | None = None) -> Reply:
        """Read; tried three times."""
        return self._repeat("GET", path, params=params)

    def patch(self, path: str, body: Mapping[str, Json]) -> Reply:
        """Change; tried three times, since a second one changes nothing more."""
        return self._repeat("PATCH", path, body=body)

    def delete(self, path: str) -> Reply:
        """Remove; tried three times."""
        return self._repeat("DELETE", path)

    def post(self, path: str, body: Mapping[str, Json]) -> Reply:
        """Create; tried again only when the API said that it did nothing, because it asked to wait."""
        return self._repeat("POST", path, body=body)

    def put(self, path: str, body: Mapping[str, Json]) -> Reply:
        """Write what names the state that it replaces; tried again only as a POST is."""
        return self._repeat("PUT", path, body=body)

    def graphql(self, query: str, variables: Mapping[str, Json]) -> Reply:
        """Ask the GraphQL API; tried again only as a POST is."""
        return self._repeat("POST", GRAPHQL, body={"query": query, "variables": dict(variables)})

    def _address(self, path: str) -> str:
        # On GHES the two APIs lie side by side: /api/v3 and /api/graphql.
        root = self.url.removesuffix("/v3") if path == GRAPHQL and self.url.endswith(ENTERPRISE) else self.url
        return root + path

    def download(self, path: str, limit: int) -> bytes:
        """Return the bytes that the API redirects to; raises PublishError for more than `limit` of them, or for none.

        The storage that they lie on never gets the token.
        """
        try:
            with self._send("GET", path, stream=True) as response:
                if response.status_code != REDIRECT:
                    _reply(response).expect("the download was refused")
                    return _bounded(response, limit)
                place = response.headers.get("Location", "")
            with self.session.get(
                place, stream=True, auth=_Bearer(""), timeout=TIMEOUT_S, allow_redirects=False
            ) as stored:
                if not stored.ok or stored.is_redirect:
                    raise PublishError(f"the download failed: HTTP {stored.status_code}")
                return _bounded(stored, limit)
        except requests.RequestException as error:
            raise PublishError(f"the download failed: no answer ({type(error).__name__})") from error

    def _repeat(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, int | str] | None = None,
        body: Mapping[str, Json] | None = None,
    ) -> Reply:
        reply = self._once(method, path, params=params, body=body)
        for attempt in range(1, ATTEMPTS):
            wait = float(attempt) if reply.unknown and method not in CHANGING else reply.wait_s
            if wait is None or wait > LONGEST_WAIT_S:
                break
            self.sleep(wait)
            reply = self._once(method, path, params=params, body=body)
        return reply

    def _once(
        self, method: str, path: str, *, params: Mapping[str, int | str] | None, body: Mapping[str, Json] | None
    ) -> Reply:
        try:
            return _reply(self._send(method, path, params=params, body=body))
        except requests.RequestException as error:
            return Reply(status=0, detail=f"no answer ({type(error).__name__})")

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, int | str] | None = None,
        body: Mapping[str, Json] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        # Redirects stay off: the token goes to the API's own host and nowhere else.
        return self.session.request(
            method,
            self._address(path),
            params=params,
            json=body,
            headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
            auth=_Bearer(self.token),
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=stream,
        )


class _Bearer(AuthBase):
    """Sets the header itself, so that a netrc file cannot replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _bounded(response: requests.Response, limit: int) -> bytes:
    """Read a body to its end, or refuse it; what it says of its own length is not believed."""
    content = bytearray()
    for piece in response.iter_content(DOWNLOADED):
        content += piece
        if len(content) > limit:
            raise PublishError(f"the download was ended: it is larger than {limit} bytes")
    return bytes(content)


def _reply(response: requests.Response) -> Reply:
    try:
        body: Json = response.json() if response.content else None
    except ValueError:
        body, malformed = None, True
    else:
        malformed = False
    if malformed and response.ok:
        return Reply(status=0, detail=f"HTTP {response.status_code} with an unreadable body")
    return Reply(
        status=response.status_code,
        body=body,
        detail=_detail(body),
        last_page="next" not in response.links,
        wait_s=_wait(response, _detail(body)),
    )


def _detail(body: Json) -> str:
    """Bound and flatten the API's own message."""
    message = body.get("message") if isinstance(body, dict) else None
    text = message if isinstance(message, str) and message else "no message"
    return "".join(character if character.isprintable() else " " for character in text)[:SHOWN_DETAIL]


def _wait(response: requests.Response, detail: str) -> float | None:
    """Seconds to wait before a limited call may come again; a spent hourly budget is too long to wait for."""
    if response.status_code not in LIMITED:
        return None
    after = response.headers.get("Retry-After", "")
    if after.isdecimal():
        return float(after)
    limited = response.status_code == LIMITED[1] or SECONDARY in detail
    return float(LONGEST_WAIT_S) if limited else None
