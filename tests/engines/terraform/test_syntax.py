"""The native syntax: what the grammar gets wrong by itself, templates, places, and files that are broken."""

from __future__ import annotations

import pytest

from srm_checks.engines.terraform import check_hcl2
from srm_checks.engines.terraform.nodes import (
    Binary,
    Conditional,
    Expression,
    Literal,
    ObjectNode,
    SplatStep,
    Template,
    Traversal,
    Unary,
)
from srm_checks.engines.terraform.source import Source, decode
from srm_checks.engines.terraform.syntax import parse_file
from srm_checks.errors import EnvironmentProblem, InputError


def parse(text: str) -> Expression:
    file = parse_file(Source("main.tf", f"v = {text}\n"))
    assert file.errors == ()
    return file.body.attributes["v"].value


def shape(node: object) -> str:
    """An expression with all its parentheses."""
    if isinstance(node, Binary):
        return f"({shape(node.left)} {node.operator} {shape(node.right)})"
    if isinstance(node, Conditional):
        return f"({shape(node.condition)} ? {shape(node.then)} : {shape(node.otherwise)})"
    if isinstance(node, Unary):
        return f"{node.operator}{shape(node.operand)}"
    assert isinstance(node, (Traversal, Literal))
    return node.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a + b", "(a + b)", id="one-operator"),
        pytest.param("a - b - c", "((a - b) - c)", id="left-to-right"),
        pytest.param("a + b * c", "(a + (b * c))", id="product-before-sum"),
        pytest.param("a * b + c", "((a * b) + c)", id="product-first"),
        pytest.param("a == b && c", "((a == b) && c)", id="comparison-before-and"),
        pytest.param("a && b || c && d", "((a && b) || (c && d))", id="and-before-or"),
        pytest.param("a < b + 1", "(a < (b + 1))", id="sum-before-order"),
        pytest.param("a && b ? c : d", "((a && b) ? c : d)", id="conditional-last"),
        pytest.param("a == b ? c : d || e", "((a == b) ? c : (d || e))", id="branches-take-all"),
        pytest.param("a ? b : c ? d : e", "(a ? b : (c ? d : e))", id="conditional-chain"),
        pytest.param("!a && b", "(!a && b)", id="not-binds-closest"),
        pytest.param("-a + b", "(-a + b)", id="minus-binds-closest"),
        pytest.param("!!a", "a", id="double-negation"),
    ],
)
def test_operators_are_put_together_by_precedence(text: str, expected: str) -> None:
    assert shape(parse(text)) == expected


def test_parentheses_win() -> None:
    node = parse("(a + b) * c")
    assert isinstance(node, Binary)
    assert (node.operator, node.left.text) == ("*", "(a + b)")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(a\n  && b\n  || c)", id="operator-on-next-line"),
        pytest.param("(a\n  ? b\n  : c)", id="conditional-on-next-lines"),
        pytest.param("f(\n  a,\n\n  # why\n  b,\n)", id="call-over-lines"),
        pytest.param("[\n  # nothing\n\n  for x in y :\n  x\n\n  if x\n]", id="for-over-lines"),
        pytest.param("{\n  # nothing\n  for k, v in y :\n\n  k => v\n}", id="object-for-over-lines"),
        pytest.param("{\n  a = 1 # one\n\n  /* two */ b = 2\n  // three\n}", id="comments-in-object"),
        pytest.param('"${jsonencode({ a = { b = "}" } })}"', id="braces-and-quotes-in-hole"),
        pytest.param('"a ${"b ${c["d"]} e"} f"', id="quotes-in-quotes"),
        pytest.param('x["a${y["b"]}"]', id="quotes-in-index"),
        pytest.param("provider::aws::arn_parse(a)", id="provider-function"),
        pytest.param("a[*].b[0].c", id="splat"),
        pytest.param("a.0.b", id="legacy-index"),
        pytest.param("[1.5e3, 10, -2]", id="numbers"),
        pytest.param("<<A\nx\nA", id="heredoc-with-short-name"),
        pytest.param("<<A\nA", id="empty-heredoc"),
    ],
)
def test_valid_text_is_read(text: str) -> None:
    parse(text)


def test_numbers() -> None:
    assert [parse(text).value for text in ("1", "10", "1.50", "1e3", "0.1")] == [1, 10, 1.5, 1000, 0.1]  # type: ignore[union-attr]
    assert isinstance(parse("1e3").value, int)  # type: ignore[union-attr]


def test_name_with_digits_is_no_number() -> None:
    node = parse("az-20")
    assert isinstance(node, Traversal)
    assert node.root == "az-20"


def test_object_keys_are_texts_unless_in_parentheses() -> None:
    node = parse('{ a = 1, (b) = 2, "c" = 3 }')
    assert isinstance(node, ObjectNode)
    assert [type(item.key).__name__ for item in node.items] == ["Literal", "Traversal", "Literal"]


def test_steps_after_a_legacy_splat_stay_outside_of_it() -> None:
    inside, outside = parse("a[*].b[0]"), parse("a.*.b[0]")
    assert isinstance(inside, Traversal)
    assert isinstance(outside, Traversal)
    assert [len(step.steps) for step in inside.steps if isinstance(step, SplatStep)] == [2]
    assert [len(step.steps) for step in outside.steps if isinstance(step, SplatStep)] == [1]
    assert len(outside.steps) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(r'"a\n\"b\"\\"', 'a\n"b"\\', id="escapes"),
        pytest.param(r'"\u00e9\U0001F600"', "é😀", id="unicode-escapes"),
        pytest.param('"$${a} %%{b}"', "${a} %{b}", id="no-template"),
        pytest.param('"$5 and 100%"', "$5 and 100%", id="lone-marks"),
        pytest.param("<<A\na\\n\n  b\nA", "a\\n\n  b\n", id="heredoc-without-escapes"),
        pytest.param("<<-A\n    a\n      b\n\n    c\n  A", "a\n  b\n\nc\n", id="heredoc-without-indentation"),
        pytest.param('<<A\nsay "x" # y\nA', 'say "x" # y\n', id="heredoc-with-quotes-and-hash"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    node = parse(text)
    assert isinstance(node, Literal)
    assert node.value == expected


def test_hole_alone_in_quotes_is_its_expression() -> None:
    assert isinstance(parse('"${var.a}"'), Traversal)
    assert isinstance(parse('"${var.a}-x"'), Template)


def test_places_count_lines_of_the_file() -> None:
    text = 'a = 1\nb = <<E\nx\nE\nblock "l" {\n  c = {\n    d = "${e}"\n  }\n}\n'
    body = parse_file(Source("main.tf", text)).body
    assert (body.attributes["b"].range.start_line, body.attributes["b"].range.end_line) == (2, 4)
    block = body.blocks[0]
    assert (block.range.start_line, block.range.end_line) == (5, 9)
    value = block.body.attributes["c"].value
    assert isinstance(value, ObjectNode)
    assert value.items[0].range.start_line == 7
    assert value.items[0].value.range.start_line == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a = = 1", '1:5: Expected an expression, not "=".', id="no-expression"),
        pytest.param("a = 1 +", "1:8: Expected an expression", id="half-an-operation"),
        pytest.param("foo", '1:4: Expected "=" or "{" before the line ends.', id="lone-name"),
        pytest.param("a = (1 2)", "1:6: Expected an operator between two numbers.", id="two-numbers"),
        pytest.param('a = "${b c}"', "1:8: Expected one expression in the template sequence.", id="broken-hole"),
        pytest.param("a = 1\na = 2", '2:1: The attribute "a" is set twice', id="twice"),
    ],
)
def test_broken_block_is_told_with_place_and_expectation(text: str, message: str) -> None:
    file = parse_file(Source("main.tf", text + "\n"))
    assert len(file.errors) == 1
    assert str(file.errors[0]).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('a {\n  b = "x\n}', "2:7: Expected a closing quotation mark", id="open-quote"),
        pytest.param("a = <<E\nx\n", '1:5: Expected a line "E" to close the heredoc.', id="open-heredoc"),
        pytest.param("a = [1, 2\n", '1:5: Expected "]" to close', id="open-bracket"),
        pytest.param("a {\n  b = 1 ]\n}", '2:9: Expected "}" for the bracket of line 1, not "]".', id="wrong-bracket"),
        pytest.param("}\n", '1:1: Expected a block or an attribute, not "}".', id="stray-brace"),
        pytest.param("/* x", '1:1: Expected "*/" to close the comment.', id="open-comment"),
        pytest.param('a = "${b"\n', "1:9: Expected a closing quotation mark", id="open-hole"),
    ],
)
def test_file_whose_blocks_cannot_be_told_apart(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_file(Source("main.tf", text))
    assert str(raised.value).startswith(message)


def test_missing_quote_ends_at_once() -> None:
    # the grammar's own pattern for texts takes exponential time on this
    with pytest.raises(InputError):
        parse_file(Source("main.tf", 'a = "' + "x ${y} " * 5000 + "\n"))


def test_broken_block_does_not_cost_the_others() -> None:
    file = parse_file(Source("main.tf", 'a "x" {\n  b = 1\n}\nc "y" {\n  d = = 2\n}\ne "z" {\n}\n'))
    assert [block.kind for block in file.body.blocks] == ["a", "e"]
    assert [error.line for error in file.errors] == [5]


@pytest.mark.parametrize(
    ("opening", "closing"), [pytest.param("[", "]", id="lists"), pytest.param('"${', '}"', id="templates")]
)
def test_deep_nesting_is_an_error_and_no_crash(opening: str, closing: str) -> None:
    depth = 20_000
    assert "nested too deeply" in " ".join(problems(f"a = {opening * depth}1{closing * depth}\n"))


def problems(text: str) -> list[str]:
    try:
        return [str(error) for error in parse_file(Source("main.tf", text)).errors]
    except InputError as problem:
        return [str(problem)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\xef\xbb\xbfa = 1", "a = 1", id="utf-8-mark"),
        pytest.param("a = 1".encode("utf-16"), "a = 1", id="utf-16-mark"),
        pytest.param(b'a = "\xe9"', 'a = "é"', id="latin-1"),
        pytest.param(b"a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n", id="windows-lines"),
    ],
)
def test_encodings(raw: bytes, expected: str) -> None:
    assert decode(raw) == expected


def test_the_grammar_is_that_of_checkov() -> None:
    check_hcl2()


def test_another_hcl2_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    import hcl2

    monkeypatch.delattr(hcl2, "START_LINE")
    with pytest.raises(EnvironmentProblem, match="pip uninstall python-hcl2"):
        check_hcl2()
