"""Resolving expressions into values of the model.

Every function that CloudFormation knows has one method; what it cannot compute from what is known becomes Unknown
with the expression's text, and what depends on an open condition becomes a Choice.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from srm_checks.engines.cloudformation import loops
from srm_checks.engines.cloudformation.branching import (
    MAX_LEAVES,
    TooManyBranches,
    choice,
    lift,
    narrow,
    select,
    simplify,
)
from srm_checks.engines.cloudformation.conditions import Conditions
from srm_checks.engines.cloudformation.parameters import PSEUDO, SUBJECT_PREFIX, Parameter, number
from srm_checks.engines.cloudformation.scope import Scope
from srm_checks.engines.cloudformation.source import Source, key_of
from srm_checks.engines.cloudformation.text import (
    assemble,
    brief,
    can_equal,
    is_function,
    literal_text,
    merged_refs,
    plain,
)
from srm_checks.model import (
    ABSENT,
    FURTHER_KEYS,
    Cause,
    Choice,
    Cond,
    Encoded,
    Literal,
    Path,
    Ref,
    Repeated,
    ScanError,
    Test,
    Unknown,
)

_VARIABLE: Final = re.compile(r"\$\{([^!{}][^{}]*)\}")
_ESCAPED: Final = re.compile(r"\$\{!([^{}]*)\}")
# What is known of the end of an ARN, which tells a named principal from a whole account.
_ARN_TAILS: Final[dict[str, tuple[str | None, ...]]] = {
    "AWS::IAM::Role": (":role/", None),
    "AWS::IAM::User": (":user/", None),
    "AWS::Logs::LogGroup": (":*",),
}
_MAX_SUBNETS: Final = 256  # what Fn::Cidr gives at most


class Resolver:
    """The values of one template: its parameters, mappings, conditions and declared resources, and its functions.

    `declared` gives the type of each logical id. `may_generate` says that a transform or a module adds resources
    which the template does not show, so that an undeclared name is no mistake.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        source: Source,
        parameters: Mapping[str, Parameter],
        errors: list[ScanError],
    ) -> None:
        self.source = source
        self.parameters = parameters
        self.declared: dict[str, str] = {}
        self.may_generate = False
        self._errors = errors
        mappings = document.get("Mappings")
        self._mappings: Mapping[str, Any] = mappings if isinstance(mappings, Mapping) else {}
        if mappings is not None and not isinstance(mappings, Mapping):
            self.note(key_of(document, "Mappings"), "Mappings is not a mapping. Write each map under its name.")
        self.conditions = Conditions(self, document.get("Conditions"))

    def note(self, node: Any, what: str) -> None:
        """Add an error about the place of `node`, once."""
        place = self.source.line(node)
        at = f"{self.source.path}:{place.start_line}" if place else self.source.path
        error = ScanError(self.source.path, "cfn-lint", "parse", f"{at}: {what}")
        if error not in self._errors:
            self._errors.append(error)

    def typed(self, subject: str, literal: str) -> Literal:
        """A text in the type of the parameter that it is compared with, so that equal values stay equal."""
        parameter = self.parameters.get(subject.removeprefix(SUBJECT_PREFIX))
        return number(literal) if parameter is not None and parameter.is_number else literal

    def entries(self, mapping: Mapping[Any, Any], scope: Scope, exists: Cond = True) -> Iterator[loops.Entry]:
        """The entries of a section or map, loops unrolled."""
        return loops.entries(mapping, scope, lambda node, at: self.resolve(node, (), at.quiet()), self.note, exists)

    # ------------------------------------------------------------------ structure

    def resolve(self, node: Any, path: Path, scope: Scope) -> Any:
        """The value of an expression that stands at `path` of a resource."""
        match node:
            case dict():
                name = next(iter(node), None)
                if len(node) == 1 and isinstance(name, str) and is_function(name):
                    return self._call(name, node[name], node, path, scope)
                return self._map(node, path, scope)
            case list():
                return self._list(node, path, scope)
            case str():
                return assemble([str(node)], str(node), scope.subject(str(node))) if "{{resolve:" in node else str(node)
            case _:
                return plain(node)

    def _map(self, node: Mapping[Any, Any], path: Path, scope: Scope) -> dict[str, Any]:
        resolved: dict[str, Any] = {}
        for entry in self.entries(node, scope):
            if is_function(entry.name) and entry.name != "Ref":
                # A function beside other keys adds entries that only the deployment knows.
                resolved[FURTHER_KEYS] = Unknown(entry.name)
                continue
            if not entry.is_named:
                resolved[FURTHER_KEYS] = Unknown(entry.name)
                continue
            here = (*path, entry.name)
            value = self.resolve(entry.body, here, entry.scope)
            # Also where it comes to nothing (AWS::NoValue): that is the place that says so.
            scope.trail.mark(here, self.source.key_range(entry.key, entry.body))
            if value is not ABSENT:
                resolved[entry.name] = choice(entry.exists, value, ABSENT)
        return resolved

    def _list(self, node: Sequence[Any], path: Path, scope: Scope) -> list[Any]:
        resolved: list[Any] = []
        for element in node:
            here = (*path, len(resolved))
            value = self.resolve(element, here, scope)
            if value is ABSENT:
                continue
            scope.trail.mark(here, self.source.node_range(element))
            resolved.append(value)
        return resolved

    def _call(self, name: str, argument: Any, node: Any, path: Path, scope: Scope) -> Any:
        text = scope.text(node)
        function = _FUNCTIONS.get(name)
        if function is None:
            return Unknown(brief(text))  # Fn::Transform, and functions of macros
        try:
            return narrow(function(self, argument, path, scope, text), scope.facts)
        except TooManyBranches:
            return self._unknown(text, scope)

    def _malformed(self, node: Any, text: str, wanted: str) -> Unknown:
        self.note(node, f"{brief(text)} cannot be read. Write {wanted}.")
        return Unknown(brief(text))

    @staticmethod
    def _unknown(text: str, scope: Scope, *causes: Any, present: bool = False) -> Unknown:
        """An unknown result of a function over `causes`, whose references and cause it takes on."""
        unknown = [value for value in _leaves(causes) if isinstance(value, Unknown)]
        return Unknown(
            text=brief(text),
            cause=next((u.cause for u in unknown if u.cause is not Cause.UNRESOLVED_VALUE), Cause.UNRESOLVED_VALUE),
            refs=merged_refs(unknown),
            present=present,
            subject=scope.subject(text),
        )

    # ------------------------------------------------------------------ references

    def _ref(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        name = argument if isinstance(argument, str) else self.resolve(argument, path, scope)
        if not isinstance(name, str):
            return self._unknown(text, scope, name)
        return self._named(scope.name(name), path, scope)

    def _named(self, name: str, path: Path, scope: Scope) -> Any:
        """The value that `!Ref name` has."""
        if name in scope.bindings:
            return scope.bindings[name]
        if name in PSEUDO:
            return PSEUDO[name]
        parameter = self.parameters.get(name)
        if parameter is not None:
            scope.trail.decided_at(path, parameter.origin)
            return parameter.value
        return self._resource(name, "", f"!Ref {name}", path, scope)

    def _get_att(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case str():
                name, _, attribute = argument.partition(".")
            case [str() as name, *rest]:
                pieces = [self.resolve(piece, path, scope) for piece in rest]
                if not all(isinstance(piece, str) for piece in pieces):
                    return self._resource(scope.name(name), "", text, path, scope)
                attribute = ".".join(pieces)
            case _:
                return self._malformed(argument, text, "!GetAtt LogicalId.Attribute")
        return self._attribute(scope.name(str(name)), scope.name(attribute), path, scope)

    def _attribute(self, name: str, attribute: str, path: Path, scope: Scope) -> Any:
        return self._resource(name, attribute, f"!GetAtt {name}.{attribute}", path, scope)

    def _resource(self, name: str, attribute: str, text: str, path: Path, scope: Scope) -> Any:
        ref = Ref(name, None, attribute)
        scope.trail.references.append((path, ref))
        kind = self.declared.get(name)
        if kind is None:
            cause = Cause.UNRESOLVED_VALUE if self.may_generate else Cause.MISSING_REFERENCE
            return Unknown(text, cause, (ref,), subject=scope.subject(text))
        is_arn = kind.startswith("AWS::") and "." not in attribute and attribute.endswith("Arn")
        other_stack = kind == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs.")
        return Unknown(
            text=text,
            cause=Cause.OTHER_STACK if other_stack else Cause.UNRESOLVED_VALUE,
            refs=(ref,),
            # What a custom resource returns is up to its code, also an empty text.
            present=not (attribute and kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource"))),
            parts=("arn:", None, *_ARN_TAILS.get(kind, ())) if is_arn else None,
            subject=scope.subject(text),
        )

    def _import_value(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        name = self.resolve(argument, path, scope.quiet())
        refs = merged_refs([name]) if isinstance(name, Unknown) else ()
        return Unknown(brief(text), Cause.OTHER_STACK, refs, present=True, subject=scope.subject(text))

    # ------------------------------------------------------------------ branches

    def _if(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [str() as name, then, otherwise]:
                pass
            case _:
                return self._malformed(argument, text, "!If [Condition, value, value]")
        found = self.conditions.get(scope.name(name), name)
        if found is None:
            branches = [self.resolve(branch, path, scope) for branch in (then, otherwise)]
            return self._unknown(text, scope, *branches)
        cond, places = found
        scope.trail.decided_at(path, *places)
        cond = simplify(cond, scope.facts)
        if isinstance(cond, bool):
            return self.resolve(then if cond else otherwise, path, scope)
        values = [
            self.resolve(branch, path, scope.given(cond, holds)) for branch, holds in ((then, True), (otherwise, False))
        ]
        return choice(cond, values[0], values[1])

    def _find_in_map(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [name, first, second]:
                default: Any = None
            case [name, first, second, {"DefaultValue": default}]:
                pass
            case _:
                return self._malformed(argument, text, "!FindInMap [Map, first key, second key]")
        fallback = None if default is None else self.resolve(default, path, scope)
        keys = [self.resolve(key, path, scope) for key in (name, first, second)]

        def look_up(values: Sequence[Any]) -> Any:
            found = self._in_mapping(values, path, scope)
            if found is None:
                found = fallback
            return self._unknown(text, scope, *values) if found is None else found

        return lift(keys, look_up)

    def _in_mapping(self, keys: Sequence[Any], path: Path, scope: Scope) -> Any:
        """The entry of a mapping; a Choice over its keys where one is open; None where it is not there."""
        name, first, second = keys
        if isinstance(name, Unknown):
            every = self._mappings
            return self._open_key(name, every, lambda key: self._in_mapping((str(key), first, second), path, scope))
        rows = self._mappings.get(name) if isinstance(name, str) else None
        if not isinstance(rows, Mapping):
            return None
        if isinstance(first, Unknown):
            scope.trail.decided_at(path, self.source.line(key_of(self._mappings, name)))
            return self._open_key(first, rows, lambda key: self._in_row(rows[key], second, path, scope))
        row_key = _matching(rows, first)
        return None if row_key is None else self._in_row(rows[row_key], second, path, scope)

    def _in_row(self, row: Any, key: Any, path: Path, scope: Scope) -> Any:
        if not isinstance(row, Mapping):
            return None
        if isinstance(key, Unknown):
            return self._open_key(key, row, lambda name: self.resolve(row[name], path, scope.quiet()))
        name = _matching(row, key)
        if name is None:
            return None
        scope.trail.decided_at(path, self.source.line(name))
        return self.resolve(row[name], path, scope.quiet())

    def _open_key(self, key: Unknown, rows: Mapping[Any, Any], value_at: Callable[[Any], Any]) -> Any:
        """The values under every key that `key` can be. A key that is not in the map would stop the deployment."""
        if any(str(name).startswith("Fn::") for name in rows):
            return None
        cases: list[tuple[Cond, Any]] = []
        for name in rows:
            if key.parts is not None and not can_equal(key.parts, str(name)):
                continue
            value = value_at(name)
            if value is not None:
                literal = self.typed(key.subject, str(name))
                cases.append((Test(key.subject or key.text, literal, key.text), value))
        if not cases:
            return None
        result = select(cases[:-1], cases[-1][1])
        if _depth(result) > MAX_LEAVES:
            raise TooManyBranches
        return result

    # ------------------------------------------------------------------ texts

    def _sub(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        variables: Mapping[str, Any] = {}
        match argument:
            case str() as template:
                pass
            case [str() as template, {**given}]:
                variables = {str(key): self.resolve(value, path, scope) for key, value in given.items()}
            case [str() as template]:
                pass
            case {**inner} if len(inner) == 1 and is_function(str(next(iter(inner)))):
                # A preprocessor puts the text in.
                return self._unknown(text, scope, self.resolve(argument, path, scope))
            case _:
                return self._malformed(argument, text, "!Sub text, or !Sub [text, {name: value}]")
        pieces: list[Any] = []
        # Splitting by a pattern with one group alternates texts and names.
        for index, piece in enumerate(_VARIABLE.split(scope.name(template))):
            if index % 2 == 0:
                pieces.append(_ESCAPED.sub(r"${\1}", piece))
            else:
                pieces.append(self._substituted(piece.strip(), variables, path, scope))
        return self._concatenate(pieces, text, scope)

    def _substituted(self, name: str, variables: Mapping[str, Any], path: Path, scope: Scope) -> Any:
        if name in variables:
            return variables[name]
        if name in scope.bindings:
            return scope.bindings[name]
        target, dot, attribute = scope.name(name).partition(".")
        return self._attribute(target, attribute, path, scope) if dot else self._named(target, path, scope)

    def _concatenate(self, pieces: Sequence[Any], text: str, scope: Scope) -> Any:
        """The pieces as one text, for each combination of branches."""
        return lift(pieces, lambda values: assemble(values, text, scope.subject(text)))

    def _join(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [str() as delimiter, listed]:
                pass
            case _:
                return self._malformed(argument, text, "!Join [delimiter, [values]]")

        def join(values: Sequence[Any]) -> Any:
            kept = [value for value in values if value is not ABSENT]
            if any(isinstance(value, Repeated) for value in kept):
                return self._unknown(text, scope, *kept)
            pieces = itertools.chain.from_iterable((str(delimiter), value) for value in kept)
            return assemble(list(pieces)[1:], text, scope.subject(text))

        return self._over_list(self.resolve(listed, path, scope), join, text, scope)

    def _over_list(self, listed: Any, apply: Callable[[Sequence[Any]], Any], text: str, scope: Scope) -> Any:
        """`apply` to the elements of a list, for each combination of branches in the list and its elements."""

        def elements(values: Sequence[Any]) -> Any:
            return lift(values[0], apply) if isinstance(values[0], list) else self._unknown(text, scope, values[0])

        return lift([listed], elements)

    def _select(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [index, listed]:
                pass
            case _:
                return self._malformed(argument, text, "!Select [index, list]")
        position = self.resolve(index, path, scope)
        elements = self.resolve(listed, path, scope)

        def pick(values: Sequence[Any]) -> Any:
            at, kept = values[0], [value for value in values[1:] if value is not ABSENT]
            known = literal_text(at)
            if known is None or not known.isdecimal():
                return self._unknown(text, scope, at, *kept)
            before = kept[: int(known) + 1]
            if len(before) <= int(known) or any(isinstance(value, Repeated) for value in before):
                return self._unknown(text, scope, *kept)
            return before[-1]

        def over(values: Sequence[Any]) -> Any:
            listed = values[0]
            if isinstance(listed, list):
                return lift([position, *listed], pick)
            return self._unknown(text, scope, listed, present=isinstance(listed, Unknown) and listed.present)

        return lift([elements], over)

    def _split(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [str() as delimiter, whole] if delimiter:
                pass
            case _:
                return self._malformed(argument, text, "!Split [delimiter, text]")

        def split(values: Sequence[Any]) -> Any:
            known = literal_text(values[0])
            if known is not None:
                return known.split(delimiter)
            present = isinstance(values[0], Unknown) and values[0].present
            return self._unknown(text, scope, values[0], present=present)

        return lift([self.resolve(whole, path, scope)], split)

    def _base64(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        # The encoding carries nothing: what policies ask about user data is in the text.
        return self.resolve(argument, path, scope)

    def _to_json_string(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        # The keys inside belong to the text, not to the resource.
        inner = scope.quiet()
        value = self.resolve(argument, (), inner)
        scope.trail.references.extend((path, ref) for _, ref in inner.trail.references)
        scope.trail.decided_at(path, *(place for _, place in inner.trail.origins))
        return value if isinstance(value, Unknown) or value is ABSENT else Encoded(value)

    # ------------------------------------------------------------------ lists and numbers

    def _length(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        def count(values: Sequence[Any]) -> Any:
            if any(isinstance(value, Repeated) for value in values):
                return self._unknown(text, scope, *values, present=True)
            return sum(1 for value in values if value is not ABSENT)

        return self._over_list(self.resolve(argument, path, scope), count, text, scope)

    def _get_azs(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        return Unknown(text, present=True, subject=scope.subject(text))

    def _cidr(self, argument: Any, path: Path, scope: Scope, text: str) -> Any:
        match argument:
            case [block, number]:
                bits: Any = 8
            case [block, number, bits]:
                pass
            case _:
                return self._malformed(argument, text, "!Cidr [block, count, bits]")

        def subnets(values: Sequence[Any]) -> Any:
            known = [literal_text(value) for value in values]
            try:
                network = ipaddress.ip_network(str(known[0]))
                count, suffix = int(str(known[1])), int(str(known[2]))
                length = network.max_prefixlen - suffix
                if not 0 < count <= _MAX_SUBNETS or not network.prefixlen <= length <= network.max_prefixlen:
                    return self._unknown(text, scope, *values, present=True)
                return [str(part) for part in itertools.islice(network.subnets(new_prefix=length), count)]
            except ValueError:
                return self._unknown(text, scope, *values, present=True)

        return lift([self.resolve(part, path, scope) for part in (block, number, bits)], subnets)


# By name; in the class they would be bound to each resolver, and hold on to it and its template.
_FUNCTIONS: Final[Mapping[str, Callable[[Resolver, Any, Path, Scope, str], Any]]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::If": Resolver._if,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::ImportValue": Resolver._import_value,
    "Fn::Base64": Resolver._base64,
    "Fn::Cidr": Resolver._cidr,
    "Fn::GetAZs": Resolver._get_azs,
    "Fn::Length": Resolver._length,
    "Fn::ToJsonString": Resolver._to_json_string,
}


def _matching(mapping: Mapping[Any, Any], wanted: Any) -> Any:
    """The key of a map that reads as `wanted`: YAML makes numbers of account ids. None where there is none."""
    text = literal_text(wanted)
    return None if text is None else next((key for key in mapping if str(key) == text), None)


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, Choice):
        value, depth = value.otherwise, depth + 1
    return depth


def _leaves(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        match value:
            case Choice(then=then, otherwise=otherwise):
                yield from _leaves((then, otherwise))
            case list():
                yield from _leaves(value)
            case dict():
                yield from _leaves(list(value.values()))
            case Repeated(value=inner) | Encoded(value=inner):
                yield from _leaves((inner,))
            case _:
                yield value
