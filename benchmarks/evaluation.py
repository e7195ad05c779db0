"""What judging costs: CPU time for each resource in scope, and how it grows with resources and with policies.

Run: python benchmarks/evaluation.py [--pack aws-baseline] [--repeat 5]

The stacks are the pack's own fixtures, read through the real engines and multiplied: each copy gets addresses and
references of its own, so related resources stay related. A resource is in scope where at least one policy judges it.
Times are CPU seconds of the evaluation alone (no reading, no annotation), the least of several runs. The exponent is
the slope of log(time) over log(size).
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import gc
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from srm_checks import fixtures
from srm_checks.model import EngineOptions, Ref, Resource, Stack, UnitKind
from srm_checks.policy.access import Environment, StackIndex
from srm_checks.policy.document import Policy
from srm_checks.policy.evaluate import judge
from srm_checks.policy.packs import find, load_packs
from srm_checks.units import load_unit

TODAY = datetime.date(2026, 11, 21)


def fixture_resources(pack: str, policies: Sequence[Policy], kind: UnitKind) -> list[Resource]:
    folder = Path(find(pack))
    found: list[Resource] = []
    for policy in policies:
        for unit in fixtures.units(fixtures.folder_of(folder, policy)):
            if unit.kind is kind:
                found.extend(load_unit(unit, EngineOptions()).resources)
    return found


def multiplied(resources: Sequence[Resource], wanted: int) -> list[Resource]:
    """At least `wanted` resources: copies with addresses and references of their own."""
    copies: list[Resource] = []
    number = 0
    while len(copies) < wanted:
        mark = f"c{number}."
        for resource in resources:
            references = [
                (path, dataclasses.replace(ref, target=mark + ref.target) if isinstance(ref, Ref) else ref)
                for path, ref in resource.references
            ]
            copies.append(
                dataclasses.replace(
                    resource, address=mark + resource.address, base=mark + resource.base, references=references
                )
            )
        number += 1
    return copies[:wanted]


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
    options = parser.parse_args()
    policies = load_packs([options.pack]).policies
    for kind in (UnitKind.TERRAFORM, UnitKind.CLOUDFORMATION):
        base = fixture_resources(options.pack, policies, kind)
        print(f"{kind}: {len(policies)} policies, {len(base)} fixture resources")
        sizes = [len(base) * copies for copies in (1, 2, 4, 8)]  # whole copies: the mix stays the same
        exponent, times = slope(sizes, lambda size: cost(multiplied(base, size), policies, kind, options.repeat))  # noqa: B023
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
            lambda count: cost(resources, (ordered * 4)[:count], kind, options.repeat),  # noqa: B023
        )
        print(f"  exponent in policies: {exponent:.3f}")


if __name__ == "__main__":
    main()
