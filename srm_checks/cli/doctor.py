"""`srm-checks doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable
from typing import Final

import click

from srm_checks import __version__, grammar
from srm_checks import config as configuration
from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import echo
from srm_checks.errors import EXIT_INCOMPLETE, EXIT_OK, EnvironmentProblem, SrmError
from srm_checks.report.inert import inert
from srm_checks.versions import ENGINE_PACKAGES

OLDEST: Final = (3, 10)


@click.command("doctor")
@verbosity
@click.pass_obj
def command(console: Console) -> int:
    """Look whether this installation can work: Python, engines, parser, packs, configuration.

    Exit codes: 0 all is well, 3 something is not.
    """
    console.detail(f"{sys.executable} on {platform.platform()}")
    healthy = True
    for check in CHECKS:
        try:
            line = f"ok    {check()}"
        except SrmError as problem:
            healthy = False
            line = f"FAIL  {problem}"
        echo("\n      ".join(inert(part) for part in line.splitlines()) + "\n")
    return EXIT_OK if healthy else EXIT_INCOMPLETE


def _python() -> str:
    version = platform.python_version()
    if sys.version_info < OLDEST:
        raise EnvironmentProblem(f"Python {version}; srm-checks needs {'.'.join(map(str, OLDEST))} or newer")
    return f"srm-checks {__version__} on Python {version}"


def _engine(package: str) -> Callable[[], str]:
    def check() -> str:
        wanted = _wanted(package)
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError as error:
            raise EnvironmentProblem(f"{package} is not installed; run `pip install '{package}{wanted}'`") from error
        if not _within(version, wanted):
            raise EnvironmentProblem(
                f"{package} {version} is not one that srm-checks works with; run `pip install '{package}{wanted}'`"
            )
        return f"{package} {version}" + (f" (works with {wanted})" if wanted else "")

    return check


def _wanted(package: str) -> str:
    """The versions that this installation asks for; "" where it runs from a checkout that was never installed."""
    from packaging.requirements import Requirement

    try:
        requirements = importlib.metadata.requires("srm-checks") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    parsed = (Requirement(text) for text in requirements)
    return next((str(requirement.specifier) for requirement in parsed if requirement.name == package), "")


def _within(version: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _parser() -> str:
    from srm_checks.engines.terraform.syntax import check_hcl2

    try:
        clash = importlib.metadata.version("python-hcl2")
    except importlib.metadata.PackageNotFoundError:
        check_hcl2()
        return "hcl2 is the parser that Checkov brings"
    raise EnvironmentProblem(
        f"python-hcl2 {clash} is installed over the parser that Checkov brings; both are the module hcl2. Run "
        "`pip uninstall python-hcl2 bc-python-hcl2`, then `pip install --force-reinstall bc-python-hcl2`"
    )


def _configuration() -> str:
    source = configuration.resolve(["."]).source
    return f"configuration {source}" if source else "no configuration file; the defaults hold"


def _packs() -> str:
    from srm_checks.cli.active import active_policies

    found = active_policies((), None)
    packs = ", ".join(f"{pack.name} {pack.version}" for pack in found.packs)
    return f"{len(found.policies)} policies in {packs}"


def _cache() -> str:
    from srm_checks.cache import FILE, Cache, default_folder

    folder = default_folder()
    with Cache(folder) as cache:
        if cache.problem is not None:
            raise EnvironmentProblem(
                f"the cache in {folder} cannot be used: {cache.problem}. Scans do without it; name another folder with "
                "--cache-dir, or remove what is there"
            )
    grammar.keep_in(folder)
    size = os.path.getsize(os.path.join(folder, FILE)) / 1e6
    return f"cache {folder}, {size:.1f} MB"


CHECKS: Final[tuple[Callable[[], str], ...]] = (
    _python,
    *(_engine(package) for package in ENGINE_PACKAGES),
    _cache,
    _parser,
    _configuration,
    _packs,
)
