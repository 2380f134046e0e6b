"""A small project for whole stories: mails that the built-in model sorts, and four changes of its prompt."""

from __future__ import annotations

import json

from tests.projects import OFFLINE_PROMPT, case_lines, offline_files
from tests.rigs.workflow import FOLDER, ROOT

PROMPT = "prompts/inbox.md"
BASELINE = "baselines/inbox/mail.json"
CASES = "golden_sets/mail/cases.jsonl"
HARMLESS = {PROMPT: OFFLINE_PROMPT + "Be brief.\n"}
HARMFUL = {PROMPT: OFFLINE_PROMPT.replace("broken, error, crashed, outage", "zzz")}
# Three of 36 mails turn on this word: too many to say that nothing was lost, too few to show it.
DOUBTFUL_PROMPT = OFFLINE_PROMPT.replace("how much, discount", "how much")
DOUBTFUL = {PROMPT: DOUBTFUL_PROMPT}
ON_A_WORD = 3


def mail_files() -> dict[str, str | bytes | None]:
    """Every file of the project with its workflows, without a baseline."""
    files = offline_files()
    cases = [json.loads(line) for line in str(files[CASES]).splitlines()]
    pricing = [case for case in cases if case["expected"]["intent"] == "pricing_request"]
    for case in pricing[:ON_A_WORD]:
        case["input"]["email"] = f"Is there a discount? Nr. {case['id']}"
    workflows = {f"{FOLDER}/{file.name}": file.read_text(encoding="utf-8") for file in (ROOT / FOLDER).glob("*.yml")}
    return {**files, **workflows, CASES: case_lines(cases)}
