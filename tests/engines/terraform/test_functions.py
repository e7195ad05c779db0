"""Functions and operators over known values. The expected values are what Terraform 1.11 prints for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from srm_checks.engines.terraform.env import Env
from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.source import Source
from srm_checks.engines.terraform.syntax import parse_file
from srm_checks.engines.terraform.values import FAILED, encode, is_known
from srm_checks.model import Unknown


class NoModule:
    """A module that declares nothing."""

    address = ""

    def resolve(self, node: Any, env: Env) -> tuple[Any, int]:
        binding = env.bindings.get(node.root)
        return (binding.value, 0) if binding else (Unknown(node.text), len(node.steps))

    def call_file_function(self, name: str, arguments: list[Any], site: Any, env: Env) -> Any:
        return site.unknown()


def value_of(expression: str) -> Any:
    file = parse_file(Source("main.tf", f"v = {expression}\n"))
    assert file.errors == ()
    return evaluate(file.body.attributes["v"].value, Env(NoModule()))


KNOWN: list[tuple[str, Any]] = [
    (
        """<<EOT
a
  %{ if true ~}
  b
  %{~ endif }
c

   e ${~ "x" ~}

 f
EOT
""",
        "a\n    b\n\nc\n\n   ex\n f\n",
    ),
    (
        """<<-EOT
    a
      ${"x"} b

    %{ if true ~}
    c
    %{ endif ~}
\ttab
    EOT
""",
        "a\n  x b\n\n    c\n\ttab\n",
    ),
    ('"a\\n  %{ if true ~}\\n  b\\n  %{~ endif }\\nc ${~ "y" ~} \\n z"', "a\n  b\ncyz"),
    ("1 + 2 * 3 - 4 / 2", 5),
    ("7 % 3", 1),
    ("-7 % 3", -1),
    ("5 / 2", 2.5),
    ("10 / 4 == 2.5", True),
    ("!true || false && true", False),
    ('true ? "a" : "b"', "a"),
    ("1 < 2 && 2 >= 2", True),
    ('"1" == 1', False),
    ("1 == 1.0", True),
    ('"a${1}b${true}"', "a1btrue"),
    ('"x%{ if true }A%{ else }B%{ endif }y"', "xAy"),
    ('"%{ for x in [1,2,3] }${x},%{ endfor }"', "1,2,3,"),
    ('"%{ for i, x in ["a","b"] ~} ${i}=${x} %{ endfor ~}"', "0=a 1=b "),
    ("[for x in [1,2,3] : x * 2 if x > 1]", [4, 6]),
    ("{for k, v in {a=1,b=2} : upper(k) => v + 1}", {"A": 2, "B": 3}),
    ('{for x in ["a","b","a"] : x => x...}', {"a": ["a", "a"], "b": ["b"]}),
    ('[for k, v in {b=1,a=2} : "${k}=${v}"]', ["a=2", "b=1"]),
    ('[for i, v in ["x","y"] : i]', [0, 1]),
    ('[for v in toset(["b","a"]) : v]', ["a", "b"]),
    ("merge({a=1},{b=2},{a=3})", {"a": 3, "b": 2}),
    ("merge({a=1},null)", {"a": 1}),
    ("concat([1],[2,3])", [1, 2, 3]),
    ('lookup({a=1},"a",5)', 1),
    ('lookup({a=1},"b",5)', 5),
    ('try({a=1}.b, "d")', "d"),
    ('try([1,2][5], "d")', "d"),
    ("can({a=1}.b)", False),
    ('coalesce(null, "", "x")', "x"),
    ("coalesce(null, 5)", 5),
    ("coalescelist([], [1])", [1]),
    ("flatten([[1,[2]],[3],[]])", [1, 2, 3]),
    ('toset(["b","a","b"])', ["a", "b"]),
    ('tolist(toset(["b","a"]))', ["a", "b"]),
    ("keys({b=1,a=2})", ["a", "b"]),
    ("values({b=1,a=2})", [2, 1]),
    ('element(["a","b"], 3)', "b"),
    ('length("abc")', 3),
    ("length([1,2])", 2),
    ("length({a=1})", 1),
    ('join("-", ["a","b",1])', "a-b-1"),
    ('split(",", "a,b,c")', ["a", "b", "c"]),
    ('split("", "abc")', ["a", "b", "c"]),
    ('format("%s-%d-%05d-%.2f-%q-%t-%%", "a", 3, 42, 1.5, "q", true)', 'a-3-00042-1.50-"q"-true-%'),
    ('format("%v %v %v", [1,2], {a=1}, "x")', '[1,2] {"a":1} x'),
    ('format("%10s|%-5s|", "a", "b")', "         a|b    |"),
    ('format("%[2]s %[1]s", "a", "b")', "b a"),
    ('format("%x %o %b %X", 255, 8, 5, 255)', "ff 10 101 FF"),
    ('format("%e", 12345.678)', "1.234568e+04"),
    ('format("%g", 0.5)', "0.5"),
    ('formatlist("%s-%s", ["a","b"], "x")', ["a-x", "b-x"]),
    ('replace("hello", "l", "L")', "heLLo"),
    ('replace("hello world", "/(\\\\w+) (\\\\w+)/", "$2 $1")', "world hello"),
    ('replace("hello", "/l+/", "<$0>")', "he<ll>o"),
    ('regex("(\\\\d+)-(\\\\d+)", "12-34")', ["12", "34"]),
    ('regex("[a-z]+", "ABCdef")', "def"),
    ('regex("(?P<y>\\\\d+)", "ab12")', {"y": "12"}),
    ('regexall("[a-z]", "a1b2")', ["a", "b"]),
    ('lower("ABC")', "abc"),
    ('title("hello world-foo")', "Hello World-Foo"),
    ('trim("xxabcxx", "x")', "abc"),
    ('trimspace("  a ")', "a"),
    ('trimprefix("abc","a")', "bc"),
    ('trimsuffix("abc","c")', "ab"),
    ('substr("hello", 1, 3)', "ell"),
    ('substr("hello", -3, -1)', "llo"),
    ('substr("hello", 0, 100)', "hello"),
    ('jsonencode({b=1,a=[true,null,"<x>&"]})', '{"a":[true,null,"\\u003cx\\u003e\\u0026"],"b":1}'),
    ('jsondecode("{\\"a\\":[1,2.5,null]}")', {"a": [1, 2.5, None]}),
    (
        'yamldecode("name: no\\nyes: nobody\\n1: x\\ns: \\"no\\"\\nf: 1.5")',
        {"name": False, "true": "nobody", "1": "x", "s": "no", "f": 1.5},
    ),
    ('yamldecode("")', None),
    ('yamldecode("a: 1\\nb: [x, y]\\n")', {"a": 1, "b": ["x", True]}),
    ('base64encode("abc")', "YWJj"),
    ('base64decode("YWJj")', "abc"),
    ('contains(["a","b"],"b")', True),
    ('distinct(["a","b","a"])', ["a", "b"]),
    ('compact(["a","",null,"b"])', ["a", "b"]),
    ('slice(["a","b","c"],1,3)', ["b", "c"]),
    ('zipmap(["a","b"],[1,2])', {"a": 1, "b": 2}),
    ("range(3)", [0, 1, 2]),
    ("range(1,8,3)", [1, 4, 7]),
    ("range(3,0)", [3, 2, 1]),
    ('cidrsubnet("10.0.0.0/16", 8, 2)', "10.0.2.0/24"),
    ('cidrsubnet("10.0.0.0/16", 4, 15)', "10.0.240.0/20"),
    ('cidrhost("10.0.0.0/24", 5)', "10.0.0.5"),
    ('cidrhost("10.0.0.0/24", -1)', "10.0.0.255"),
    ('cidrnetmask("10.0.0.0/20")', "255.255.240.0"),
    ('cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)', ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]),
    ('cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', "fd00:fd12:3456:7800:a200::/72"),
    ("abs(-5)", 5),
    ("min(1,2,3)", 1),
    ("max(1,2,3)", 3),
    ("ceil(5.1)", 6),
    ("floor(5.9)", 5),
    ('tobool("true")', True),
    ('tonumber("5")', 5),
    ("tostring(5)", "5"),
    ("one([])", None),
    ("one([1])", 1),
    ("sum([1,2,3.5])", 6.5),
    ('sort(["c","a","b"])', ["a", "b", "c"]),
    ("reverse([1,2,3])", [3, 2, 1]),
    ('startswith("abc","a")', True),
    ('endswith("abc","c")', True),
    ('strcontains("abc","b")', True),
    ('md5("a")', "0cc175b9c0f1b6a831c399e269772661"),
    ('sha1("a")', "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ('sha256("a")', "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ('base64sha256("a")', "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="),
    ('setproduct(["a","b"],["x","y"])', [["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]]),
    ('setunion(["a"],["b"])', ["a", "b"]),
    ('setintersection(["a","b"],["b"])', ["b"]),
    ('setsubtract(["a","b"],["b"])', ["a"]),
    ('transpose({a=["x","y"],b=["y"]})', {"x": ["a"], "y": ["a", "b"]}),
    ("chunklist([1,2,3],2)", [[1, 2], [3]]),
    ('index(["a","b"],"b")', 1),
    ('matchkeys(["a","b"],["x","y"],["y"])', ["b"]),
    ("alltrue([true,true])", True),
    ("anytrue([false,true])", True),
    ("alltrue([])", True),
    ('parseint("ff",16)', 255),
    ("pow(2,10)", 1024),
    ("log(8,2)", 3),
    ("signum(-3)", -1),
    ('indent(2, "a\\nb")', "a\n  b"),
    ('chomp("a\\n\\n")', "a"),
    ('csvdecode("a,b\\n1,2\\n")', [{"a": "1", "b": "2"}]),
    ('urlencode("a b&c/d")', "a+b%26c%2Fd"),
    ('strrev("abc")', "cba"),
    ('basename("a/b.txt")', "b.txt"),
    ('dirname("a/b.txt")', "a"),
    ("[{a=1},{a=2}][*].a", [1, 2]),
    ("[{a=[1,2]},{a=[3]}][*].a[0]", [1, 3]),
    ("null[*]", []),
    ('"x"[*]', ["x"]),
    ("{a={b=[1,{c=2}]}}.a.b[1].c", 2),
    ('{a=1}["a"]', 1),
    ('{"${"k"}" = 1, (upper("z")) = 2}', {"Z": 2, "k": 1}),
    ("<<EOT\nhello\n  world\nEOT", "hello\n  world\n"),
    ("<<-EOT\n    hello\n      world\n\n    foo\n  EOT", "hello\n  world\n\nfoo\n"),
    ('"$${a} %%{b}"', "${a} %{b}"),
    ('"a\\tb\\n\\u00e9\\\\"', "a\tb\né\\"),
    ("1e3", 1000),
    ("1.50", 1.5),
    ("100000000000000000000", 100000000000000000000),
    ("0.1 + 0.2", 0.3),
    ('true ? 1 : "a"', "1"),
    ('false ? null : "a"', "a"),
    ('tomap({a="x"})', {"a": "x"}),
    ('length(toset(["a","a"]))', 1),
    ('jsonencode("a")', '"a"'),
    ("jsonencode(1.5)", "1.5"),
    ('"${[for x in [1]: x][0]}"', 1),
    ('"${{a=1}.a}"', 1),
    ("max([1,5,2]...)", 5),
    ('tolist(["a"])[0]', "a"),
    ("[1,2,3].1", 2),
    ('contains(keys({a=1}), "a")', True),
    ('coalesce("", "b")', "b"),
    ('join(",", toset(["b","a"]))', "a,b"),
    ('try(tonumber("x"), 0)', 0),
    ('lookup({a={b=1}}, "a", {}).b', 1),
    ('nonsensitive("a")', "a"),
    ("!(1 == 2)", True),
    ("- 5 + 3", -2),
    ("2 * -3", -6),
    ('[for s in ["a", "b"] : upper(s)][1]', "B"),
    ('{ a = 1, "b" : 2 }', {"a": 1, "b": 2}),
    ("{ for k, v in { x = { on = true }, y = { on = false } } : k => v if v.on }", {"x": {"on": True}}),
    ('substr("héllo", 1, 1)', "é"),
    ('upper("straße")', "STRAßE"),
    ('title("o\'neil mc-donald")', "O'Neil Mc-Donald"),
    ('regexall("a(b)?", "abaa")', [["b"], [None], [None]]),
    ('length("héllo")', 5),
    ("[for i in range(3) : i]", [0, 1, 2]),
    ('trim("  a  ", " ")', "a"),
    ('format("%5.1f", 3.14159)', "  3.1"),
    ('format("%s", 1.0)', "1"),
    ('"${1.0}"', 1),
    ('"${1e10}"', 10000000000),
    ('"${123456789012}"', 123456789012),
    ('"${0.000001}"', 1e-06),
    ('"${1/3}"', 0.3333333333333333),
]


@pytest.mark.parametrize(("expression", "expected"), KNOWN, ids=[expression for expression, _ in KNOWN])
def test_known_values(expression: str, expected: Any) -> None:
    value = value_of(expression)
    assert is_known(value)
    assert json.loads(encode(value)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        'regex("a", "b")',
        "element([], 0)",
        "[1][1]",
        '{ a = 1 }["b"]',
        'tonumber("x")',
        'cidrsubnet("10.0.0.0/30", 8, 0)',
        'cidrhost("x", 0)',
        'jsondecode("{")',
        'yamldecode("a: [")',
        'base64decode("%")',
        "coalesce(null)",
        "one([1, 2])",
        'index(["a"], "b")',
        "range(5000)",
        "1 / 0",
        "1 % 0",
        "tomap([1])",
        "upper(null)",
        "length([1][3])",
        '"x${null}"',
        '"x${[1]}"',
        "length(1, 2)",
        "zipmap([1], [])",
        '{ for x in [1, 2] : "k" => x }',
        "[for x in null : x]",
        "try(null.a)",
    ],
)
def test_what_terraform_reports_as_an_error_fails(expression: str) -> None:
    assert value_of(expression) is FAILED
    assert value_of(f"can({expression})") is False
    assert value_of(f'try({expression}, "fallback")') == "fallback"


@pytest.mark.parametrize(
    "expression",
    [
        "uuid()",
        "timestamp()",
        'bcrypt("x")',
        'formatdate("YYYY", "2018-01-02T23:12:01Z")',
        "provider::aws::arn_parse(1)",
        "function_of_tomorrow(1)",
        'regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")',
        'yamldecode("a: &x [1]\\nb: *x")',
        'yamldecode("a: 2001-01-01")',
        'yamldecode("a: 0x1f")',
        'yamldecode("a: 1:30")',
    ],
)
def test_what_is_not_computed_is_unknown(expression: str) -> None:
    assert isinstance(value_of(expression), Unknown)


def test_two_calls_that_differ_each_time_are_not_one_value() -> None:
    assert value_of("uuid()").subject == ""
