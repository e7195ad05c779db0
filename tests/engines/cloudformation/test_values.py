"""What each way of writing a value becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srm_checks.model import ABSENT, Cause, Choice, Encoded, Options, Ref, Stack, Test, Unknown

Value = Callable[..., Any]

ENV = "Parameters: {Env: {Type: String, AllowedValues: [dev, prod]}}"
IS_PROD = Test("Parameters/Env", "prod", "Env")
REGION = Unknown("AWS::Region", present=True, subject="AWS::Region")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("true", True, id="boolean"),
        pytest.param("'true'", "true", id="text-that-looks-like-a-boolean"),
        pytest.param("no", False, id="yaml-1.1-no"),
        pytest.param("5", 5, id="integer"),
        pytest.param("1.5", 1.5, id="number"),
        pytest.param("2012-10-17", "2012-10-17", id="date-that-is-a-policy-version"),
        pytest.param("''", "", id="empty-text"),
        pytest.param("", "(not set)", id="null"),
        pytest.param("!Ref AWS::NoValue", "(not set)", id="no-value"),
        pytest.param("[a, !Ref AWS::NoValue, null, b]", ["a", "b"], id="no-value-in-a-list"),
        pytest.param("{a: {b: [1, {c: d}]}}", {"a": {"b": [1, {"c": "d"}]}}, id="nested"),
        pytest.param("{Condition: {Bool: {x: true}}}", {"Condition": {"Bool": {"x": True}}}, id="iam-condition"),
    ],
)
def test_plain_value_is_kept_as_written(value_of: Value, written: str, value: Any) -> None:
    found = value_of(written)
    assert found == value
    assert type(found) is type(value)


def test_no_value_is_of_a_node_type_of_the_decoder(value_of: Value) -> None:
    found = value_of("{a: [b]}")
    assert [type(found), type(next(iter(found))), type(found["a"]), type(found["a"][0])] == [dict, str, list, str]


def test_time_is_unknown_because_its_text_is_lost(value_of: Value) -> None:
    assert value_of("2024-01-01T00:00:00Z") == Unknown("2024-01-01T00:00:00+00:00", present=True)


class TestParameters:
    @pytest.mark.parametrize(
        ("declaration", "value"),
        [
            pytest.param("{Type: String, Default: 'true'}", "true", id="text"),
            pytest.param("{Type: String, Default: true}", "true", id="boolean-default-of-a-text"),
            pytest.param("{Type: String, Default: 5}", "5", id="number-default-of-a-text"),
            pytest.param("{Type: Number, Default: '5'}", 5, id="number"),
            pytest.param("{Type: Number, Default: 1.5}", 1.5, id="fraction"),
            pytest.param("{Type: CommaDelimitedList, Default: 'a, b'}", ["a", "b"], id="list"),
            pytest.param("{Type: CommaDelimitedList, Default: ''}", [], id="empty-list"),
            pytest.param("{Type: List<Number>, Default: '1,2'}", [1, 2], id="list-of-numbers"),
            pytest.param(
                "{Type: String, Default: dev, AllowedValues: [dev, prod]}", "dev", id="default-wins-over-allowed"
            ),
            pytest.param("{Type: String, AllowedValues: [only]}", "only", id="one-allowed-value"),
            pytest.param("{Type: String, NoEcho: true, Default: secret}", "secret", id="no-echo-default-is-a-literal"),
            pytest.param("{Type: AWS::SSM::Parameter::Name, Default: /a/b}", "/a/b", id="ssm-name-is-the-name"),
            pytest.param("{Type: String}", Unknown("P", subject="Parameters/P"), id="open-text-may-be-empty"),
            pytest.param(
                "{Type: String, MinLength: 1}", Unknown("P", present=True, subject="Parameters/P"), id="min-length"
            ),
            pytest.param(
                "{Type: String, AllowedPattern: '.+'}", Unknown("P", present=True, subject="Parameters/P"), id="pattern"
            ),
            pytest.param(
                "{Type: AWS::EC2::VPC::Id}",
                Unknown("P", present=True, subject="Parameters/P"),
                id="aws-type-is-never-empty",
            ),
            pytest.param(
                "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}",
                Unknown("P, read from /a/b", present=True, subject="Parameters/P"),
                id="ssm-path-is-never-the-value",
            ),
            pytest.param(
                "{Type: Number, AllowedValues: [1, 2]}", Options("Parameters/P", "P", (1, 2)), id="allowed-values"
            ),
        ],
    )
    def test_value_by_declaration(self, value_of: Value, declaration: str, value: Any) -> None:
        assert value_of("!Ref P", f"Parameters: {{P: {declaration}}}") == value

    def test_given_value_wins_over_the_default(self, value_of: Value) -> None:
        assert value_of("!Ref P", "Parameters: {P: {Type: Number, Default: 1}}", P="7") == 7

    def test_strict_leaves_the_default_out(self, value_of: Value) -> None:
        found = value_of("!Ref P", "Parameters: {P: {Type: String, Default: a}}", strict=True)
        assert found == Unknown("P", subject="Parameters/P")

    def test_given_ssm_value_is_a_path_too(self, value_of: Value) -> None:
        found = value_of("!Ref P", "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}", P="/x")
        assert isinstance(found, Unknown)


class TestReferences:
    def test_pseudo_parameter(self, value_of: Value) -> None:
        assert value_of("!Ref AWS::Region") == REGION

    def test_resource(self, value_of: Value) -> None:
        assert value_of("!Ref Role") == Unknown("!Ref Role", refs=(Ref("Role"),), present=True, subject="!Ref Role")

    @pytest.mark.parametrize("written", ["!GetAtt Role.Arn", "{'Fn::GetAtt': [Role, Arn]}", "{'Fn::GetAtt': Role.Arn}"])
    def test_arn_attribute_starts_with_arn(self, value_of: Value, written: str) -> None:
        assert value_of(written) == Unknown(
            "!GetAtt Role.Arn",
            refs=(Ref("Role", None, "Arn"),),
            present=True,
            parts=("arn:", None, ":role/", None),
            subject="!GetAtt Role.Arn",
        )

    def test_undeclared_name_is_a_missing_reference(self, value_of: Value) -> None:
        found = value_of("!Ref Nowhere")
        assert (found.cause, found.present) == (Cause.MISSING_REFERENCE, False)

    def test_custom_resource_may_return_nothing(self, value_of: Value) -> None:
        found = value_of("!GetAtt Custom.ThingArn")
        assert (found.present, found.parts) == (False, None)

    def test_nested_stack_output_lies_in_another_stack(self, value_of: Value) -> None:
        assert value_of("!GetAtt Child.Outputs.KeyArn").cause is Cause.OTHER_STACK

    def test_import_lies_in_another_stack(self, value_of: Value) -> None:
        found = value_of('!ImportValue {"Fn::Sub": "${AWS::StackName}-key"}')
        assert (found.cause, found.present, found.text) == (
            Cause.OTHER_STACK,
            True,
            '!ImportValue !Sub "${AWS::StackName}-key"',
        )


class TestTexts:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            pytest.param("!Sub plain", "plain", id="sub-without-variables"),
            pytest.param('!Sub "${!Kept}"', "${Kept}", id="sub-escape"),
            pytest.param('!Sub ["${A}-${B}", {A: x, B: 1}]', "x-1", id="sub-with-map"),
            pytest.param('!Join ["-", [a, !Ref AWS::NoValue, 1, true]]', "a-1-true", id="join-drops-no-value"),
            pytest.param("!Select [1, [a, b]]", "b", id="select"),
            pytest.param("!Select ['1', !Split [',', 'a,b']]", "b", id="select-of-split"),
            pytest.param("!Base64 text", "text", id="base64-keeps-the-text"),
            pytest.param("{'Fn::Length': [a, b]}", 2, id="length"),
            pytest.param("{'Fn::ToJsonString': {a: [1]}}", Encoded({"a": [1]}), id="json"),
            pytest.param("!Cidr [10.0.0.0/24, 2, 5]", ["10.0.0.0/27", "10.0.0.32/27"], id="cidr"),
        ],
    )
    def test_known_parts_give_a_known_text(self, value_of: Value, written: str, value: Any) -> None:
        assert value_of(written) == value

    @pytest.mark.parametrize(
        ("written", "parts"),
        [
            pytest.param('!Sub "a-${AWS::Region}-b"', ("a-", None, "-b"), id="sub"),
            pytest.param('!Sub "arn:${AWS::Partition}:s3"', ("arn:aws", None, ":s3"), id="partition-starts-with-aws"),
            pytest.param('!Sub "${Role.Arn}/*"', ("arn:", None, ":role/", None, "/*"), id="sub-of-an-attribute"),
            pytest.param('!Join ["", [!GetAtt Role.Arn, "/*"]]', ("arn:", None, ":role/", None, "/*"), id="join"),
            pytest.param('!Sub "${AWS::Region}${AWS::AccountId}x"', (None, "x"), id="holes-beside-each-other-are-one"),
            pytest.param("'pre-{{resolve:ssm:/a}}-post'", ("pre-", None, "-post"), id="dynamic-reference-inside"),
            pytest.param(
                '!Sub "{{resolve:secretsmanager:${Role}:SecretString:p}}@host"', (None, "@host"), id="dynamic-with-hole"
            ),
        ],
    )
    def test_open_parts_are_holes(self, value_of: Value, written: str, parts: tuple[str | None, ...]) -> None:
        found = value_of(written)
        assert found.parts == parts
        assert found.present

    def test_a_text_of_one_hole_is_the_value_itself(self, value_of: Value) -> None:
        assert value_of('!Sub "${AWS::Region}"') == REGION

    def test_dynamic_reference_is_set_but_not_known(self, value_of: Value) -> None:
        found = value_of("'{{resolve:ssm-secure:/db/password:1}}'")
        assert (found.present, found.parts, found.text) == (True, None, "{{resolve:ssm-secure:/db/password:1}}")

    def test_references_of_all_parts_are_kept(self, value_of: Value) -> None:
        assert value_of('!Sub "${Role.Arn}-${Child}"').refs == (Ref("Role", None, "Arn"), Ref("Child"))

    def test_cause_of_a_part_is_the_cause_of_the_whole(self, value_of: Value) -> None:
        assert value_of('!Join ["-", [a, !ImportValue b]]').cause is Cause.OTHER_STACK

    def test_text_branches_where_a_part_does(self, value_of: Value) -> None:
        is_dev = Test("Parameters/Env", "dev", "Env")
        assert value_of('!Sub "${Env}-${Env}"', ENV) == Choice(is_dev, "dev-dev", "prod-prod")

    def test_more_combinations_than_can_be_told_are_unknown(self, value_of: Value) -> None:
        names = [f"P{number}" for number in range(7)]
        declared = ", ".join(f"{name}: {{Type: String, AllowedValues: [a, b]}}" for name in names)
        text = "".join(f"${{{name}}}" for name in names)
        assert isinstance(value_of(f'!Sub "{text}"', f"Parameters: {{{declared}}}"), Unknown)

    def test_select_beyond_the_end_is_unknown(self, value_of: Value) -> None:
        assert isinstance(value_of("!Select [5, [a]]"), Unknown)

    def test_select_from_an_open_list(self, value_of: Value) -> None:
        assert value_of('!Select [0, !GetAZs ""]').present


class TestFindInMap:
    SECTIONS = """
    Parameters:
      Env: {Type: String}
      Known: {Type: String, Default: prod}
    Mappings:
      ByEnv: {dev: {Encrypted: false, Same: 1}, prod: {Encrypted: true, Same: 1}}
      ByAccount: {123456789012: {Name: x}}
    """

    def test_known_key(self, value_of: Value) -> None:
        assert value_of("!FindInMap [ByEnv, !Ref Known, Encrypted]", self.SECTIONS) is True

    def test_open_key_gives_a_branch_for_each_row(self, value_of: Value) -> None:
        found = value_of("!FindInMap [ByEnv, !Ref Env, Encrypted]", self.SECTIONS)
        assert found == Choice(Test("Parameters/Env", "dev", "Env"), False, True)

    def test_rows_with_one_value_are_no_branches(self, value_of: Value) -> None:
        assert value_of("!FindInMap [ByEnv, !Ref Env, Same]", self.SECTIONS) == 1

    def test_key_that_yaml_reads_as_a_number(self, value_of: Value) -> None:
        assert value_of("!FindInMap [ByAccount, '123456789012', Name]", self.SECTIONS) == "x"

    def test_missing_key_is_unknown(self, value_of: Value) -> None:
        assert isinstance(value_of("!FindInMap [ByEnv, test, Encrypted]", self.SECTIONS), Unknown)

    def test_missing_key_takes_the_default_value(self, value_of: Value) -> None:
        assert value_of("!FindInMap [ByEnv, test, Encrypted, {DefaultValue: 7}]", self.SECTIONS) == 7

    def test_open_region_goes_over_all_regions_of_the_map(self, value_of: Value) -> None:
        regions = "Mappings: {R: {eu-west-1: {Ami: a}, us-east-1: {Ami: b}}}"
        found = value_of("!FindInMap [R, !Ref AWS::Region, Ami]", regions)
        assert found == Choice(Test("AWS::Region", "eu-west-1", "AWS::Region"), "a", "b")

    def test_language_extensions_do_not_make_an_open_key_known(self, value_of: Value) -> None:
        found = value_of(
            "!FindInMap [ByEnv, !Ref Env, Encrypted]", f"Transform: AWS::LanguageExtensions\n{_dedent(self.SECTIONS)}"
        )
        assert found == Choice(Test("Parameters/Env", "dev", "Env"), False, True)


class TestIf:
    SECTIONS = ENV + "\nConditions: {IsProd: !Equals [!Ref Env, prod], Never: !Equals [a, b]}"

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            pytest.param("!If [IsProd, true, false]", Choice(IS_PROD, True, False), id="both-branches"),
            pytest.param(
                "!If [IsProd, true, !Ref AWS::NoValue]", Choice(IS_PROD, True, ABSENT), id="absence-is-a-branch"
            ),
            pytest.param("!If [Never, 1, 2]", 2, id="constant-condition"),
            pytest.param("!If [IsProd, same, same]", "same", id="equal-branches"),
            pytest.param(
                "[!If [IsProd, a, !Ref AWS::NoValue], b]", [Choice(IS_PROD, "a", ABSENT), "b"], id="list-element"
            ),
            pytest.param("!If [IsProd, [a], [b]]", Choice(IS_PROD, ["a"], ["b"]), id="whole-list"),
            pytest.param("!If [IsProd, !If [IsProd, 1, 2], 3]", Choice(IS_PROD, 1, 3), id="impossible-inner-branch"),
            pytest.param(
                "!If [IsProd, !Ref Env, other]", Choice(IS_PROD, "prod", "other"), id="parameter-known-in-branch"
            ),
            pytest.param(
                "!If [IsProd, [!If [IsProd, !Ref AWS::NoValue, a], b], [c]]",
                Choice(IS_PROD, ["b"], ["c"]),
                id="no-value-decided-by-the-branch-around",
            ),
        ],
    )
    def test_branches(self, value_of: Value, written: str, value: Any) -> None:
        assert value_of(written, self.SECTIONS) == value

    def test_parameter_that_was_tested_for_emptiness_is_set_in_the_branch(self, value_of: Value) -> None:
        sections = "Parameters: {Key: {Type: String}}\nConditions: {HasKey: !Not [!Equals [!Ref Key, '']]}"
        found = value_of("!If [HasKey, !Ref Key, !Ref AWS::NoValue]", sections)
        assert found.then == Unknown("Key", present=True, subject="Parameters/Key")
        assert found.otherwise is ABSENT

    def test_undeclared_condition_is_an_error_and_unknown(self, load_text: Callable[..., Stack]) -> None:
        stack = load_text("""\
            Resources:
              B:
                Type: AWS::S3::Bucket
                Properties:
                  A: !If [Nowhere, 1, 2]
                  C: kept
            """)
        assert isinstance(stack.resources[0].attributes["A"], Unknown)
        assert stack.resources[0].attributes["C"] == "kept"
        assert stack.errors[0].message.startswith('template.yaml:5: condition "Nowhere" is not declared.')


class TestOpaque:
    def test_transform_in_place_of_a_value(self, value_of: Value) -> None:
        assert isinstance(value_of("{'Fn::Transform': {Name: AWS::Include}}"), Unknown)

    def test_transform_beside_keys_leaves_further_keys_open(self, value_of: Value) -> None:
        assert value_of("{'Fn::Transform': {Name: X}, A: 1}") == {"*": Unknown("Fn::Transform"), "A": 1}

    def test_function_of_a_preprocessor(self, value_of: Value) -> None:
        assert value_of("!Rain::Embed file.sh").text == "!Rain::Embed file.sh"


def _dedent(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)
