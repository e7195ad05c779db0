"""Our own parser against the grammar that Checkov brings: the same trees, to the offset."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks import front_ends
from srm_checks.engines.terraform import lexical, syntax
from srm_checks.engines.terraform.parser import Parser, Unsure
from srm_checks.engines.terraform.source import Source, decode
from srm_checks.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for folder in ("fixtures", "examples") for path in (ROOT / folder).rglob("*.tf"))

FIXTURES = ROOT / "fixtures" / "aws-baseline" / "s3"

FORMS = [
    "a = 1",
    "a = -1 + 2 * 3 - 4 / 5 % 6",
    "a = !b || c && d == e != f",
    "a = (b)",
    "a = (b).c",
    "a = (b ? c : d)[0].e",
    "a = b ? c : d ? e : f",
    "a = b ? c ? d : e : f",
    "a = b == c ? d : e",
    "a = -b.c[0]",
    "a = b.c[*].d[0].e",
    "a = b.c.*.d[0].e",
    "a = b[*].c[*].d",
    "a = b.0.c",
    "a = b.10",
    'a = b["c"].d',
    'a = b["${c}"]',
    "a = b[c.d[0]]",
    'a = [1, 2.5, 1e3, "x", true, null,]',
    "a = []",
    "a = {}",
    "a = { b = 1, c : 2\n d = 3 }",
    'a = {\n  "b" = 1\n  (c) = 2\n  "${d}" = 3\n  e.f = 4\n}',
    "a = [for b in c : d]",
    "a = [for b, c in d : c if c != null]",
    "a = { for b, c in d : b => c }",
    "a = { for b in c : b.d => b... if b.e }",
    "a = f()",
    "a = f(b, c...)",
    "a = f(\n  b,\n  c,\n)",
    "a = provider::x::f(b)",
    'a = "b${c}d"',
    'a = "b$${c}"',
    'a = "\\"b\\n"',
    "a = <<E\n  b ${c}\nE",
    "a = <<-E\n    b\n    c\n  E\nd = 1",
    "a = f(<<E\nb\nE\n, c)",
    "a {\n}",
    'a b "c" {\n  d = 1\n  e {\n    f = 2\n  }\n}',
    "a { b = 1 }",
    "a {\n  b = 1 # c\n  // d\n  /* e */ f = 2\n}",
    "a = b\n\n\n c = d",
    "for = 1",
    "a = { for = 1 }",
    "a = [for]",
    "a-b = c-d",
    "a = b1 -2",
]
BROKEN = [
    "a = ",
    "a = 1 2",
    "a",
    "a {",
    "a = [1",
    "a = b c",
    'a "${b}" {\n}',
    "a = 1\na = 2",
    "= 1",
    "a = b ? c",
    "a = { b }",
    "a = b..c",
]


def plain(node: Any) -> Any:
    """A tree as tuples, without the source."""
    if isinstance(node, InputError):
        return str(node)
    if dataclasses.is_dataclass(node):
        fields = (field.name for field in dataclasses.fields(node))
        return (type(node).__name__, *((name, plain(getattr(node, name))) for name in fields if name != "source"))
    if isinstance(node, dict):
        return tuple((key, plain(value)) for key, value in node.items())
    if isinstance(node, (tuple, list)):
        return tuple(map(plain, node))
    return type(node).__name__, repr(node)


def tree(text: str) -> Any:
    try:
        return plain(syntax.parse_file(Source("main.tf", text)))
    except InputError as problem:
        return str(problem)


@pytest.mark.parametrize("text", [*FORMS, *BROKEN])
def test_both_read_the_same(text: str) -> None:
    with syntax.by_grammar():
        expected = tree(f"{text}\n")
    assert tree(f"{text}\n") == expected


def test_both_read_the_same_in_all_our_files() -> None:
    texts = [decode(path.read_bytes()) for path in FILES]
    with syntax.by_grammar():
        expected = [tree(text) for text in texts]
    different = [str(path) for path, text, wanted in zip(FILES, texts, expected, strict=True) if tree(text) != wanted]
    assert different == []


@pytest.mark.parametrize(
    "text", [text for text in FORMS if "provider::" not in text and text not in ("a = { for = 1 }", "a = [for]")]
)
def test_the_common_forms_need_no_grammar(text: str) -> None:
    source = Source("main.tf", f"{text}\n")
    masked = lexical.mask(source, 0, len(source.text), nested=False)
    try:
        Parser(source, masked, 0, len(masked.text), syntax._template(source)).file_body()
    except Unsure:
        pytest.fail(f"left to the grammar: {text}")


def test_deep_nesting_is_left_to_the_grammar() -> None:
    source = Source("main.tf", f"a = {'[' * 300}{']' * 300}\n")
    masked = lexical.mask(source, 0, len(source.text), nested=False)
    with pytest.raises(Unsure):
        Parser(source, masked, 0, len(masked.text), syntax._template(source)).file_body()


def test_both_engines_find_the_same_in_our_fixtures() -> None:
    """The comparison that benchmarks/front_ends.py makes on public trees."""
    reports = [front_ends.scan(str(FIXTURES), engine, "aws-baseline")[0] for engine in front_ends.ENGINES]
    assert len(reports[0]["findings"]) > 100
    assert [line for line in front_ends.differences(*reports) if line not in front_ends.explained()] == []


def test_a_difference_between_the_engines_is_seen() -> None:
    finding = {
        "policy_id": "SRM-DAR-005", "outcome": "gap", "message": "m", "location": {"path": "a.tf"},
        "resource": {"address": "aws_db_instance.a"},
    }  # fmt: skip
    one = {"findings": [finding], "errors": []}
    other = {"findings": [{**finding, "outcome": "met"}], "errors": []}
    assert list(front_ends.differences(one, other)) == [
        "fast\tSRM-DAR-005\ta.tf\taws_db_instance.a\tgap\tm",
        "checkov\tSRM-DAR-005\ta.tf\taws_db_instance.a\tmet\tm",
    ]
