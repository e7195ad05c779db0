"""The mutation of policies: a weak fixture lets a mutant live, a strong one kills it, and what is proven is true."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from srm_checks.model import ABSENT, Repeated, Unknown
from srm_checks.policy.load import Draft, build
from srm_checks.policy.source import Source, parse
from tests.policy.making import HEAD, outcome, thing, write_pack
from tools.mutant_proofs import Version, equivalent
from tools.mutants import Tally, examine, main, subjects
from tools.mutations import mutants

MANIFEST = "name: acme\nversion: 1.0.0\nid_prefix: ACME\n"
NAMED = HEAD.replace("SRM-DAR-900", "ACME-DAR-001")
TYPES = "resources: {terraform: aws_db_instance, cloudformation: {not_expressible: not here}}\n"
RETENTION = "require: {attribute: backup_retention_period, greater_than_or_equal: 7, absent: gap}\n"
GAP, MET = "expect: gap", "expect: met"
WEAK = {"short": ("backup_retention_period = 1", GAP), "long": ("backup_retention_period = 30", MET)}
STRONG = WEAK | {
    "six": ("backup_retention_period = 6", GAP),
    "seven": ("backup_retention_period = 7", MET),
    "unsaid": ("", GAP),
}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pack(body: str, databases: dict[str, tuple[str, str]]) -> str:
    """A pack with one policy whose fixture declares the databases: name to attributes and expectation."""
    folder = write_pack(Path("acme"), MANIFEST, test_policy=NAMED + TYPES + body)
    fixture = Path("acme/fixtures/acme/test-policy")
    fixture.mkdir(parents=True)
    blocks = [
        f'resource "aws_db_instance" "{name}" {{\n  # {expected}\n  {attributes}\n}}\n'
        for name, (attributes, expected) in databases.items()
    ]
    (fixture / "main.tf").write_text("\n".join(blocks))
    return folder


def survivors(tally: Tally) -> set[tuple[str, str]]:
    return {survivor.key for survivor in tally.survivors}


def examined(body: str, databases: dict[str, tuple[str, str]]) -> Tally:
    (subject,) = subjects([pack(body, databases)])
    return examine(subject)


def test_a_strong_fixture_kills_every_mutant() -> None:
    tally = examined(RETENTION, STRONG)
    assert survivors(tally) == set()
    assert tally.made == {"absent": 3, "operator": 2, "threshold": 2, "name": 1}


def test_a_weak_fixture_lets_the_threshold_and_the_absence_live() -> None:
    assert survivors(examined(RETENTION, WEAK)) == {
        ("require.greater_than_or_equal", "greater_than_or_equal -> greater_than"),
        ("require.greater_than_or_equal", "7 -> 8"),
        ("require.greater_than_or_equal", "7 -> 6"),
        ("require.absent", "gap -> met"),
        ("require.absent", "gap -> unknown"),
        ("require.absent", "gap -> not-applicable"),
    }


def test_a_renamed_attribute_is_one_that_the_loader_lets_pass() -> None:
    tally = examined(RETENTION, WEAK)
    assert ("require.attribute", "renamed in terraform") in tally.killed
    assert tally.refused == 0


def test_what_the_loader_refuses_is_killed() -> None:
    body = "require: {any: [{attribute: multi_az, exists: yes, absent: gap}, {attribute: port, is_true: yes, absent: gap}]}"
    tally = examined(body, {"a": ("multi_az = true", MET), "b": ("", GAP), "c": ("port = true", MET)})
    assert tally.refused > 0  # `exists` with `absent: met` could never be a gap


def test_fixtures_that_fail_as_they_are_prove_nothing() -> None:
    tally = examined(RETENTION, {"short": ("backup_retention_period = 1", MET)})
    assert "expected met, got gap" in tally.failing
    assert not tally.made


@pytest.mark.parametrize(
    ("databases", "code", "said"),
    [
        pytest.param(STRONG, 0, "8 of 8 mutants killed (100.0%)", id="all killed"),
        pytest.param(WEAK, 1, "require.absent  [absent] gap -> met", id="absence not proven"),
    ],
)
def test_the_command(
    databases: dict[str, tuple[str, str]], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--pack", pack(RETENTION, databases), "--jobs", "1"]) == code
    assert said in capsys.readouterr().out


BOUND = "require.greater_than_or_equal"


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        pytest.param(BOUND, "7 -> 8", "1 by the list", id="survivor"),
        pytest.param("require.attribute", "renamed in terraform", "listed as equivalent, and killed", id="killed"),
        pytest.param(BOUND, "8 -> 9", "listed as equivalent, and is not made any more", id="gone"),
    ],
)
def test_the_list_of_equivalent_mutants(place: str, change: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = Path("equivalent.tsv")
    listed.write_text(f"policy\tplace\tchange\treason\nACME-DAR-001\t{place}\t{change}\tnobody keeps seven\n")
    folder = pack(RETENTION, WEAK)
    assert main(["--pack", folder, "--jobs", "1", "--equivalent", str(listed)]) == 1
    assert said in capsys.readouterr().out


def test_an_anchor_and_its_aliases_are_one_text() -> None:
    body = "require: {any: [&big {attribute: iops, greater_than: 3, absent: gap}, {not: *big}]}"
    source = parse("policy.yaml", NAMED + TYPES + body)
    changed = [mutant.data["require"] for mutant in mutants(source, {}, {}) if mutant.change == "3 -> 4"]
    assert changed == [
        {
            "any": [
                {"attribute": "iops", "greater_than": 4, "absent": "gap"},
                {"not": {"attribute": "iops", "greater_than": 4, "absent": "gap"}},
            ]
        }
    ]


# ------------------------------------------------------------------ proofs

X = "attribute: x, is_true: yes"
Y = "{attribute: y, is_true: yes, absent: gap}"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param(f"any: [{{{X}, absent: gap}}, {Y}]", f"any: [{{{X}, absent: not-applicable}}, {Y}]", True, id="any"),
        pytest.param(f"all: [{{{X}, absent: met}}, {Y}]", f"all: [{{{X}, absent: not-applicable}}, {Y}]", True, id="all"),
        pytest.param(f"all: [{{{X}, absent: gap}}, {Y}]", f"all: [{{{X}, absent: not-applicable}}, {Y}]", False, id="gap in all"),
        pytest.param(f"{X}, absent: gap", f"{X}, absent: not-applicable", False, id="alone"),
        pytest.param(
            f"any: [{{{X}, absent: gap}}, {{outcome: unknown}}]",
            f"any: [{{{X}, absent: unknown}}, {{outcome: unknown}}]",
            True,
            id="beside an unknown",
        ),
        pytest.param(
            f"any: [{{{X}, absent: gap}}, {{all: [{{attribute: x, not_exists: yes}}, {{outcome: unknown}}]}}]",
            f"any: [{{{X}, absent: unknown}}, {{all: [{{attribute: x, not_exists: yes}}, {{outcome: unknown}}]}}]",
            True,
            id="the other branch speaks for the absent",
        ),
        pytest.param(
            f"any: [{{{X}, absent: gap}}, {{all: [{{attribute: x, not_exists: yes}}, {Y}]}}]",
            f"any: [{{{X}, absent: unknown}}, {{all: [{{attribute: x, not_exists: yes}}, {Y}]}}]",
            False,
            id="the other branch may be a gap",
        ),
        pytest.param(f"any: [{Y}, {{{X}, absent: gap}}]", f"any: [{Y}]", False, id="a branch left out"),
        pytest.param(f"any: [{Y}, {{outcome: gap}}]", f"any: [{Y}]", True, id="a branch that says nothing"),
    ],
)  # fmt: skip
def test_what_the_tables_prove(before: str, after: str, same: bool) -> None:
    assert equivalent(*(version(f"require: {{{body}}}") for body in (before, after))) is same


PRIVATE = "missing: unknown, absent: unknown, {}: {{attribute: map_public_ip_on_launch, is_false: yes, absent: met}}"


@pytest.mark.parametrize(
    ("types", "link", "same"),
    [
        pytest.param("{terraform: aws_instance}", "through: subnet_id", True, id="one value"),
        pytest.param("{cloudformation: 'AWS::EC2::Instance'}", "through: subnet_id", True, id="one value, the other way"),
        pytest.param("{terraform: aws_lb}", "through: subnets", False, id="a list"),
        pytest.param("{terraform: aws_thing}", "through: subnet_id", False, id="a type of which nothing is known"),
        pytest.param("{terraform: aws_instance}", "by: tags", False, id="what refers to it"),
    ],
)  # fmt: skip
def test_one_reference_leads_to_one_resource(types: str, link: str, same: bool) -> None:
    subnets = "{terraform: aws_subnet, cloudformation: 'AWS::EC2::Subnet'}"
    some, every = (
        Version(parse("policy.yaml", f"{HEAD}resources: {types}\nrequire: {{related: {{resources: {subnets}, {link}, "
        f"{PRIVATE.format(head)}}}}}\n").data, {})
        for head in ("some", "every")
    )  # fmt: skip
    assert equivalent(some, every) is same
    assert equivalent(every, some) is same


def test_an_element_of_a_list_leads_to_one_resource() -> None:
    some, every = (
        version(
            "require: {every: {in: policy_arns, where: {related: {resources: aws_iam_policy, through: ., "
            f"missing: unknown, {head}: {{attribute: name, equals: a, absent: unknown}}}}}}}}, absent: met}}",
            "aws_iam_role_policy_attachments_exclusive",
        )
        for head in ("some", "every")
    )
    assert equivalent(some, every)


def version(body: str, type_name: str = "aws_thing") -> Version:
    types = f"resources: {{terraform: {type_name}, cloudformation: {{not_expressible: not here}}}}\n"
    return Version(parse("policy.yaml", HEAD + types + body).data, {})


VALUES: tuple[Any, ...] = (ABSENT, True, False, Unknown("var.x"))
BLOCKS: tuple[Any, ...] = (
    ABSENT,
    [],
    [{}],
    [{"x": True}],
    [{"x": True}, {}],
    [{"x": False}, {}],
    [Repeated({"x": True})],
    [{"x": True}, Repeated({})],
    Unknown("var.b"),
)
STACKS: list[dict[str, Any]] = [
    {name: value for name, value in zip("xyb", values, strict=True) if value is not ABSENT}
    for values in itertools.product(VALUES, VALUES, BLOCKS)
]


def condition(chance: random.Random, depth: int) -> dict[str, Any]:
    """A condition made by chance, of all that the proofs reason about on one resource."""
    head = chance.choice(("leaf", "leaf", "presence", "outcome") if depth == 0 else ("leaf", "all", "any", "not", "some", "every", "none"))  # fmt: skip
    words = ("gap", "met", "unknown", "not-applicable")
    if head == "leaf":
        operator = chance.choice(("is_true", "is_false", "not_equals"))
        name = chance.choice(("x", "y", "b.x"))
        return {"attribute": name, operator: True, "absent": chance.choice(words)}
    if head == "presence":
        return {"attribute": chance.choice(("x", "y", "b.x")), chance.choice(("exists", "not_exists")): True}
    if head == "outcome":
        return {"outcome": chance.choice(words)}
    if head in ("all", "any"):
        return {head: [condition(chance, depth - 1) for _ in range(chance.choice((2, 2, 3)))]}
    if head == "not":
        return {"not": condition(chance, depth - 1)}
    inner = {"attribute": "x", "is_true": True, "absent": chance.choice(("gap", "met", "unknown"))}
    return {head: {"in": "b", "where": inner}, "absent": chance.choice(words)}


@pytest.mark.parametrize("seed", range(60))
def test_no_stack_tells_apart_what_is_proven_to_be_the_same(seed: int) -> None:
    chance = random.Random(seed)
    source = parse("policy.yaml", HEAD + "resources: {terraform: aws_thing, cloudformation: {not_expressible: x}}\n")
    source.data["require"] = {"all": [condition(chance, 2), {"attribute": "y", "is_true": True, "absent": "gap"}]}
    if seed % 2:
        source.data["applies_when"] = {"attribute": "x", "is_false": True, "absent": chance.choice(("gap", "unknown"))}
    original = build(Draft(source, ""))
    for mutant in mutants(source, {}, {}):
        if equivalent(Version(source.data, {}), Version(mutant.data, {})):
            changed = build(Draft(Source("policy.yaml", mutant.data, {}), ""))
            for attributes in STACKS:
                told = [outcome(rule, thing(**attributes)).split(" ")[0] for rule in (original, changed)]
                assert told[0] == told[1], (mutant.where, mutant.change, attributes)
