"""Lines, blocks, references, traces, tags and inline exceptions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from srm_checks.model import ABSENT, Choice, Ref, Resource, SourceRange, Stack, Suppression, Test, Unknown

TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env:
    Type: String
    Default: dev
  Open:
    Type: String
Mappings:
  ByEnv:
    dev: {Size: small}
Conditions:
  IsOpen: !Equals [!Ref Open, x]
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Retain
    DependsOn: [Other]
    Properties:
      Engine: mysql
      Tags:
        - Key: a
          Value: !Ref Env
        - {Key: b, Value: !GetAtt Other.Arn}
      Encrypted: !If
        - IsOpen
        - true
        - !Ref Env
      Size: !FindInMap [ByEnv, !Ref Env, Size]

    # about Db

  # about Other
  Other: {Type: AWS::S3::Bucket}
  Bare:
    Type: AWS::S3::Bucket
"""


@pytest.fixture
def resources(load_text: Callable[..., Stack]) -> dict[str, Resource]:
    stack = load_text(TEMPLATE)
    assert stack.errors == []
    return {resource.address: resource for resource in stack.resources}


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        pytest.param("Db", (14, 30), id="comments-deeper-than-the-id-belong-to-it"),
        pytest.param("Other", (33, 33), id="flow"),
        pytest.param("Bare", (34, 35), id="last"),
    ],
)
def test_block(resources: dict[str, Resource], address: str, lines: tuple[int, int]) -> None:
    assert resources[address].block == SourceRange("template.yaml", *lines)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(("Engine",), 19, id="property"),
        pytest.param(("Tags", 0, "Value"), 22, id="key-in-a-list"),
        pytest.param(("Tags", 1), 23, id="element"),
        pytest.param(("Encrypted",), 24, id="if-adds-no-path"),
        pytest.param(("DeletionPolicy",), 16, id="beside-properties"),
        pytest.param(("DependsOn",), 17, id="depends-on"),
        pytest.param(("KmsKeyId",), 18, id="missing-property-would-stand-under-properties"),
        pytest.param(("Tags", 7), 20, id="missing-element"),
    ],
)
def test_line_of_a_path(resources: dict[str, Resource], path: tuple[str | int, ...], line: int) -> None:
    assert resources["Db"].place(path).start_line == line


def test_lines_span_the_whole_value(resources: dict[str, Resource]) -> None:
    assert resources["Db"].lines["Tags",] == SourceRange("template.yaml", 20, 23)


def test_missing_property_without_properties_stands_at_the_id(resources: dict[str, Resource]) -> None:
    assert resources["Bare"].place(("BucketEncryption",)) == SourceRange("template.yaml", 34, 34)


def test_references(resources: dict[str, Resource]) -> None:
    assert resources["Db"].references == (
        (("Tags", 1, "Value"), Ref("Other", None, "Arn")),
        (("DependsOn",), Ref("Other")),
    )


def test_reference_inside_a_text_and_both_branches(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Parameters: {P: {Type: String}}
        Conditions: {C: !Equals [!Ref P, x]}
        Resources:
          A: {Type: AWS::S3::Bucket}
          B:
            Type: AWS::S3::Bucket
            Properties:
              X: !Sub "${A.Arn}/*"
              Y: {Z: !If [C, !Ref A, !GetAtt A.DomainName]}
              J: {"Fn::ToJsonString": {K: !Ref A}}
        """)
    assert stack.resources[1].references == (
        (("X",), Ref("A", None, "Arn")),
        (("Y", "Z"), Ref("A")),
        (("Y", "Z"), Ref("A", None, "DomainName")),
        (("J",), Ref("A")),
    )


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        pytest.param(("Engine",), [], id="written-here"),
        pytest.param(("Tags", 0, "Value"), [5], id="default-of-a-parameter"),
        pytest.param(("Tags",), [5], id="of-what-is-inside"),
        pytest.param(("Size",), [5, 10], id="mapping"),
        pytest.param(("Encrypted",), [12, 5], id="condition"),
    ],
)
def test_trace(resources: dict[str, Resource], path: tuple[str | int, ...], lines: list[int]) -> None:
    assert [place.start_line for place in resources["Db"].trace(path)] == lines


def test_trace_of_what_stands_in_a_branch(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Parameters:
          P: {Type: String}
          Q: {Type: String, Default: d}
        Conditions:
          C: !Equals [!Ref P, x]
        Resources:
          B: {Type: AWS::S3::Bucket, Properties: {A: !If [C, {B: !Ref Q}, !Ref AWS::NoValue]}}
        """)
    assert [place.start_line for place in stack.resources[0].trace(("A", "B"))] == [3, 5]


def test_line_of_an_element_after_one_that_cannot_be(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Parameters: {P: {Type: String}}
        Conditions: {C: !Equals [!Ref P, x]}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Condition: C
            Properties:
              L:
                - !If [C, !Ref AWS::NoValue, {a: 1}]
                - b: 2
        """)
    (resource,) = stack.resources
    assert resource.attributes["L"] == [{"b": 2}]
    assert resource.place(("L", 0, "b")).start_line == 10
    assert resource.place(("L", 0)).start_line == 10


def test_branch_that_cannot_be_refers_to_nothing(load_text: Callable[..., Stack]) -> None:
    stack = load_text("""\
        Parameters: {P: {Type: String}}
        Conditions: {C: !Equals [!Ref P, x]}
        Resources:
          A: {Type: AWS::S3::Bucket}
          B: {Type: AWS::S3::Bucket, Condition: C, Properties: {X: !If [C, kept, !Ref A]}}
        """)
    assert stack.resources[1].references == ()


def test_value_given_from_outside_has_no_line(load_text: Callable[..., Stack]) -> None:
    db = load_text(TEMPLATE, Env="dev").resources[0]
    assert db.trace(("Tags", 0, "Value")) == ()


def test_json_has_the_same_values_and_lines_of_its_own(load_text: Callable[..., Stack]) -> None:
    document = {
        "Resources": {
            "B": {"Type": "AWS::S3::Bucket", "Properties": {"Name": "x", "Tags": [{"Key": "k", "Value": "v"}]}},
            "C": {"Type": "AWS::S3::Bucket"},
        }
    }
    for indent, file in ((2, "spaces.json"), ("\t", "tabs.json")):
        stack = load_text(json.dumps(document, indent=indent), file=file)
        first, second = stack.resources
        assert stack.errors == []
        assert (first.block.start_line, first.block.end_line) == (3, 14)
        assert first.place(("Tags", 0, "Value")).start_line == 10
        assert first.place(("Missing",)).start_line == 5
        assert (second.block.start_line, second.block.end_line) == (15, 17)


def test_windows_line_ends(load_text: Callable[..., Stack]) -> None:
    stack = load_text(TEMPLATE.replace("\n", "\r\n"))
    assert stack.resources[0].block == SourceRange("template.yaml", 14, 30)


class TestTags:
    def tags(self, load_text: Callable[..., Stack], written: str, kind: str = "AWS::S3::Bucket") -> object:
        head = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x]}\n"
        stack = load_text(f"{head}Resources: {{B: {{Type: {kind}, Properties: {written}}}}}")
        return stack.resources[0].tags

    @pytest.mark.parametrize(
        ("written", "tags"),
        [
            pytest.param("{}", {}, id="none"),
            pytest.param("{Tags: [{Key: a, Value: 1}]}", {"a": 1}, id="list"),
            pytest.param("{Tags: {a: b}}", {"a": "b"}, id="map"),
            pytest.param("{FileSystemTags: [{Key: a, Value: b}]}", {"a": "b"}, id="other-name"),
            pytest.param("{Tags: [{Key: a, Value: b, PropagateAtLaunch: true}]}", {"a": "b"}, id="auto-scaling"),
            pytest.param("{Tags: [!Ref P]}", {"*": Unknown("P", subject="Parameters/P")}, id="open-element"),
            pytest.param(
                "{Tags: [{Key: !Ref P, Value: b}, {Key: a, Value: c}]}", {"*": Unknown("Tags"), "a": "c"}, id="open-key"
            ),
            pytest.param("{Tags: !Ref P}", Unknown("P", subject="Parameters/P"), id="open-list"),
        ],
    )
    def test_form(self, load_text: Callable[..., Stack], written: str, tags: object) -> None:
        assert self.tags(load_text, written) == tags

    def test_conditional_tag(self, load_text: Callable[..., Stack]) -> None:
        cond = Test("Parameters/P", "x", "P")
        element = self.tags(load_text, "{Tags: [!If [C, {Key: a, Value: b}, !Ref AWS::NoValue]]}")
        whole = self.tags(load_text, "{Tags: !If [C, [{Key: a, Value: b}], !Ref AWS::NoValue]}")
        assert element == whole == {"a": Choice(cond, "b", ABSENT)}


class TestSuppressions:
    def test_all_forms(self, load_text: Callable[..., Stack]) -> None:
        stack = load_text("""\
            # checkov:skip=SRM-DAR-001:before any resource
            Metadata: {cfn-lint: {config: {ignore_checks: [E906]}}}
            Resources:
              A:
                Type: AWS::S3::Bucket # checkov:skip=SRM-DAR-002
                # checkov:skip=SRM-DAR-003,SRM-DAR-004:two at once
                Metadata:
                  checkov:
                    skip:
                      - {id: SRM-DAR-005, comment: by metadata}
                  cfn-lint: {config: {ignore_checks: [E906006]}}
              B: {Type: AWS::S3::Bucket}
            """)

        def at(line: int) -> SourceRange:
            return SourceRange("template.yaml", line, line)

        template_wide = Suppression("E906", None, "cfn-lint-template", at(2))
        assert stack.resources[0].suppressions == (
            Suppression("SRM-DAR-002", None, "checkov", at(5)),
            Suppression("SRM-DAR-003", "two at once", "checkov", at(6)),
            Suppression("SRM-DAR-004", "two at once", "checkov", at(6)),
            Suppression("SRM-DAR-005", "by metadata", "checkov", at(10)),
            Suppression("E906006", None, "cfn-lint", at(11)),
            template_wide,
        )
        assert stack.resources[1].suppressions == (template_wide,)

    @pytest.mark.parametrize(
        "metadata",
        [
            "null",
            "[a]",
            "text",
            "{cfn-lint: x}",
            "{cfn-lint: {config: {ignore_checks: x}}}",
            "{checkov: {skip: [x, {}]}}",
        ],
    )
    def test_metadata_of_another_shape_is_none(self, load_text: Callable[..., Stack], metadata: str) -> None:
        stack = load_text(f"""\
            Metadata: {metadata}
            Resources: {{B: {{Type: AWS::S3::Bucket, Metadata: {metadata}}}}}
            """)
        assert stack.errors == []
        assert stack.resources[0].suppressions == ()


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        pytest.param(("Encrypted",), (7, 7), id="condition decided, NoValue"),
        pytest.param(("Options", "Enabled"), (8, 11), id="inside what came to nothing"),
        pytest.param(("DeletionPolicy",), (4, 4), id="policy that would stand beside Properties"),
        pytest.param(("UpdateReplacePolicy",), (4, 4), id="the other policy"),
        pytest.param(("Engine",), (6, 6), id="property that would stand in Properties"),
    ],
)
def test_line_of_what_is_absent(
    load_one: Callable[..., Resource], path: tuple[str | int, ...], lines: tuple[int, int]
) -> None:
    resource = load_one("""\
        Parameters: {Key: {Type: String, Default: ''}}
        Conditions: {HasKey: !Not [!Equals [!Ref Key, '']]}
        Resources:
          Db:
            Type: AWS::RDS::DBInstance
            Properties:
              Encrypted: !If [HasKey, true, !Ref AWS::NoValue]
              Options: !If
              - HasKey
              - {Enabled: true}
              - !Ref AWS::NoValue
        """)
    assert path[0] not in resource.attributes
    place = resource.place(path)
    assert (place.start_line, place.end_line) == lines


def test_policies_beside_the_properties(load_one: Callable[..., Resource]) -> None:
    resource = load_one("""\
        Parameters: {Stage: {Type: String}}
        Conditions: {IsProd: !Equals [!Ref Stage, prod]}
        Resources:
          Group:
            Type: AWS::AutoScaling::AutoScalingGroup
            CreationPolicy: {ResourceSignal: {Count: 2}}
            UpdatePolicy:
              AutoScalingReplacingUpdate:
                WillReplace: !If [IsProd, true, false]
        """)
    assert resource.attributes["CreationPolicy"] == {"ResourceSignal": {"Count": 2}}
    will_replace = resource.attributes["UpdatePolicy"]["AutoScalingReplacingUpdate"]["WillReplace"]
    assert isinstance(will_replace, Choice)
    assert (will_replace.then, will_replace.otherwise) == (True, False)
    assert resource.place(("UpdatePolicy", "AutoScalingReplacingUpdate", "WillReplace")).start_line == 9


def test_a_property_that_is_called_like_a_policy(load_one: Callable[..., Resource]) -> None:
    resource = load_one("""\
        Resources:
          Environment:
            Type: AWS::Batch::ComputeEnvironment
            Properties:
              UpdatePolicy: {TerminateJobsOnUpdate: true}
        """)
    assert resource.attributes["UpdatePolicy"] == {"TerminateJobsOnUpdate": True}
    assert resource.place(("UpdatePolicy",)).start_line == 5
