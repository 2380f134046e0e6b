"""Measuring a judge on answers that people labelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from gate.core.agreement import Calibration
from gate.core.judging import Judge, Label
from gate.core.model import Case, Unscored


def measure_judge(name: str, judge: Judge, cases: Mapping[str, Case], *, workers: int) -> Calibration:
    """Ask a bound judge about every label, and count; raises KeyError for a label of a case that is not there."""
    known = [(label, cases[label.case_id]) for label in judge.labels]
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="label") as pool:
        said = list(pool.map(lambda entry: _said(judge, *entry), known))
    counts = Counter((label.passed, passed) for (label, _), passed in zip(known, said, strict=True))
    return Calibration(
        scorer=name,
        hits=counts[True, True],
        misses=counts[True, False],
        false_passes=counts[False, True],
        rejections=counts[False, False],
        unjudged=counts[True, None] + counts[False, None],
    )


def _said(judge: Judge, label: Label, case: Case) -> bool | None:
    said = judge.passes(label, case)
    return None if isinstance(said, Unscored) else said
