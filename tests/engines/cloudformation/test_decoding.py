"""Our decoder against cfn-lint's: the same data, the same marks, the same complaints."""

from __future__ import annotations

import random
import textwrap
from pathlib import Path
from typing import Any

import pytest

from srm_checks.engines.cloudformation import cfn_lint, decoding
from srm_checks.engines.cloudformation.source import Source, read_source
from srm_checks.errors import InputError

REPOSITORY = Path(__file__).parents[3]
TEMPLATES = sorted(
    path
    for pattern in ("*.yaml", "*.yml", "*.json", "*.template")
    for path in (REPOSITORY / "fixtures").rglob(pattern)
    if path.name not in ("fixture.yaml", "plan.json")
)


def with_marks(node: Any) -> Any:
    """A decoded node as plain data in which marks show, and with what kind each value has."""
    marks = [(mark.line, mark.column) for name in ("start_mark", "end_mark") if (mark := getattr(node, name, None))]
    if isinstance(node, dict):
        return "map", marks, [(with_marks(key), with_marks(value)) for key, value in node.items()]
    if isinstance(node, list):
        return "list", marks, [with_marks(item) for item in node]
    return (type(node).__name__, repr(node), []) if not isinstance(node, str) else ("text", str(node), marks)


def outcome(decode: Any, source: Source) -> Any:
    try:
        return with_marks(decode(source))
    except InputError as problem:
        return str(problem)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were left to cfn-lint."""
    texts: list[str] = []
    decode = cfn_lint.decode

    def noted(source: Source) -> Any:
        texts.append(source.text)
        return decode(source)

    monkeypatch.setattr(cfn_lint, "decode", noted)
    return texts


ORDINARY = {
    "plain values": """\
        a: [1, -2, +3, 0x1F, 010, 1_000, 190:20:30, 1.5, .inf, -.INF, 6.02e+23, 1e3]
        b: [yes, No, on, OFF, true, False, y, n, null, ~, Null, NULL]
        c: [2012-10-17, 2001-12-14t21:59:43.10-05:00, 10:30, 1.2.3, 0.0.0.0/0, "2012-10-17", 'yes']
        d:
        e: text with # no comment, and: no mapping
        """,
    "block texts": """\
        a: |
          #!/bin/bash
          echo "$x" && y

        b: >-
          folded
          text

        # a comment
        c: "a
          b"
        """,
    "short forms": """\
        a: !Ref X
        b: !GetAtt X.Y.Z
        c: !GetAtt [X, Y]
        d: !Sub "${X}-y"
        e: !Sub
          - ${a}
          - a: !Ref B
        f: !If [C, !Ref A, !Ref "AWS::NoValue"]
        g: !Condition C
        h: !Equals
          - !Ref A
          - b
        i: !Transform { Name: "AWS::Include", Parameters: { Location: s3://b/k } }
        j: !Base64 |
          text
        k: !Cidr [ !GetAtt V.CidrBlock, 4, 8 ]
        l: !Ref
        m: !Select [0, !GetAZs ""]
        n: !Unheard {a: [1, {b: 2}]}
        """,
    "keys that are no text": "{2: a, true: b, 2012-10-17: c, 1.5: d}",
    "JSON": '{"a": {"b": [1, 2.5, true, null, "x\\u00e9\\n"]}, "Fn::Sub": "${x}"}',
    "JSON with tabs": '{\n\t"a":\t1,\n\t"b": ["c"]\n}\n',
    "nothing within": "{a: {}, b: [], c: ''}",
    "a document marked as such": "%YAML 1.1\n---\na: 1\n...\n",
    "a list": "- a\n- b: c\n",
    "other letters": "é: 日本\n'🙂': a\n",
}
UNUSUAL = {
    "nothing": "",
    "a comment alone": "# nothing\n",
    "a text alone, with an anchor": "&a text",
    "an alias": "a: &x [1, 2]\nb: *x\n",
    "an alias for a text": "a: &x 1\nb: *x\n",
    "an alias as key": "a: &x k\n*x : 1\n",
    "an alias without anchor": "a: *x\n",
    "merged": "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
    "a key that stands twice": "a: 1\nb: 2\na: 3\n",
    "a key that stands twice in a short form": "a: !Sub\n  b: 1\n  b: 2\n",
    "a null key": "~: 1\n",
    "a key with a tag": "!Ref a: 1\n",
    "a list as key": "[a]: 1\n",
    "a mapping as key": "{a: 1}: 1\n",
    "a tag of YAML's own": "a: !!str 1\nb: !!binary aGk=\n",
    "the tag for nothing special": "a: ! 1\n",
    "an unknown tag of YAML's own": "a: !!python/name:os.system x\n",
    "a tag in brackets": "a: !<tag:example.org,2000:x> 1\n",
    "a mapping for GetAtt": "a: !GetAtt {b: c}\n",
    "a value": "a: =\n",
    "a date that is none": "a: 2012-99-99\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "not closed": "a: [1, 2\n",
    "keys that are equal": "{1: a, true: b}",
    "a tab before all": '\t{"a": {"b": [1]}}\n',
    "a tab before all, and wrong": '\t{"a": 1,}\n',
    "a control character": "a: \x07\n",
    "a broken escape": 'a: "\\q"\n',
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_what_is_ordinary_is_read_without_cfn_lint_and_alike(text, asked):
    source = Source.of("t.yaml", textwrap.dedent(text))
    ours = outcome(decoding.decode, source)
    assert asked == []
    assert ours == outcome(cfn_lint.decode, source)


@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_not_is_cfn_lints_to_read(text, asked):
    source = Source.of("t.yaml", text)
    ours = outcome(decoding.decode, source)
    assert asked == [text]
    assert ours == outcome(cfn_lint.decode, source)


def test_templates_are_decoded_alike():
    assert len(TEMPLATES) > 400
    different = [
        path
        for path in TEMPLATES
        if outcome(decoding.decode, read_source(str(path))) != outcome(cfn_lint.decode, read_source(str(path)))
    ]
    assert different == []


def test_damaged_templates_are_decoded_alike():
    """A line lost, doubled or moved in, or a character lost: mostly still YAML, and now and then something odd."""
    chance = random.Random(1)
    for path in chance.sample(TEMPLATES, 80):
        text = path.read_text(encoding="utf-8")
        for _ in range(4):
            source = Source.of("t.yaml", damaged(text, chance))
            assert outcome(decoding.decode, source) == outcome(cfn_lint.decode, source), source.text


def damaged(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    place = chance.randrange(len(lines))
    match chance.choice(["lost", "doubled", "moved", "character", "character"]):
        case "lost":
            del lines[place]
        case "doubled":
            lines.insert(place, lines[place])
        case "moved":
            lines[place] = " " + lines[place]
        case _:
            place = chance.randrange(len(text))
            return text[:place] + text[place + 1 :]
    return "\n".join(lines)
