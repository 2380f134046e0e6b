"""A model that judges an answer by a rubric: some votes, their median, and how far they agree."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median_low
from typing import Self, TypeGuard

from gate.core.judging import Desk, Label, Opinion
from gate.core.model import Answer, Case, Exhibit, Json, Score, Unscored
from gate.documents.wording import quoted
from gate.scorers.explanation import clip
from gate.scorers.judge_prompt import LONGEST, PROTOCOL, Task, rating_prompt, shown
from gate.scorers.labels import read_labels
from gate.scorers.options import Options
from gate.scorers.votes import Ballot, Form, Vote, cast, read_model, reasons, too_long

MOST_VOTES = 9
WIDEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge:
    """The median score that a model gives the answer by a rubric; what it sees is fenced as data.

    The lowest score is worth 0, `pass_from` the suite's pass mark, the highest 1, and those between lie on a line.
    The model sees the case's input and expectation and the answer, and not who gave it. A reply of another form is
    asked for once more; a vote that cannot be had leaves the trial unscored. Asked only if no `required` scorer failed.

    - `rubric`: path of the rubric in the suite folder, with the steps that the model has to follow
    - `question`: what is to be judged, in one sentence
    - `model`: a model as in `gate.yaml`, pinned, without `response_schema`
    - `scale` (default `[1, 5]`): the lowest and the highest score, whole numbers
    - `pass_from` (default: the first whole number at or above three quarters of the scale): the score that passes
    - `votes` (default `3`): how often the model is asked, an odd number up to 9
    - `calibration` (default: none): path of answers that people labelled; without it no pass by its word promotes
    """

    task: Task
    model: Mapping[str, Json]
    scale: tuple[int, int]
    pass_from: int
    votes: int
    labels: tuple[Label, ...] = ()
    desk: Desk | None = None

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("rubric", "question", "model", "scale", "pass_from", "votes", "calibration")
        scale = _scale(options)
        return cls(
            task=Task(question=options.text("question"), rubric=options.file("rubric")),
            model=read_model(options),
            scale=scale,
            pass_from=_pass_from(options, scale),
            votes=_votes(options),
            labels=read_labels(options, compared=False),
        )

    @property
    def protocol(self) -> str:
        """Digest of the wording that the model is asked with."""
        return PROTOCOL

    @property
    def calls(self) -> int:
        """Calls of one judgement."""
        return self.votes

    @property
    def compares(self) -> bool:
        """Say no: one answer is enough."""
        return False

    def applies(self, case: Case) -> bool:  # noqa: ARG002 - the rubric is the suite's
        """Say yes: every answer can be judged."""
        return True

    def bound(self, desk: Desk) -> Self:
        """The same judge, ready to ask."""
        return replace(self, desk=desk)

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Ask for the votes; the first one that cannot be had ends it."""
        if len(shown(exhibit.answer)) > LONGEST:
            return too_long(LONGEST)
        prompt = rating_prompt(self.task, exhibit.case, exhibit.answer, scale=self.scale)
        votes: list[Vote] = []
        for number in range(self.votes):
            ballot = Ballot(case_id=exhibit.case.id, prompt=prompt, number=number)
            vote = cast(self.desk, ballot, Form(key="score", check=self._trouble))
            if isinstance(vote, Unscored):
                return vote
            votes.append(vote)
        return self._opinion(votes)

    def passes(self, label: Label, case: Case) -> bool | Unscored:
        """Whether the median reaches `pass_from`."""
        result = self.score(Exhibit(case=case, answer=Answer(text=label.answer, model="")))
        return result if isinstance(result, Unscored) else result.value >= self.value_of(self.pass_from)

    def value_of(self, score: int) -> float:
        """The value of a score: two straight lines that meet at the pass mark."""
        low, high = self.scale
        mark = self.desk.pass_mark if self.desk else 1.0
        if score < self.pass_from:
            return mark * (score - low) / (self.pass_from - low)
        return 1.0 if score == high else mark + (1.0 - mark) * (score - self.pass_from) / (high - self.pass_from)

    def _trouble(self, choice: Json) -> str:
        low, high = self.scale
        whole = isinstance(choice, int) and not isinstance(choice, bool) and low <= choice <= high
        return "" if whole else f"which is no whole number from {low} to {high}"

    def _opinion(self, votes: list[Vote]) -> Opinion:
        scores = [int(str(vote.choice)) for vote in votes]
        middle = median_low(scores)
        agree = scores.count(middle) / len(scores)
        given = ", ".join(map(str, scores))
        told = f"median {middle} of {self.scale[0]} to {self.scale[1]}, {self.pass_from} passes"
        return Opinion(
            value=self.value_of(middle),
            explanation=clip(f"{told} (votes {given}; {agree:.0%} agree): {reasons(votes[scores.index(middle)])}"),
            replies=tuple(vote.reply for vote in votes),
        )


def _scale(options: Options) -> tuple[int, int]:
    value = options.values.get("scale", [1, 5])
    ends = [end for end in value if _is_whole(end)] if isinstance(value, list) else []
    low, high = ends if len(ends) == 2 and isinstance(value, list) and len(value) == 2 else (0, 0)  # noqa: PLR2004
    if not 0 < high - low <= WIDEST:
        raise ValueError(f'"scale" must be two whole numbers, the lower first, as in [1, 5], not {quoted(value)}')
    return low, high


def _pass_from(options: Options, scale: tuple[int, int]) -> int:
    low, high = scale
    value = options.values.get("pass_from", low + -(-3 * (high - low) // 4))
    if not _is_whole(value) or not low < value <= high:
        raise ValueError(f'"pass_from" must be a whole number above {low} and up to {high}, not {quoted(value)}')
    return value


def _votes(options: Options) -> int:
    value = options.values.get("votes", 3)
    if not _is_whole(value) or not 1 <= value <= MOST_VOTES or value % 2 == 0:
        raise ValueError(f'"votes" must be an odd number from 1 to {MOST_VOTES}, not {quoted(value)}')
    return value


def _is_whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
