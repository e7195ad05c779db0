"""What judging costs: CPU time for each resource in scope, and how it grows with resources and with policies.

Run: python benchmarks/evaluation.py [--pack aws-baseline] [--repeat 5] [TREE...]

The stacks are those of the trees, and for growth the largest of each, multiplied. Without a tree they are all of the
pack's own fixtures as one, read through the real engines. Each copy gets addresses, names and references of its own,
so related resources stay related. A resource is in scope where at least one policy judges it.
Times are CPU seconds of the evaluation alone (no reading, no annotation), the least of several runs. The exponent is
the slope of log(time) over log(size).
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import gc
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from srm_checks import fixtures
from srm_checks.discovery import discover
from srm_checks.model import EngineOptions, Resource, Stack, UnitKind
from srm_checks.policy.access import Environment, StackIndex
from srm_checks.policy.document import Policy
from srm_checks.policy.evaluate import judge
from srm_checks.policy.packs import find, load_packs
from srm_checks.units import load_unit

TODAY = datetime.date(2026, 11, 21)


def fixture_resources(policies: Sequence[Policy], kind: UnitKind) -> list[Resource]:
    found: list[Resource] = []
    for policy in policies:
        for unit in fixtures.units(fixtures.folder_of(Path(find(policy.pack)), policy)):
            if unit.kind is kind:
                found.extend(load_unit(unit, EngineOptions()).resources)
    return found


def multiplied(resources: Sequence[Resource], wanted: int) -> list[Resource]:
    """At least `wanted` resources: copies with addresses, names, references and open values of their own."""
    names = frozenset(
        value
        for resource in resources
        for key, value in resource.attributes.items()
        if isinstance(value, str) and _NAME.search(key)
    )
    copies: list[Resource] = []
    for number in range(math.ceil(wanted / len(resources))):
        mark = f"c{number}."
        for resource in resources:
            copies.append(
                dataclasses.replace(
                    resource,
                    address=mark + resource.address,
                    base=mark + resource.base,
                    references=[(path, _renamed(ref, mark, names)) for path, ref in resource.references],
                    attributes=_renamed(resource.attributes, mark, names),
                    tags=_renamed(resource.tags, mark, names),
                )
            )
    return copies[:wanted]


# Resources of a real stack are told apart by such; copies with the same ones would all mean each other.
_NAME = re.compile(r"(?:^|_)(?:name|bucket|identifier|id|arn)$|(?:Name|Identifier|Id|Arn)$")


def _renamed(value: Any, mark: str, names: frozenset[str]) -> Any:
    """A value with the mark before names of resources, targets of references, and subjects of what is open."""
    match value:
        case str():
            return mark + value if value in names else value
        case list():
            return [_renamed(inner, mark, names) for inner in value]
        case tuple():
            return tuple(_renamed(inner, mark, names) for inner in value)
        case dict():
            return {key: _renamed(inner, mark, names) for key, inner in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    changes = {item.name: _renamed(getattr(value, item.name), mark, names) for item in dataclasses.fields(value)}
    for field in ("target", "subject"):
        if changes.get(field):
            changes[field] = mark + changes[field]
    return dataclasses.replace(value, **changes)


def cost(resources: Sequence[Resource], policies: Sequence[Policy], kind: UnitKind, repeat: int) -> float:
    from srm_checks.model import Unit

    stack = Stack(unit=Unit(kind, "."), resources=list(resources))
    environment = Environment(TODAY)

    def once() -> float:
        # As timeit does: without the collector, whose pauses depend on what else lives in the process.
        gc.collect()
        gc.disable()
        try:
            start = time.process_time()
            judge(StackIndex(stack), policies, environment)
            return time.process_time() - start
        finally:
            gc.enable()

    return min(once() for _ in range(repeat))


def in_scope(resources: Sequence[Resource], policies: Sequence[Policy]) -> int:
    types = {name for policy in policies for name in policy.types()}
    return sum(resource.type in types for resource in resources)


def slope(sizes: Sequence[int], cost_of: Callable[[int], float]) -> tuple[float, list[float]]:
    """The exponent by least squares on logarithms, and the times."""
    times = [cost_of(size) for size in sizes]
    xs, ys = [math.log(size) for size in sizes], [math.log(seconds) for seconds in times]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return rise / sum((x - mean_x) ** 2 for x in xs), times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", default="aws-baseline")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("trees", nargs="*", metavar="TREE")
    options = parser.parse_args()
    policies = load_packs([options.pack]).policies
    for tree in options.trees:
        of_tree(tree, policies, options.repeat)
    if not options.trees:
        of_fixtures(policies, options.repeat)


def of_tree(tree: str, policies: Sequence[Policy], repeat: int) -> None:
    """What judging a tree's own stacks costs, and how that grows with copies of its largest one."""
    before = os.getcwd()
    os.chdir(tree)
    stacks = [load_unit(unit, EngineOptions()) for unit in discover(["."]).units]
    seconds = sum(cost(stack.resources, policies, stack.unit.kind, repeat) for stack in stacks)
    scope = sum(in_scope(stack.resources, policies) for stack in stacks)
    print(f"{tree}: {scope} resources in scope, {seconds:.3f} s, {1000 * seconds / scope:.3f} ms each in scope")
    most = max(stacks, key=lambda stack: len(stack.resources))
    sizes = [len(most.resources) * copies for copies in (1, 2, 4, 8)]
    exponent, _times = slope(
        sizes, lambda size: cost(multiplied(most.resources, size), policies, most.unit.kind, repeat)
    )
    print(f"  exponent in resources: {exponent:.3f} ({most.unit.path}, {sizes[0]} to {sizes[-1]} resources)")
    os.chdir(before)


def of_fixtures(policies: Sequence[Policy], repeat: int) -> None:
    for kind in (UnitKind.TERRAFORM, UnitKind.CLOUDFORMATION):
        base = fixture_resources(policies, kind)
        print(f"{kind}: {len(policies)} policies, {len(base)} fixture resources")
        sizes = [len(base) * copies for copies in (1, 2, 4, 8)]  # whole copies: the mix stays the same
        exponent, times = slope(sizes, lambda size: cost(multiplied(base, size), policies, kind, repeat))  # noqa: B023
        for size, seconds in zip(sizes, times, strict=True):
            scope = in_scope(multiplied(base, size), policies)
            each = 1000 * seconds / scope
            print(f"  {size:>6} resources, {scope:>6} in scope: {seconds:.3f} s, {each:.3f} ms each in scope")
        print(f"  exponent in resources: {exponent:.3f}")
        resources = multiplied(base, 2 * len(base))
        ordered = sorted(policies, key=lambda policy: policy.name)
        counts = [len(ordered) // 4, len(ordered) // 2, len(ordered)]
        # Copies of the policies judge the same resources again: the work grows with the number of policies alone.
        exponent, times = slope(
            [count * 4 for count in counts],
            lambda count: cost(resources, (ordered * 4)[:count], kind, repeat),  # noqa: B023
        )
        print(f"  exponent in policies: {exponent:.3f}")


if __name__ == "__main__":
    main()
