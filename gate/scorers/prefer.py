"""A model that compares the answer with the baseline's, in both orders."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from gate.core.judging import Desk, Label, Opinion
from gate.core.model import Answer, Case, Exhibit, Json, Missing, Score, Unscored
from gate.scorers.explanation import clip
from gate.scorers.judge_prompt import LONGEST, PROTOCOL, Task, comparing_prompt, shown
from gate.scorers.labels import read_labels
from gate.scorers.options import Options
from gate.scorers.votes import Ballot, Form, Vote, cast, read_model, reasons, too_long

FIRST, SECOND, TIE = "first", "second", "tie"
EVEN = 0.5
NO_REFERENCE = (
    "there is no answer of the baseline to compare with: "
    "run `gate promote` for this suite on the default branch and commit what it writes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairJudge:
    """Whether a model prefers the answer to the baseline's answer to the same case: 1 yes, 0.5 tie, 0 no.

    It is asked twice, with each answer first once; two replies that disagree are a tie, and so are equal answers, about
    which it is not asked. `gate promote` takes one answer of the baseline to each case; without one the trial is
    unscored. Use `metric: score` and `pass_mark: 0.5`. Asked only if no `required` scorer failed.

    - `rubric`: path of the rubric in the suite folder, with the steps that the model has to follow
    - `question`: what is to be compared, in one sentence
    - `model`: a model as in `gate.yaml`, pinned, without `response_schema`
    - `calibration` (default: none): path of pairs that people labelled; without it no pass by its word promotes
    """

    task: Task
    model: Mapping[str, Json]
    labels: tuple[Label, ...] = ()
    desk: Desk | None = None

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("rubric", "question", "model", "calibration")
        return cls(
            task=Task(question=options.text("question"), rubric=options.file("rubric")),
            model=read_model(options),
            labels=read_labels(options, compared=True),
        )

    @property
    def protocol(self) -> str:
        """Digest of the wording that the model is asked with."""
        return PROTOCOL

    @property
    def calls(self) -> int:
        """Calls of one judgement."""
        return 2

    @property
    def compares(self) -> bool:
        """Say yes: the baseline's answer is needed."""
        return True

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - the rubric is the suite's
        """Say yes: every answer can be compared."""
        return True

    def bound(self, desk: Desk) -> Self:
        """The same judge, ready to ask."""
        return replace(self, desk=desk)

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Compare with the baseline's answer."""
        reference = self.desk.references.get(exhibit.case.id) if self.desk else None
        if reference is None:
            return Unscored(reason=Missing.SCORER_FAILED, detail=NO_REFERENCE)
        return self.compare(exhibit.case, shown(exhibit.answer), reference)

    def passes(self, label: Label, case: Case) -> bool | Unscored:
        """Whether the labelled answer is not worse than the one beside it."""
        result = self.compare(case, shown(Answer(text=label.answer, model="")), label.reference)
        return result if isinstance(result, Unscored) else result.value >= EVEN

    def compare(self, case: Case, answer: str, reference: str) -> Score | Unscored:
        """Ask in both orders; equal answers are a tie without asking."""
        if answer == reference:
            return Opinion(value=EVEN, explanation="the answer is the baseline's own, word for word")
        if max(len(answer), len(reference)) > LONGEST:
            return too_long(LONGEST)
        leading = self._vote(case, answer, reference)
        if isinstance(leading, Unscored):
            return leading
        trailing = self._vote(case, reference, answer)
        return trailing if isinstance(trailing, Unscored) else _opinion(leading, trailing)

    def _vote(self, case: Case, first: str, second: str) -> Vote | Unscored:
        prompt = comparing_prompt(self.task, case, first, second=second)
        return cast(self.desk, Ballot(case_id=case.id, prompt=prompt), Form(key="better", check=_trouble))


def _trouble(choice: Json) -> str:
    return "" if choice in (FIRST, SECOND, TIE) else f"which is none of {FIRST}, {SECOND} and {TIE}"


def _opinion(leading: Vote, trailing: Vote) -> Opinion:
    """Put two votes together; the answer stood first in the leading one."""
    one, other = _WON[str(leading.choice)], 1.0 - _WON[str(trailing.choice)]
    agreed = one == other
    told = _TOLD[one] if agreed else "a tie, because the judge says something else in the other order"
    return Opinion(
        value=one if agreed else EVEN,
        explanation=clip(f"{told} ({leading.choice}, then {trailing.choice}): {reasons(leading)}"),
        replies=(leading.reply, trailing.reply),
        agreed=agreed,
        first=[leading.choice, trailing.choice].count(FIRST),
    )


_WON = {FIRST: 1.0, TIE: EVEN, SECOND: 0.0}
_TOLD = {1.0: "better than the baseline's answer", EVEN: "a tie", 0.0: "worse than the baseline's answer"}
