"""Rate limits: one token bucket for requests, one for tokens."""

from dataclasses import dataclass

from tests.rigs.model_server.asking import Standing
from tests.rigs.model_server.script import Limits


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Fills at `rate` a second up to `size`; times are seconds of any clock that only goes forward."""

    name: str
    rate: float
    size: float
    level: float
    at: float

    def wait(self, cost: float, now: float) -> float:
        """Seconds until the cost can be taken, 0 if it can be now; what is over the size needs a full bucket."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (min(cost, self.size) - self.level) / self.rate)

    def standing(self) -> Standing:
        """Tell how full it is."""
        missing = self.size - self.level
        return Standing(
            name=self.name, limit=int(self.size), remaining=max(0, int(self.level)), reset_s=missing / self.rate
        )


class Limiter:
    """Lets requests pass, or says how long to wait."""

    def __init__(self, limits: Limits, *, now: float) -> None:
        rates = (("requests", limits.requests_per_s), ("tokens", limits.tokens_per_s))
        self._buckets = [_full(name, rate, limits.burst_s, now=now) for name, rate in rates if rate is not None]

    def wait(self, tokens: int, *, now: float) -> float:
        """Take one request with its tokens, or take nothing and return the seconds until it would pass."""
        costs = [tokens if bucket.name == "tokens" else 1 for bucket in self._buckets]
        pairs = list(zip(self._buckets, costs, strict=True))
        longest = max((bucket.wait(cost, now) for bucket, cost in pairs), default=0.0)
        if not longest:
            for bucket, cost in pairs:
                bucket.level -= cost
        return longest

    def standings(self) -> list[Standing]:
        """Tell how full each bucket is."""
        return [bucket.standing() for bucket in self._buckets]


def _full(name: str, rate: float, burst_s: float, *, now: float) -> Bucket:
    size = max(1.0, rate * burst_s)
    return Bucket(name=name, rate=rate, size=size, level=size, at=now)
