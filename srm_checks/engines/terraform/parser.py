"""A parser of our own for what `lexical.mask` leaves: the fast way from text to syntax tree.

It reads the common part of the grammar, in one pass and without a table. Whatever it does not expect it refuses
(`Unsure`), and the grammar that Checkov brings has the word: on the mistake as well as on the rare form. So it may
know less than that grammar, and must never read a text differently; a test compares the trees.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from srm_checks.engines.terraform import lexical
from srm_checks.engines.terraform.nodes import (
    Attribute,
    AttributeStep,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    ForNode,
    IndexStep,
    Literal,
    ObjectItem,
    ObjectNode,
    SplatStep,
    Step,
    Traversal,
    TupleNode,
    Unary,
)
from srm_checks.engines.terraform.source import Source
from srm_checks.model import ABSENT

KEYWORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": ABSENT}
PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_TOKEN: Final = re.compile(
    r"[ \t\r]*(?:([A-Za-z_][A-Za-z0-9_-]*)|(\"[^\"\n]*\")|(\n)|(\d+)"
    r"|(\.\.\.|=>|==|!=|<=|>=|&&|\|\||::|[-+*/%<>=!?:.,()\[\]{}]))"
)
_BLANK: Final = re.compile(r"[ \t\r]*\Z")
_NAME, _TEXT, _LINE, _DIGITS, _END = "name", "text", "line", "digits", "end"
_KINDS: Final = ("", _NAME, _TEXT, _LINE, _DIGITS)  # by group of the pattern
_SIGN: Final = 5
_MARKED: Final = re.compile(r"\\|\$\$\{|%%\{")
_DEPTH: Final = 200  # of brackets; deeper ones are left to the grammar and its limits


class Unsure(Exception):
    """The text is not of the common form; the grammar must read it."""


class Parser:
    """Parses a span of masked text; `template` turns a masked text of the source into an expression."""

    def __init__(
        self,
        source: Source,
        masked: lexical.Masked,
        start: int,
        end: int,
        template: Callable[[lexical.Text], Expression],
    ) -> None:
        self.source = source
        self.literals = masked.literals
        self.template = template
        base = masked.start
        text = masked.text
        kinds: list[str] = []
        texts: list[str] = []
        starts: list[int] = []
        at = start
        for found in _TOKEN.finditer(text, start, end):
            if found.start() != at:
                raise Unsure
            at = found.end()
            group = found.lastindex
            word = found[group]  # type: ignore[index]  # every branch of the pattern is a group
            kinds.append(word if group == _SIGN else _KINDS[group])  # type: ignore[index]
            texts.append(word)
            starts.append(base + at - len(word))
        if at < end and not _BLANK.match(text, at, end):
            raise Unsure
        self.kinds, self.texts, self.starts = kinds, texts, starts
        kinds.append(_END)
        texts.append("")
        starts.append(base + end)
        self.at = 0
        self.depth = 0

    # -- bodies

    def file_body(self) -> Body:
        """The attributes and blocks up to the end."""
        body = self._body(_END)
        if self.kinds[self.at] != _END:
            raise Unsure
        return body

    def whole_expression(self) -> Expression:
        """One expression and nothing else."""
        expression = self._expression()
        while self.kinds[self.at] == _LINE:
            self.at += 1
        if self.kinds[self.at] != _END:
            raise Unsure
        return expression

    def _body(self, until: str) -> Body:
        kinds, texts = self.kinds, self.texts
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        while True:
            while kinds[self.at] == _LINE:
                self.at += 1
            if kinds[self.at] == until:
                return Body(attributes, tuple(blocks))
            if kinds[self.at] != _NAME:
                raise Unsure
            if kinds[self.at + 1] == "=":
                name, start = texts[self.at], self.starts[self.at]
                if name in attributes or name in KEYWORDS:
                    raise Unsure
                self.at += 2
                value = self._expression()
                attributes[name] = Attribute(self.source, start, value.end, name, value)
            else:
                blocks.append(self._block())
            if kinds[self.at] not in (_LINE, until):
                raise Unsure

    def _block(self) -> Block:
        kinds = self.kinds
        start, kind = self.starts[self.at], self.texts[self.at]
        self.at += 1
        labels: list[str] = []
        while kinds[self.at] != "{":
            if kinds[self.at] == _TEXT:
                literal = self._text()
                if not isinstance(literal, Literal) or not isinstance(literal.value, str):
                    raise Unsure
                labels.append(literal.value)
            elif kinds[self.at] == _NAME:
                labels.append(self.texts[self.at])
                self.at += 1
            else:
                raise Unsure
        self._open()
        body = self._body("}")
        end = self._close("}")
        return Block(self.source, start, end, kind, tuple(labels), body)

    # -- expressions

    def _expression(self) -> Expression:
        first = self._operand()
        if self.kinds[self.at] in PRECEDENCE:
            operands, operators = [first], []
            while (operator := self.kinds[self.at]) in PRECEDENCE:
                operators.append(operator)
                self.at += 1
                operands.append(self._operand())
            first = by_precedence(self.source, operands, operators)
        if self.kinds[self.at] != "?":
            return first
        self.at += 1
        then = self._expression()
        if self.kinds[self.at] != ":":
            raise Unsure
        self.at += 1
        otherwise = self._expression()
        return Conditional(self.source, first.start, otherwise.end, first, then, otherwise)

    def _operand(self) -> Expression:
        kind = self.kinds[self.at]
        if kind in ("-", "!"):
            start = self.starts[self.at]
            self.at += 1
            if self.kinds[self.at] in ("-", "!"):
                raise Unsure
            operand = self._term()
            return Unary(self.source, start, operand.end, kind, operand)
        return self._term()

    def _term(self) -> Expression:
        kind, start = self.kinds[self.at], self.starts[self.at]
        expression: Expression
        if kind == _NAME:
            expression = self._named(start)
        elif kind == _TEXT:
            expression = self._text()
        elif kind == "[":
            expression = self._brackets(start)
        elif kind == "{":
            expression = self._braces(start)
        elif kind == "(":
            return self._parenthesised(start)
        elif kind == _DIGITS:
            digits = self.texts[self.at]
            self.at += 1
            if self.kinds[self.at] == _DIGITS:
                raise Unsure
            expression = Literal(self.source, start, start + len(digits), int(digits))
        else:
            raise Unsure
        if self.kinds[self.at] not in (".", "["):
            return expression
        steps, end = self._steps()
        if isinstance(expression, Traversal):
            return Traversal(self.source, start, end, expression.root, steps)
        return Traversal(self.source, start, end, expression, steps)

    def _parenthesised(self, start: int) -> Expression:
        self._open()
        inner = self._expression()
        end = self._close(")")
        value = replace(inner, start=start, end=end)
        if self.kinds[self.at] not in (".", "["):
            return value
        steps, end = self._steps()
        return Traversal(self.source, start, end, value, steps)

    def _named(self, start: int) -> Expression:
        name = self.texts[self.at]
        self.at += 1
        kind = self.kinds[self.at]
        if kind == "(":
            return self._call(name, start)
        if kind == "::":
            raise Unsure
        end = start + len(name)
        if name in KEYWORDS:
            return Literal(self.source, start, end, KEYWORDS[name])
        return Traversal(self.source, start, end, name, ())

    def _call(self, name: str, start: int) -> Expression:
        self._open()
        arguments: list[Expression] = []
        expand = False
        while self.kinds[self.at] != ")":
            arguments.append(self._expression())
            if self.kinds[self.at] == "...":
                self.at += 1
                expand = True
                if self.kinds[self.at] != ")":
                    raise Unsure
            elif self.kinds[self.at] == ",":
                self.at += 1
            elif self.kinds[self.at] != ")":
                raise Unsure
        end = self._close(")")
        return Call(self.source, start, end, name, tuple(arguments), expand)

    def _text(self) -> Expression:
        start = self.starts[self.at]
        literal = self.literals[start]
        end = start + len(self.texts[self.at])
        self.at += 1
        if isinstance(literal, lexical.Text):
            if len(literal.parts) == 1 and not literal.heredoc and type(span := literal.parts[0]) is tuple:
                plain = self.source.text[span[0] : span[1]]
                if not _MARKED.search(plain):  # most texts are: no hole, no escape
                    return Literal(self.source, literal.start, literal.end, plain)
            return self.template(literal)
        return Literal(self.source, start, end, literal)

    # -- brackets and braces

    def _brackets(self, start: int) -> Expression:
        self._open()
        if self._is_for():
            return self._for(start, "]")
        items: list[Expression] = []
        while self.kinds[self.at] != "]":
            items.append(self._expression())
            if self.kinds[self.at] == ",":
                self.at += 1
            elif self.kinds[self.at] != "]":
                raise Unsure
        end = self._close("]")
        return TupleNode(self.source, start, end, tuple(items))

    def _braces(self, start: int) -> Expression:
        self._open()
        kinds = self.kinds
        if self._is_for():
            return self._for(start, "}")
        items: list[ObjectItem] = []
        while True:
            while kinds[self.at] == _LINE:
                self.at += 1
            if kinds[self.at] == "}":
                break
            item_start = self.starts[self.at]
            key = self._key()
            if kinds[self.at] not in ("=", ":"):
                raise Unsure
            self.at += 1
            value = self._expression()
            items.append(ObjectItem(self.source, item_start, value.end, key, value))
            if kinds[self.at] == ",":
                self.at += 1
            elif kinds[self.at] not in (_LINE, "}"):
                raise Unsure
        end = self._close("}")
        return ObjectNode(self.source, start, end, tuple(items))

    def _key(self) -> Expression:
        """A bare name is a text; anything else is an expression."""
        if self.kinds[self.at] == _NAME and self.kinds[self.at + 1] in ("=", ":"):
            name, start = self.texts[self.at], self.starts[self.at]
            self.at += 1
            return Literal(self.source, start, start + len(name), name)
        return self._expression()

    def _is_for(self) -> bool:
        """Whether a `for` stands here; a key or a variable of that name is left to the grammar."""
        if self.kinds[self.at] != _NAME or self.texts[self.at] != "for":
            return False
        if self.kinds[self.at + 1] != _NAME:
            raise Unsure
        return True

    def _for(self, start: int, until: str) -> Expression:
        self.at += 1
        names = [self._name()]
        if self.kinds[self.at] == ",":
            self.at += 1
            names.append(self._name())
        if self._name() != "in":
            raise Unsure
        collection = self._expression()
        if self.kinds[self.at] != ":":
            raise Unsure
        self.at += 1
        value = self._expression()
        key: Expression | None = None
        grouping = False
        if until == "}":
            key = value
            if self.kinds[self.at] != "=>":
                raise Unsure
            self.at += 1
            value = self._expression()
            if self.kinds[self.at] == "...":
                grouping = True
                self.at += 1
        condition: Expression | None = None
        if self.kinds[self.at] == _NAME and self.texts[self.at] == "if":
            self.at += 1
            condition = self._expression()
        end = self._close(until)
        key_name = names[0] if len(names) == 2 else None
        return ForNode(self.source, start, end, key_name, names[-1], collection, key, value, condition, grouping)

    def _name(self) -> str:
        if self.kinds[self.at] != _NAME:
            raise Unsure
        self.at += 1
        return self.texts[self.at - 1]

    # -- steps

    def _steps(self) -> tuple[tuple[Step, ...], int]:
        """The steps after a value, and where they end.

        All steps after `[*]` are taken on each element; after `.*` only attributes are, and an index in brackets
        reads from the list that results. Another splat starts anew.
        """
        steps: list[Step] = []
        end = self.starts[self.at]
        while self.kinds[self.at] in (".", "["):
            start = self.starts[self.at]
            by_dot = self.kinds[self.at] == "."
            end_of_sign = self._splat_sign()
            if end_of_sign is None:
                step = self._step(start)
                steps.append(step)
                end = step.end
                continue
            end = end_of_sign
            own: list[Step] = []
            while self.kinds[self.at] in (".", "[") and self.kinds[self.at + 1] != "*":
                own.append(self._step(self.starts[self.at]))
                end = own[-1].end
            count = len(own)
            if by_dot:
                count = next((number for number, step in enumerate(own) if isinstance(step, IndexStep)), count)
            steps += [SplatStep(self.source, start, end, tuple(own[:count])), *own[count:]]
        return tuple(steps), end

    def _splat_sign(self) -> int | None:
        """Step over `.*` or `[*]`; where it ends."""
        if self.kinds[self.at + 1] != "*":
            return None
        if self.kinds[self.at] == ".":
            self.at += 2
            return self.starts[self.at - 1] + 1
        self._open()
        self.at += 1
        return self._close("]")

    def _step(self, start: int) -> AttributeStep | IndexStep:
        if self.kinds[self.at] == "[":
            self._open()
            index = self._expression()
            return IndexStep(self.source, start, self._close("]"), index)
        kind, word = self.kinds[self.at + 1], self.texts[self.at + 1]
        end = self.starts[self.at + 1] + len(word)
        self.at += 2
        if kind == _NAME:
            return AttributeStep(self.source, start, end, word)
        if kind == _DIGITS:
            return IndexStep(self.source, start, end, Literal(self.source, start + 1, end, int(word)))
        raise Unsure

    # -- brackets in general

    def _open(self) -> None:
        self.at += 1
        self.depth += 1
        if self.depth > _DEPTH:
            raise Unsure

    def _close(self, kind: str) -> int:
        """Step over the closing bracket; the offset after it."""
        if self.kinds[self.at] != kind:
            raise Unsure
        self.depth -= 1
        self.at += 1
        return self.starts[self.at - 1] + 1


def by_precedence(source: Source, operands: list[Expression], operators: list[str]) -> Expression:
    """Join operands by operator precedence, left to right among equals."""
    values = [operands[0]]
    waiting: list[str] = []

    def join() -> None:
        right, left = values.pop(), values.pop()
        values.append(Binary(source, left.start, right.end, waiting.pop(), left, right))

    for operator, operand in zip(operators, operands[1:], strict=True):
        while waiting and PRECEDENCE[waiting[-1]] >= PRECEDENCE[operator]:
            join()
        waiting.append(operator)
        values.append(operand)
    while waiting:
        join()
    return values[0]
