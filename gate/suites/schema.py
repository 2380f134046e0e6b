"""suite.yaml and one line of cases.jsonl as they are written."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from gate.core.model import Dimension, Kind, Metric, Scope
from gate.suites.fields import CaseId, Label, Margin, Positive, Strict

DEFAULT_DIMENSIONS: Mapping[Kind, Dimension] = {
    Kind.GOLDEN: Dimension.TASK_SUCCESS,
    Kind.SCENARIO: Dimension.TASK_SUCCESS,
    Kind.ADVERSARIAL: Dimension.SAFETY,
}


class ScorerUse(Strict):
    """One item of `scorers`: a weight, whether it is required, and the scorer's name as the one other key."""

    model_config = ConfigDict(extra="allow")

    weight: Positive = 1.0
    required: bool = False


class SuiteSettings(Strict):
    """A whole suite.yaml; `margin` is a share of 1, None for the policy's."""

    kind: Kind
    dimension: Dimension | None = None
    scope: Scope = Scope.POPULATION
    margin: Margin | None = None
    pass_mark: Annotated[float, Field(gt=0, le=1)] = 0.7
    metric: Metric = Metric.PASS
    scorers: Annotated[tuple[ScorerUse, ...], Field(min_length=1)]


class CaseLine(Strict):
    """One line of cases.jsonl."""

    id: CaseId
    input: Mapping[str, JsonValue]
    expected: Mapping[str, JsonValue] = Field(default_factory=dict)
    tags: Mapping[Label, str] = Field(default_factory=dict)
    severity: Literal["P0", "P1", "P2", "P3"] | None = None
    cluster: Label | None = None
    critical: bool = False
