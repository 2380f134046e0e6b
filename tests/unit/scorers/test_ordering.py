"""Ranks between cases."""

import pytest

from gate.core.model import Missing
from tests.unit.scorers.exhibits import case, exhibit, judge, make, unscored

PEERS = {
    "low": '{"score": 0.2}',
    "mid": '{"score": 0.5}',
    "high": '{"score": 0.9}',
    "text": "hello",
    "odd": '{"score": true}',
}


def ranked(text, *outranked):
    return exhibit(text, peers=PEERS, outranks=list(outranked))


def test_ordering__all_in_order():
    result = judge(make("ordering", path="score"), ranked('{"score": 0.6}', "low", "mid"))
    assert result == (1.0, "0.6 is greater than the number of every outranked case")


def test_ordering__share_in_order():
    result = judge(make("ordering", path="score"), ranked('{"score": 0.6}', "low", "high"))
    assert result == (0.5, '0.6 is not greater than 0.9 of case "high", to be outranked')


def test_ordering__equal_is_not_in_order():
    assert judge(make("ordering", path="score"), ranked('{"score": 0.50}', "mid"))[0] == 0.0


@pytest.mark.parametrize("text", ["", "{}", '{"score": "0.9"}', '{"score": 1e999}'])
def test_ordering__own_number_unreadable_is_a_failure(text):
    assert judge(make("ordering", path="score"), ranked(text, "low", "missing"))[0] == 0.0


def test_ordering__a_missing_peer_is_unscored():
    result = unscored(make("ordering", path="score"), ranked('{"score": 1}', "low", "no-such"))
    assert result.reason is Missing.PEER_MISSING
    assert result.detail == 'case "no-such" has no answer in this pass'


@pytest.mark.parametrize(
    ("peer", "why"), [("text", "the answer is not JSON"), ("odd", 'the value at "score" is not a finite')]
)
def test_ordering__an_unreadable_peer_is_unscored_and_named(peer, why):
    result = unscored(make("ordering", path="score"), ranked('{"score": 1}', "low", peer))
    assert result.reason is Missing.PEER_MISSING
    assert result.detail.startswith(f'case "{peer}": {why}')


def test_ordering__applies_where_a_case_outranks_others():
    assert make("ordering", path="score").applies(case(outranks=["a"]))
    assert not make("ordering", path="score").applies(case(score=1))


@pytest.mark.parametrize("outranks", [[], [1], None, [""]])
def test_ordering__expectation_that_cannot_be_used(outranks):
    with pytest.raises(
        ValueError, match=r"^cases.jsonl:7: case en-0001: expected.outranks must be text or a list of texts"
    ):
        make("ordering", path="score").score(exhibit('{"score": 1}', outranks=outranks))
