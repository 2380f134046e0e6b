"""Suites: the definition from one tree (the base), the cases from another (the pull request)."""

import hashlib
import json
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

from pydantic import ValidationError

from gate.core.canonical import digest
from gate.core.judging import is_judge
from gate.core.model import Case, Json, Metric, Scorer, Suite, WeightedScorer
from gate.documents.tree import Tree
from gate.documents.validated import Problem, document_error, problems_of, validate_document
from gate.documents.wording import quoted, suggestion
from gate.documents.yaml_source import load_yaml
from gate.errors import ConfigurationError, SuiteError
from gate.suites.cases import described, load_cases, refuse
from gate.suites.schema import DEFAULT_DIMENSIONS, ScorerUse, SuiteSettings
from gate.suites.settings import ModelSettings

# Options that name a file beside the suite: what is in it is part of what judges.
FILES = ("file", "rubric", "calibration")


class ScorerFactory(Protocol):
    """Makes scorers by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that can be made."""
        ...

    def __call__(self, name: str, options: Mapping[str, Json], *, folder: str, tree: Tree) -> Scorer:
        """Make a scorer; raises ValueError with a sentence for options that it cannot use.

        `folder` is the suite's, and files that options name are below it in `tree`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A scorer with what its digest covers."""

    weighted: WeightedScorer
    identity: Json


def load_suite(*, definition: Tree, cases: Tree, path: str, scorers: ScorerFactory) -> Suite:
    """Load `suite.yaml` of a folder from `definition` and its `cases.jsonl` from `cases`.

    Raises SuiteError, with every problem of the first file that has any.
    """
    folder = str(PurePosixPath(path))
    with _suite_errors():
        settings, made = _load_definition(definition, folder, scorers)
        loaded = load_cases(cases, folder)
    weighted = tuple(each.weighted for each in made)
    refuse(_unjudged(loaded, weighted))
    return Suite(
        name=PurePosixPath(folder).name,
        path=folder,
        kind=settings.kind,
        dimension=settings.dimension or DEFAULT_DIMENSIONS[settings.kind],
        scope=settings.scope,
        margin=settings.margin,
        pass_mark=settings.pass_mark,
        scorers=weighted,
        cases=loaded,
        digest=_suite_digest(settings, loaded),
        scorer_digest=_scorer_digest(settings, made),
        metric=settings.metric,
    )


@contextmanager
def _suite_errors() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise SuiteError(str(error), hint=error.hint) from error


def _suite_digest(settings: SuiteSettings, cases: tuple[Case, ...]) -> str:
    """Cover all that the verdict depends on beside the scorers: a wider margin or a milder severity is a change too."""
    judged = [settings.kind, settings.dimension, settings.scope, settings.margin]
    every: list[Json] = [described(case) for case in sorted(cases, key=lambda case: case.id)]
    return digest([*judged, every])


def _scorer_digest(settings: SuiteSettings, made: list[_Made]) -> str:
    """Cover what makes a trial's value and what of it is compared; passes, which always were, stay unnamed."""
    judged: dict[str, Json] = {"pass_mark": settings.pass_mark, "scorers": [each.identity for each in made]}
    if settings.metric is not Metric.PASS:
        judged["metric"] = settings.metric
    return digest(judged)


def _unjudged(cases: tuple[Case, ...], scorers: tuple[WeightedScorer, ...]) -> Iterator[str]:
    names = ", ".join(each.name for each in scorers)
    for case in cases:
        if not any(each.scorer.applies(case) for each in scorers):
            yield f'{case.place}: case "{case.id}": it expects nothing that a scorer of the suite judges ({names})'


def _load_definition(tree: Tree, folder: str, scorers: ScorerFactory) -> tuple[SuiteSettings, list[_Made]]:
    path = f"{folder}/suite.yaml"
    source = tree.read(path)
    if source is None:
        message = f"{path}:1: the file does not exist in {tree.name}"
        raise SuiteError(message, hint="write one with kind and scorers")
    document = load_yaml(source, path)
    settings = validate_document(document, SuiteSettings)
    bench = _Bench(scorers=scorers, folder=folder, tree=tree)
    results = [bench.make(use, ("scorers", index)) for index, use in enumerate(settings.scorers)]
    problems = [problem for result in results if isinstance(result, tuple) for problem in result]
    if problems:
        raise document_error(document, problems)
    return settings, _distinctly_named([result for result in results if isinstance(result, _Made)])


def _distinctly_named(made: list[_Made]) -> list[_Made]:
    seen: Counter[str] = Counter()
    named = []
    for each in made:
        weighted = each.weighted
        seen[weighted.name] += 1
        times = seen[weighted.name]
        name = weighted.name if times == 1 else f"{weighted.name}-{times}"
        named.append(replace(each, weighted=replace(weighted, name=name)))
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Where scorers are made: the factory, and the folder and tree that their files come from."""

    scorers: ScorerFactory
    folder: str
    tree: Tree

    def make(self, use: ScorerUse, path: tuple[str | int, ...]) -> _Made | tuple[Problem, ...]:
        """Make the scorer of one item, or say what is wrong with the item."""
        given: Mapping[str, Json] = use.model_extra or {}
        unknown = tuple(self._unknown(name, path) for name in given if name not in self.scorers.names)
        if unknown:
            return unknown
        if len(given) != 1:
            return (Problem(path=path, message=_not_one_name(given)),)
        name, options = next(iter(given.items()))
        if options is not None and not isinstance(options, dict):
            message = f"the options must be a mapping, not {quoted(options)}"
            return (Problem(path=(*path, name), message=message),)
        return self._made(use, (*path, name), options or {})

    def _unknown(self, name: str, path: tuple[str | int, ...]) -> Problem:
        near = suggestion(name, (*self.scorers.names, *ScorerUse.model_fields))
        return Problem(path=(*path, name), message=f"unknown scorer {quoted(name)}{near}", at_key=True)

    def _made(
        self, use: ScorerUse, path: tuple[str | int, ...], options: Mapping[str, Json]
    ) -> _Made | tuple[Problem, ...]:
        name = str(path[-1])
        problems = _model_problems(options, path)
        if problems:
            return problems
        files: dict[str, Json] = {}
        for option in FILES:
            try:
                files[option] = self._file_digest(options.get(option))
            except ConfigurationError as error:
                return (Problem(path=(*path, option), message=str(error)),)
        try:
            scorer = self.scorers(name, options, folder=self.folder, tree=self.tree)
        except (ValueError, ConfigurationError) as error:
            return (Problem(path=path, message=f"{name}: {error}", at_key=True),)
        weighted = WeightedScorer(name=name, scorer=scorer, weight=use.weight, required=use.required)
        identity: dict[str, Json] = {
            "name": name,
            "options": dict(options),
            "weight": use.weight,
            "required": use.required,
            "file": files["file"],
            "code": self._code_digest(options),
        }
        if is_judge(scorer):
            identity |= files | {"protocol": scorer.protocol}
        return _Made(weighted=weighted, identity=identity)

    def _code_digest(self, options: Mapping[str, Json]) -> str | None:
        """Digest of the module that a `call: module:function` names, where it is a file of the tree."""
        call = options.get("call")
        module = call.partition(":")[0].replace(".", "/") if isinstance(call, str) else ""
        found = (self.tree.read(path) for path in (f"{module}.py", f"{module}/__init__.py") if module)
        content = next((content for content in found if content is not None), None)
        return None if content is None else "sha256:" + hashlib.sha256(content).hexdigest()

    def _file_digest(self, file: Json) -> str | None:
        if not isinstance(file, str):
            return None
        content = self.tree.read(posixpath.normpath(posixpath.join(self.folder, file)))
        if content is None:
            raise ConfigurationError(f"there is no file {quoted(file)} in {self.folder} of {self.tree.name}")
        return "sha256:" + hashlib.sha256(content).hexdigest()


def _model_problems(options: Mapping[str, Json], path: tuple[str | int, ...]) -> tuple[Problem, ...]:
    """What is wrong with the model that a scorer asks, by the rules of gate.yaml; nothing where it asks none."""
    if not isinstance(options.get("model"), dict):
        return ()
    try:
        ModelSettings.model_validate_json(json.dumps(options["model"]))
    except ValidationError as error:
        found = problems_of(error, ModelSettings)
        return tuple(replace(one, path=(*path, "model", *one.path)) for one in found)
    return ()


def _not_one_name(given: Mapping[str, Json]) -> str:
    if not given:
        return "the item names no scorer"
    return f"the item names {len(given)} scorers ({', '.join(given)}); give each its own item"
