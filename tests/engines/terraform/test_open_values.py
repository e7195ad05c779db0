"""Values that the code leaves open: they become branches, conditions or unknowns, never a guess."""

from __future__ import annotations

from typing import Any

import pytest

from srm_checks.model import (
    ABSENT,
    AllOf,
    AnyOf,
    Cause,
    Choice,
    Encoded,
    Not,
    Options,
    Ref,
    Repeated,
    Unknown,
)
from srm_checks.model import (
    Test as Condition,
)
from srm_checks.subjects import pieces_of

OPEN = """
variable "env" {}
variable "on" {}
variable "names" {}
variable "size" {}
variable "stage" {
  validation {
    condition     = contains(["dev", "prod"], var.stage)
    error_message = "no"
  }
}
resource "aws_kms_key" "k" {}
resource "aws_s3_bucket" "known" {
  bucket = "logs"
}
"""
ENV_IS_PROD = Condition("|var.env", "prod", "var.env")
ON = Condition("|var.on", True, "var.on")


def var(name: str) -> Unknown:
    return Unknown(text=f"var.{name}", subject=f"|var.{name}")


def test_open_variable(roots: Any) -> None:
    assert roots.value("var.env", OPEN) == var("env")


def test_open_variable_in_a_template_keeps_what_is_known(roots: Any) -> None:
    value = roots.value('"a-${var.env}${var.on}-${1}b"', OPEN)
    assert value.parts == ("a-", None, "-1b")
    assert value.present
    assert value.text == '"a-${var.env}${var.on}-${1}b"'
    assert pieces_of(value.subject) == ["|var.env", "|var.on"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param('var.env == "prod"', Choice(ENV_IS_PROD, True, False), id="comparison"),
        pytest.param('"prod" == var.env', Choice(ENV_IS_PROD, True, False), id="comparison-turned-round"),
        pytest.param('var.env != "prod"', Choice(ENV_IS_PROD, False, True), id="inequality"),
        pytest.param('var.env == "prod" ? 1 : 2', Choice(ENV_IS_PROD, 1, 2), id="conditional"),
        pytest.param("var.on ? 1 : 2", Choice(ON, 1, 2), id="bool-variable"),
        pytest.param("!var.on ? 1 : 2", Choice(ON, 2, 1), id="negated"),
        pytest.param("var.on == false ? 1 : 2", Choice(ON, 2, 1), id="compared-with-false"),
        pytest.param("var.on ? 1 : 1", 1, id="equal-branches"),
        pytest.param("var.on ? 1 : null", Choice(ON, 1, ABSENT), id="null-branch"),
        pytest.param("true || var.on", True, id="true-or-unknown"),
        pytest.param("var.on || true", True, id="unknown-or-true"),
        pytest.param("false && var.on", False, id="false-and-unknown"),
        pytest.param("var.on && false", False, id="unknown-and-false"),
        pytest.param("false || var.on", Choice(ON, True, False), id="false-or-unknown"),
        pytest.param("var.env == var.env", True, id="equal-to-itself"),
        pytest.param('"x-${var.env}" == "y-prod"', False, id="pieces-that-cannot-fit"),
        pytest.param('startswith("x-${var.env}", "x")', True, id="known-beginning"),
        pytest.param('endswith("x-${var.env}.log", ".txt")', False, id="known-end"),
        pytest.param("[var.env] == []", False, id="lists-of-two-lengths"),
        pytest.param("aws_kms_key.k.arn == null", False, id="computed-is-not-null"),
        pytest.param("var.on ? (var.on ? 1 : 2) : 3", Choice(ON, 1, 3), id="one-condition-has-one-value"),
        pytest.param("var.on ? 1 + 1 : 5", Choice(ON, 2, 5), id="operation-in-a-branch"),
        pytest.param("(var.on ? 1 : 2) + 10", Choice(ON, 11, 12), id="operation-over-branches"),
        pytest.param("(var.on ? 1 : 2) + (var.on ? 10 : 20)", Choice(ON, 11, 22), id="operation-over-equal-conditions"),
        pytest.param('"${var.on ? "a" : "b"}-x"', Choice(ON, "a-x", "b-x"), id="template-over-branches"),
        pytest.param('upper(var.on ? "a" : "b")', Choice(ON, "A", "B"), id="function-over-branches"),
        pytest.param('var.on ? 1 : "b"', Choice(ON, "1", "b"), id="branches-of-one-type"),
    ],
)
def test_conditions_and_branches(roots: Any, expression: str, expected: Any) -> None:
    assert roots.value(expression, OPEN) == expected


def test_conditions_join(roots: Any) -> None:
    value = roots.value('var.on && var.env == "prod" ? 1 : 2', OPEN)
    assert value == Choice(AllOf((ON, ENV_IS_PROD)), 1, 2)
    value = roots.value('var.on || !(var.env == "prod") ? 1 : 2', OPEN)
    assert value == Choice(AnyOf((ON, Not(ENV_IS_PROD))), 1, 2)


def test_an_undecided_comparison_is_its_own_question(roots: Any) -> None:
    value = roots.value("length(var.names) > 2 ? 1 : 2", OPEN)
    assert value == Choice(Condition("|length(var.names) > 2", True, "length(var.names) > 2"), 1, 2)


def test_null_test_of_an_open_variable(roots: Any) -> None:
    value = roots.value('var.env == null ? "default" : var.env', OPEN)
    assert value == Choice(
        Condition("|var.env == null", True, "var.env == null"),
        "default",
        Unknown(text="var.env", subject="|var.env", present=True),
    )


def test_a_branch_knows_its_condition(roots: Any) -> None:
    assert roots.value('var.env == "prod" ? var.env : "x"', OPEN) == Choice(ENV_IS_PROD, "prod", "x")


def test_validated_variable_has_options(roots: Any) -> None:
    options = Options("|var.stage", "var.stage", ("dev", "prod"))
    dev = Condition("|var.stage", "dev", "var.stage")
    assert roots.value("var.stage", OPEN) == options
    assert roots.value('var.stage == "test"', OPEN) is False
    assert roots.value('var.stage == "dev"', OPEN) == Choice(dev, True, False)
    assert roots.value('"x-${var.stage}"', OPEN) == Choice(dev, "x-dev", "x-prod")
    assert roots.value("{ dev = 1, prod = 2, test = 3 }[var.stage]", OPEN) == Choice(dev, 1, 2)


def test_known_map_read_by_an_open_key_has_a_branch_for_each_entry(roots: Any) -> None:
    dev = Condition("|var.env", "dev", "var.env")
    assert roots.value("{ dev = 1, prod = 2 }[var.env]", OPEN) == Choice(dev, 1, 2)
    with_default = roots.value("lookup({ dev = 1, prod = 2 }, var.env, 0)", OPEN)
    assert with_default == Choice(dev, 1, Choice(ENV_IS_PROD, 2, 0))
    assert roots.value("lookup({}, var.env, 7)", OPEN) == 7


def test_contains_an_open_value(roots: Any) -> None:
    value = roots.value('contains(["dev", "prod"], var.env)', OPEN)
    assert value == Choice(AnyOf((Condition("|var.env", "dev", "var.env"), ENV_IS_PROD)), True, False)
    assert roots.value('contains(["a", var.env], "a")', OPEN) is True


def test_coalesce_is_honest(roots: Any) -> None:
    assert isinstance(roots.value('coalesce(var.env, "x")', OPEN), Unknown)
    arn = roots.value('coalesce(aws_kms_key.k.arn, "x")', OPEN)
    assert (arn.text, arn.present) == ("aws_kms_key.k.arn", True)
    assert roots.value('coalesce(null, "", "x", var.env)', OPEN) == "x"


def test_try_is_honest(roots: Any) -> None:
    value = roots.value('try(var.names.first, "x")', OPEN)
    assert isinstance(value, Unknown)
    assert value.text == 'try(var.names.first, "x")'
    assert roots.value('try(var.env, "x")', OPEN) == var("env")
    assert isinstance(roots.value("can(var.names.first)", OPEN), Choice)


def test_try_over_a_resource_that_may_not_exist(roots: Any) -> None:
    setting = OPEN + 'resource "aws_kms_key" "maybe" {\n  count = var.on ? 1 : 0\n}\n'
    value = roots.value('try(aws_kms_key.maybe[0].arn, "none")', setting)
    assert value.cond == ON
    assert value.then.refs == (Ref("aws_kms_key.maybe", 0, "arn"),)
    assert value.otherwise == "none"
    value = roots.value("one(aws_kms_key.maybe[*].arn)", setting)
    assert (value.cond, value.otherwise) == (ON, ABSENT)
    assert roots.value("length(aws_kms_key.maybe) > 0", setting) == Choice(ON, True, False)


def test_a_branch_that_fails_cannot_be_deployed(roots: Any) -> None:
    setting = OPEN + 'resource "aws_kms_key" "maybe" {\n  count = var.on ? 1 : 0\n  description = "d"\n}\n'
    assert roots.value("aws_kms_key.maybe[0].description", setting) == "d"


def test_merge_keeps_entries_after_an_open_map(roots: Any) -> None:
    assert roots.value('merge(var.names, { a = 1 })["a"]', OPEN) == 1
    assert isinstance(roots.value('merge({ a = 1 }, var.names)["a"]', OPEN), Unknown)
    assert set(roots.value("merge({ a = 1 }, var.names)", OPEN)) == {"*"}
    whole = roots.value("merge({ a = 1 }, var.names, { b = 2 })", OPEN)
    assert whole["b"] == 2
    assert set(whole) == {"b", "*"}
    assert isinstance(whole["*"], Unknown)
    assert roots.value("merge(var.names, { b = null })", OPEN)["b"] is ABSENT


def test_an_object_with_an_open_key(roots: Any) -> None:
    whole = roots.value("{ a = 1, (var.env) = 2, b = 3 }", OPEN)
    assert whole["b"] == 3
    assert isinstance(whole["a"], Unknown)  # the open key may be this one
    assert whole["a"].present
    assert isinstance(whole["*"], Unknown)
    assert roots.value('{ a = 1, "x-${var.env}" = 2 }', OPEN)["a"] == 1


def test_lists_with_unknown_parts(roots: Any) -> None:
    assert roots.value("length([var.env, 1])", OPEN) == 2
    assert roots.value("length({ a = var.env })", OPEN) == 1
    assert roots.value("concat([1], var.names)", OPEN) == [
        1,
        Repeated(Unknown(text="var.names[*]", subject="|var.names[*]")),
    ]
    assert isinstance(roots.value("length(concat([1], var.names))", OPEN), Unknown)
    assert roots.value("keys({ a = var.env })", OPEN) == ["a"]
    assert roots.value('[for k, v in { a = var.env } : "${k}x"]', OPEN) == ["ax"]
    assert roots.value("length(slice(var.names, 0, 3))", OPEN) == 3
    assert isinstance(roots.value('length(toset([var.env, "a"]))', OPEN), Unknown)


def test_for_over_an_unknown_list(roots: Any) -> None:
    [repeated] = roots.value('[for n in var.names : "x-${n}"]', OPEN)
    assert isinstance(repeated, Repeated)
    assert repeated.value.parts == ("x-", None)


def test_for_with_an_open_condition(roots: Any) -> None:
    value = roots.value('[for n in ["a", "b"] : n if n == "a" || var.on]', OPEN)
    assert value == ["a", Choice(ON, "b", ABSENT)]
    count = roots.value('length([for n in ["a", "b"] : n if n == "a" || var.on])', OPEN)
    assert count == Choice(ON, 2, 1)
    value = roots.value('{ for n in ["a", "b"] : n => 1 if n == "a" || var.on }', OPEN)
    assert value == {"a": 1, "b": Choice(ON, 1, ABSENT)}


def test_join_and_format_with_unknown_parts(roots: Any) -> None:
    assert roots.value('join(",", ["a", var.env, "b"])', OPEN).parts == ("a,", None, ",b")
    assert roots.value('format("arn:%s:x", var.env)', OPEN).parts == ("arn:", None, ":x")
    assert roots.value('lower("A-${var.env}-B")', OPEN).parts == ("a-", None, "-b")
    assert roots.value('join(",", var.names)', OPEN).parts == (None,)


def test_jsonencode_keeps_the_value(roots: Any) -> None:
    value = roots.value("jsonencode({ a = var.env, b = [1] })", OPEN)
    assert value == Encoded({"a": var("env"), "b": [1]})
    assert roots.value("jsondecode(jsonencode({ a = var.env })).a", OPEN) == var("env")
    assert roots.value("length(jsonencode({ a = 1 }))", OPEN) == 7


def test_null_never_stands_in_a_value(roots: Any) -> None:
    assert roots.value("null", OPEN) is ABSENT
    assert roots.value("[null, 1]", OPEN) == [1]
    assert roots.value("{ a = null, b = 1 }", OPEN) == {"b": 1}


def test_reference_to_a_computed_attribute(roots: Any) -> None:
    value = roots.value("aws_kms_key.k.arn", OPEN)
    assert value == Unknown(
        text="aws_kms_key.k.arn",
        refs=(Ref("aws_kms_key.k", None, "arn"),),
        present=True,
        parts=("arn:", None),
        subject="aws_kms_key.k.arn",
    )
    other = roots.value("aws_kms_key.k.description", OPEN)
    assert not other.present


def test_reference_to_a_declared_attribute_is_its_value(roots: Any) -> None:
    assert roots.value("aws_s3_bucket.known.bucket", OPEN) == "logs"


def test_reference_to_what_is_not_declared(roots: Any) -> None:
    assert roots.value("aws_kms_key.other.arn", OPEN).cause is Cause.MISSING_REFERENCE
    assert roots.value("aws_kms_key.other[0].arn", OPEN).refs == (Ref("aws_kms_key.other", None, "arn"),)
    assert roots.value("data.aws_kms_key.other.arn", OPEN).refs == (Ref("data.aws_kms_key.other", None, "arn"),)
    assert roots.value("var.other", OPEN).cause is Cause.MISSING_REFERENCE


def test_references_unite(roots: Any) -> None:
    value = roots.value('"${aws_kms_key.k.arn}/${aws_s3_bucket.known.id}"', OPEN)
    assert {ref.target for ref in value.refs} == {"aws_kms_key.k", "aws_s3_bucket.known"}
    assert value.parts == ("arn:", None, "/", None)


def test_random_values_are_unknown_but_set(roots: Any) -> None:
    value = roots.value("random_id.r.hex", 'resource "random_id" "r" {}')
    assert (value.present, value.refs) == (True, (Ref("random_id.r", None, "hex"),))


def test_too_many_branches_become_unknown(roots: Any) -> None:
    variables = "\n".join(f'variable "v{i}" {{}}' for i in range(8))
    template = "".join(f'${{var.v{i} ? "a" : "b"}}' for i in range(8))
    value = roots.value(f'upper("{template}")', variables)
    assert isinstance(value, Unknown)


def test_iterations_do_not_share_a_subject(roots: Any) -> None:
    first, second = roots.value('[for n in ["a", "b"] : "${n}-${var.env}-${uuid()}"]', OPEN)
    assert first.subject != second.subject


def test_cycle_is_unknown(roots: Any) -> None:
    assert isinstance(roots.value("local.a", "locals {\n  a = local.b\n  b = local.a\n}"), Unknown)


def test_workspace(roots: Any) -> None:
    assert isinstance(roots.value("terraform.workspace"), Unknown)
    assert roots.value("terraform.workspace", workspace="prod") == "prod"


def test_list_functions_over_open_lists(roots: Any) -> None:
    some = Repeated(Unknown(text="var.names[*]", subject="|var.names[*]"))
    assert roots.value("concat([1, 2, 3], var.names)[1]", OPEN) == 2
    assert isinstance(roots.value("concat([1], var.names)[1]", OPEN), Unknown)
    assert roots.value("slice(concat([1, 2], var.names), 0, 2)", OPEN) == [1, 2]
    [unknown] = roots.value("slice(concat([1, 2], var.names), 0, 3)", OPEN)
    assert isinstance(unknown, Repeated)
    [unknown] = roots.value("slice([1, 2], 0, length(var.names))", OPEN)
    assert isinstance(unknown, Repeated)
    assert roots.value("flatten([[1, [2]], var.names])", OPEN) == [1, 2, some]
    assert roots.value("flatten([var.on ? [1] : [], 2])", OPEN) == [Choice(ON, 1, ABSENT), 2]
    assert roots.value('compact([var.on ? "a" : "", "b"])', OPEN) == [Choice(ON, "a", ABSENT), "b"]
    [unknown] = roots.value('formatlist("%s", var.names)', OPEN)
    assert isinstance(unknown, Repeated)
    assert roots.value("reverse([1, var.env])", OPEN) == [var("env"), 1]
    assert roots.value('contains([var.on ? "a" : "b"], "a")', OPEN) == Choice(ON, True, False)


def test_object_with_an_open_key(roots: Any) -> None:
    assert roots.value("{ (var.env) = 1, b = 2 }", OPEN)["b"] == 2
    assert roots.value("{ (var.env) = 1, b = 2 }.b", OPEN) == 2
    chosen = roots.value('{ (var.on ? "a" : "b") = 1 }', OPEN)
    assert chosen == {"a": Choice(ON, 1, ABSENT), "b": Choice(ON, ABSENT, 1)}
    by_value = roots.value("{ for n in [var.env] : n => 7 }[var.env]", OPEN)
    assert by_value == 7


def test_options_by_comparisons(roots: Any) -> None:
    setting = """
    variable "v" {
      validation {
        condition     = var.v == "a" || "b" == var.v
        error_message = "no"
      }
    }
    """
    assert roots.value("var.v", setting) == Options("|var.v", "var.v", ("a", "b"))


def test_equal_texts_in_two_modules_are_two_questions(roots: Any) -> None:
    resources = roots.resources(
        {
            "main.tf": 'module "a" {\n  source = "./m"\n}\nmodule "b" {\n  source = "./m"\n}\n',
            "m/main.tf": 'variable "v" {}\nresource "aws_x" "y" {\n  e = length(var.v) > 1\n}\n',
        }
    )
    subjects = {resource.attributes["e"].cond.subject for resource in resources.values()}
    assert len(subjects) == 2


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        pytest.param("aws_iam_role", ("arn:", None, ":role/", None), id="role"),
        pytest.param("aws_iam_user", ("arn:", None, ":user/", None), id="user"),
        pytest.param("aws_sns_topic", ("arn:", None), id="other"),
    ],
)
def test_arn_of_a_declared_resource(roots: Any, kind: str, parts: tuple[str | None, ...]) -> None:
    assert roots.value(f"{kind}.it.arn", f'resource "{kind}" "it" {{}}').parts == parts


def parts_of(value: Any) -> Any:
    """The pieces of texts with holes, through lists."""
    if isinstance(value, list):
        return [parts_of(element) for element in value]
    if isinstance(value, Repeated):
        return Repeated(parts_of(value.value))
    return value.parts if isinstance(value, Unknown) else value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(
            'formatlist("arn:%s:${var.env}:key/k", ["a", "b"])',
            [("arn:", None, ":", None, ":key/k")] * 2,
            id="open-pattern",
        ),
        pytest.param('format("%s-${var.env}-100%%", "z")', (None, "-", None, "-100%"), id="escaped-percent"),
        pytest.param('format("%-${var.env}s", "z")', None, id="verb-with-a-hole-in-it"),
        pytest.param('formatlist("%s/*", [var.env, "x"])', [(None, "/*"), "x/*"], id="open-element"),
        pytest.param('formatlist("%s/%d", var.names, 3)', [Repeated((None, "/3"))], id="open-list"),
        pytest.param('formatlist("%s/*", concat(["a"], var.names))', [Repeated((None, "/*"))], id="half-open-list"),
        pytest.param('formatlist("%s/*", [for n in var.names : "x-${n}"])', [Repeated(("x-", None, "/*"))], id="for"),
    ],
)
def test_formats_keep_what_is_known(roots: Any, expression: str, expected: Any) -> None:
    assert parts_of(roots.value(expression, OPEN)) == expected


def test_formatted_elements_are_different_values(roots: Any) -> None:
    first, second = roots.value('formatlist("%s/*", [var.env, var.on])', OPEN)
    assert first.subject != second.subject


def test_a_text_is_one_element(roots: Any) -> None:
    assert parts_of(roots.value('"a-${var.env}"[*]', OPEN)) == [("a-", None)]
    assert roots.value("aws_kms_key.k.arn[*]", OPEN) == [roots.value("aws_kms_key.k.arn", OPEN)]
    assert isinstance(roots.value("var.names[*]", OPEN)[0], Repeated)
    flat = roots.value('flatten([aws_kms_key.k.arn, "a-${var.env}", var.names, ["b"]])', OPEN)
    assert parts_of(flat) == [("arn:", None), ("a-", None), Repeated(None), "b"]


def test_pairs_of_open_elements(roots: Any) -> None:
    pairs = roots.value('setproduct(["a", "b"], ["x", "${var.env}.s3"])', OPEN)
    assert parts_of(pairs) == [["a", "x"], ["a", (None, ".s3")], ["b", "x"], ["b", (None, ".s3")]]
    assert parts_of(roots.value('setproduct(var.names, ["x"])', OPEN)) == [Repeated([None, None])]


def test_what_is_merged_with_an_open_map_comes_from_it(roots: Any) -> None:
    merged = roots.value("merge(jsondecode(aws_kms_key.k.policy), { a = 1 })", OPEN)
    assert merged["a"] == 1
    assert merged["*"].subject == "|jsondecode(aws_kms_key.k.policy)[*]"


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        pytest.param('{ "${var.env}_A" = 1, b = 2 }', [((None, "_A"), 1)], id="one-more"),
        pytest.param(
            '{ "${var.env}_A" = 1, "${var.on}_B" = 2 }', [((None, "_A"), 1), ((None, "_B"), 2)], id="two-of-their-own"
        ),
        pytest.param('{ "${var.env}_A" = 1, "${var.on}_A" = 2 }', [], id="perhaps-the-same"),
        pytest.param('{ "${var.env}_A" = 1, X_A = 2 }', [], id="perhaps-a-known-one"),
        pytest.param("{ (var.env) = 1 }", [], id="nothing-known-of-it"),
    ],
)
def test_entries_whose_keys_are_not_known(roots: Any, expression: str, keys: list[Any]) -> None:
    further = roots.value(expression, OPEN)["*"]
    assert [(key.parts, value) for key, value in further.entries] == keys


def test_conditions_of_a_policy_document_whose_keys_are_not_known(roots: Any) -> None:
    setting = """
    data "aws_iam_policy_document" "d" {
      statement {
        condition {
          test     = "StringEquals"
          variable = "${var.env}:sub"
          values   = ["a"]
        }
      }
    }
    """
    document = roots.value("data.aws_iam_policy_document.d.json", OPEN + setting)
    further = document.value["Statement"][0]["Condition"]["StringEquals"]["*"]
    assert [(key.parts, value) for key, value in further.entries] == [((None, ":sub"), ["a"])]
