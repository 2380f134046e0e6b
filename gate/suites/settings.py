"""gate.yaml: what is evaluated, under which policy, with which budget and credentials."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gate.core.model import Dimension
from gate.core.policy import LOWER_IS_BETTER, LatencyRule, Mode, OnBroken, Profile, SliceRule, required_dimensions
from gate.documents.tree import Tree
from gate.documents.validated import Problem, document_error, validate_document
from gate.documents.wording import quoted, suggestion
from gate.documents.yaml_source import load_yaml
from gate.errors import ConfigurationError
from gate.suites.fields import (
    Argument,
    BaseUrl,
    Count,
    Host,
    Label,
    Margin,
    NotNegative,
    Positive,
    PythonCallable,
    RelativePath,
    Seed,
    Strict,
    SuitePath,
    TargetName,
    Variable,
)
from gate.suites.pinned import refuse_floating

VERSION = 1
BRANCH = r"^[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$"


class ModelSettings(Strict):
    """A model behind a provider, with everything that shapes its answers."""

    provider: Literal["anthropic", "azure", "deepseek", "gemini", "offline", "openai"]
    base_url: BaseUrl | None = None
    name: Label
    temperature: Annotated[float, Field(ge=0, le=2)] | None
    max_output_tokens: Count
    token_limit_key: Literal["max_tokens", "max_completion_tokens"] | None = None
    seed: Seed | None = None
    api_version: Label | None = None
    api_key: Variable | None = None
    stream: bool = False
    response_schema: RelativePath | None = None

    @field_validator("name")
    @classmethod
    def _pinned(cls, name: str, info: ValidationInfo) -> str:
        # `provider` and `base_url` are declared above so that they are known here; a bad one is reported by itself.
        if {"provider", "base_url"} <= info.data.keys():
            refuse_floating(provider=info.data["provider"], name=name, base_url=info.data["base_url"])
        return name

    @model_validator(mode="after")
    def _fits_the_provider(self) -> Self:
        if self.provider == "azure" and self.base_url is None:
            raise ValueError("azure needs base_url: the address of your resource")
        if self.provider != "azure" and self.api_version is not None:
            raise ValueError("api_version belongs to azure")
        if self.provider == "anthropic" and self.seed is not None:
            raise ValueError("anthropic takes no seed")
        return self


class EndpointSettings(Strict):
    """An HTTP endpoint that answers as a program does."""

    url: BaseUrl
    api_key: Variable | None = None


class LimitSettings(Strict):
    """What the provider grants; calls wait for their turn."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None


class TargetSettings(Strict):
    """What is evaluated: exactly one of a model with a prompt, a command, a Python function, and an HTTP endpoint."""

    prompt: RelativePath | None = None
    model: ModelSettings | None = None
    command: Annotated[tuple[Argument, ...], Field(min_length=1)] | None = None
    python: PythonCallable | None = None
    endpoint: EndpointSettings | None = None
    suites: Annotated[tuple[SuitePath, ...], Field(min_length=1)]
    version_files: tuple[RelativePath, ...] = Field(default=(), alias="version-files")
    recordings: RelativePath | None = None
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    limits: LimitSettings = LimitSettings()

    @field_validator("suites")
    @classmethod
    def _distinct(cls, suites: tuple[str, ...]) -> tuple[str, ...]:
        name, times = Counter(PurePosixPath(path).name for path in suites).most_common(1)[0]
        if times > 1:
            raise ValueError(f"{times} suites are named {quoted(name)}; the last part of each path must differ")
        return suites

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in ("model", "command", "python", "endpoint") if getattr(self, kind) is not None]
        if len(given) != 1:
            has = ", ".join(given) or "none"
            raise ValueError(f"needs exactly one of model, command, python and endpoint, and has {has}")
        if self.model and not self.prompt:
            raise ValueError("a model needs a prompt: the path of its template")
        if self.prompt and given[0] in {"command", "python"}:
            raise ValueError(f"a {given[0]} reads its own prompt; list the file under version-files instead")
        if self.version_files and self.model:
            raise ValueError("version-files belong to a command, a python function or an endpoint, not to a model")
        if self.recordings and not (self.model or self.version_files):
            raise ValueError(f"recordings of a {given[0]} need version-files, which say whose answers they are")
        return self


class AtLeastSettings(Strict):
    """So many of these dimensions must be shown not worse, and not each of them."""

    count: Count
    of: Annotated[tuple[Dimension, ...], Field(min_length=1)]

    @field_validator("of")
    @classmethod
    def _compared_once(cls, of: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
        for dimension, times in Counter(of).items():
            if times > 1:
                raise ValueError(f"{dimension} is named {times} times")
            if dimension in LOWER_IS_BETTER:
                raise ValueError(f"{dimension} is judged by a rule of its own and cannot be one of them")
        return of

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.count > len(self.of):
            raise ValueError(f"count is {self.count}, and only {len(self.of)} dimensions are named")
        return self


class PolicySettings(Strict):
    """What must hold; all shares of 1, except `p95_ms` and a latency floor (milliseconds)."""

    profile: Profile = Profile.MERGE
    margin: Margin = 0.03
    margins: Mapping[Dimension, Margin] = Field(default_factory=dict)
    slices: Mapping[Label, SliceRule] = Field(default_factory=dict)
    on_broken: OnBroken = OnBroken.HOLD
    dimensions: Mapping[Dimension, Literal["report", "block"]] = Field(default_factory=dict)
    at_least: AtLeastSettings | None = None
    floors: Mapping[Dimension, Positive] = Field(default_factory=dict)
    p95_ms: Positive | None = None
    latency: LatencyRule = LatencyRule.BUDGET

    @field_validator("margins")
    @classmethod
    def _compared(cls, margins: Mapping[Dimension, float]) -> Mapping[Dimension, float]:
        for dimension in margins:
            if dimension in LOWER_IS_BETTER:
                raise ValueError(f"{dimension} has no margin; it is judged by a rule of its own")
        return margins

    @field_validator("at_least")
    @classmethod
    def _required(cls, at_least: AtLeastSettings | None, info: ValidationInfo) -> AtLeastSettings | None:
        # `profile` and `dimensions` are declared above; a bad one is reported by itself.
        if at_least is None or not {"profile", "dimensions"} <= info.data.keys():
            return at_least
        blocks = {dimension: what == "block" for dimension, what in info.data["dimensions"].items()}
        optional = [one for one in at_least.of if one not in required_dimensions(info.data["profile"], blocks)]
        if optional:
            raise ValueError(
                f"{optional[0]} does not block under profile {info.data['profile']}; "
                "let it block under `dimensions`, or leave it out"
            )
        return at_least

    @field_validator("floors")
    @classmethod
    def _shares(cls, floors: Mapping[Dimension, float]) -> Mapping[Dimension, float]:
        for dimension, floor in floors.items():
            if dimension is Dimension.COST:
                raise ValueError("cost has no floor; it is compared with the baseline's")
            if dimension is not Dimension.LATENCY and floor > 1:
                raise ValueError(f"the floor of {dimension} is a share of 1 and cannot be {floor:g}")
        return floors


class BudgetSettings(Strict):
    """Where a run stops: dollars, calls, minutes, tokens; None is no limit."""

    usd: Positive | None = None
    calls: Count | None = None
    minutes: Positive | None = None
    tokens: Count | None = None


class BaselineSettings(Strict):
    """How the action brings a new baseline to the repository."""

    update: Literal["push", "pull-request", "branch", "off"] = "push"
    branch: Annotated[str, Field(pattern=BRANCH, max_length=200)] = "lockgate/baseline"


class PriceSettings(Strict):
    """Dollars per million tokens."""

    input: NotNegative
    output: NotNegative
    cached_input: NotNegative | None = None


class Settings(Strict):
    """A whole gate.yaml."""

    version: int
    mode: Mode = Mode.ENFORCE
    credentials: Mapping[Variable, Annotated[tuple[Host, ...], Field(min_length=1)]] = Field(default_factory=dict)
    targets: Annotated[Mapping[TargetName, TargetSettings], Field(min_length=1)]
    policy: PolicySettings = PolicySettings()
    budget: BudgetSettings = BudgetSettings()
    baseline: BaselineSettings = BaselineSettings()
    prices: Mapping[Label, PriceSettings] = Field(default_factory=dict)

    @field_validator("version")
    @classmethod
    def _known(cls, version: int) -> int:
        if version != VERSION:
            raise ValueError(f"this lockgate reads version {VERSION}, not {version}")
        return version


def load_settings(tree: Tree, path: str = "gate.yaml") -> Settings:
    """Load and check gate.yaml; raises one ConfigurationError that places every problem as file:line:column."""
    source = tree.read(path)
    if source is None:
        hint = "go to the repository's root, or name it with `--root`; to write a first gate.yaml: gate init"
        raise ConfigurationError(f"{path} does not exist in {tree.name}", hint=hint)
    document = load_yaml(source, path)
    settings = validate_document(document, Settings)
    problems = tuple(_unlisted_keys(settings))
    if problems:
        raise document_error(document, problems)
    return settings


def _unlisted_keys(settings: Settings) -> Iterator[Problem]:
    for name, target in settings.targets.items():
        for kind in ("model", "endpoint"):
            key = getattr(getattr(target, kind), "api_key", None)
            if key is not None and key not in settings.credentials:
                message = f"{quoted(key)} is not listed under credentials{suggestion(key, settings.credentials)}"
                yield Problem(path=("targets", name, kind, "api_key"), message=message)
