"""`srm-checks waivers`: reviewed exceptions, and whether they are still needed."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import click

from srm_checks import config as configuration
from srm_checks.cli.console import Console, verbosity
from srm_checks.cli.output import echo
from srm_checks.cli.words import Word
from srm_checks.config import Config
from srm_checks.errors import EXIT_OK, UsageError
from srm_checks.report.inert import inert
from srm_checks.triage import course, terms, waiver_text, waivers
from srm_checks.triage.waivers import Waiver

_config_option = click.option("--config", type=click.Path(), metavar="FILE", help="Configuration file (YAML, or TOML).")
_file_option = click.option(
    "--file", "file", type=click.Path(), metavar="FILE", help="Waivers file; by default the configured or nearest one."
)
_today_option = click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day; the current one by default."
)


@click.group("waivers")
def group() -> None:
    """Add, list, check and prune the reviewed exceptions."""


@group.command("add")
@click.argument("policy")
@click.option("--reason", required=True, help="Why the gap is accepted.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--ticket", help="Where it is followed up.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Its last day.")
@click.option("--days", type=click.IntRange(min=1), help="Its last day, counted from today.")
@click.option("--path", help="Only for findings in these files: a glob, relative to the waivers file.")
@click.option("--address", help="Only for these resources: a glob over addresses.")
@click.option("--root", help="Only for these Terraform roots or templates: a glob, relative to the waivers file.")
@_file_option
@_config_option
@_today_option
@verbosity
def add(
    policy: str,
    reason: str,
    owner: str,
    ticket: str | None,
    expires: datetime | None,
    days: int | None,
    path: str | None,
    address: str | None,
    root: str | None,
    file: str | None,
    config: str | None,
    today: datetime | None,
) -> None:
    """Add a waiver of POLICY, an id or a glob, as the last one of the file."""
    settings = configuration.resolve(["."], config)
    now = _day(today, settings)
    if (expires is None) == (days is None):
        raise UsageError("say when it ends: give one of --expires and --days")
    last = expires.date() if expires else now + timedelta(days=days or 0)
    if last < now:
        raise UsageError(f"--expires {last} lies in the past")
    target = file or settings.waivers or waivers.FILE_NAME
    scope = {key: value for key, value in (("path", path), ("address", address), ("root", root)) if value}
    new = waiver_text.NewWaiver(
        policy=policy, scope=scope, reason=reason, owner=owner, ticket=ticket, created=now, expires=last
    )
    text = waiver_text.appended(target, _text_of(target), new)
    if problem := terms.unknown_policy(policy, _policy_ids(config)):
        raise UsageError(problem)
    _write(target, text)
    echo(inert(f"{target}: waived {policy} until {last}") + "\n")


@group.command("list")
@click.option("-f", "--format", "form", type=Word("format", ["text", "json"]), default="text", help="text or json.")
@_file_option
@_config_option
@_today_option
@verbosity
def list_(form: str, file: str | None, config: str | None, today: datetime | None) -> None:
    """List all waivers, the next to expire first."""
    settings = configuration.resolve(["."], config)
    now = _day(today, settings)
    target = file or settings.waivers
    found = sorted(waivers.read(target) if target else (), key=lambda waiver: (waiver.expires, waiver.place.start_line))
    if form == "json":
        echo(json.dumps([_plain(waiver, now) for waiver in found], indent=2) + "\n")
        return
    for waiver in found:
        echo("".join(f"{inert(line)}\n" for line in _told(waiver, now)))
    if not found:
        echo(inert(f"{target or waivers.FILE_NAME}: no waivers") + "\n")


@group.command("check")
@_file_option
@_config_option
@_today_option
@verbosity
def check(file: str | None, config: str | None, today: datetime | None) -> None:
    """Tell every mistake, unknown policy and expired waiver with its file, line and column (exit 2)."""
    settings = configuration.resolve(["."], config)
    target = _existing(file, settings)
    found = waivers.read(target)
    expired = waivers.expired(found, _day(today, settings))
    problems = [*waivers.unknown(found, _policy_ids(config)), *(f"{text}; renew it, or remove it" for text in expired)]
    if problems:
        raise UsageError("\n".join(problems))
    echo(inert(f"{target}: waivers that hold: {len(found)}") + "\n")


@group.command("prune")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--expired-only", is_flag=True, help="Do not scan; remove only those that have expired.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@_file_option
@_config_option
@_today_option
@verbosity
@click.pass_obj
def prune(
    console: Console,
    *,
    paths: tuple[str, ...],
    expired_only: bool,
    dry_run: bool,
    file: str | None,
    config: str | None,
    today: datetime | None,
) -> int:
    """Remove waivers that have expired, and those that nothing in PATH (the working directory) needs."""
    settings = configuration.resolve(paths or (".",), config)
    now = _day(today, settings)
    target = _existing(file, settings)
    found = waivers.read(target)
    why = {index: f"expired on {waiver.expires}" for index, waiver in enumerate(found) if not waiver.holds(now)}
    if not expired_only:
        needless = _unused(target, found, paths or (".",), settings, now)
        why.update({index: "not used" for index, waiver in enumerate(found) if waiver in needless})
    for index in sorted(why):
        echo(inert(f"{found[index].at}: {found[index].policy} by {found[index].owner}: {why[index]}") + "\n")
    if why and not dry_run:
        _write(target, waiver_text.without(target, _text_of(target), why))
    console.note(f"waivers {'to remove' if dry_run else 'removed'}: {len(why)} of {len(found)}")
    return EXIT_OK


def _unused(
    target: str, found: Sequence[Waiver], paths: Sequence[str], settings: Config, today: date
) -> frozenset[Waiver]:
    """The waivers that find nothing in a scan of the paths.

    Raises `UsageError` where the scan sees a part only, for then nobody can tell.
    """
    from srm_checks import api

    if not course.covers_home(target, [path for path in paths if os.path.isdir(path)]):
        raise UsageError(f"the PATHs do not hold the folder of {target}, so no waiver can be called unused")
    options = api.ScanOptions(today=today, include_all=True)
    result = api.run(paths, options, settings=dataclasses.replace(settings, waivers=None)).result
    if result.errors:
        raise UsageError(
            f"{result.errors[0].path}: {result.errors[0].message} While something cannot be read, no waiver can be "
            f"called unused; use --expired-only"
        )
    waived = waivers.apply(result.findings, found, mandatory=frozenset(), today=today)
    return frozenset(waivers.unused(found, waived.used, result.policies, today))


def _told(waiver: Waiver, today: date) -> list[str]:
    left = (waiver.expires - today).days
    state = "expired" if left < 0 else "ends today" if left == 0 else f"{left} day{'' if left == 1 else 's'} left"
    lines = [f"{waiver.policy}  {waiver.expires} ({state})  {waiver.owner}  {waiver.at}"]
    where = [f"{key} {value}" for key, value in _scope(waiver).items()]
    return [*lines, *([f"    where: {', '.join(where)}"] if where else []), f"    {waiver.reason}"]


def _scope(waiver: Waiver) -> dict[str, str]:
    scope = waiver.scope
    given = {"path": scope.path, "address": scope.address, "root": scope.root and scope.root.removeprefix("/")}
    return {key: value for key, value in given.items() if value is not None}


def _plain(waiver: Waiver, today: date) -> dict[str, Any]:
    return {**waivers.record(waiver), "scope": _scope(waiver), "expired": not waiver.holds(today)}


def _day(today: datetime | None, settings: Config) -> date:
    return today.date() if today else settings.today or date.today()


def _existing(file: str | None, settings: Config) -> str:
    target = file or settings.waivers
    if target is None:
        raise UsageError(f"there is no {waivers.FILE_NAME}, and the configuration names no other")
    return target


def _policy_ids(config: str | None) -> list[str]:
    from srm_checks.cli.active import active_policies

    return [policy.id for policy in active_policies((), config).policies]


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _write(path: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
