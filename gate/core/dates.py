"""Days between dates, without a clock or a calendar module: the core knows no time but what it is given."""


def day_number(date: str) -> int:
    """Days since year 0 of a YYYY-MM-DD date (proleptic Gregorian); raises ValueError for what is no such text."""
    year, month, day = (int(part) for part in date.split("-"))
    shifted = year - (month <= 2)  # noqa: PLR2004 the year starts in March, so that leap days come last
    leap_days = shifted // 4 - shifted // 100 + shifted // 400
    return 365 * shifted + leap_days + (153 * ((month + 9) % 12) + 2) // 5 + day
