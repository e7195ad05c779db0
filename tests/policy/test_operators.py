"""Each operator against a plain Python reference, and what it makes of unknowns."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srm_checks.model import ABSENT, Cause, Choice, Encoded, Ref, Repeated, Test, Unknown
from srm_checks.policy.operands import OperandError
from srm_checks.policy.operators import OPERATORS
from tests.policy.making import outcome, policy, thing

words = st.text(alphabet="ab-_/.:*", max_size=6)
scalars = st.one_of(words, st.integers(-5, 5), st.booleans())


def same(left: Any, right: Any) -> bool:
    """What the two languages call equal: text and number or boolean of one look."""
    return (
        str(left).lower() == str(right).lower()
        if isinstance(left, bool) or isinstance(right, bool)
        else str(left) == str(right)
    )


def judge(operator: str, operand: Any, value: Any, absent: str = "gap") -> str:
    rule = policy(
        f"require: {{attribute: x, {operator}: {operand!r}, absent: {absent}}}\n".replace("True", "true").replace(
            "False", "false"
        )
    )
    return outcome(rule, thing(x=value))


def yes(holds: bool) -> str:
    return "met" if holds else "gap"


ONE_VALUE: list[tuple[str, Any, Callable[[Any, Any], bool]]] = [
    ("equals", words.filter(bool), same),
    ("equals", st.integers(-5, 5), same),
    ("equals_ignore_case", words.filter(bool), lambda v, o: str(v).lower() == str(o).lower()),
    ("within", st.lists(st.integers(-5, 5), min_size=1, max_size=3), lambda v, o: any(same(v, item) for item in o)),
    (
        "starting_with",
        words.filter(bool),
        lambda v, o: ("true" if v is True else "false" if v is False else str(v)).startswith(o) or str(v).startswith(o),
    ),
    ("ending_with", words.filter(bool), lambda v, o: str(v).endswith(o)),
    ("containing_text", words.filter(bool), lambda v, o: o in str(v)),
]


@pytest.mark.parametrize(("name", "operands", "reference"), ONE_VALUE, ids=[entry[0] for entry in ONE_VALUE])
def test_operators_on_one_value_and_their_opposites(
    name: str, operands: Any, reference: Callable[[Any, Any], bool]
) -> None:
    @given(operands, scalars)
    def run(operand: Any, value: Any) -> None:
        expected = reference(value, operand)
        assert judge(name, operand, value) == yes(expected)
        opposite = next(op.name for op in OPERATORS.values() if op.negates == name)
        assert judge(opposite, operand, value) == yes(not expected)

    run()


@given(st.integers(-9, 9), st.one_of(st.integers(-9, 9), st.integers(-9, 9).map(str)))
def test_numbers_also_as_text(limit: int, value: Any) -> None:
    number = int(value)
    assert judge("greater_than", limit, value) == yes(number > limit)
    assert judge("greater_than_or_equal", limit, value) == yes(number >= limit)
    assert judge("less_than", limit, value) == yes(number < limit)
    assert judge("less_than_or_equal", limit, value) == yes(number <= limit)


small_lists = st.lists(st.sampled_from(["a", "b", "c", "*"]), max_size=4)


@given(small_lists, st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=2))
def test_lists_as_sets(value: list[str], operand: list[str]) -> None:
    rule_absent = "gap"
    assert judge("contains", operand, value, rule_absent) == yes(set(operand) <= set(value))
    assert judge("intersects", operand, value, rule_absent) == yes(bool(set(operand) & set(value)))
    assert judge("subset", operand, value, rule_absent) == yes(set(value) <= set(operand))
    assert judge("length_equals", 2, value) == yes(len(value) == 2)
    assert judge("length_greater_than", 2, value) == yes(len(value) > 2)
    assert judge("length_less_than_or_equal", 2, value) == yes(len(value) <= 2)
    assert judge("is_empty", True, value) == yes(not value)


@given(st.lists(st.one_of(st.sampled_from(["a", "b"]), st.just(None)), max_size=4), st.sampled_from(["a", "b"]))
def test_unknown_elements_follow_every_way_they_can_turn_out(value: list[str | None], item: str) -> None:
    """None stands for an element that is not known; it may be a, b or something else."""
    elements = [Unknown("var.x") if entry is None else entry for entry in value]
    certain = item in value
    open_ = None in value
    expected = "met" if certain else "unknown (unresolved-value)" if open_ else "gap"
    assert judge("contains", item, elements) == expected
    only_item = all(entry in (item, None) for entry in value)
    assert judge("subset", [item], elements) == (
        "gap" if not only_item else "unknown (unresolved-value)" if open_ else "met"
    )


def test_a_list_of_unknown_length() -> None:
    assert judge("contains", "a", [Repeated(Unknown("var.l"))]) == "unknown (unresolved-value)"
    assert judge("contains", "a", ["a", Repeated(Unknown("var.l"))]) == "met"
    assert judge("contains", "a", ["b", Repeated("c")]) == "gap"
    assert judge("length_greater_than_or_equal", 1, ["b", Repeated("c")]) == "met"
    assert judge("length_less_than", 3, ["b", Repeated("c")]) == "unknown (unresolved-value)"
    assert judge("length_less_than", 1, ["b", Repeated("c")]) == "gap"
    assert judge("is_empty", True, [Repeated("c")]) == "unknown (unresolved-value)"


addresses = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(lambda p: str(ipaddress.IPv4Network(p, strict=False))),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
        lambda p: str(ipaddress.IPv6Network(p, strict=False))
    ),
)


@given(addresses, addresses)
def test_cidr_blocks(value: str, operand: str) -> None:
    ours, theirs = ipaddress.ip_network(value), ipaddress.ip_network(operand)
    alike = ours.version == theirs.version
    assert judge("cidr_intersects", operand, value) == yes(alike and ours.overlaps(theirs))
    assert judge("cidr_range_subset", operand, value) == yes(alike and ours.subnet_of(theirs))  # type: ignore[arg-type]
    assert judge("cidr_covers", operand, value) == yes(alike and theirs.subnet_of(ours))  # type: ignore[arg-type]


def test_cidr_lists() -> None:
    assert judge("cidr_covers", "0.0.0.0/0", ["10.0.0.0/8", "0.0.0.0/0"]) == "met"
    assert judge("cidr_range_subset", "10.0.0.0/8", ["10.1.0.0/16", "0.0.0.0/0"]) == "gap"
    assert judge("cidr_covers", "0.0.0.0/0", ["10.0.0.0/8", Unknown("var.c")]) == "unknown (unresolved-value)"
    assert judge("cidr_covers", "0.0.0.0/0", ["no address"]) == "unknown (unresolved-value)"
    assert judge("not_cidr_covers", "0.0.0.0/0", ["10.0.0.0/8"]) == "met"


def test_an_open_block_of_known_size_or_pattern() -> None:
    one_address = Unknown("${var.ip}/32", parts=(None, "/32"), present=True)
    assert judge("cidr_covers", "0.0.0.0/0", [one_address]) == "gap"
    assert judge("cidr_covers", "10.0.0.1/32", [one_address]) == "unknown (unresolved-value)"
    rule = policy("require: {attribute: x, not_cidr_covers: '0.0.0.0/0', absent: gap}")
    open_block = Unknown("Range", subject="Parameters/Range")
    assert outcome(rule, thing(x=open_block)) == "unknown (unresolved-value)"
    assert outcome(rule, thing(x=open_block), feasible=lambda decided: False) == "met"


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [("1.2", "1.2", "met"), ("1.3", "1.2", "met"), ("1.1", "1.2", "gap"), ("10.0", "9.6", "met"), ("8.0.35-log", "8.0", "met"),
     ("8", "8.0", "met"), ("v1.30", "1.29", "met"), ("latest", "1.2", "unknown (unresolved-value)")],
)  # fmt: skip
def test_versions(value: str, limit: str, expected: str) -> None:
    assert judge("version_at_least", limit, value) == expected


@pytest.mark.parametrize(
    ("patterns", "action", "expected"),
    [(["s3:*"], "s3:GetObject", True), (["*"], "s3:GetObject", True), (["S3:Get*"], "s3:getobject", True), (["s3:Get?bject"], "s3:GetObject", True),
     (["s3:Put*"], "s3:GetObject", False), ("iam:PassRole", "iam:PassRole", True), (["iam:*Role"], "iam:PassRoles", False)],
)  # fmt: skip
def test_iam_actions(patterns: Any, action: str, expected: bool) -> None:
    assert judge("action_matches", action, patterns) == yes(expected)


@pytest.mark.parametrize(
    ("operator", "operand", "parts", "expected"),
    [
        ("equals", "*", ("arn:", None), "gap"),
        ("equals", "arn:x", ("arn:", None), "unknown (unresolved-value)"),
        ("not_equals", "*", ("arn:", None), "met"),
        ("within", ["a", "b"], (None, "-x"), "gap"),
        ("starting_with", "arn:", ("arn:aws:", None), "met"),
        ("starting_with", "arn:aws:s3", ("arn:", None), "unknown (unresolved-value)"),
        ("starting_with", "http:", ("arn:", None), "gap"),
        ("not_starting_with", "http:", ("arn:", None), "met"),
        ("ending_with", "/*", (None, "/*"), "met"),
        ("ending_with", "/*", (None, "/x"), "gap"),
        ("containing_text", ":role/", ("arn:aws:iam::", None, ":role/", None), "met"),
        ("is_true", True, ("x-", None), "gap"),
        ("is_false", True, ("x-", None), "unknown (unresolved-value)"),
        ("within", [], None, "gap"),
        ("not_within", [], None, "met"),
    ],
)
def test_a_text_of_which_pieces_are_known(operator: str, operand: Any, parts: Any, expected: str) -> None:
    assert judge(operator, operand, Unknown("...", parts=parts, present=True)) == expected


ARN = Unknown("aws_x.y.arn", refs=(Ref("aws_x.y", None, "arn"),), parts=("arn:", None), subject='aws_x.y["a"].arn')
GET_ATT = Unknown("!GetAtt Y.Arn", refs=(Ref("Y", None, "Arn"),), parts=("arn:", None), subject="!GetAtt Y.Arn")
PIECED = Unknown('"arn:${aws_x.y.arn}"', refs=(Ref("aws_x.y", None, "arn"),), parts=("arn:", None), subject="arn:?")


@pytest.mark.parametrize("value", [ARN, GET_ATT], ids=["terraform", "cloudformation"])
def test_the_arn_of_one_resource_is_no_pattern(value: Unknown) -> None:
    assert judge("intersects", ["*", "arn:*", "arn:aws:*"], [value]) == "gap"
    assert judge("ending_with", ":key/*", value) == "gap"
    assert judge("not_equals", "arn:*", value) == "met"
    assert judge("ending_with", ["/*", "/x"], value) == "unknown (unresolved-value)"
    assert judge("equals", "arn:aws:s3:::x", value) == "unknown (unresolved-value)"


def test_a_text_with_an_arn_in_it_may_be_a_pattern() -> None:
    assert judge("intersects", ["arn:*"], [PIECED]) == "unknown (unresolved-value)"
    assert judge("ending_with", "*", PIECED) == "unknown (unresolved-value)"


def test_lists_know_what_a_text_with_holes_cannot_be() -> None:
    open_arn = Unknown("aws_s3_bucket.b.arn", parts=("arn:", None), present=True)
    assert judge("contains", "*", [open_arn]) == "gap"
    assert judge("contains", "*", [open_arn, Unknown("var.x")]) == "unknown (unresolved-value)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "met"), ("true", "met"), ("True", "met"), (1, "met"), (False, "gap"), ("false", "gap"), ("yes, please", "gap"), (ABSENT, "gap"),
     (Unknown("var.x"), "unknown (unresolved-value)"), (Unknown("x", cause=Cause.OTHER_STACK), "unknown (other-stack)"), (["true"], "met"), ([True, False], "gap")],
)  # fmt: skip
def test_is_true(value: Any, expected: str) -> None:
    assert judge("is_true", True, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(False, "met"), ("False", "met"), (0, "met"), (True, "gap"), ("true", "gap"), ("k", "unknown (unresolved-value)")],
)
def test_is_false(value: Any, expected: str) -> None:
    assert judge("is_false", True, value) == expected


@pytest.mark.parametrize("value", [["a"], [], [Unknown("var.x")], Unknown("var.x")], ids=repr)
def test_no_operand_at_all(value: Any) -> None:
    assert judge("contains", [], value) == "met"
    assert judge("intersects", [], value) == "gap"


@pytest.mark.parametrize(
    ("value", "exists"),
    [("x", "met"), ("", "met"), (False, "met"), (ABSENT, "gap"), ([], "gap"), (Unknown("var.x"), "unknown (unresolved-value)"), (Unknown("x.arn", present=True), "met")],
)  # fmt: skip
def test_presence(value: Any, exists: str) -> None:
    assert outcome(policy("require: {attribute: x, exists: yes}"), thing(x=value)) == exists
    opposite = {"met": "gap", "gap": "met"}.get(exists, exists)
    assert outcome(policy("require: {attribute: x, not_exists: yes}"), thing(x=value)) == opposite


def test_encoded_json_is_text_to_text_operators() -> None:
    assert judge("starting_with", "{", Encoded({"a": 1})) == "met"


@pytest.mark.parametrize("operator", ["has_no_secret", "is_no_literal_secret"])
def test_one_open_value_leaves_the_rest_of_a_json_text_readable(operator: str) -> None:
    generated = Unknown("random_password.p.result", refs=(Ref("random_password.p"),))
    assert judge(operator, True, Encoded({"user": "shop", "password": generated})) == "met"
    assert judge(operator, True, Encoded({"password": "hunter2", "host": generated})) == "gap"
    assert judge(operator, True, Encoded({"password": Unknown("var.p")})) == "unknown (unresolved-value)"


@pytest.mark.parametrize(
    ("absent", "expected"),
    [("gap", "gap"), ("met", "met"), ("unknown", "unknown (provider-default)"), ("not-applicable", "not-applicable")],
)
def test_absent_means_what_the_policy_says(absent: str, expected: str) -> None:
    rule = policy(f"require: {{attribute: x, equals: never, absent: {absent}}}")
    assert outcome(rule, thing()) == expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*b", r"(a|b)*c*(d*)*", r"(\w+)\1"])
def test_regular_expressions_that_can_blow_up_are_refused(pattern: str) -> None:
    with pytest.raises(OperandError):
        OPERATORS["regex_match"].prepare(pattern)


def test_regex_match_is_anchored_at_the_start() -> None:
    assert judge("regex_match", "ELBSecurityPolicy-TLS13", "ELBSecurityPolicy-TLS13-1-2") == "met"
    assert judge("regex_match", "TLS13", "ELBSecurityPolicy-TLS13") == "gap"


@pytest.mark.parametrize(
    ("version", "warn", "expected"),
    [("python3.8", 0, "gap"), ("python3.13", 0, "met"), ("python99", 0, "unknown (unresolved-value)")],
)
def test_support_dates(version: str, warn: int, expected: str) -> None:
    rule = policy(f"require: {{attribute: x, in_support: {{product: lambda-runtime, warn_days: {warn}}}, absent: gap}}")
    assert outcome(rule, thing(x=version)) == expected


NAMED = "{product: os-ubuntu, pattern: 'ubuntu[^0-9]*(\\d\\d\\.\\d\\d)'%s}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*", "gap"),
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "met"),
        ("ubuntu-99.04", "unknown (unresolved-value)"),
        ("acme-base-1", "unknown (unresolved-value)"),
        (["ubuntu-24.04-a", "ubuntu-20.04-a"], "gap"),
        (Unknown("x", parts=("ubuntu-focal-20.04-", None, "-server"), present=True), "gap"),
        (Unknown("x", parts=("ubuntu-", None, "-amd64"), present=True), "unknown (unresolved-value)"),
        (Unknown("x", parts=("ubuntu-20.04", None), present=True), "unknown (unresolved-value)"),
        (Unknown("{{resolve:ssm:/canonical/ubuntu/server/20.04/stable}}", present=True), "gap"),
        (Unknown("Image, read from /canonical/ubuntu/server/24.04/stable", present=True), "met"),
        (Unknown("var.ubuntu_20.04"), "unknown (unresolved-value)"),
    ],
)
def test_a_version_inside_a_longer_text(value: Any, expected: str) -> None:
    assert (
        outcome(policy(f"require: {{attribute: x, in_support: {NAMED % ''}, absent: gap}}"), thing(x=value)) == expected
    )


def test_a_text_that_names_no_version() -> None:
    rule = policy(f"require: {{attribute: x, in_support: {NAMED % ', no_match: not-applicable'}, absent: gap}}")
    assert outcome(rule, thing(x="acme-base-1")) == "not-applicable"
    assert outcome(rule, thing(x="ubuntu-20.04")) == "gap"
    assert outcome(rule, thing(x=Unknown("Image, read from /acme/image", present=True))) == "not-applicable"
    assert outcome(rule, thing(x=Unknown("var.x"))) == "unknown (unresolved-value)"
    for wrong in (
        {"product": "os-ubuntu", "pattern": "no group"},
        {"product": "os-ubuntu", "pattern": "(two)(groups)"},
        {"product": "os-ubuntu", "no_match": "met"},
        {"product": "os-ubuntu", "pattern": "(x)", "no_match": "maybe"},
    ):
        with pytest.raises(OperandError):
            OPERATORS["in_support"].prepare(wrong)


def test_every_operator_has_a_text_for_the_reference() -> None:
    assert [operator.name for operator in OPERATORS.values() if not operator.doc] == []


PROD = Test("|var.stage", "prod", "var.stage")
SOMETIMES = [Choice(PROD, {"on": True}, ABSENT)]
ANY_NUMBER = [Repeated({"on": True})]


@pytest.mark.parametrize(
    ("value", "exists"),
    [
        (SOMETIMES, "gap when var.stage is not prod"),
        ([Choice(PROD, {"on": True}, ABSENT), Choice(PROD, ABSENT, {"on": False})], "met"),
        ([{"on": True}, Choice(PROD, {"on": True}, ABSENT)], "met"),
        ([Choice(PROD, {"on": True}, {"on": False})], "met"),
        (ANY_NUMBER, "unknown (unresolved-value)"),
        ([{"on": True}, Repeated({"on": True})], "met"),
        (Choice(PROD, [], [{"on": True}]), "gap when var.stage is prod"),
    ],
)
def test_presence_of_blocks_that_are_not_always_there(value: Any, exists: str) -> None:
    assert outcome(policy("require: {attribute: x, exists: yes}"), thing(x=value)) == exists


def test_absence_of_blocks_that_are_not_always_there() -> None:
    rule = policy("require: {attribute: x, not_exists: yes}")
    assert outcome(rule, thing(x=SOMETIMES)) == "gap when var.stage is prod"
    assert outcome(rule, thing(x=ANY_NUMBER)) == "unknown (unresolved-value)"
    assert outcome(policy("require: {attribute: x, is_empty: yes, absent: met}"), thing(x=SOMETIMES)) == (
        "gap when var.stage is prod"
    )
    assert outcome(policy("require: {attribute: x, length_equals: 1, absent: gap}"), thing(x=SOMETIMES)) == (
        "gap when var.stage is not prod"
    )


def test_what_stands_in_a_block_that_may_not_be_there_may_be_absent() -> None:
    key = Unknown("aws_kms_key.k.arn", present=True, parts=("arn:", None))
    blocks = [Repeated({"key": key})]
    assert outcome(policy("require: {attribute: x.key, exists: yes}"), thing(x=blocks)) == "unknown (unresolved-value)"
    assert outcome(policy("require: {attribute: x.other, exists: yes}"), thing(x=blocks)) == "gap"
    rule = policy("require: {attribute: x.key, starting_with: 'arn:', absent: gap}")
    assert outcome(rule, thing(x=blocks)) == "unknown (unresolved-value)"


@pytest.mark.parametrize(
    ("absent", "expected"),
    [("gap", "unknown (unresolved-value)"), ("met", "met"), ("not-applicable", "met")],
)
def test_elements_that_may_all_not_be_there(absent: str, expected: str) -> None:
    assert outcome(policy(f"require: {{attribute: x, equals: a, absent: {absent}}}"), thing(x=[Repeated("a")])) == (
        expected
    )


def test_several_attributes_of_which_one_may_be_absent() -> None:
    rule = policy("require: {attribute: [x, y], exists: yes}")
    assert outcome(rule, thing(x=Unknown("var.x"))) == "unknown (unresolved-value)"
    assert outcome(rule, thing(x=Unknown("var.x"), y="set")) == "met"
    assert outcome(rule, thing(x=Unknown("a.b.arn", present=True))) == "met"


def test_maps_that_are_empty_or_may_be() -> None:
    rule = policy("require: {attribute: x, is_empty: yes, absent: met}")
    assert outcome(rule, thing(x={})) == "met"
    assert outcome(rule, thing(x={"a": 1, "*": Unknown("var.x")})) == "gap"
    assert outcome(rule, thing(x={"*": Unknown("var.x")})) == "unknown (unresolved-value)"
    assert outcome(rule, thing(x={"a": Choice(PROD, 1, ABSENT)})) == "gap when var.stage is prod"
    assert outcome(rule, thing(x=Unknown("${var.x}", parts=(None,)))) == "unknown (unresolved-value)"
    assert outcome(rule, thing(x=Unknown("${var.x}-a", parts=(None, "-a")))) == "gap"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aws_kms_key.k.arn", "met"),
        ("aws_kms_key.k.id", "gap"),
        ("(known after apply, from aws_kms_key.k.arn)", "met"),
        ("(known after apply, from aws_kms_key.k.id)", "gap"),
        ("(known after apply)", "unknown (unresolved-value)"),
        ("(known after apply).Resource", "unknown (unresolved-value)"),
    ],
)
def test_an_expression_that_a_plan_does_not_show(text: str, expected: str) -> None:
    assert judge("expression_contains", ".arn", Unknown(text)) == expected


def test_a_statement_of_an_open_document_has_not_the_references_of_the_whole() -> None:
    document = Unknown("aws_kms_key.k.arn", refs=(Ref("aws_kms_key.k", None, "arn"),), present=True)
    starred = policy("""
        require:
          none:
            statements: value
            where: {some: {in: Resource, where: {attribute: ., is_no_reference: yes}}}
        """)
    assert outcome(starred, thing(value=document)) == "unknown (unresolved-value)"
