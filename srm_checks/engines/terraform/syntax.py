"""The native syntax of Terraform: text to syntax tree.

The grammar is that of the `hcl2` fork which Checkov brings; only its parse tree is used. The tree has no operator
precedence (every binary operation takes all that follows as its right side), so that operations are put together
anew here; and templates are opaque to it, so that what stands in their holes is parsed by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from srm_checks.engines.terraform import lexical
from srm_checks.engines.terraform.nodes import (
    Attribute,
    AttributeStep,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    File,
    ForNode,
    IndexStep,
    Literal,
    ObjectItem,
    ObjectNode,
    SplatStep,
    Step,
    Template,
    TemplateFor,
    TemplateIf,
    TemplatePart,
    Traversal,
    TupleNode,
    Unary,
)
from srm_checks.engines.terraform.parser import KEYWORDS, Parser, Unsure, by_precedence
from srm_checks.engines.terraform.source import Source
from srm_checks.errors import EnvironmentProblem, InputError
from srm_checks.grammar import hcl2_parser

if TYPE_CHECKING:
    from lark import Tree

_TOO_DEEP: Final = "The text is nested too deeply to be read."
_PREFIX: Final = "_ = "
_SIMPLE_TRAVERSAL = re.compile(r"\s*[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*\s*")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ESCAPE = re.compile(r"\\(?:([nrt\"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(\$\$\{|%%\{)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DIRECTIVE_FOR = re.compile(r"\s*for\s+([A-Za-z_][\w-]*)\s*(?:,\s*([A-Za-z_][\w-]*)\s*)?in\b")
_DIRECTIVE_WORD = re.compile(r"\s*(if|else|endif|endfor)\b")
# What the grammar calls its tokens, in words.
_TERMINALS: Final = {
    "RBRACE": '"}"',
    "LBRACE": '"{"',
    "RSQB": '"]"',
    "RPAR": '")"',
    "EQUAL": '"="',
    "COMMA": '","',
    "COLON": '":"',
    "_NEW_LINE_OR_COMMENT": "a line end",
}
_EXPRESSION_START: Final = frozenset({"STRING_LIT", "LSQB", "DECIMAL"})


def check_hcl2() -> None:
    """Raise EnvironmentProblem unless the module `hcl2` is the fork that Checkov brings."""
    try:
        hcl2_parser()
    except ImportError as problem:
        raise EnvironmentProblem(
            "The module hcl2 is not the one that Checkov needs: another package, such as python-hcl2, lies over it. "
            "Run `pip uninstall python-hcl2 bc-python-hcl2`, then `pip install --force-reinstall bc-python-hcl2`."
        ) from problem


_fast = True


@contextmanager
def by_grammar() -> Iterator[None]:
    """Inside the `with`, the grammar that Checkov brings reads everything; `--engine checkov`."""
    global _fast
    check_hcl2()
    before, _fast = _fast, False
    try:
        yield
    finally:
        _fast = before


def reader() -> str:
    """Who reads now: a name for what is remembered of a file."""
    return "parser" if _fast else "grammar"


_grammar: Callable[[str], Tree[Any]] | None = None


def _parse_tree(text: str) -> Tree[Any]:
    global _grammar
    if _grammar is None:
        check_hcl2()
        _grammar = hcl2_parser().parse
    return _grammar(text)


def parse_file(source: Source) -> File:
    """The syntax tree of a `.tf`, `.tofu` or `.tfvars` text.

    A block that cannot be parsed is left out and told of in `errors`. Raises InputError, with line, column and
    expectation, where not even the blocks can be told apart.
    """
    try:
        masked = lexical.mask(source, 0, len(source.text), nested=False)
    except RecursionError:
        raise source.error(0, _TOO_DEEP) from None
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    errors: list[InputError] = []
    for start, end in _chunks(masked):
        try:
            body = _body(source, masked, start, end)
        except InputError as problem:
            errors.append(problem)
        except RecursionError:
            errors.append(source.error(start, _TOO_DEEP))
        else:
            attributes.update(body.attributes)
            blocks += body.blocks
    return File(source, Body(attributes, tuple(blocks)), masked.comments, tuple(errors))


def _body(source: Source, masked: lexical.Masked, start: int, end: int) -> Body:
    """What a span of masked text declares."""
    if _fast:
        try:
            return Parser(source, masked, start, end, _template(source)).file_body()
        except Unsure:
            pass  # the grammar has the word
    tree = _parse(source, masked, "", start, end)
    return _Builder(source, masked, -start).body(_only(tree, "body"))


def _template(source: Source) -> Callable[[lexical.Text], Expression]:
    return lambda text: _TemplateBuilder(source, text).build()


def _chunks(masked: lexical.Masked) -> Iterator[tuple[int, int]]:
    """The spans of masked text that are parsed one by one."""
    start = 0
    for end in (*masked.breaks, len(masked.text)):
        if not masked.text[start:end].isspace() and end > start:
            yield start, end
        start = end


def parse_expression(source: Source, start: int, end: int) -> Expression:
    """The expression in a span of `source`. Raises InputError."""
    text = source.text[start:end]
    if _SIMPLE_TRAVERSAL.fullmatch(text):
        return _simple_traversal(source, start, text)
    masked = lexical.mask(source, start, end, nested=True)
    if _fast:
        try:
            return Parser(source, masked, 0, len(masked.text), _template(source)).whole_expression()
        except Unsure:
            pass  # the grammar has the word
    tree = _parse(source, masked, _PREFIX, 0, len(masked.text))
    attribute = _only(_only(tree, "body"), "attribute")
    return _Builder(source, masked, len(_PREFIX)).expression(attribute.children[1])


def parse_template(source: Source, *, unwrap: bool = False) -> Expression:
    """A whole text as a template, as `templatefile` reads it. Raises InputError.

    `unwrap`: a text that is one hole and nothing else is the value of that hole, as in quotes and in JSON.
    """
    try:
        text = lexical.template_text(source, 0, len(source.text))
        return _TemplateBuilder(source, replace(text, heredoc="") if unwrap else text, quoted=False).build()
    except RecursionError:
        raise source.error(0, _TOO_DEEP) from None


def _simple_traversal(source: Source, start: int, text: str) -> Expression:
    names = list(_NAME.finditer(text))
    begin = start + names[0].start()
    if len(names) == 1 and names[0].group() in KEYWORDS:
        return Literal(source, begin, start + names[0].end(), KEYWORDS[names[0].group()])
    steps = tuple(AttributeStep(source, start + n.start() - 1, start + n.end(), n.group()) for n in names[1:])
    return Traversal(source, begin, start + names[-1].end(), names[0].group(), steps)


def _parse(source: Source, masked: lexical.Masked, prefix: str, start: int, end: int) -> Tree[Any]:
    """Parse a span of masked text after `prefix` with the grammar; its errors become ours."""
    from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    text = f"{prefix}{masked.text[start:end]}\n"
    try:
        return _parse_tree(text)
    except UnexpectedInput as problem:
        at = problem.pos_in_stream
        at = len(text) if at is None or at < 0 else at
        at = max(masked.start, min(at + masked.start + start - len(prefix), len(source.text)))
        expected = set(getattr(problem, "expected", None) or getattr(problem, "allowed", None) or ())
        found = ""
        if prefix and "EQUAL" in expected:  # after a whole expression it takes what follows for another attribute
            raise source.error(masked.start, "Expected one expression in the template sequence.") from None
        if isinstance(problem, UnexpectedToken) and problem.token.type != "$END":
            found = _found(source, masked, at)
        elif isinstance(problem, UnexpectedCharacters):
            found = f', not "{source.text[at : at + 1]}"'
        raise source.error(at, f"Expected {_expectation(expected)}{found}.") from None
    except LarkError as problem:
        raise InputError(source.path, f"The file cannot be parsed: {problem}.") from problem


def _found(source: Source, masked: lexical.Masked, at: int) -> str:
    if at in masked.literals:
        return ", not a value"
    text = source.text[at : at + 1]
    if text in ("\n", ""):
        return " before the line ends"
    name = _NAME.match(source.text, at)
    return f', not "{name.group() if name else text}"'


def _expectation(expected: set[str]) -> str:
    if expected >= _EXPRESSION_START and "EQUAL" not in expected:
        return "an expression"
    words = sorted(_TERMINALS[name] for name in expected if name in _TERMINALS)
    if not words:
        return "an attribute or a block"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _only(tree: Tree[Any], data: str) -> Tree[Any]:
    return next(child for child in tree.children if getattr(child, "data", None) == data)


def _trees(children: list[Any]) -> list[Any]:
    return [child for child in children if hasattr(child, "data")]


class _Builder:
    """Turns the grammar's tree into ours; `lead` is the position at which the masked text starts in it."""

    def __init__(self, source: Source, masked: lexical.Masked, lead: int) -> None:
        self.source = source
        self.offset = masked.start - lead  # from the grammar's positions to the source's
        self.literals = masked.literals
        self.masked = masked
        self._build: dict[str, Callable[[Any], Expression]] = {
            "expr_term": self._term,
            "identifier": self._identifier,
            "binary_op": self._operation,
            "unary_op": self._unary,
            "conditional": self._operation,
            "int_lit": self._integer,
            "float_lit": self._integer,
            "tuple": self._tuple,
            "object": self._object,
            "function_call": self._call,
            "provider_function_call": self._call,
            "index_expr_term": self._step,
            "get_attr_expr_term": self._step,
            "attr_splat_expr_term": self._step,
            "full_splat_expr_term": self._step,
            "for_tuple_expr": self._for,
            "for_object_expr": self._for,
        }

    # -- blocks

    def body(self, tree: Tree[Any]) -> Body:
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in _trees(tree.children):
            if child.data == "block":
                blocks.append(self._block(child))
                continue
            name = str(child.children[0].children[0])
            start = self._start(child)
            if name in attributes:
                raise self.source.error(start, f'The attribute "{name}" is set twice in one block.')
            value = self.expression(child.children[1])
            attributes[name] = Attribute(self.source, start, value.end, name, value)
        return Body(attributes, tuple(blocks))

    def _block(self, tree: Tree[Any]) -> Block:
        labels: list[str] = []
        body: Body | None = None
        for child in tree.children:
            data = getattr(child, "data", None)
            if data == "identifier":
                labels.append(str(child.children[0]))
            elif data == "body":
                body = self.body(child)
            elif getattr(child, "type", None) == "STRING_LIT":
                labels.append(self._label(child))
        start = self._start(tree)
        return Block(self.source, start, self._end(tree), labels[0], tuple(labels[1:]), body or Body({}, ()))

    def _label(self, token: Any) -> str:
        literal = self._literal_at(token)
        if isinstance(literal, Literal) and isinstance(literal.value, str):
            return literal.value
        raise self.source.error(literal.start, "A block label must be a plain text.")

    # -- positions

    def _start(self, tree: Any) -> int:
        position: int = tree.meta.start_pos if hasattr(tree, "meta") else tree.start_pos
        return position + self.offset

    def _end(self, tree: Any) -> int:
        meta = getattr(tree, "meta", None)
        position: int = meta.end_pos if meta is not None else tree.end_pos
        return position + self.offset

    def _masked_between(self, start: int, end: int) -> str:
        """What the grammar saw in a span of the source."""
        base = self.masked.start
        return self.masked.text[start - base : end - base]

    # -- expressions

    def expression(self, tree: Any) -> Expression:
        if not hasattr(tree, "data"):
            return self._literal_at(tree)
        return self._build[str(tree.data)](tree)

    def _literal_at(self, token: Any) -> Expression:
        start = token.start_pos + self.offset
        literal = self.literals[start]
        if isinstance(literal, lexical.Text):
            return _TemplateBuilder(self.source, literal).build()
        return Literal(self.source, start, token.end_pos + self.offset, literal)

    def _term(self, tree: Tree[Any]) -> Expression:
        expression = self.expression(tree.children[0])
        start, end = self._start(tree), self._end(tree)
        if self.source.text[start] == "(" and start < expression.start:
            return replace(expression, start=start, end=end)
        return expression

    def _identifier(self, tree: Tree[Any]) -> Expression:
        name = str(tree.children[0])
        if name in KEYWORDS:
            return Literal(self.source, self._start(tree), self._end(tree), KEYWORDS[name])
        return Traversal(self.source, self._start(tree), self._end(tree), name, ())

    def _integer(self, tree: Tree[Any]) -> Expression:
        digits = "".join(str(child) for child in tree.children)
        start, end = self._start(tree), self._end(tree)
        if end - start != len(digits):
            raise self.source.error(start, "Expected an operator between two numbers.")
        return Literal(self.source, start, end, lexical.number(digits))

    def _unary(self, tree: Tree[Any]) -> Expression:
        operand = self.expression(tree.children[1])
        return Unary(self.source, self._start(tree), operand.end, str(tree.children[0]), operand)

    def _operation(self, tree: Tree[Any]) -> Expression:
        """Binary operations and conditionals, by precedence: `a && b ? c : d` reaches us as `a && (b ? c : d)`."""
        operands: list[Expression] = []
        operators: list[str] = []
        branches: tuple[Any, Any] | None = None
        node: Any = tree
        pending: list[Any] = []
        while True:
            data = getattr(node, "data", None)
            if data == "binary_op":
                term = node.children[1]
                pending.append((str(term.children[0].children[0]), term.children[1]))
                node = node.children[0]
                continue
            if data == "conditional":
                parts = _trees(node.children)
                if branches is not None:
                    raise self.source.error(self._start(node), "Conditionals in a row need parentheses.")
                branches = (parts[1], parts[2])
                node = parts[0]
                continue
            operands.append(self.expression(node))
            if not pending:
                break
            operator, node = pending.pop()
            operators.append(operator)
        result = by_precedence(self.source, operands, operators)
        if branches is None:
            return result
        then, otherwise = self.expression(branches[0]), self.expression(branches[1])
        return Conditional(self.source, result.start, otherwise.end, result, then, otherwise)

    def _tuple(self, tree: Tree[Any]) -> Expression:
        items = tuple(self.expression(child) for child in _trees(tree.children))
        return TupleNode(self.source, self._start(tree), self._end(tree), items)

    def _object(self, tree: Tree[Any]) -> Expression:
        items: list[ObjectItem] = []
        for element in _trees(tree.children):
            key_tree, value_tree = _trees(element.children)
            start = self._start(key_tree)
            key = self._object_key(key_tree)
            value = self.expression(value_tree)
            items.append(ObjectItem(self.source, start, value.end, key, value))
        return ObjectNode(self.source, self._start(tree), self._end(tree), tuple(items))

    def _object_key(self, tree: Tree[Any]) -> Expression:
        """A bare name is a text; `(name)` is an expression."""
        bare = tree
        if bare.data == "expr_term" and getattr(bare.children[0], "data", None) == "identifier":
            bare = bare.children[0]
        if bare.data == "identifier" and self.source.text[self._start(tree)] != "(":
            return Literal(self.source, self._start(bare), self._end(bare), str(bare.children[0]))
        return self.expression(tree)

    def _call(self, tree: Tree[Any]) -> Expression:
        names = [str(child.children[0]) for child in _trees(tree.children) if child.data == "identifier"]
        arguments: tuple[Expression, ...] = ()
        expand = False
        for child in _trees(tree.children):
            if child.data == "arguments":
                arguments = tuple(self.expression(argument) for argument in _trees(child.children))
                expand = "..." in self._masked_between(arguments[-1].end, self._end(tree))
        return Call(self.source, self._start(tree), self._end(tree), "::".join(names), arguments, expand)

    def _step(self, tree: Tree[Any]) -> Expression:
        base = self.expression(tree.children[0])
        step_tree = tree.children[1]
        steps: tuple[Step, ...]
        if step_tree.data in ("attr_splat", "full_splat"):
            steps = self._splat(step_tree)
        else:
            steps = (self._single_step(step_tree),)
        end = self._end(step_tree)
        if isinstance(base, Traversal) and self.source.text[base.end - 1] != ")":  # not `(name).step`
            return Traversal(self.source, base.start, end, base.root, base.steps + steps)
        return Traversal(self.source, self._start(tree), end, base, steps)

    def _splat(self, tree: Tree[Any]) -> tuple[Step, ...]:
        """The splat with the steps that belong to it, and those after it.

        All steps after `[*]` are taken on each element; after `.*` only attributes are, and an index in brackets
        reads from the resulting list.
        """
        steps = [self._single_step(child) for child in _trees(tree.children)]
        start, end = self._start(tree), self._end(tree)
        own = len(steps)
        if tree.data == "attr_splat":
            own = next((i for i, step in enumerate(steps) if isinstance(step, IndexStep)), len(steps))
        return (SplatStep(self.source, start, end, tuple(steps[:own])), *steps[own:])

    def _single_step(self, tree: Tree[Any]) -> Step:
        start, end = self._start(tree), self._end(tree)
        if tree.data == "get_attr":
            return AttributeStep(self.source, start, end, str(tree.children[0].children[0]))
        children = _trees(tree.children)
        if children:
            return IndexStep(self.source, start, end, self.expression(children[0]))
        if self.source.text[start] == "[":  # the index is a masked literal
            return IndexStep(self.source, start, end, self.expression(tree.children[0]))
        digits = "".join(str(child) for child in tree.children)
        return IndexStep(self.source, start, end, Literal(self.source, start + 1, end, int(digits)))

    def _for(self, tree: Tree[Any]) -> Expression:
        trees = _trees(tree.children)
        intro = trees[0]
        names = [str(child.children[0]) for child in _trees(intro.children)[:-1]]
        collection = self.expression(_trees(intro.children)[-1])
        condition: Expression | None = None
        if getattr(trees[-1], "data", None) == "for_cond":
            condition = self.expression(_trees(trees[-1].children)[-1])
            trees = trees[:-1]
        results = [self.expression(child) for child in trees[1:]]
        grouping = tree.data == "for_object_expr" and any(str(child) == "..." for child in tree.children)
        return ForNode(
            self.source,
            self._start(tree),
            self._end(tree),
            names[0] if len(names) == 2 else None,
            names[-1],
            collection,
            results[0] if tree.data == "for_object_expr" else None,
            results[-1],
            condition,
            grouping,
        )


@dataclass(slots=True)
class _Directive:
    """A `%{...}` mark: `word` is if, else, endif, for or endfor."""

    start: int
    end: int
    word: str
    names: tuple[str, ...] = ()
    expression: Expression | None = None


class _TemplateBuilder:
    """Turns the parts of a text into a literal, the single hole that it is, or a template."""

    def __init__(self, source: Source, text: lexical.Text, *, quoted: bool = True) -> None:
        self.source = source
        self.text = text
        self.escapes = quoted and not text.heredoc  # backslashes mean something

    def build(self) -> Expression:
        marks = self._marks()
        parts, rest = self._nest(marks, 0, ())
        assert rest == len(marks)
        text = self.text
        if not parts:
            return Literal(self.source, text.start, text.end, "")
        if len(parts) == 1:
            part = parts[0]
            if isinstance(part, str):
                return Literal(self.source, text.start, text.end, part)
            if not text.heredoc and not isinstance(part, (TemplateIf, TemplateFor)):
                return part
        return Template(self.source, text.start, text.end, parts)

    def _marks(self) -> list[str | Expression | _Directive]:
        """Literal texts, hole expressions and directives in order; trims and indentation are done."""
        pieces: list[str | lexical.Hole] = []
        for span in self.text.parts:
            if isinstance(span, lexical.Hole):
                pieces.append(span)
            else:
                pieces += self._literals(self.source.text[span[0] : span[1]])
        pieces = [self._trimmed(pieces, index) for index in range(len(pieces))]
        if self.text.heredoc == "<<-":
            pieces = _flush(pieces)
        marks: list[str | Expression | _Directive] = []
        for piece in pieces:
            if isinstance(piece, lexical.Hole):
                marks.append(self._directive(piece) if piece.directive else self._hole(piece))
            elif piece:
                marks.append(piece)
        return marks

    def _literals(self, raw: str) -> list[str]:
        """Literal text without its escapes. Outside of quotes every line is a piece of its own, for the trims."""
        if self.escapes:
            return [_ESCAPE.sub(_escaped, raw)] if raw else []
        return _LINE.findall(raw.replace("$${", "${").replace("%%{", "%{"))

    @staticmethod
    def _trimmed(pieces: list[str | lexical.Hole], index: int) -> str | lexical.Hole:
        """A piece without the white space that the `~` of a neighbour takes away."""
        piece = pieces[index]
        if isinstance(piece, lexical.Hole):
            return piece
        before = pieces[index - 1] if index else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        if isinstance(before, lexical.Hole) and before.trim_after:
            piece = piece.lstrip()
        if isinstance(after, lexical.Hole) and after.trim_before:
            piece = piece.rstrip()
        return piece

    def _hole(self, hole: lexical.Hole) -> Expression:
        return parse_expression(self.source, hole.start, hole.end)

    def _directive(self, hole: lexical.Hole) -> _Directive:
        text = self.source.text
        loop = _DIRECTIVE_FOR.match(text, hole.start, hole.end)
        if loop:
            names = tuple(name for name in loop.groups() if name)
            collection = parse_expression(self.source, loop.end(), hole.end)
            return _Directive(hole.start, hole.end, "for", names, collection)
        word = _DIRECTIVE_WORD.match(text, hole.start, hole.end)
        if not word:
            raise self.source.error(hole.start, "Expected if, else, endif, for or endfor in the template directive.")
        if word.group(1) == "if":
            condition = parse_expression(self.source, word.end(), hole.end)
            return _Directive(hole.start, hole.end, "if", (), condition)
        return _Directive(hole.start, hole.end, word.group(1))

    def _nest(
        self, marks: list[str | Expression | _Directive], at: int, until: tuple[str, ...]
    ) -> tuple[tuple[TemplatePart, ...], int]:
        """The parts from `at` up to a directive in `until`, and the position of that directive."""
        parts: list[TemplatePart] = []
        while at < len(marks):
            mark = marks[at]
            if not isinstance(mark, _Directive):
                if isinstance(mark, str) and parts and isinstance(parts[-1], str):
                    parts[-1] += mark
                else:
                    parts.append(mark)
                at += 1
            elif mark.word in until:
                return tuple(parts), at
            elif mark.word == "if":
                assert mark.expression is not None
                then, at = self._nest(marks, at + 1, ("else", "endif"))
                otherwise: tuple[TemplatePart, ...] = ()
                if self._word(marks, at) == "else":
                    otherwise, at = self._nest(marks, at + 1, ("endif",))
                parts.append(TemplateIf(self.source, mark.start, mark.end, mark.expression, then, otherwise))
                at += 1
            elif mark.word == "for":
                assert mark.expression is not None
                inner, at = self._nest(marks, at + 1, ("endfor",))
                key = mark.names[0] if len(mark.names) == 2 else None
                loop = TemplateFor(self.source, mark.start, mark.end, key, mark.names[-1], mark.expression, inner)
                parts.append(loop)
                at += 1
            else:
                raise self.source.error(mark.start, f'The template directive "{mark.word}" closes nothing.')
        if until:
            raise self.source.error(self.text.start, f'Expected "%{{ {until[-1]} }}" in the template.')
        return tuple(parts), at

    @staticmethod
    def _word(marks: list[str | Expression | _Directive], at: int) -> str:
        mark = marks[at]
        return mark.word if isinstance(mark, _Directive) else ""


def _escaped(found: re.Match[str]) -> str:
    simple, short, long, template = found.groups()
    if simple:
        return _ESCAPES[simple]
    if template:
        return str(template[1:])
    code = int(short or long, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def _flush(pieces: list[str | lexical.Hole]) -> list[str | lexical.Hole]:
    """Take the common indentation off the lines of a `<<-` heredoc; blank lines have none."""
    indents: dict[int, int] = {}
    widths: list[int] = []
    starts_line = True
    for index, piece in enumerate(pieces):
        if isinstance(piece, lexical.Hole):
            if starts_line:
                widths.append(0)
            starts_line = False
            continue
        if starts_line and (piece.strip() or not piece.endswith("\n")):
            indents[index] = len(piece) - len(piece.lstrip())
            widths.append(indents[index])
        starts_line = piece.endswith("\n")
    width = min(widths, default=0)
    return [piece[width:] if isinstance(piece, str) and i in indents else piece for i, piece in enumerate(pieces)]
