"""Evidence of earlier runs of the same version, from files."""

from __future__ import annotations

from gate.app.replay import read_text, require_distinct
from gate.app.request import CheckRequest
from gate.core.evidence import Evidence
from gate.core.window import in_window
from gate.errors import RecordError
from gate.store.records import parse_evidence


def load_earlier(request: CheckRequest) -> tuple[Evidence, ...]:
    """Evidence files of earlier runs, as far as they lie in the window; raises RecordError for bad ones."""
    files = [(parse_evidence(read_text(path), str(path)), str(path)) for path in request.evidence]
    for evidence, place in files:
        require_distinct(evidence, place)
        if evidence.unverified:
            raise RecordError(f"{place}: its counts are unverified: {evidence.unverified}", hint="leave the file out")
    return in_window([evidence for evidence, _ in files], as_of=request.as_of)
