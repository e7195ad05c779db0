"""Strict loading: each mistake with file, line, column and a suggestion."""

from __future__ import annotations

import pytest

from srm_checks.errors import PackError
from srm_checks.policy.source import parse
from tests.policy.making import policy

GOOD = "require: {attribute: flag, is_true: yes, absent: gap}\n"


def mistakes(body: str, **options: object) -> list[str]:
    with pytest.raises(PackError) as caught:
        policy(body, **options)  # type: ignore[arg-type]
    return caught.value.problems


def test_a_good_policy_loads() -> None:
    assert policy(GOOD).id == "SRM-DAR-900"


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("require: {attribute: flag, is_tru: yes, absent: gap}", "12:28", "unknown operator 'is_tru'; did you mean 'is_true'?"),
        ("require: {attribute: flag, is_true: yes}", "12:1", "must say what it means that the attribute is absent"),
        ("require: {attribute: flag, is_true: yes, absent: gup}", "12:42", "unknown outcome 'gup'; did you mean 'gap'?"),
        ("require: {attribute: flag, is_true: no, absent: gap}", "12:28", "takes `yes` only"),
        ("require: {attribute: flag, greater_than: many, absent: gap}", "12:28", "takes a number"),
        ("require: {attribute: flag, within: x, absent: gap}", "12:28", "takes a list"),
        ("require: {attribute: flag, regex_match: '(a+)+', absent: gap}", "12:28", "cannot take very long to match"),
        ("require: {attribute: flag, cidr_covers: '10.0.0.0/33', absent: gap}", "12:28", "CIDR"),
        ("require: {al: []}", "12:11", "unknown condition 'al'; did you mean 'all'?"),
        ("require: {all: []}", "12:11", "takes a list of conditions"),
        ("require: {all: [{attribute: a, exists: yes}], any: []}", "12:47", "cannot stand in one condition"),
        ("require: {none: {in: rules}}", "12:11", "where: CONDITION"),
        ("require: {outcome: met}", "12:1", "can never be anything but met"),
        ("require: {attribute: a, exists: yes, absent: met}", "12:1", "can never be anything but met"),
        (GOOD + "severty: high", "13:1", "unknown key 'severty'; did you mean 'severity'?"),
        (GOOD + "unknown_when: [{when: {attribute: a, exists: yes}, cause: dunno}]", "13:52", "unknown cause 'dunno'"),
        (GOOD + "parameters: {days: {type: integer, default: x, description: d}}", "13:14", "is no integer"),
        (GOOD + "parameters: {days: {type: integer, default: 1, description: d}}", "13:14", "no condition reads the parameter 'days'"),
        ("require: {attribute: a, equals: {parameter: dys}, absent: gap}", "12:34", "unknown parameter 'dys'"),
        ("require: {case: {cloudformation: {outcome: gap}}}", "12:11", "says nothing for aws_thing"),
        ("require: {related: {resources: aws_x, missing: gap}}", "12:11", "takes one of `by`"),
        ("applies_when: {attribute: x, equals: 1, absent: not-applicable}\n" + GOOD, "12:41", "has a meaning in `require` only"),
        ("require: {attribute: a, exists: yes}\nabsence: {}", "1:1", "either `require`"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place_and_a_remedy(body: str, place: str, words: str) -> None:
    found = mistakes(body)
    assert any(problem.startswith(f"policy.yaml:{place}: ") and words in problem for problem in found), found


def test_several_mistakes_are_told_at_once() -> None:
    assert (
        len(mistakes("require: {all: [{attribute: a, equal: 1, absent: gap}, {attribute: b, equals: 1, absent: gp}]}"))
        == 2
    )


def test_an_attribute_that_the_type_does_not_have() -> None:
    (problem,) = mistakes(
        "require: {attribute: storage_encryptd, is_true: yes, absent: gap}",
        types="{terraform: aws_db_instance, cloudformation: {not_expressible: not here}}",
    )
    assert "unknown attribute of aws_db_instance: 'storage_encryptd'; did you mean 'storage_encrypted'?" in problem


def test_a_property_that_the_type_does_not_have() -> None:
    (problem,) = mistakes(
        "require: {attribute: storage_encryptd, is_true: yes, absent: gap}",
        types='{terraform: {not_expressible: not here}, cloudformation: "AWS::RDS::DBInstance"}',
    )
    assert "unknown attribute of AWS::RDS::DBInstance: 'StorageEncryptd'; did you mean 'StorageEncrypted'?" in problem


def test_the_id_must_fit_the_domain_and_the_prefix() -> None:
    assert "this pack's ids begin with ACME-" in mistakes(GOOD, prefix="ACME")[0]


def test_both_languages_must_be_spoken_of() -> None:
    assert "says nothing of cloudformation" in mistakes(GOOD, types="{terraform: aws_thing}")[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "f.yaml:2:1: not valid YAML"),
        ("a: 1\na: 2", "f.yaml:2:1: key 'a' stands twice"),
        ("- a", "must hold a mapping"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: not valid YAML"),
        ("", "must hold a mapping"),
        ("a: &x [*x]", "nested too deeply"),
    ],
)
def test_yaml_that_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(PackError) as caught:
        parse("f.yaml", text)
    assert message in str(caught.value)


def test_undeclared_gap_tightens_absence() -> None:
    from tests.policy.making import outcome, thing

    body = "require: {attribute: flag, is_true: yes, absent: met}"
    assert outcome(policy(body), thing()) == "met"
    assert outcome(policy(body, undeclared_is_gap=True), thing()) == "gap"


def test_a_policy_with_nothing_to_judge() -> None:
    nowhere = "{terraform: {not_expressible: not here}, cloudformation: {not_expressible: nor here}}"
    assert any("names no type to judge" in text for text in mistakes(GOOD, types=nowhere))
