"""Scorers and exhibits for tests, from as few words as possible."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.core.model import Answer, Case, Exhibit, Json, Score, Scorer, ToolCall, Unscored
from gate.scorers.table import build_scorer


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A tree of a few files."""

    files: Mapping[str, str] = field(default_factory=dict)
    name: str = "the test's tree"

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes."""
        return self.files[path].encode() if path in self.files else None

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the paths below a folder."""
        return tuple(sorted(path for path in self.files if path.startswith(f"{folder}/")))


def make(name: str, files: Mapping[str, str] | None = None, /, **options: Json) -> Scorer:
    """A scorer of the suite in golden_sets/intent."""
    return build_scorer(name, options, folder="golden_sets/intent", tree=MemoryTree(files or {}))


def case(**expected: Json) -> Case:
    """A case that expects this."""
    return Case(
        id="en-0001",
        input={"email": "hi"},
        expected=expected,
        tags={"language": "en"},
        digest="sha256:0",
        place="cases.jsonl:7",
    )


def exhibit(
    text: str, /, *, calls: tuple[ToolCall, ...] = (), peers: Mapping[str, str] | None = None, **expected: Json
) -> Exhibit:
    """An answer to a case that expects this, with the answers of other cases."""
    others = {name: Answer(text=other, model="m") for name, other in (peers or {}).items()}
    return Exhibit(case=case(**expected), answer=Answer(text=text, model="m", tool_calls=calls), peers=others)


def judge(scorer: Scorer, shown: Exhibit) -> tuple[float, str]:
    """The value and explanation of a score; the explanation is short and safe to show in every test."""
    assert scorer.applies(shown.case)
    result = scorer.score(shown)
    assert isinstance(result, Score), result
    assert len(result.explanation) <= 300
    assert result.explanation.isprintable()
    return result.value, result.explanation


def unscored(scorer: Scorer, shown: Exhibit) -> Unscored:
    """Why there is no score."""
    result = scorer.score(shown)
    assert isinstance(result, Unscored), result
    assert len(result.detail) <= 300
    return result
