"""What goes wrong: which fault hits a request, and what it makes of an answer, a payload and a response."""

import gzip
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from email.utils import formatdate

from tests.rigs.model_server.asking import Answer, Format, Stop, pieces
from tests.rigs.model_server.ledger import Visit
from tests.rigs.model_server.plans import End, Headers, Payload, Plan, Step, framed, opening, whole
from tests.rigs.model_server.script import Fault, FaultKind, RetryForm
from tests.rigs.model_server.wire import chunk

# Long enough that the client has read what came before the connection breaks.
_BEFORE_RESET_S = 0.05
_HTML = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>proxy</body></html>\n"


class FaultTable:
    """Finds the fault for a request; a number binds before an attempt, and that before a case and all."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._found: dict[tuple[object, ...], Fault] = {}
        for fault in faults:
            for key in _keys(fault):
                self._found.setdefault(key, fault)

    def find(self, visit: Visit) -> Fault | None:
        """Return the fault that hits a request, if any."""
        if not self._found:
            return None
        keys = (("number", visit.number), ("case", visit.case, visit.attempt), ("case", visit.case), ())
        return next((self._found[key] for key in keys if key in self._found), None)


def _keys(fault: Fault) -> Iterator[tuple[object, ...]]:
    if fault.case is not None:
        yield from (("case", fault.case, attempt) for attempt in fault.attempts)
        if not fault.attempts:
            yield ("case", fault.case)
    elif fault.requests:
        yield from (("number", number) for number in fault.requests)
    else:
        yield ()


def retry_headers(seconds: float, form: RetryForm) -> Headers:
    """Say when to come again; whole seconds and dates are rounded up."""
    if form is RetryForm.MILLISECONDS:
        return (("retry-after-ms", str(math.ceil(seconds * 1000))),)
    if form is RetryForm.DATE:
        return (("Retry-After", formatdate(math.ceil(time.time() + seconds), usegmt=True)),)
    return (("Retry-After", str(math.ceil(seconds))),)


def without_answer(fault: Fault, visit: Visit, style: Format) -> Plan | None:
    """Plan a response that needs no answer, None if the fault needs one."""
    headers = fault.headers
    if fault.retry_after_s is not None:
        headers += retry_headers(fault.retry_after_s, fault.retry_form)
    if fault.kind is FaultKind.STATUS:
        message = f"scripted fault, request {visit.number}"
        body = style.error(fault.status, message) if fault.body is None else fault.body.encode()
        return framed(whole(body, status=fault.status, headers=headers))
    if fault.kind is FaultKind.HTML:
        page = (_HTML.format(fault.status) if fault.body is None else fault.body).encode()
        return framed(Payload(parts=((0.0, page),), status=fault.status, kind="text/html", headers=headers))
    if fault.kind is FaultKind.REDIRECT:
        return framed(whole(b"", status=307, headers=(*headers, ("Location", _elsewhere(fault, visit)))))
    ends = {FaultKind.RESET_BEFORE_HEADERS: End.RESET, FaultKind.SILENT: End.HANG}
    return Plan(status=0, steps=(), end=ends[fault.kind]) if fault.kind in ends else None


def _elsewhere(fault: Fault, visit: Visit) -> str:
    request = visit.request
    port = request.headers.get("host", "").rpartition(":")[2]
    query = f"?{request.query}" if request.query else ""
    return fault.location or f"http://localhost:{port}{request.path}{query}"


def spoiled_answer(fault: Fault, answer: Answer) -> Answer:
    """Change what is said."""
    if fault.kind is FaultKind.HUGE:
        return replace(answer, text="x" * fault.size, calls=(), stop=Stop.END)
    if fault.kind is FaultKind.OTHER_MODEL:
        return replace(answer, model=fault.model)
    if fault.kind is FaultKind.EMPTY:
        return replace(answer, empty=True)
    if fault.kind is FaultKind.CONTENT_FILTER:
        found = pieces(answer.text)
        return replace(answer, text="".join(found[: len(found) // 2]), calls=(), stop=Stop.FILTER)
    return answer


def spoiled_payload(fault: Fault, payload: Payload, style: Format) -> Payload:
    """Change what is sent, within the rules of HTTP."""
    payload = replace(payload, headers=payload.headers + fault.headers)
    if fault.kind is FaultKind.TRUNCATED:
        return replace(payload, parts=_half(payload, fault.events))
    if fault.kind is FaultKind.ERROR_EVENT:
        return replace(payload, parts=_error_parts(fault, payload, style))
    if fault.kind is FaultKind.WRONG_TYPE:
        return replace(payload, kind="text/plain; charset=utf-8")
    if fault.kind is FaultKind.COMPRESSED:
        wait = sum(pause for pause, _ in payload.parts)
        packed = gzip.compress(payload.body, mtime=0)
        return replace(payload, parts=((wait, packed),), headers=(*payload.headers, ("Content-Encoding", "gzip")))
    return payload


def _half(payload: Payload, events: int) -> tuple[Step, ...]:
    if payload.stream:
        return payload.parts[:events]
    return tuple((wait, part[: len(part) // 2]) for wait, part in payload.parts)


def _error_parts(fault: Fault, payload: Payload, style: Format) -> tuple[Step, ...]:
    message = "scripted fault inside of an answer"
    if payload.stream:
        return (*payload.parts[: fault.events], (0.0, style.error_event(message)))
    return tuple((wait, style.error(500, message)) for wait, _ in payload.parts)


def spoiled_plan(fault: Fault, payload: Payload) -> Plan:
    """Write a payload, outside of the rules of HTTP where the fault is of that kind."""
    if fault.kind is FaultKind.DRIP:
        plan = framed(payload)
        return replace(plan, steps=_drip(list(plan.steps), len(opening(payload)), fault.pause_ms / 1000))
    ends = {FaultKind.CUT_OFF: End.CLOSE, FaultKind.RESET_AFTER_HEADERS: End.RESET}
    if fault.kind not in ends:
        return framed(payload)
    frame = chunk if payload.stream else bytes
    parts = [(wait, frame(part)) for wait, part in _half(payload, fault.events)]
    steps = ((0.0, opening(payload)), *parts, (_BEFORE_RESET_S, b""))
    return Plan(status=payload.status, steps=steps, end=ends[fault.kind])


def _drip(steps: Sequence[Step], head_size: int, pause_s: float) -> Iterator[Step]:
    """Write the head at once, and then byte by byte."""
    content = b"".join(part for _, part in steps)
    yield steps[0][0], content[:head_size]
    for place in range(head_size, len(content)):
        yield pause_s, content[place : place + 1]
