"""The time of a report, for formats that must carry one."""

from __future__ import annotations

import datetime
import os

from srm_checks import reads
from srm_checks.errors import UsageError

_VARIABLE = "SOURCE_DATE_EPOCH"


def report_time() -> datetime.datetime:
    """The time in `SOURCE_DATE_EPOCH` (seconds since 1970) where that is set, else now; in UTC, whole seconds.

    Raises `UsageError` where the variable holds no such number.
    """
    given = os.environ.get(_VARIABLE)
    if not given:
        reads.unsure()  # the same report a second later is another one
        return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    try:
        return datetime.datetime.fromtimestamp(int(given), datetime.timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{_VARIABLE} is {given!r}, which is no number of seconds since 1970") from error
