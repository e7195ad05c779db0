"""SAM: Globals are merged, types stay, nothing is invented; what other transforms and modules bring is listed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from cfnlint.template.transforms._sam_globals import merge_globals as their_merge

from srm_checks.engines.cloudformation import cfn_lint
from srm_checks.engines.cloudformation.decoding import decode
from srm_checks.engines.cloudformation.sam import merge_globals
from srm_checks.engines.cloudformation.source import Source
from srm_checks.model import Cause, Stack, Unknown

SECTIONS = (
    "Function",
    "Api",
    "HttpApi",
    "SimpleTable",
    "StateMachine",
    "LayerVersion",
    "CapacityProvider",
    "WebSocketApi",
)

SAM = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Tracing: Active
    Layers: [base]
    Environment: {Variables: {A: 1, B: global}}
    Tags: {Team: a}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Layers: [own]
      Environment: {Variables: {B: own}}
      Role: !GetAtt FRole.Arn
  G: {Type: AWS::Serverless::Function}
  B: {Type: AWS::S3::Bucket}
"""


def test_globals_are_merged(load_text: Callable[..., Stack]) -> None:
    stack = load_text(SAM)
    assert stack.errors == []
    function, bare, bucket = stack.resources
    assert function.type == "AWS::Serverless::Function"
    assert function.attributes["Tracing"] == "Active"
    assert function.attributes["Layers"] == ["base", "own"]
    assert function.attributes["Environment"] == {"Variables": {"A": 1, "B": "own"}}
    assert function.tags == {"Team": "a"}
    assert bare.attributes["Tracing"] == "Active"
    assert bucket.attributes == {}


def test_merged_property_is_placed_in_globals(load_text: Callable[..., Stack]) -> None:
    function = load_text(SAM).resources[0]
    assert function.place(("Tracing",)).start_line == 4
    assert function.place(("Role",)).start_line == 14


def test_an_overridden_property_is_placed_at_the_resource(load_text: Callable[..., Stack]) -> None:
    function = load_text(SAM).resources[0]
    assert function.place(("Layers",)).start_line == 12
    assert function.place(("Environment", "Variables", "B")).start_line == 13
    assert function.place(("Environment", "Variables", "A")).start_line == 6


MERGED = {
    "each section": """\
        Function: {Timeout: 3}
        Api: {TracingEnabled: true}
        HttpApi: {FailOnWarnings: true}
        SimpleTable: {SSESpecification: {SSEEnabled: true}}
        StateMachine: {PropagateTags: true}
        LayerVersion: {PublishLambdaVersion: true}
        CapacityProvider: {PropagateTags: true}
        WebSocketApi: {Tags: {A: b}}
        Other: {A: b}
        """,
    "kinds that differ": "Function: {A: [1], B: {C: 1}, D: x, E: 1, F: null}",
    "calls": "Function: {A: !Ref X, B: !If [C, 1, 2], C: {Fn::Sub: x}, D: {x: 1}, E: {Ref: Y}, F: !GetAtt A.B}",
    "no mapping": "Function: [a]",
    "nothing": "Function:",
}


@pytest.mark.parametrize("sections", MERGED.values(), ids=MERGED)
def test_globals_are_merged_as_cfn_lint_merges_them(sections: str) -> None:
    bodies = "\n".join(
        f"  {kind}{number}: {{Type: AWS::Serverless::{kind}{rest}}}"
        for kind in (*SECTIONS, "Other")
        for number, rest in enumerate(
            (
                "",
                ", Properties: {}",
                ", Properties: {A: [2], B: {D: 2, C: {E: 3}}, C: y, D: {y: 2}, E: {x: 1, y: 2}, F: !Ref Z, Timeout: 9}",
                ", Properties: {A: !Ref Y, B: !Sub z, C: [1], D: !If [A, {x: 2}, {}], E: text}",
                ", Properties: {B: {C: 1}}, IgnoreGlobals: '*'",
                ", Properties: {B: {C: 1}}, IgnoreGlobals: [A, B]",
                ", Properties: [a]",
                ", Properties: !If [A, {A: 1}, {B: 2}]",
            )
        )
    )
    text = f"Globals:\n{textwrap.indent(textwrap.dedent(sections), '  ')}\nResources:\n{bodies}\n"
    source = Source.of("t.yaml", text)
    ours, theirs = decode(source), cfn_lint.decode(source)
    if isinstance(ours["Globals"], dict):
        merge_globals(ours["Globals"], ours["Resources"].values())
    assert ours["Resources"] == their_merge(theirs)["Resources"]


def test_generated_resource_is_no_missing_reference(load_text: Callable[..., Stack]) -> None:
    assert load_text(SAM).resources[0].attributes["Role"].cause is Cause.UNRESOLVED_VALUE


def test_globals_reach_each_resource_of_a_loop_once(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
        Globals: {Function: {Layers: [base]}}
        Resources:
          Fn::ForEach::F:
            - N
            - [A, B]
            - F${N}: {Type: AWS::Serverless::Function, Properties: {Layers: [own]}}
        """)
    assert [r.attributes for r in stack.resources] == [{"Layers": ["base", "own"]}] * 2


def test_ignored_globals_stay_out(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Transform: AWS::Serverless-2016-10-31
        Globals: {Function: {Tracing: Active}}
        Resources: {F: {Type: AWS::Serverless::Function, IgnoreGlobals: '*', Properties: {}}}
        """)
    assert stack.resources[0].attributes == {}


@pytest.mark.parametrize(
    ("transform", "source"),
    [
        pytest.param("MyMacro", "MyMacro", id="macro"),
        pytest.param("[AWS::LanguageExtensions, MyMacro]", "MyMacro", id="macro-in-a-list"),
        pytest.param("{Name: AWS::Include, Parameters: {Location: s3://b/k}}", "AWS::Include", id="include"),
    ],
)
def test_macro_may_add_keys_and_resources(load_text: Callable[..., Stack], transform: str, source: str) -> None:
    stack = load_text(f"""\
        Transform: {transform}
        Resources: {{B: {{Type: AWS::S3::Bucket, Properties: {{A: !Ref Generated}}}}}}
        """)
    attributes = stack.resources[0].attributes
    assert attributes["*"] == Unknown(f"Transform: {source}")
    assert attributes["A"].cause is Cause.UNRESOLVED_VALUE
    assert [(m.address, m.source, m.start_line) for m in stack.unread_modules] == [("Transform", source, 1)]


def test_aws_transforms_add_no_keys(load_text: Callable[..., Stack]) -> None:
    stack = load_text("Transform: AWS::SecretsManager-2024-09-16\nResources: {B: {Type: AWS::S3::Bucket}}")
    assert stack.resources[0].attributes == {}
    assert stack.unread_modules == []


def test_transform_among_properties(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Resources:
          A: {Type: AWS::S3::Bucket, Properties: {"Fn::Transform": {Name: X}}}
          B: {Type: AWS::S3::Bucket, Properties: {"Fn::Transform": {Name: X}, BucketName: b}}
        """)
    alone, beside = stack.resources
    assert alone.attributes == {"*": Unknown("!Transform {Name: X}")}
    assert beside.attributes == {"*": Unknown("Fn::Transform"), "BucketName": "b"}
    assert alone.tags == Unknown("!Transform {Name: X}")


def test_modules_and_transforms_among_resources_are_listed_as_unread(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Modules: {Net: {Source: ./net.yaml}}
        Resources:
          M: {Type: My::S3::Bucket::MODULE}
          R: {Type: !Rain::Module vpc.yml}
          Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}
          B: {Type: AWS::S3::Bucket, Properties: {A: !GetAtt MBucket.Arn}}
        """)
    assert [(m.address, m.source, m.start_line) for m in stack.unread_modules] == [
        ("Net", "./net.yaml", 1),
        ("M", "My::S3::Bucket::MODULE", 3),
        ("R", "vpc.yml", 4),
        ("Fn::Transform", "!Transform {Name: AWS::Include, Parameters: {Location: s3://b/k}}", 5),
    ]
    assert stack.errors == []
    assert [r.address for r in stack.resources] == ["B"]
    assert stack.resources[0].attributes["A"].cause is Cause.UNRESOLVED_VALUE
