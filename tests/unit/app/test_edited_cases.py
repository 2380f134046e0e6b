"""When the base's versions of edited cases are asked, and what is said where they are not."""

from dataclasses import dataclass, replace

import pytest

from gate.app.edited_cases import Change, judged_as_before, with_new_ids
from gate.core.canonical import digest_text
from gate.core.evidence import Absent
from gate.core.model import Case, Exhibit, Score, Suite, WeightedScorer
from gate.documents.tree import WorkingTree
from gate.suites.cases import load_cases
from gate.targets.prompt import Prompt
from tests.builders import make_case, make_reference, make_suite, make_suite_baseline

CASES = "golden_sets/intent/cases.jsonl"
PLAIN, DEMANDING = "{{ text }}\n", "{{ tone }} {{ text }}\n"
REFERENCE = make_reference(make_suite_baseline("a: 9/10"))


@dataclass(frozen=True)
class Anything:
    """A scorer of every case."""

    def applies(self, _case: Case) -> bool:
        return True

    def score(self, exhibit: Exhibit) -> Score:
        raise AssertionError(exhibit)


@dataclass(frozen=True)
class Files:
    """A tree in memory."""

    files: dict[str, bytes]
    name: str = "main"

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def list(self, folder: str) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.startswith(folder))


def tree(*ids: str, text: str = "x") -> Files:
    return Files({CASES: "".join(f'{{"id":"{one}","input":{{"text":"{text}"}}}}\n' for one in ids).encode()})


def suite(head: Files) -> Suite:
    scorer = WeightedScorer(name="any", scorer=Anything())
    return make_suite(cases=load_cases(head, "golden_sets/intent"), scorers=(scorer,))


def judged(base: Files, head: Files, *, prompt: str | None = None, version: str = "sha256:new") -> Suite:
    made = None if prompt is None else Prompt(path="p.md", text=prompt, digest=digest_text(prompt))
    return judged_as_before(suite(head), Change(base=base, head=head, version=version, prompt=made), REFERENCE)


def test_judged_as_before__the_same_file__the_same_suite() -> None:
    base = tree("a", "b")
    assert judged(base, base) == suite(base)


@pytest.mark.parametrize(
    "reference", [replace(REFERENCE, baseline=Absent(place="b")), replace(REFERENCE, adopted=False)]
)
def test_judged_as_before__nothing_to_compare_with__the_same_suite(reference: object) -> None:
    head = tree("a")
    change = Change(base=tree("a", "b"), head=head, version="v", prompt=None)
    assert judged_as_before(suite(head), change, reference) == suite(head)  # type: ignore[arg-type]


def test_judged_as_before__without_a_base__the_same_suite(tmp_path: object) -> None:
    head = tree("a")
    change = Change(base=WorkingTree(tmp_path), head=head, version="v", prompt=None)  # type: ignore[arg-type]
    assert judged_as_before(suite(head), change, REFERENCE) == suite(head)


def test_judged_as_before__removed_cases_stay() -> None:
    cases = judged(tree("a", "b"), tree("a")).cases
    assert [(case.id, case.removed) for case in cases] == [("a", False), ("b", True)]


def test_judged_as_before__half_of_the_cases_and_more_than_that() -> None:
    half = judged(tree("a", "b"), Files({CASES: tree("a").files[CASES] + tree("b", text="y").files[CASES]}))
    assert ([case.id for case in half.cases], half.unasked) == (["a", "b+edited", "b"], "")
    fewer = judged(tree("a", "b", "c"), tree("a", text="y"))
    assert [case.id for case in fewer.cases] == ["a+edited", "a", "b", "c"]
    whole = judged(tree("a", "b", "c"), tree("a", "b", "c", text="y"))
    assert ([case.id for case in whole.cases], whole.unasked) == (
        ["a", "b", "c"],
        "3 of 3 cases were edited, more than half",
    )
    assert whole.digest != suite(tree("a", "b", "c", text="y")).digest


def test_judged_as_before__of_the_baselines_own_version_every_case_is_asked() -> None:
    own = judged(tree("a"), tree("a", text="y"), version=REFERENCE.baseline.identity.version)  # type: ignore[union-attr]
    assert ([case.id for case in own.cases], own.unasked) == (["a+edited", "a"], "")


def test_judged_as_before__a_prompt_that_cannot_take_the_bases_input() -> None:
    base, head = tree("a", "b"), tree("b")
    assert judged(base, head, prompt=PLAIN).unasked == ""
    refused = judged(base, head, prompt=DEMANDING)
    assert [case.id for case in refused.cases] == ["b"]
    assert "'tone' is undefined" in refused.unasked
    assert refused.unasked.startswith("p.md:1: case ")


def test_with_new_ids__a_new_version_is_compared_with_the_same_answer() -> None:
    cases = (make_case("a"), make_case("a+edited", edits="a"), make_case("b+edited", edits="b"))
    assert with_new_ids({"a": "yes"}, make_suite(cases=cases)) == {"a": "yes", "a+edited": "yes"}
