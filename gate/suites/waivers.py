"""gate-waivers.yaml: known failures that somebody accepted for a while."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, RootModel

from gate.core.policy import Waiver
from gate.documents.tree import Tree
from gate.documents.validated import validate_document
from gate.documents.wording import quoted
from gate.documents.yaml_source import load_yaml
from gate.suites.fields import CaseId, Label, Strict

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(text: str) -> str:
    try:
        date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError as error:
        raise ValueError(f"must be a date as YYYY-MM-DD, not {quoted(text)}") from error
    return text


class WaiverSettings(Strict):
    """One waiver as it is written."""

    suite: Label
    case: CaseId
    reason: Label
    by: Label
    expires: Annotated[str, AfterValidator(_day)]


class WaiverList(RootModel[tuple[WaiverSettings, ...]]):
    """The whole file: a list."""


def load_waivers(tree: Tree, path: str = "gate-waivers.yaml") -> tuple[Waiver, ...]:
    """Load the waivers in file order; an absent or empty file holds none.

    Raises ConfigurationError that places every problem. Whether a waiver still holds is for the decision to say.
    """
    source = tree.read(path)
    document = load_yaml(source or b"", path)
    if document.data is None:
        return ()
    return tuple(Waiver(**entry.model_dump()) for entry in validate_document(document, WaiverList).root)
