"""The model behind the connections: from a request to the plan of its response."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from tests.rigs.model_server.anthropic_messages import AnthropicFormat
from tests.rigs.model_server.asking import Answer, Ask, AskError, Format, encoded
from tests.rigs.model_server.composing import compose
from tests.rigs.model_server.draw import choose, digest, waits
from tests.rigs.model_server.faults import (
    FaultTable,
    retry_headers,
    spoiled_answer,
    spoiled_payload,
    spoiled_plan,
    without_answer,
)
from tests.rigs.model_server.ledger import Ledger, Visit
from tests.rigs.model_server.limits import Limiter
from tests.rigs.model_server.openai_chat import OpenAiFormat
from tests.rigs.model_server.plain import PlainFormat
from tests.rigs.model_server.plans import Headers, Payload, Plan, framed, stream, whole
from tests.rigs.model_server.script import ANSWERED, Fault, RetryForm, Script, load_script
from tests.rigs.model_server.wire import Request

_AZURE = re.compile(r"/openai/deployments/([^/]+)/chat/completions")


class Model:
    """Answers by its script; one for all connections of a server."""

    def __init__(self, script: Script) -> None:
        self._formats: dict[str, Format] = {
            "/v1/chat/completions": OpenAiFormat(),
            "/v1/messages": AnthropicFormat(),
            "/answer": PlainFormat(),
        }
        self._ledger = Ledger(keep=script.keep)
        self._use(script)

    def _use(self, script: Script) -> None:
        self._script = script
        self._faults = FaultTable(script.faults)
        self._limiter = Limiter(script.limits, now=time.monotonic())
        self._ledger.keep(script.keep)

    def control(self, request: Request) -> Plan | None:
        """Carry out a control request, None if it is none; it counts nowhere."""
        actions: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/_counts"): lambda _: self._ledger.counts(),
            ("GET", "/_requests"): self._requests,
            ("DELETE", "/_requests"): lambda _: self._ledger.forget(),
            ("POST", "/_script"): lambda found: self._use(load_script(found.body)),
        }
        if not request.path.startswith("/_"):
            return None
        action = actions.get((request.method, request.path))
        if action is None:
            return framed(whole(encoded({"error": "no such control"}), status=404))
        try:
            return framed(whole(encoded(action(request))))
        except ValueError as error:
            return framed(whole(encoded({"error": str(error)}), status=400))

    def _requests(self, request: Request) -> dict[str, Any]:
        since = int(parse_qs(request.query).get("since", ["0"])[0])
        return {"requests": self._ledger.requests(since)}

    def begin(self, request: Request) -> Plan:
        """Count a request and plan its response; `end` must follow."""
        found = self._format(request)
        style = found or OpenAiFormat()
        try:
            ask = _read(found, request)
        except AskError as error:
            visit = self._ledger.enter(request, "")
            body = style.error(error.status, str(error))
            return self._refusal(visit, style, tokens=0) or framed(whole(body, status=error.status))
        visit = self._ledger.enter(request, ask.case)
        refusal = self._refusal(visit, style, tokens=ask.words + (ask.max_tokens or 0))
        if refusal is not None:
            return refusal
        fault = self._faults.find(visit)
        return self._answer(visit, ask, style) if fault is None else self._faulty(fault, visit, (ask, style))

    def end(self, plan: Plan) -> None:
        """Count a response that is over, however it ended."""
        self._ledger.leave(plan.status)

    def _format(self, request: Request) -> Format | None:
        azure = _AZURE.fullmatch(request.path)
        return OpenAiFormat(deployment=azure[1]) if azure else self._formats.get(request.path)

    def _refusal(self, visit: Visit, style: Format, *, tokens: int) -> Plan | None:
        """Plan what an outage or a limit answers, None if neither applies."""
        if any(outage.first <= visit.number <= outage.last for outage in self._script.outages):
            return framed(whole(style.error(503, "scripted outage"), status=503))
        limits = self._script.limits
        if limits.in_flight is not None and self._ledger.in_flight > limits.in_flight:
            return framed(whole(style.error(429, "too many requests at once"), status=429))
        wait = self._limiter.wait(tokens, now=time.monotonic())
        if not wait:
            return None
        headers = retry_headers(wait, RetryForm.SECONDS) + retry_headers(wait, RetryForm.MILLISECONDS)
        body = style.error(429, "rate limit reached")
        return framed(whole(body, status=429, headers=headers + self._limit_headers(style)))

    def _answer(self, visit: Visit, ask: Ask, style: Format) -> Plan:
        answer = self._said(visit, ask, taken=True)
        return framed(self._payload(visit, ask, (answer, style)))

    def _faulty(self, fault: Fault, visit: Visit, asked: tuple[Ask, Format]) -> Plan:
        ask, style = asked
        plan = without_answer(fault, visit, style)
        if plan is not None:
            return plan
        answer = spoiled_answer(fault, self._said(visit, ask, taken=fault.kind in ANSWERED))
        payload = self._payload(visit, ask, (answer, style))
        return spoiled_plan(fault, spoiled_payload(fault, payload, style))

    def _said(self, visit: Visit, ask: Ask, *, taken: bool) -> Answer:
        number = self._ledger.next_answer(visit.case, taken=taken)
        drawn = digest(self._script.seed, visit.case, number)
        answers = self._script.cases.get(visit.case)
        said = self._script.default if answers is None else choose(answers, drawn)
        return compose(ask, said, key=drawn[:12].hex(), fingerprint=self._script.fingerprint)

    def _payload(self, visit: Visit, ask: Ask, said: tuple[Answer, Format]) -> Payload:
        answer, style = said
        first, rest = waits(self._script, visit.case, visit.attempt)
        headers = (("x-request-id", f"req_{visit.number}"), *self._limit_headers(style))
        if ask.stream:
            return stream(style.events(ask, answer), first=first, rest=rest, headers=headers)
        return whole(style.whole(answer), wait=first + rest, headers=headers)

    def _limit_headers(self, style: Format) -> Headers:
        return tuple(header for standing in self._limiter.standings() for header in style.limit_headers(standing))


def _read(style: Format | None, request: Request) -> Ask:
    """Read a question; raises AskError."""
    if style is None:
        raise AskError("there is nothing at this path", status=404)
    if request.method != "POST":
        raise AskError("only POST is answered here", status=405)
    try:
        return style.read(request, json.loads(request.body))
    except AskError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise AskError(f"the body cannot be read: {error}") from None
