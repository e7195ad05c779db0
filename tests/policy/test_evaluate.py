"""From scenarios to verdicts: branches, correlation, doubts, absences."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from srm_checks.absences import settle_absences
from srm_checks.judge import judge_stack
from srm_checks.model import (
    ABSENT,
    ABSENT_ADDRESS,
    AllOf,
    Cause,
    Choice,
    Finding,
    Not,
    Options,
    Outcome,
    Ref,
    Repeated,
    Resource,
    Test,
    Unknown,
)
from srm_checks.policy.document import Policy
from tests.policy.making import outcome, policy, stack, thing, verdicts, words

ON = "require: {attribute: flag, is_true: yes, absent: gap}"
PROD = Test("|var.env", "prod", "var.env")
DEV = Test("|var.env", "dev", "var.env")
BIG = Test("|length(var.x) > 2", True, "length(var.x) > 2")


def test_both_branches_met() -> None:
    assert outcome(policy(ON), thing(flag=Choice(PROD, True, "true"))) == "met"


def test_a_gap_names_its_branch() -> None:
    assert outcome(policy(ON), thing(flag=Choice(PROD, True, False))) == "gap when var.env is not prod"
    assert outcome(policy(ON), thing(flag=Choice(PROD, ABSENT, True))) == "gap when var.env is prod"
    assert outcome(policy(ON), thing(flag=Choice(BIG, True, False))) == "gap when not (length(var.x) > 2)"


def test_both_branches_gap_names_none() -> None:
    assert outcome(policy(ON), thing(flag=Choice(PROD, False, ABSENT))) == "gap"


def test_an_unknown_branch_beside_a_met_one_is_unknown_and_beside_a_gap_is_a_gap() -> None:
    assert (
        outcome(policy(ON), thing(flag=Choice(PROD, True, Unknown("var.on"))))
        == "unknown (unresolved-value) when var.env is not prod"
    )
    assert outcome(policy(ON), thing(flag=Choice(PROD, False, Unknown("var.on")))) == "gap when var.env is prod"


def test_one_condition_has_one_truth_across_attributes() -> None:
    rule = policy("applies_when: {attribute: engine, not_starting_with: aurora}\n" + ON)
    engine = Choice(PROD, "aurora", "mysql")
    assert outcome(rule, thing(engine=engine, flag=Choice(PROD, ABSENT, True))) == "met"
    assert outcome(rule, thing(engine=engine, flag=Choice(PROD, True, ABSENT))) == "gap when var.env is not prod"


def test_values_of_one_subject_exclude_each_other() -> None:
    value = Choice(PROD, Choice(DEV, False, True), True)
    assert outcome(policy(ON), thing(flag=value)) == "met"


def test_an_unknown_is_read_as_what_its_branch_says() -> None:
    rule = policy(
        "require: {any: [{attribute: env, equals: prod, absent: gap}, {attribute: flag, is_true: yes, absent: gap}]}"
    )
    env = Unknown("var.env", subject="|var.env")
    assert outcome(rule, thing(env=env, flag=Choice(PROD, False, True))) == "met"


def test_options_are_branches() -> None:
    assert outcome(policy(ON), thing(flag=Options("Parameters/On", "On", ("true", "false")))) == "gap when On is false"
    assert outcome(policy(ON), thing(flag=Options("Parameters/On", "On", ("true", "True")))) == "met"


def test_a_condition_that_does_not_matter_is_not_named() -> None:
    value = Choice(AllOf((PROD, BIG)), Choice(BIG, False, True), True)
    rule = policy("require: {all: [{attribute: flag, is_true: yes, absent: gap}, {attribute: other, exists: yes}]}")
    other = Choice(Test("|c", True, "c"), 1, 2)
    assert outcome(rule, thing(flag=value, other=other)) == "gap when var.env is prod and length(var.x) > 2"


def test_a_failing_part_settles_it_whatever_the_others_hang_on() -> None:
    rule = policy(
        "require: {all: [{attribute: other, is_true: yes, absent: gap}, {attribute: flag, is_true: yes, absent: gap}]}"
    )
    assert outcome(rule, thing(flag=False, other=Choice(PROD, True, False))) == "gap"


def test_a_conditional_resource_is_judged_where_it_exists() -> None:
    assert outcome(policy(ON), thing(flag=False, exists=PROD)) == "gap when var.env is prod"
    assert outcome(policy(ON), thing(flag=Choice(PROD, True, False), exists=PROD)) == "met"
    assert (
        outcome(policy(ON), thing(flag=Choice(PROD, True, False), exists=Not(PROD))) == "gap when var.env is not prod"
    )
    assert verdicts(policy(ON), thing(flag=False, exists=AllOf((PROD, Not(PROD))))) == []


def test_impossible_branches_are_asked_for() -> None:
    def never_prod(decided: object) -> bool:
        return ("|var.env", "prod", True) not in list(decided)  # type: ignore[call-overload]

    assert outcome(policy(ON), thing(flag=Choice(PROD, False, True)), feasible=never_prod) == "met"


def nested(depth: int, last: bool) -> Choice:
    """A value that hangs on `depth` conditions one after another, and is true unless all of them hold."""
    value: object = last
    for number in range(depth, 0, -1):
        value = Choice(Test(f"|var.v{number}", "x", f"var.v{number}"), value, True)
    assert isinstance(value, Choice)
    return value


def test_a_gap_is_one_however_many_other_branches_there_are() -> None:
    branches = [Choice(Test(f"|var.v{number}", "x", f"var.v{number}"), True, False) for number in range(9)]
    found = outcome(policy("require: {every: {in: flags, where: {attribute: ., is_true: yes}}}"), thing(flags=branches))
    assert found.startswith("gap when var.v0 is ")


def test_where_branches_are_too_many_in_all_few_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srm_checks.policy.evaluate.BUDGET", 20)
    either = "{attribute: flag, is_true: yes, absent: gap}, {attribute: other, is_true: yes, absent: gap}"
    rule = policy(f"require: {{any: [{either}]}}")
    last = Choice(Test("|var.v10", "x", "var.v10"), True, False)
    things = [thing(f"thing.t{number}", flag=nested(10, False), other=last) for number in range(4)]
    found = [(verdict.outcome, verdict.detail) for verdict in verdicts(rule, *things)]
    few = (Outcome.UNKNOWN, "more than 4 branches")
    assert found == [(Outcome.MET, ""), (Outcome.MET, ""), few, few]
    for other in things:
        other.attributes["flag"] = True
    assert {verdict.outcome for verdict in verdicts(rule, *things)} == {Outcome.MET}


def test_more_than_64_branches_are_unknown() -> None:
    # Seven conditions of which each decides by itself need eight scenarios only.
    many = thing(**{f"a{n}": Choice(Test(f"|v{n}", True, f"v{n}"), True, False) for n in range(7)})
    parts = ", ".join(f"{{attribute: a{n}, is_true: yes, absent: gap}}" for n in range(7))
    all_false = " and ".join(f"v{n} is false" for n in range(7))
    assert outcome(policy(f"require: {{any: [{parts}]}}"), many) == f"gap when {all_false}"
    wide = Options("|o", "o", ("true", *(str(n) for n in range(70))))
    assert outcome(policy(ON), thing(flag=wide)) == "unknown (unresolved-value)"


def test_many_branches_of_a_value_that_come_out_alike_are_one() -> None:
    wide = Options("|o", "o", tuple(str(n) for n in range(70)))
    assert outcome(policy(ON), thing(flag=wide)) == "gap"
    assert outcome(policy(ON), thing(flag=Choice(PROD, wide, True))) == "gap when var.env is prod"
    assert outcome(policy("require: {attribute: flag, not_equals: x, absent: gap}"), thing(flag=wide)) == "met"
    rule = policy(
        "require: {all: [{attribute: flag, not_equals: x, absent: gap}, {attribute: other, is_true: yes, absent: gap}]}"
    )
    assert outcome(rule, thing(flag=wide, other=Choice(PROD, True, False))) == "gap when var.env is not prod"
    assert outcome(rule, thing(flag=wide, other=True)) == "met"
    assert outcome(policy("require: {attribute: flag, exists: yes}"), thing(flag=wide)) == "met"


def test_many_branches_of_which_one_is_open_are_unknown() -> None:
    wide = Choice(PROD, Unknown("var.x"), Options("|o", "o", tuple(str(n) for n in range(70))))
    assert outcome(policy("require: {attribute: flag, not_equals: x, absent: gap}"), thing(flag=wide)).startswith(
        "unknown (unresolved-value)"
    )


@pytest.mark.parametrize(
    ("engine", "on", "expected"),
    [
        ("aurora", False, "not-applicable"),
        ("mysql", False, "gap"),
        (Unknown("var.e"), False, "unknown (unresolved-value)"),
        (Unknown("var.e"), True, "met"),
    ],
)
def test_applies_when(engine: object, on: object, expected: str) -> None:
    rule = policy("applies_when: {attribute: engine, not_starting_with: aurora}\n" + ON)
    assert outcome(rule, thing(engine=engine, flag=on)) == expected


@pytest.mark.parametrize(
    ("source", "on", "expected"),
    [
        (ABSENT, False, "gap"),
        ("snap", False, "unknown (provider-default)"),
        ("snap", True, "met"),
        (Unknown("var.s"), False, "unknown (unresolved-value)"),
    ],
)
def test_unknown_when(source: object, on: object, expected: str) -> None:
    rule = policy(ON + "\nunknown_when: [{when: {attribute: source, exists: yes}, cause: provider-default}]")
    assert outcome(rule, thing(source=source, flag=on)) == expected


def test_the_same_element_must_meet_all_conditions() -> None:
    rule = policy(
        "require: {none: {in: rule, where: {all: [{attribute: port, equals: 22}, {attribute: open, is_true: yes}]}}}"
    )
    assert outcome(rule, thing(rule=[{"port": 22, "open": False}, {"port": 80, "open": True}])) == "met"
    assert outcome(rule, thing(rule=[{"port": 80}, {"port": 22, "open": "true"}])) == "gap"
    assert outcome(rule, thing(rule={"port": 22, "open": True})) == "gap"
    assert outcome(rule, thing(rule=[Repeated({"port": 22, "open": True})])) == "unknown (unresolved-value)"
    assert outcome(rule, thing(rule=[Repeated({"port": 80, "open": True})])) == "met"
    assert outcome(rule, thing(rule=Unknown("var.rules"))) == "unknown (unresolved-value)"
    assert outcome(rule, thing()) == "met"
    assert outcome(rule, thing(rule=[Choice(PROD, {"port": 22, "open": True}, ABSENT)])) == "gap when var.env is prod"


def test_evidence_lists_every_failing_element() -> None:
    rule = policy("require: {none: {in: rule, where: {attribute: port, within: [22, 3389]}}}")
    (verdict,) = verdicts(rule, thing(rule=[{"port": 22}, {"port": 80}, {"port": 3389}]))
    assert [entry.path for entry in verdict.evidence] == ["rule.0", "rule.2"]
    assert verdict.paths[0] == ("rule", 0, "port")


def test_every_and_some() -> None:
    every = policy("require: {every: {in: rule, where: {attribute: port, equals: 443}}}")
    some = policy("require: {some: {in: rule, where: {attribute: port, equals: 443}}}")
    assert (
        outcome(every, thing(rule=[{"port": 443}, {"port": 80}])),
        outcome(some, thing(rule=[{"port": 443}, {"port": 80}])),
    ) == ("gap", "met")
    assert (outcome(every, thing(rule=[])), outcome(some, thing(rule=[]))) == ("met", "gap")


PORTS = "require: {not: {port_range: {from: f, to: t, protocol: p}, includes_any: [22]}}"


@pytest.mark.parametrize(
    ("low", "high", "protocol", "expected"),
    [
        (22, 22, "tcp", "gap"),
        (0, 65535, "tcp", "gap"),
        ("20", "25", "6", "gap"),
        (23, 80, "tcp", "met"),
        (0, 0, "-1", "gap"),
        (0, 0, -1, "gap"),
        (8, 0, "icmp", "met"),
        (Unknown("var.f"), 80, "tcp", "unknown (unresolved-value)"),
        (Unknown("var.f"), 21, "tcp", "met"),
        (22, 22, Unknown("var.p"), "unknown (unresolved-value)"),
    ],
)
def test_port_ranges(low: object, high: object, protocol: object, expected: str) -> None:
    assert outcome(policy(PORTS), thing(f=low, t=high, p=protocol)) == expected


# ------------------------------------------------------------------ related resources

BY = "require: {related: {resources: aws_lock, by: thing, missing: gap, every: {attribute: flag, is_true: yes, absent: gap}}}"


def lock(target: str | None, value: object = "x", **attributes: object) -> object:
    references = [(("thing",), Ref(target))] if target else []
    return thing("l", type="aws_lock", references=references, thing=value, **attributes)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], "gap"),
        ([lock("aws_thing.a", flag=True)], "met"),
        ([lock("aws_thing.a", flag=False)], "gap"),
        ([lock("aws_thing.a", flag=Unknown("var.on"))], "unknown (unresolved-value)"),
        ([lock("aws_thing.b", flag=True)], "gap"),
        ([lock(None, Unknown("var.thing"), flag=True)], "unknown (missing-reference)"),
        ([lock(None, "some-name", flag=True)], "gap"),
    ],
)
def test_a_resource_that_refers_here(others: list[object], expected: str) -> None:
    assert outcome(policy(BY), thing("a"), thing("b"), *others) == expected  # type: ignore[arg-type]


def test_instance_keys_tell_resources_apart() -> None:
    mine, other = thing("a", key="x"), thing("a", key="y")
    guard = thing("l", type="aws_lock", references=[(("thing",), Ref("aws_thing.a", "x"))], thing="?", flag=True)
    assert [words(verdict) for verdict in verdicts(policy(BY), mine, other, guard)] == ["met", "gap"]


def test_a_name_can_stand_for_a_reference() -> None:
    rule = policy(BY.replace("missing: gap", "missing: gap, identity: label"))
    assert outcome(rule, thing("a", label="data"), lock(None, "data", flag=True)) == "met"  # type: ignore[arg-type]
    assert outcome(rule, thing("a", label="data"), lock(None, "other", flag=True)) == "gap"  # type: ignore[arg-type]


OPEN_NAME = Unknown("var.name", subject="|var.name")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (thing("b", label=OPEN_NAME), "gap"),
        # It may not be there, or have another name.
        (thing("b", label=OPEN_NAME, exists=PROD), "unknown (missing-reference)"),
        (thing("b", label=Unknown("var.other", subject="|var.other")), "unknown (missing-reference)"),
    ],
    ids=["its-own", "conditional", "another"],
)
def test_what_names_another_resource_does_not_name_this_one(first: Resource, expected: str) -> None:
    rule = policy(BY.replace("missing: gap", "missing: gap, identity: label"))
    guard = lock(None, OPEN_NAME, flag=True)
    found = outcome(rule, thing("a", label="example"), first, guard)  # type: ignore[arg-type]
    assert found.partition(" when ")[0] == expected


def test_a_conditional_related_resource() -> None:
    guard = thing(
        "l", type="aws_lock", references=[(("thing",), Ref("aws_thing.a"))], thing="?", flag=True, exists=PROD
    )
    assert outcome(policy(BY), thing("a"), guard) == "gap when var.env is not prod"
    assert outcome(policy(BY), thing("a", exists=PROD), guard) == "met"


THROUGH = "require: {related: {resources: aws_role, through: role, absent: gap, missing: unknown, some: {attribute: flag, is_true: yes, absent: gap}}}"


@pytest.mark.parametrize(
    ("role", "references", "expected"),
    [
        (ABSENT, [], "gap"),
        (Unknown("aws_role.r.arn"), [(("role",), Ref("aws_role.r"))], "met"),
        (Unknown("var.role"), [], "unknown (missing-reference)"),
        ("arn:aws:iam::1:role/x", [], "unknown (missing-reference)"),
    ],
)
def test_a_resource_that_this_one_refers_to(role: object, references: list[object], expected: str) -> None:
    mine = thing("a", references=references, role=role)  # type: ignore[arg-type]
    assert outcome(policy(THROUGH), mine, thing("r", type="aws_role", flag=True)) == expected


GOOD, BAD = Ref("aws_role.good", None, "arn"), Ref("aws_role.bad", None, "arn")
BOTH = [(("role",), GOOD), (("role",), BAD)]
ROLES = thing("good", type="aws_role", flag=True), thing("bad", type="aws_role", flag=False)


def either(*refs: Ref) -> Unknown:
    text = "element([aws_role.good.arn, aws_role.bad.arn], var.i)"
    return Unknown(text, refs=refs, subject=f"|{text}")


@pytest.mark.parametrize("head", ["some", "every"])
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        pytest.param(either(GOOD), "met", id="the other is mentioned, but the value does not come from it"),
        pytest.param([either(BAD)], "gap", id="in a list"),
        pytest.param(either(GOOD, BAD), "unknown (unresolved-value)", id="one of two that differ"),
        pytest.param(
            [either(GOOD, BAD), either(BAD, GOOD)], "unknown (unresolved-value)", id="one of two that differ, twice"
        ),
    ],
)
def test_a_value_that_comes_from_one_of_several_means_one_of_them(head: str, role: object, expected: str) -> None:
    rule = policy(THROUGH.replace("some", head))
    assert outcome(rule, thing("a", references=BOTH, role=role), *ROLES) == expected


@pytest.mark.parametrize(("head", "expected"), [("some", "met"), ("every", "gap")])
@pytest.mark.parametrize(
    "role",
    [
        pytest.param([either(GOOD), either(BAD)], id="a list of both"),
        pytest.param(replace(either(GOOD, BAD), parts=(None, ",", None)), id="a text with both in it"),
        pytest.param(replace(either(GOOD, BAD), present=True), id="a list that is put together of both"),
        pytest.param(replace(either(GOOD, BAD), subject=""), id="a value of a plan, which tells what is mentioned"),
        pytest.param(Unknown("var.role"), id="a value of which nothing is known"),
    ],
)
def test_a_value_that_means_several_means_all_of_them(head: str, expected: str, role: object) -> None:
    rule = policy(THROUGH.replace("some", head))
    assert outcome(rule, thing("a", references=BOTH, role=role), *ROLES) == expected


def test_an_instance_of_which_the_key_is_open() -> None:
    refs = Ref("aws_role.r", 0), Ref("aws_role.r", 1)
    mine = thing("a", references=[(("role",), Ref("aws_role.r", None, "arn"))], role=either(*refs))
    for first, second, expected in ((True, True, "met"), (False, False, "gap"), (True, False, "unknown")):
        others = (thing("r", type="aws_role", key=at, flag=flag) for at, flag in enumerate((first, second)))
        assert outcome(policy(THROUGH), mine, *others).split(" ")[0] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Unknown("x", refs=(Ref("aws_thing.a"),), present=True), ["met", "gap"], id="it comes from one"),
        pytest.param("a", ["met", "gap"], id="it is what one is called"),
        pytest.param(
            Unknown("x[var.i]", refs=(Ref("aws_thing.a"), Ref("aws_thing.b")), subject="|x[var.i]"),
            ["unknown (unresolved-value)"] * 2,
            id="it comes from one of both",
        ),
        pytest.param(Unknown("x", refs=(Ref("aws_thing.a"), Ref("aws_thing.b"))), ["met"] * 2, id="it comes from both"),
        pytest.param(Unknown("x"), ["met"] * 2, id="it tells nothing"),
        pytest.param(
            Unknown("x", refs=(Ref("aws_thing.a"),), parts=("arn:", None, "/names/b")),
            ["met"] * 2,
            id="a text that has the name of one in it",
        ),
        pytest.param({"known": "a"}, ["met"] * 2, id="it is no text"),
    ],
)
def test_a_resource_that_mentions_several(value: object, expected: list[str]) -> None:
    mentions = [(("thing",), Ref("aws_thing.a", None, "title")), (("thing",), Ref("aws_thing.b", None, "title"))]
    guard = thing("l", type="aws_lock", references=mentions, thing=value, flag=True)
    found = verdicts(policy(BY), thing("a", title="a"), thing("b", title="b"), guard)
    assert [words(verdict) for verdict in found] == expected


def test_one_of_several_counts_only_where_it_would_change_the_answer() -> None:
    value = Unknown("x[var.i]", refs=(Ref("aws_thing.a"), Ref("aws_thing.b")), subject="|x[var.i]")
    mentions = [(("thing",), ref) for ref in value.refs]
    sure = thing("l", type="aws_lock", references=[mentions[0]], thing="?", flag=True)
    for flag, told in ((True, "met"), (False, "unknown (unresolved-value)")):
        picked = thing("o", type="aws_lock", references=mentions, thing=value, flag=flag)
        assert outcome(policy(BY), thing("a"), thing("b"), picked, sure) == told
    closed = thing("o", type="aws_lock", references=mentions, thing=value, flag=False)
    assert outcome(policy(BY), thing("a"), thing("b"), closed) == "gap"


# ------------------------------------------------------------------ absences

TRAIL = "absence: {account_wide: yes, where: {attribute: flag, is_true: yes, absent: gap}, because_of: {terraform: [aws_vm]}}"


def answers(scope: str, rule: Policy, *resources: Resource) -> list[Finding]:
    judged = judge_stack(stack(*resources), [rule], today=datetime.date(2026, 11, 21), scope=scope)
    return settle_absences([judged], [rule], scope)


def settled(scope: str, *resources: Resource, rule: str = TRAIL) -> list[str]:
    return [
        f"{words(finding)}{' absent' if finding.address == ABSENT_ADDRESS else ''}"
        for finding in answers(scope, policy(rule), *resources)
    ]


def test_absences() -> None:
    vm = thing("v", type="aws_vm")
    good, weak, open_ = thing("g", flag=True), thing("w", flag=False), thing("o", flag=Unknown("var.on"))
    assert settled("stack", vm) == ["unknown (other-stack) absent"]
    assert settled("account", vm) == ["gap absent"]
    assert settled("account") == ["not-applicable absent"]
    assert settled("stack", vm, weak) == ["gap"]
    assert settled("stack", vm, weak, good) == ["met"]
    assert settled("account", vm, weak, open_) == ["unknown (unresolved-value)"]
    assert settled("stack", vm, good, weak, thing("h", flag=True)) == ["met", "met"]


def test_a_duty_of_each_one_that_is_declared() -> None:
    each = TRAIL.replace("account_wide: yes", "account_wide: yes, each: yes")
    good, weak, open_ = thing("g", flag=True), thing("w", flag=False), thing("o", flag=Unknown("var.on"))
    found = settled("stack", good, weak, open_, rule=each)
    assert found == ["met", "unknown (unresolved-value)", "gap"]  # by address: g, o, w
    assert settled("account", thing("v", type="aws_vm"), rule=each) == ["gap absent"]


def test_no_gap_and_no_met_that_another_value_of_an_open_variable_would_change() -> None:
    """The property behind all of this, on every operator that reads one attribute."""
    for operator, operand, values in (
        ("equals", "a", ["a", "b"]),
        ("within", ["a"], ["a", "b"]),
        ("starting_with", "a", ["ab", "b"]),
        ("greater_than", 3, [1, 9]),
        ("is_true", True, [True, False]),
        ("contains", "a", [["a"], []]),
        ("exists", True, ["x", ABSENT]),
    ):
        absent = "" if operator == "exists" else ", absent: gap"
        written = "yes" if operand is True else repr(operand)
        rule = policy(f"require: {{attribute: x, {operator}: {written}{absent}}}")
        fates = {outcome(rule, thing(x=value)) for value in values}
        assert fates == {"met", "gap"}
        (verdict,) = verdicts(rule, thing(x=Unknown("var.x")))
        assert verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ({"aws:SourceAccount": "1"}, "met"),
        ({"a": "1"}, "gap"),
        ({"a": "1", "*": Unknown("var.more")}, "unknown (unresolved-value)"),
        ({"aws:SourceAccount": "1", "*": Unknown("var.more")}, "met"),
    ],
)
def test_a_condition_of_a_statement_whose_key_is_open(tests: object, expected: str) -> None:
    rule = policy(
        "require: {every: {statements: policy, where: "
        "{some: {in: Conditions, where: {attribute: Key, equals: aws:sourceaccount}}}}, absent: gap}"
    )
    document = {"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": tests}}]}
    assert outcome(rule, thing(policy=document)) == expected


def test_values_under_keys_that_are_not_known() -> None:
    rule = policy("require: {none: {values_of: env, where: {attribute: ., equals: bad}}}")

    def env(*values: object) -> dict[str, object]:
        return {"*": Unknown("{}", entries=tuple((Unknown(parts=(None, f"_{n}")), v) for n, v in enumerate(values)))}

    assert outcome(rule, thing(env=env("good", Choice(PROD, "good", ABSENT)))) == "met"
    assert outcome(rule, thing(env=env("good", Choice(PROD, "bad", "good")))) == "gap when var.env is prod"
    assert outcome(rule, thing(env=env("good", Unknown("var.x")))) == "unknown (unresolved-value)"


def test_values_of_a_map() -> None:
    rule = policy("require: {none: {values_of: env, where: {attribute: ., equals: bad}}}")
    assert outcome(rule, thing(env={"A": "good", "B": "bad"})) == "gap"
    assert outcome(rule, thing(env={"A": "good"})) == "met"
    assert outcome(rule, thing(env={"A": "good", "*": Unknown("more")})) == "unknown (unresolved-value)"
    assert outcome(rule, thing(env=Unknown("var.env"))) == "unknown (unresolved-value)"
    assert outcome(rule, thing()) == "met"


def test_a_key_with_dots() -> None:
    rule = policy("require: {attribute: settings.a.b, equals: 1, absent: gap}")
    assert outcome(rule, thing(settings={"a.b": 1})) == "met"
    assert outcome(rule, thing(settings={"a": {"b": 1}})) == "met"
    assert outcome(rule, thing(settings={"a": 1})) == "gap"


def test_resources_anywhere_in_the_stack() -> None:
    rule = policy(
        "require: {related: {resources: aws_lock, anywhere: yes, missing: unknown, some: {attribute: flag, is_true: yes, absent: gap}}}"
    )
    assert outcome(rule, thing("a")) == "unknown (other-stack)"
    assert outcome(rule, thing("a"), thing("l", type="aws_lock", flag=True)) == "met"
    assert outcome(rule, thing("a"), thing("l", type="aws_lock", flag=False)) == "gap"


def test_an_absence_leaves_out_what_is_beside_the_point() -> None:
    rule = policy(
        "applies_when: {attribute: kind, equals: trail}\n"
        "absence: {account_wide: yes, where: {attribute: flag, is_true: yes, absent: gap}, because_of: {terraform: [aws_vm]}}"
    )
    resources = [thing("v", type="aws_vm"), thing("x", kind="other", flag=False)]
    assert [(words(finding), finding.resource_type) for finding in answers("account", rule, *resources)] == [
        ("gap", "aws_thing")
    ]


def test_a_fulfiller_under_a_condition_does_not_settle_an_absence() -> None:
    assert settled("stack", thing("v", type="aws_vm"), thing("g", flag=True, exists=PROD)) == [
        "unknown (unresolved-value)"
    ]


def test_a_reference_inside_an_element_is_told_from_that_of_another_element() -> None:
    rule = policy(
        "require: {every: {in: mount, where: {related: {resources: aws_role, through: role, absent: gap, missing: gap, "
        "some: {attribute: flag, is_true: yes, absent: gap}}}}}"
    )
    good, bad = thing("g", type="aws_role", flag=True), thing("b", type="aws_role", flag=False)
    open_value = Unknown("x", present=True)
    mine = thing(
        "a",
        mount=[{"role": open_value}, {"role": open_value}],
        references=[(("mount", 0, "role"), Ref("aws_role.g")), (("mount", 1, "role"), Ref("aws_role.b"))],
    )
    (verdict,) = verdicts(rule, mine, good, bad)
    assert verdict.outcome is Outcome.GAP
    assert [entry.path for entry in verdict.evidence if entry.path.startswith("mount")] == ["mount.1"]


def test_quantifiers_over_blocks_that_are_not_always_there() -> None:
    sometimes, any_number = [Choice(PROD, {"port": 443}, ABSENT)], [Repeated({"port": 443})]
    every = policy("require: {every: {in: rule, where: {attribute: port, equals: 443}}, absent: gap}")
    assert outcome(every, thing(rule=sometimes)) == "gap when var.env is not prod"
    assert outcome(every, thing(rule=any_number)) == "unknown (unresolved-value)"
    assert outcome(every, thing(rule=[{"port": 443}, *any_number])) == "met"
    none = policy("require: {none: {in: rule, where: {attribute: port, equals: 22}}, absent: gap}")
    assert outcome(none, thing(rule=sometimes)) == "gap when var.env is not prod"
    assert outcome(none, thing(rule=any_number)) == "unknown (unresolved-value)"
    some = policy("require: {some: {in: rule, where: {attribute: port, equals: 22}}, absent: met}")
    assert outcome(some, thing(rule=sometimes)) == "gap when var.env is prod"
    assert outcome(some, thing(rule=any_number)) == "unknown (unresolved-value)"
    skipped = policy("require: {every: {in: rule, where: {attribute: port, equals: 22}}, absent: not-applicable}")
    assert outcome(skipped, thing(rule=any_number)) == "unknown (unresolved-value)"
    assert outcome(skipped, thing(rule=sometimes)) == "gap when var.env is prod"


# ------------------------------------------------------------------ tags


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"team": "x"}, "met"),
        ({}, "gap"),
        (Unknown("var.tags", present=True), "unknown (unresolved-value)"),
        ({"*": Unknown("var.tags", present=True)}, "unknown (unresolved-value)"),
        ({"team": "x", "*": Unknown("var.tags")}, "met"),
        ({"team": Choice(PROD, "x", ABSENT)}, "gap when var.env is not prod"),
    ],
)
def test_tags_that_are_there_and_tags_that_may_be(tags: object, expected: str) -> None:
    assert outcome(policy("require: {tag: team, exists: yes}"), thing(tags=tags)) == expected


def test_several_tags_are_one_list() -> None:
    rule = policy("require: {tag: [team, Team], exists: yes}")
    assert outcome(rule, thing(tags={"Team": "x", "*": Unknown("var.tags")})) == "met"
    assert outcome(rule, thing(tags={"*": Unknown("var.tags")})) == "unknown (unresolved-value)"
    assert outcome(rule, thing(tags={"owner": "x"})) == "gap"
    rule = policy("require: {tag: [team, Team], within: [x, y], absent: gap}")
    assert outcome(rule, thing(tags={"team": "x", "Team": "y"})) == "met"
    assert outcome(rule, thing(tags={"team": "x", "Team": "z"})) == "gap"


def test_a_duty_that_no_resource_shows() -> None:
    rule = policy(
        "absence: {account_wide: yes}",
        types="{terraform: {not_expressible: no resource shows it}, cloudformation: {not_expressible: nor here}}",
    )
    (finding,) = answers("account", rule, thing("v", type="aws_vm"))
    assert (words(finding), finding.resource_type, finding.service_model) == (
        "unknown (not-expressible)",
        "account",
        "Control",
    )
    assert finding.message == "A test? No resource shows it (SRM-DAR-900)."
    assert [words(finding) for finding in answers("account", rule)] == ["not-applicable"]


# ------------------------------------------------------------------ related resources and branches


def test_a_reference_counts_in_its_branch_only() -> None:
    """`role = var.env == "prod" ? "x" : aws_role.r.arn`"""
    rule = policy(THROUGH.replace("missing: unknown", "missing: gap"))
    here = Unknown("aws_role.r.arn", refs=(Ref("aws_role.r", None, "arn"),), present=True)
    there = thing("r", type="aws_role", flag=True)
    for role, expected in (
        (Choice(PROD, "x", here), "gap when var.env is prod"),
        (Choice(PROD, Unknown("var.role"), here), "unknown (missing-reference) when var.env is prod"),
        (here, "met"),
    ):
        mine = thing("a", role=role, references=[(("role",), Ref("aws_role.r", None, "arn"))])
        assert outcome(rule, mine, there) == expected


def test_a_known_value_read_from_another_resource_counts_in_its_branch() -> None:
    """`version = var.env == "prod" ? "1.34" : aws_role.r.version`, where that is written out."""
    rule = policy(THROUGH.replace("missing: unknown", "missing: gap"))
    there = thing("r", type="aws_role", flag=True, version="1.33")
    mine = thing("a", role=Choice(PROD, "1.34", "1.33"), references=[(("role",), Ref("aws_role.r", None, "version"))])
    assert outcome(rule, mine, there) == "gap when var.env is prod"
    mine = thing("a", role="v1.33", references=[(("role",), Ref("aws_role.r", None, "version"))])
    assert outcome(rule, mine, there) == "met"


def test_a_resource_that_refers_here_in_one_branch_only() -> None:
    here = Unknown("aws_thing.a.id", refs=(Ref("aws_thing.a", None, "id"),), present=True)
    references = [(("thing",), Ref("aws_thing.a", None, "id"))]
    guard = thing("l", type="aws_lock", thing=Choice(PROD, here, "other"), references=references, flag=True)
    assert outcome(policy(BY), thing("a"), guard) == "gap when var.env is not prod"
    guard = thing("l", type="aws_lock", thing=Choice(PROD, here, Unknown("var.t")), references=references, flag=True)
    assert outcome(policy(BY), thing("a"), guard) == "unknown (missing-reference) when var.env is not prod"
    assert outcome(policy(BY), thing("b"), thing("a"), guard) == "unknown (missing-reference)"


def test_many_strangers_with_choices_of_their_own() -> None:
    def choices(n: int, *values: object) -> Choice:
        return Choice(Test(f"|v{n}", True, f"v{n}"), *values)

    strangers = [
        thing(f"l{n}", type="aws_lock", thing=Unknown(f"var.t{n}"), flag=choices(n, True, False)) for n in range(20)
    ]
    assert outcome(policy(BY), thing("a"), *strangers) == "unknown (missing-reference)"
    (verdict,) = verdicts(policy(BY), thing("a"), *strangers)
    assert verdict.detail == "aws_lock.l0 may refer to it"
    elsewhere = [
        thing(f"l{n}", type="aws_lock", thing=choices(n, f"b{n}", f"c{n}"), flag=choices(n, True, False))
        for n in range(20)
    ]
    named = policy(BY.replace("missing: gap", "missing: gap, identity: label"))
    assert outcome(policy(BY), thing("a"), *elsewhere) == "gap"
    assert outcome(named, thing("a", label="a"), *elsewhere) == "gap"
    meant = thing("l", type="aws_lock", thing=Choice(PROD, "a", "b"), flag=True)
    assert outcome(named, thing("a", label="a"), *elsewhere, meant) == "gap when var.env is not prod"


def test_a_reference_to_what_is_not_in_view_means_nothing_in_view() -> None:
    elsewhere = Unknown("aws_thing.gone.id", Cause.MISSING_REFERENCE, (Ref("aws_thing.gone", None, "id"),))
    looked_up = Unknown("data.aws_thing.gone.id", Cause.MISSING_REFERENCE, (Ref("data.aws_thing.gone", None, "id"),))
    partly = Unknown("${var.x}-${aws_thing.gone.id}", Cause.MISSING_REFERENCE, elsewhere.refs, parts=(None, "-", None))
    for value, expected in (
        (elsewhere, "gap"),
        (looked_up, "unknown (missing-reference)"),
        (partly, "unknown (missing-reference)"),
    ):
        guard = thing(
            "l", type="aws_lock", thing=value, references=[(("thing",), ref) for ref in value.refs], flag=True
        )
        assert outcome(policy(BY), thing("a"), guard) == expected
        assert outcome(policy(BY), thing("a"), thing("l", type="aws_lock", thing=[value], flag=True)) == expected


def test_the_same_reference_as_another_one_has() -> None:
    """`identity` may be any attribute: here both have the same role."""
    role = Unknown("aws_role.r.arn", refs=(Ref("aws_role.r", None, "arn"),), present=True, subject="aws_role.r.arn")
    rule = policy(
        "require: {related: {resources: aws_thing, through: role, identity: other, absent: met, missing: met, "
        "none: {outcome: met}}}"
    )
    assert outcome(rule, thing("a", role=role, other=role), thing("r", type="aws_role")) == "gap"
