"""Executors that reach further than this machine: `dask://HOST:PORT`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any, Final, cast

from srm_checks.errors import EnvironmentProblem, UsageError

DASK: Final = "dask://"
CONNECT: Final = 10.0  # seconds


@contextlib.contextmanager
def named(address: str) -> Iterator[Executor]:
    """The executor behind an address, for as long as the `with` lasts.

    The workers need this package, and the scanned files at the same place. Raises `UsageError` for an address that is
    none or does not answer, `EnvironmentProblem` where Dask is not installed.
    """
    if not address.startswith(DASK):
        raise UsageError(f"unknown executor {address!r}; there is dask://HOST:PORT")
    try:
        import distributed
    except ImportError as problem:
        raise EnvironmentProblem("Dask is not installed; run `pip install 'srm-checks[dask]'`.") from problem
    try:
        client: Any = cast(Any, distributed).Client(
            f"tcp://{address.removeprefix(DASK)}", timeout=CONNECT, set_as_default=False
        )
    except (OSError, ValueError) as problem:
        raise UsageError(f"no Dask scheduler answers at {address}: {problem}") from problem
    try:
        # Not pure: the same unit may have other files by the next scan.
        with client.get_executor(pure=False) as executor:
            yield executor
    finally:
        client.close()
