"""`python -m srm_checks`, and the console script `srm-checks`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Next to nothing that a scan makes is garbage in cycles; looking for it often costs a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    # The import stands here so that an interrupt during it also ends without a traceback.
    try:
        code = _scan(sys.argv[1:]) if sys.argv[1:2] == ["scan"] else _run(sys.argv[1:])
    except KeyboardInterrupt:
        from srm_checks.errors import EXIT_INTERRUPTED

        code = EXIT_INTERRUPTED
    sys.exit(code)


def _scan(arguments: Sequence[str]) -> int:
    from srm_checks import replay

    return replay.run(arguments, _run)


def _run(arguments: Sequence[str]) -> int:
    from srm_checks.cli import run

    return run(arguments)


if __name__ == "__main__":
    # `python -m` puts the working directory first on the path; what is scanned there must never be imported.
    del sys.path[0]
    main()
