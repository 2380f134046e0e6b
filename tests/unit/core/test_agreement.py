"""Agreement of a judge with people, against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from gate.core.agreement import Calibration


def counted(hits: int, misses: int, false_passes: int, rejections: int) -> Calibration:
    return Calibration(scorer="judge", hits=hits, misses=misses, false_passes=false_passes, rejections=rejections)


@pytest.mark.parametrize("counts", [(45, 5, 5, 45), (46, 4, 8, 42), (90, 2, 6, 2), (10, 20, 15, 5), (3, 0, 1, 56)])
def test_kappa__as_statsmodels_has_it(counts: tuple[int, int, int, int]) -> None:
    known = cohens_kappa(np.array(counts).reshape(2, 2))
    one = counted(*counts)
    assert one.kappa == pytest.approx(known.kappa, abs=1e-6)
    assert one.error == pytest.approx(known.std_kappa, abs=1e-6)
    assert one.lower == pytest.approx(known.kappa - 1.645 * known.std_kappa, abs=2e-6)


def test_calibration__rates_of_the_study() -> None:
    one = counted(46, 4, 15, 85)
    assert (one.labels, one.sensitivity, one.specificity, one.factor) == (150, 0.92, 0.85, 0.77)


def test_calibration__perfect() -> None:
    one = counted(25, 0, 0, 25)
    assert (one.kappa, one.error, one.lower, one.trusted) == (1.0, 0.0, 1.0, True)


@pytest.mark.parametrize(
    ("counts", "trusted"),
    [
        ((24, 0, 0, 25), False),
        ((40, 5, 5, 50), True),
        ((35, 15, 15, 35), False),
        ((50, 0, 0, 0), False),
        ((0, 0, 0, 60), False),
    ],
)
def test_calibration__trusted_with_enough_labels_and_kappa(counts: tuple[int, int, int, int], *, trusted: bool) -> None:
    assert counted(*counts).trusted is trusted


def test_calibration__nothing_to_tell_apart() -> None:
    one = counted(60, 0, 0, 0)
    assert (one.kappa, one.error, one.lower, one.specificity, one.factor) == (None, None, None, None, None)
    none = counted(0, 0, 0, 0)
    assert (none.labels, none.kappa, none.sensitivity) == (0, None, None)


def test_calibration__unjudged_labels_do_not_count() -> None:
    assert Calibration(scorer="judge", hits=20, rejections=20, unjudged=20).labels == 40


def test_calibration__refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="'judge': counts of labels cannot be negative"):
        counted(1, -1, 0, 0)
