"""Fn::ForEach: known collections are unrolled, open ones leave their variable open; nothing is invented."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srm_checks.model import AllOf, AnyOf, Not, Ref, Stack, Test, Unknown

HEAD = "Transform: AWS::LanguageExtensions\n"


def test_literal_collection(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Resources:
  Fn::ForEach::Buckets:
    - Name
    - [logs-a, b]
    - Bucket&{Name}:
        Type: AWS::S3::Bucket
        DependsOn: Topic&{Name}
        Properties:
          BucketName: !Ref Name
          Text: !Sub "${Name}-x"
          Peer: !GetAtt Topic&{Name}.Arn
      Topic&{Name}: {Type: AWS::SNS::Topic}
"""
    )
    assert stack.errors == []
    buckets = {r.address: r for r in stack.resources if r.type == "AWS::S3::Bucket"}
    assert set(buckets) == {"Bucketlogsa", "Bucketb"}
    assert buckets["Bucketlogsa"].attributes["BucketName"] == "logs-a"
    assert buckets["Bucketlogsa"].attributes["Text"] == "logs-a-x"
    assert buckets["Bucketlogsa"].references == (
        (("Peer",), Ref("Topiclogsa", None, "Arn")),
        (("DependsOn",), Ref("Topiclogsa")),
    )
    assert {(r.block.start_line, r.exists) for r in buckets.values()} == {(6, True)}


def test_collection_from_a_parameter(load_text: Callable[..., Stack]) -> None:
    text = (
        HEAD
        + """\
Parameters: {Names: {Type: CommaDelimitedList, Default: "a,b"}}
Resources:
  Fn::ForEach::B: [N, !Ref Names, {"B${N}": {Type: AWS::S3::Bucket}}]
"""
    )
    assert [r.address for r in load_text(text).resources] == ["Ba", "Bb"]
    assert [r.address for r in load_text(text, Names="x,y,z").resources] == ["Bx", "By", "Bz"]


def test_open_collection_gives_its_body_once_with_an_open_variable(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::B:
    - N
    - !Ref Names
    - B${N}:
        Type: AWS::S3::Bucket
        Properties: {BucketName: !Sub "x-${N}", Encrypted: false}
"""
    )
    (resource,) = stack.resources
    assert resource.address == "B${N}"
    assert resource.exists == Test("!Ref Names|B", True, "!Ref Names is not empty")
    assert resource.attributes["Encrypted"] is False
    assert resource.attributes["BucketName"].parts == ("x-", None)


def test_collection_that_depends_on_a_condition(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {Env: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Env, prod]}
Resources:
  Fn::ForEach::B: [N, [a, !If [IsProd, b, !Ref AWS::NoValue]], {"B${N}": {Type: AWS::S3::Bucket}}]
"""
    )
    prod = Test("Parameters/Env", "prod", "Env")
    assert [(r.address, r.exists) for r in stack.resources] == [("Ba", True), ("Bb", prod)]


def test_open_elements_share_one_body(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {A: {Type: String}, B: {Type: String}}
Resources:
  Fn::ForEach::B: [N, [!Ref A, x, !Ref B], {"B${N}": {Type: AWS::S3::Bucket}}]
"""
    )
    assert stack.errors == []
    assert [(r.address, r.exists) for r in stack.resources] == [("B${N}", True), ("Bx", True)]


def test_collection_that_depends_on_two_conditions(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {P: {Type: String}, Q: {Type: String}}
Conditions: {C: !Equals [!Ref P, x], D: !Equals [!Ref Q, x]}
Resources:
  Fn::ForEach::B: [N, !If [C, !If [D, [a], [b]], [a]], {"B${N}": {Type: AWS::S3::Bucket}}]
"""
    )
    c, d = Test("Parameters/P", "x", "P"), Test("Parameters/Q", "x", "Q")
    assert [(r.address, r.exists) for r in stack.resources] == [
        ("Ba", AnyOf((AllOf((c, d)), Not(c)))),
        ("Bb", AllOf((c, Not(d)))),
    ]


def test_open_values_of_two_loops_are_not_the_same(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::A: [N, !Ref Names, {"A${N}": {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "x-${N}"}}}]
  Fn::ForEach::B: [N, !Ref Names, {"B${N}": {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "x-${N}"}}}]
"""
    )
    first, second = (r.attributes["BucketName"] for r in stack.resources)
    assert first.parts == second.parts == ("x-", None)
    assert first.subject != second.subject


def test_loop_in_a_loop(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Resources:
  Fn::ForEach::Outer:
    - X
    - [a, b]
    - Fn::ForEach::Inner: [Y, ['1', '2'], {"B${X}${Y}": {Type: AWS::S3::Bucket}}]
"""
    )
    assert [r.address for r in stack.resources] == ["Ba1", "Ba2", "Bb1", "Bb2"]


def test_loop_over_conditions(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Conditions:
  Fn::ForEach::C: [N, [a, b], {"Is${N}": !Equals [!Ref N, a]}]
Resources:
  Fn::ForEach::B: [N, [a, b], {"B${N}": {Type: AWS::S3::Bucket, Condition: "Is${N}"}}]
"""
    )
    assert [r.address for r in stack.resources] == ["Ba"]


def test_loop_over_properties(load_text: Callable[..., Stack]) -> None:
    stack = load_text(
        HEAD
        + """\
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  B:
    Type: AWS::S3::Bucket
    Properties:
      Fn::ForEach::Known: [N, [A, B], {"${N}": 1}]
      Map: {"Fn::ForEach::Open": [N, !Ref Names, {"${N}": 1}], Kept: 2}
"""
    )
    assert stack.resources[0].attributes == {"A": 1, "B": 1, "Map": {"*": Unknown("${N}"), "Kept": 2}}


@pytest.mark.parametrize("loop", ["[N, [a]]", "{a: b}", "[[N], [a], {B: {Type: AWS::S3::Bucket}}]"])
def test_malformed_loop_is_an_error_beside_the_other_resources(load_text: Callable[..., Stack], loop: str) -> None:
    stack = load_text(f"{HEAD}Resources:\n  Kept: {{Type: AWS::S3::Bucket}}\n  Fn::ForEach::B: {loop}\n")
    assert [r.address for r in stack.resources] == ["Kept"]
    assert stack.errors[0].message.startswith("template.yaml:4: Fn::ForEach::B is not a loop.")
