"""The condition on the ports that a rule opens."""

from __future__ import annotations

from typing import Any, Final

from srm_checks.model import ABSENT, Path, Resource, Unknown
from srm_checks.policy.access import Condition, Context, Segments
from srm_checks.policy.operators import as_number, cause_of
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN, Fact, Result

_ALL_PROTOCOLS: Final = {"-1", "all"}
_PORT_PROTOCOLS: Final = {"tcp", "udp", "6", "17"}


def port_test(names: dict[str, Segments], ports: tuple[int, ...] | None) -> Condition:
    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        (low, at), (high, _), (protocol, at_protocol) = (
            context.lookup(value, names[key], path)[0] for key in ("from", "to", "protocol")
        )
        fact = (Fact(resource, at, low, at),)
        if protocol is ABSENT:
            protocol = "-1"  # both languages: a rule without a protocol speaks of all
        if isinstance(protocol, Unknown):  # it may be "all", which opens every port
            return Result(UNKNOWN, (Fact(resource, at_protocol, protocol, at_protocol),), protocol.cause, protocol.text)
        word = str(protocol).lower()
        if word in _ALL_PROTOCOLS:
            return Result(TRUE, (Fact(resource, at_protocol, protocol, at_protocol),))
        if word not in _PORT_PROTOCOLS:
            return Result(FALSE, fact)
        truth = _covers(low, high, ports)
        if truth == UNKNOWN:
            opener = next((item for item in (low, high) if isinstance(item, Unknown)), low)
            return Result(truth, fact, cause_of(opener), getattr(opener, "text", ""))
        return Result(truth, fact)

    return judge


def _covers(low: Any, high: Any, ports: tuple[int, ...] | None) -> int:
    """Whether the range from `low` to `high` has one of the ports, or all ports where `ports` is None."""
    first, last = as_number(low), as_number(high)
    if low is ABSENT and high is ABSENT:
        first, last = 0, 65535
    if first == -1 and last in (-1, None):
        first, last = 0, 65535
    if ports is None:
        if (first is not None and first > 1) or (last is not None and last < 65535):  # port 0 is reserved
            return FALSE
        return UNKNOWN if first is None or last is None else TRUE
    if first is not None and last is not None:
        return TRUE if any(first <= port <= last for port in ports) else FALSE
    reachable = any((first is None or first <= port) and (last is None or port <= last) for port in ports)
    return UNKNOWN if reachable else FALSE
