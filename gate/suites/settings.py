"""gate.yaml: what is evaluated, under which policy, with which budget and credentials."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gate.core.model import Dimension
from gate.core.policy import Mode, OnBroken, Profile, SliceRule
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
    Strict,
    SuitePath,
    TargetName,
    Variable,
)
from gate.suites.pinned import refuse_floating

VERSION = 1


class ModelSettings(Strict):
    """A model behind a provider, with everything that shapes its answers."""

    provider: Literal["offline", "openai"]
    base_url: BaseUrl | None = None
    name: Label
    temperature: Annotated[float, Field(ge=0, le=2)]
    max_output_tokens: Count
    seed: int | None = None
    api_key: Variable | None = None

    @field_validator("name")
    @classmethod
    def _pinned(cls, name: str, info: ValidationInfo) -> str:
        # `provider` and `base_url` are declared above so that they are known here; a bad one is reported by itself.
        if {"provider", "base_url"} <= info.data.keys():
            refuse_floating(provider=info.data["provider"], name=name, base_url=info.data["base_url"])
        return name


class TargetSettings(Strict):
    """What is evaluated: exactly one of a model with a prompt, a command, and a Python function."""

    prompt: RelativePath | None = None
    model: ModelSettings | None = None
    command: Annotated[tuple[Argument, ...], Field(min_length=1)] | None = None
    python: PythonCallable | None = None
    suites: Annotated[tuple[SuitePath, ...], Field(min_length=1)]
    version_files: tuple[RelativePath, ...] = Field(default=(), alias="version-files")
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8

    @field_validator("suites")
    @classmethod
    def _distinct(cls, suites: tuple[str, ...]) -> tuple[str, ...]:
        name, times = Counter(PurePosixPath(path).name for path in suites).most_common(1)[0]
        if times > 1:
            raise ValueError(f"{times} suites are named {quoted(name)}; the last part of each path must differ")
        return suites

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in ("model", "command", "python") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of model, command and python, and has {', '.join(given) or 'none'}")
        if self.model and not self.prompt:
            raise ValueError("a model needs a prompt: the path of its template")
        if self.prompt and not self.model:
            raise ValueError(f"a {given[0]} reads its own prompt; list the file under version-files instead")
        if self.version_files and self.model:
            raise ValueError("version-files belong to a command or a python function, not to a model")
        return self


class PolicySettings(Strict):
    """What must hold; all shares of 1, except `p95_ms` and a latency floor (milliseconds)."""

    profile: Profile = Profile.MERGE
    margin: Margin = 0.03
    slices: Mapping[Label, SliceRule] = Field(default_factory=dict)
    on_broken: OnBroken = OnBroken.HOLD
    dimensions: Mapping[Dimension, Literal["report", "block"]] = Field(default_factory=dict)
    floors: Mapping[Dimension, Positive] = Field(default_factory=dict)
    p95_ms: Positive | None = None

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


class PriceSettings(Strict):
    """Dollars per million tokens."""

    input: NotNegative
    output: NotNegative


class Settings(Strict):
    """A whole gate.yaml."""

    version: int
    mode: Mode = Mode.ENFORCE
    credentials: Mapping[Variable, Annotated[tuple[Host, ...], Field(min_length=1)]] = Field(default_factory=dict)
    targets: Annotated[Mapping[TargetName, TargetSettings], Field(min_length=1)]
    policy: PolicySettings = PolicySettings()
    budget: BudgetSettings = BudgetSettings()
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
        key = target.model.api_key if target.model else None
        if key is not None and key not in settings.credentials:
            message = f"{quoted(key)} is not listed under credentials{suggestion(key, settings.credentials)}"
            yield Problem(path=("targets", name, "model", "api_key"), message=message)
