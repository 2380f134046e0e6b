"""Ranks between cases."""

from dataclasses import dataclass
from typing import Self

from gate.core.model import Case, Exhibit, Missing, Score, Unscored
from gate.scorers.answer_json import FoundNumber, Unreadable, read_number
from gate.scorers.expected import expected_texts
from gate.scorers.explanation import clip, failed, judged, quote
from gate.scorers.options import Options

_KEY = "outranks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """The share of the cases named in `expected.outranks` whose number at a JSON path is smaller than this answer's.

    A named case without an answer, or without that number, leaves the trial unscored.

    - `path`: where the number stands in the answers, such as `lead_score`
    """

    path: str

    @classmethod
    def from_options(cls, options: Options) -> Self:
        """Read the options; raises ValueError."""
        options.allow("path")
        return cls(path=options.text("path"))

    def applies(self, case: Case) -> bool:
        """Say whether the case outranks others."""
        return _KEY in case.expected

    def score(self, exhibit: Exhibit) -> Score | Unscored:
        """Compare with every named case; raises ValueError where `outranks` is not a list of case ids."""
        ids = expected_texts(exhibit.case, _KEY)
        own = read_number(exhibit.answer.text, self.path)
        if isinstance(own, Unreadable):
            return failed(own.reason)
        numbers = {peer: self._peer_number(exhibit, peer) for peer in ids}
        for result in numbers.values():
            if isinstance(result, Unscored):
                return result
        found = {peer: number for peer, number in numbers.items() if isinstance(number, FoundNumber)}
        return _judge(own, found)

    def _peer_number(self, exhibit: Exhibit, peer: str) -> FoundNumber | Unscored:
        if peer not in exhibit.peers:
            return Unscored(reason=Missing.PEER_MISSING, detail=clip(f"case {quote(peer)} has no answer in this pass"))
        number = read_number(exhibit.peers[peer].text, self.path)
        if isinstance(number, FoundNumber):
            return number
        return Unscored(reason=Missing.PEER_MISSING, detail=clip(f"case {quote(peer)}: {number.reason}"))


def _judge(own: FoundNumber, peers: dict[str, FoundNumber]) -> Score:
    wrong = {peer: number for peer, number in peers.items() if number.value >= own.value}
    share = (len(peers) - len(wrong)) / len(peers)
    if not wrong:
        return judged(share, f"{own.shown} is greater than the number of every outranked case")
    peer, number = next(iter(wrong.items()))
    return judged(share, f"{own.shown} is not greater than {number.shown} of case {quote(peer)}, to be outranked")
