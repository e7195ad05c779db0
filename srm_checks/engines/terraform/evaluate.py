"""The evaluator: expressions to values that may be open."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from srm_checks.engines.terraform import json_template, operations
from srm_checks.engines.terraform.env import Binding, Env, Origin
from srm_checks.engines.terraform.functions_open import LOOKS_INSIDE, OPEN_FUNCTIONS, PASSES_ELEMENTS
from srm_checks.engines.terraform.functions_plain import PLAIN_FUNCTIONS, FunctionError, Undecidable
from srm_checks.engines.terraform.nodes import (
    AttributeStep,
    Binary,
    Call,
    Conditional,
    Expression,
    ForNode,
    IndexStep,
    Literal,
    ObjectNode,
    Step,
    Template,
    TemplateFor,
    TemplateIf,
    TemplatePart,
    Traversal,
    TupleNode,
    Unary,
)
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.values import (
    ELEMENT_LIMIT,
    FAILED,
    OMITTED,
    Assumption,
    Fallible,
    ObjectValue,
    OpenMap,
    Reach,
    SetValue,
    TooManyBranches,
    choice,
    conjoin,
    derived,
    element_of,
    hoist_failures,
    is_known,
    is_surely_set,
    leaves,
    lift,
    split,
    text_of,
)
from srm_checks.model import ABSENT, Choice, Cond, Options, Repeated, Unknown, any_of

FILE_FUNCTIONS: Final = frozenset(
    {
        "file",
        "filebase64",
        "filebase64sha256",
        "filebase64sha512",
        "fileexists",
        "filemd5",
        "fileset",
        "filesha1",
        "filesha256",
        "filesha512",
        "templatefile",
    }
)


def evaluate(node: Expression, env: Env) -> Any:
    """The value of an expression (see `values` for what it may be)."""
    if type(node) is Literal:
        return node.value
    return _EVALUATORS[type(node)](node, env)


def _lifted(function: Callable[..., Any], arguments: list[Any], site: Callable[[], Site], reach: Reach) -> Any:
    try:
        return lift(function, arguments, reach)
    except TooManyBranches:
        return site().unknown(*arguments)


# ------------------------------------------------------------------ traversals


def _traversal(node: Traversal, env: Env) -> Any:
    if isinstance(node.root, str):
        value, used = env.module.resolve(node, env)
    else:
        value, used = evaluate(node.root, env), 0
    return take_steps(value, node.steps[used:], node, env)


def take_steps(value: Any, steps: tuple[Step, ...], node: Traversal, env: Env) -> Any:
    """The part of `value` to which `steps` of the traversal `node` lead."""
    for step in steps:
        if value is FAILED or value is OMITTED:
            return value
        value = _take_step(value, step, node, env)
    return value


def _take_step(value: Any, step: Step, node: Traversal, env: Env) -> Any:
    if isinstance(step, AttributeStep):
        name = step.name
        if isinstance(value, ObjectValue):
            return value.attribute(name)
        if type(value) is dict and not isinstance(value.get(name, FAILED), Choice):
            return value.get(name, FAILED)
        return _lifted(
            lambda of: _unless_marked(of, lambda: operations.attribute_of(of, name, env.site(node, step.end))),
            [value],
            lambda: env.site(node, step.end),
            Reach.ELEMENTS if isinstance(value, dict) else Reach.TOP,
        )
    if isinstance(step, IndexStep):
        key = evaluate(step.key, env)
        if key is FAILED:
            return FAILED
        if type(value) is dict and isinstance(key, str) and not isinstance(value.get(key, FAILED), Choice):
            return value.get(key, FAILED)
        return _lifted(
            lambda of, at: _unless_marked(of, lambda: operations.index_of(of, at, env.site(node, step.end))),
            [value, key],
            lambda: env.site(node, step.end),
            Reach.ELEMENTS,
        )

    def each(element: Any) -> Any:
        return take_steps(element, step.steps, node, env)

    return _lifted(
        lambda of: _unless_marked(of, lambda: operations.splat_of(of, each, env.site(node, step.end))),
        [value],
        lambda: env.site(node, step.end),
        Reach.TOP,
    )


def _unless_marked(value: Any, operation: Callable[[], Any]) -> Any:
    """What fails or is left out stays so."""
    return value if value is FAILED or value is OMITTED else operation()


# ------------------------------------------------------------------ constructors


def _tuple(node: TupleNode, env: Env) -> Any:
    return hoist_failures((evaluate(item, env) for item in node.items), list)


def _object(node: ObjectNode, env: Env) -> Any:
    members: dict[str, Any] = {}
    opened: list[tuple[Any, Any]] = []
    fails: list[Any] = []
    for item in node.items:
        key, value = evaluate(item.key, env), evaluate(item.value, env)
        if key is FAILED or value is FAILED:
            return FAILED
        if isinstance(value, Choice):
            holds, value = split(value, FAILED)
            fails.append(holds)
        if not _add_member(members, key, value):
            opened.append((key, value))
            site = env.site(node)
            members = {name: _perhaps_overridden(name, old, key, value, site) for name, old in members.items()}
    result = OpenMap(members, further_entries(members, opened, env.site(node))) if opened else members
    return choice(conjoin(fails), result, FAILED)


def further_entries(known: Mapping[str, Any], opened: Sequence[tuple[Any, Any]], site: Site) -> Unknown:
    """What an object has besides its known entries: those whose keys are not known, each if it is surely one more."""
    rest = site.unknown(*(part for entry in opened for part in entry))
    keys = [key.parts for key, _value in opened if isinstance(key, Unknown) and key.parts is not None]
    if len(keys) < len(opened) or any(operations.could_be(key, name) for key in keys for name in known):
        return rest
    if any(operations.could_be_same(one, other) for one, other in itertools.combinations(keys, 2)):
        return rest
    return replace(rest, entries=tuple(opened))


def _perhaps_overridden(name: str, old: Any, key: Any, value: Any, site: Site) -> Any:
    """An entry of an object in view of a later one whose key is not known: it may be the same, and then it wins."""
    possible = (leaf for _cond, leaf in leaves(key) if isinstance(leaf, Unknown))
    if not any(leaf.parts is None or operations.could_be(leaf.parts, name) for leaf in possible):
        return old
    text, subject = f"{site.text}.{name}", f"{site.subject}.{name}" if site.subject else ""
    return derived(text, [old, value], subject=subject, present=is_surely_set(old) and is_surely_set(value))


def _add_member(members: dict[str, Any], key: Any, value: Any) -> bool:
    """Add an entry under a key that may have branches; False where the key is not known."""
    if isinstance(key, str):
        members[key] = value
        return True
    keys = [(cond, text_of(leaf)) for cond, leaf in leaves(key) if leaf is not FAILED]
    if any(name is None for _, name in keys):
        return False
    for cond, name in keys:
        assert name is not None
        members[name] = choice(cond, value, members.get(name, OMITTED))
    return True


# ------------------------------------------------------------------ for


@dataclass(frozen=True, slots=True)
class _Item:
    """An element to iterate over. `present`: the condition under which it is there; `repeated`: any number of it."""

    key: Any
    value: Any
    origin_key: str | int | None
    present: Cond = True
    repeated: bool = False


def _items(collection: Any, site: Callable[[], Site]) -> Iterator[_Item]:
    """The elements of a collection without a Choice at its top. Raises FunctionError for what is none."""
    if isinstance(collection, dict):
        for key in sorted(collection):
            present, value = split(collection[key], OMITTED)
            yield _Item(key, value, key, present)
    elif isinstance(collection, list):
        yield from _list_items(collection, site)
    elif isinstance(collection, OpenMap):
        yield from _items(dict(collection.known), site)
        yield _Item(site().unknown(collection.rest, present=True), collection.rest, None, repeated=True)
    elif isinstance(collection, (Unknown, ObjectValue)):
        base = collection if isinstance(collection, Unknown) else collection.unknown()
        subject = f"{base.subject}[*]" if base.subject else ""
        value = element_of(base, derived(f"{base.text}[*]", [base], subject=subject))
        key = derived(f"{base.text} (key)", [base], subject=f"{subject}.key" if subject else "", present=True)
        yield _Item(key, value, None, repeated=True)
    else:
        raise FunctionError("a collection is needed")


def _list_items(collection: list[Any], site: Callable[[], Site]) -> Iterator[_Item]:
    is_set = isinstance(collection, SetValue)
    certain = True  # every element before this one is surely there
    for index, element in enumerate(collection):
        repeated = isinstance(element, Repeated)
        present, value = split(element.value if repeated else element, OMITTED)
        certain = certain and not repeated and present is True
        key = value if is_set else index if certain else derived(f"{site().text} (index)", [], present=True)
        yield _Item(key, value, None if is_set else index, present, repeated)


def _for(node: ForNode, env: Env) -> Any:
    collection = evaluate(node.collection, env)
    build = _for_object if node.key is not None else _for_tuple

    def body(value: Any) -> Any:
        if value is FAILED or value is ABSENT:
            return FAILED
        try:
            return build(node, env, list(_items(value, lambda: env.site(node.collection))))
        except FunctionError:
            return FAILED

    return _lifted(body, [collection], lambda: env.site(node), Reach.TOP)


def _bind_item(key_name: str | None, value_name: str, source: Expression, env: Env, item: _Item) -> Env:
    bindings = {value_name: Binding(item.value, Origin(source, env, (item.origin_key,)))}
    if key_name:
        bindings[key_name] = Binding(item.key)
    label = item.key if isinstance(item.key, (str, int)) else "*"
    return env.bind(bindings, f"[{source.start}:{label}]")


def _item_results(node: ForNode, env: Env, items: list[_Item]) -> Iterator[tuple[_Item, Cond, Env]]:
    """The items that may pass the `if`, each with the condition under which it is there, and its environment."""
    if len(items) > ELEMENT_LIMIT:
        raise FunctionError("too many elements")
    for item in items:
        inner = _bind_item(node.key_name, node.value_name, node.collection, env, item)
        cond: Cond = True
        if node.condition is not None:
            verdict = evaluate(node.condition, inner)
            if verdict is FAILED:
                raise FunctionError("the condition fails")
            found = operations.truth_cond(verdict, inner.site(node.condition))
            if found is None:
                raise FunctionError("the condition is not a bool")
            cond = found
        cond = conjoin((item.present, cond))
        if cond is not False:
            yield item, cond, inner


def _assume(cond: Cond, value: Any) -> Any:
    return value if cond is True else Assumption(cond, True).apply(value)


def _for_tuple(node: ForNode, env: Env, items: list[_Item]) -> Any:
    results: list[Any] = []
    fails: list[Cond] = []
    for item, cond, inner in _item_results(node, env, items):
        value = _assume(cond, evaluate(node.value, inner))
        if item.repeated:
            if value is FAILED:
                return FAILED
            results.append(Repeated(split(value, FAILED)[1]))
            continue
        holds, value = split(value, FAILED)
        if holds is False and cond is True:
            return FAILED
        fails.append(holds if cond is True else True)
        results.append(choice(cond, value, OMITTED))
    return choice(conjoin(fails), results, FAILED)


def _for_object(node: ForNode, env: Env, items: list[_Item]) -> Any:
    assert node.key is not None
    members: dict[str, Any] = {}
    rest: list[Any] = []
    for item, cond, inner in _item_results(node, env, items):
        key, value = evaluate(node.key, inner), _assume(cond, evaluate(node.value, inner))
        if key is FAILED or value is FAILED:
            return FAILED
        _, value = split(value, FAILED)
        names = [(key_cond, text_of(leaf)) for key_cond, leaf in leaves(key) if leaf is not FAILED]
        if item.repeated or any(name is None for _, name in names):
            rest.append([Repeated(value)] if node.grouping else value)
            continue
        for key_cond, name in names:
            assert name is not None
            there = conjoin((cond, key_cond))
            if node.grouping:
                members[name] = [*members.get(name, []), choice(there, value, OMITTED)]
            elif name in members and split(members[name], OMITTED)[0] is True:
                return FAILED  # two entries with one key
            else:
                members[name] = choice(there, value, members.get(name, OMITTED))
    if node.grouping:
        members = {name: _group(group) for name, group in members.items()}
    if not rest:
        return members
    return OpenMap(members, rest[0] if len(rest) == 1 else env.site(node).unknown(*rest))


def _group(elements: list[Any]) -> Any:
    """A group exists where one of its elements does."""
    holds = any_of(split(element, OMITTED)[0] for element in elements)
    return choice(holds, elements, OMITTED)


# ------------------------------------------------------------------ operators


def _conditional(node: Conditional, env: Env) -> Any:
    verdict = evaluate(node.condition, env)
    if verdict is FAILED:
        return FAILED
    cond = operations.truth_cond(verdict, env.site(node.condition))
    if cond is None:
        return FAILED
    if isinstance(cond, bool):
        taken, other = (node.then, node.otherwise) if cond else (node.otherwise, node.then)
        return _as_text(evaluate(taken, env)) if _is_text(other) else evaluate(taken, env)
    then = Assumption(cond, True).apply(evaluate(node.then, env))
    otherwise = Assumption(cond, False).apply(evaluate(node.otherwise, env))
    if isinstance(then, str) or isinstance(otherwise, str):
        then, otherwise = _as_text(then), _as_text(otherwise)
    return choice(cond, then, otherwise)


def _is_text(node: Expression) -> bool:
    return isinstance(node, Template) or (isinstance(node, Literal) and isinstance(node.value, str))


def _as_text(value: Any) -> Any:
    """Both results of a conditional have one type: beside a text, a number or bool is its text."""
    return text_of(value) if isinstance(value, (bool, int, float)) else value


def _binary(node: Binary, env: Env) -> Any:
    left = evaluate(node.left, env)
    if node.operator in ("&&", "||"):
        if left is (node.operator == "||"):
            return left
        join = operations.conjunction if node.operator == "&&" else operations.disjunction
        return join(left, evaluate(node.right, env), env.site(node))
    right = evaluate(node.right, env)
    return _lifted(
        lambda a, b: operations.binary(node.operator, a, b, env.site(node)),
        [left, right],
        lambda: env.site(node),
        Reach.ELEMENTS,
    )


def _unary(node: Unary, env: Env) -> Any:
    operand = evaluate(node.operand, env)
    if operand is FAILED:
        return FAILED
    if node.operator == "!":
        return operations.invert(operand, env.site(node.operand))
    return _lifted(lambda v: operations.minus(v, env.site(node)), [operand], lambda: env.site(node), Reach.TOP)


# ------------------------------------------------------------------ templates


def _template(node: Template, env: Env) -> Any:
    return evaluate_parts(node.parts, env, lambda: env.site(node))


def evaluate_parts(parts: tuple[TemplatePart, ...], env: Env, site: Callable[[], Site]) -> Any:
    """The text that the parts of a template make."""
    pieces = [_part(part, env, site) for part in parts]
    try:
        return lift(lambda *values: json_template.template(values, site()), pieces, Reach.TOP)
    except TooManyBranches:
        holes = [site().unknown(piece) if isinstance(piece, (Choice, Options)) else piece for piece in pieces]
        return json_template.template(tuple(holes), site())


def _part(part: TemplatePart, env: Env, site: Callable[[], Site]) -> Any:
    if isinstance(part, str):
        return part
    if isinstance(part, TemplateIf):
        verdict = evaluate(part.condition, env)
        cond = None if verdict is FAILED else operations.truth_cond(verdict, env.site(part.condition))
        if cond is None:
            return FAILED
        if isinstance(cond, bool):
            return evaluate_parts(part.then if cond else part.otherwise, env, site)
        return choice(cond, evaluate_parts(part.then, env, site), evaluate_parts(part.otherwise, env, site))
    if isinstance(part, TemplateFor):
        return _lifted(
            lambda value: _template_for(part, value, env, site), [evaluate(part.collection, env)], site, Reach.TOP
        )
    return evaluate(part, env)


def _template_for(part: TemplateFor, collection: Any, env: Env, site: Callable[[], Site]) -> Any:
    if collection is FAILED or collection is ABSENT:
        return FAILED
    pieces: list[Any] = []
    try:
        for item in _items(collection, lambda: env.site(part.collection)):
            inner = _bind_item(part.key_name, part.value_name, part.collection, env, item)
            if item.repeated:
                pieces.append(site().unknown(item.value, present=True))
            else:
                pieces.append(choice(item.present, evaluate_parts(part.parts, inner, site), ""))
    except FunctionError:
        return FAILED
    return _lifted(lambda *values: json_template.template(values, site()), pieces, site, Reach.TOP)


# ------------------------------------------------------------------ calls


def _call(node: Call, env: Env) -> Any:
    name = node.name.removeprefix("core::")
    if name == "try":
        return _try(node, env)
    if name == "can":
        return _can(node, env)
    arguments = [evaluate(argument, env) for argument in node.arguments]
    if any(argument is FAILED for argument in arguments):
        return FAILED
    site = functools.cache(lambda: env.site(node))
    if not node.expand:
        return call_function(name, arguments, env, site)

    def spread(last: Any) -> Any:
        if isinstance(last, list):
            return call_function(name, [*arguments[:-1], *last], env, site)
        if isinstance(last, Unknown):
            return call_function(name, [*arguments[:-1], Repeated(last)], env, site)
        return FAILED

    return _lifted(spread, arguments[-1:], site, Reach.ELEMENTS)


def call_function(name: str, arguments: list[Any], env: Env, site: Callable[[], Site]) -> Any:
    """The result of a function other than `try` and `can`."""
    if name in FILE_FUNCTIONS or name == "templatestring":
        return _lifted(
            lambda *values: env.module.call_file_function(name, list(values), site(), env), arguments, site, Reach.TOP
        )
    if any(isinstance(argument, Repeated) for argument in arguments):
        if name == "concat":
            arguments = [
                _all_elements(argument) if isinstance(argument, Repeated) else argument for argument in arguments
            ]
        elif name != "merge":
            return site().unknown(*arguments, fallible=True)
    if name in OPEN_FUNCTIONS:
        function = OPEN_FUNCTIONS[name]
        reach = Reach.ALL if name in LOOKS_INSIDE else Reach.TOP if name in PASSES_ELEMENTS else Reach.ELEMENTS
        return _lifted(lambda *values: _open_call(function, site(), values), arguments, site, reach)
    if name in PLAIN_FUNCTIONS:
        return _lifted(lambda *values: _plain_call(PLAIN_FUNCTIONS[name], site, values), arguments, site, Reach.ALL)
    return site().unknown(*arguments, fallible=True)  # a provider's function, or one that is newer than this list


def _all_elements(argument: Repeated) -> list[Any]:
    """Any number of lists as one list."""
    if isinstance(argument.value, list):
        return [element if isinstance(element, Repeated) else Repeated(element) for element in argument.value]
    return [argument]


def _open_call(function: Callable[..., Any], site: Site, arguments: tuple[Any, ...]) -> Any:
    if any(argument is FAILED for argument in arguments) or not _takes(function, len(arguments) + 1):
        return FAILED
    try:
        return function(site, *arguments)
    except FunctionError:
        return FAILED
    except Undecidable:
        return site.unknown(*arguments, present=True)


def _plain_call(function: Callable[..., Any], site: Callable[[], Site], arguments: tuple[Any, ...]) -> Any:
    if any(argument is FAILED for argument in arguments) or not _takes(function, len(arguments)):
        return FAILED
    if not all(map(is_known, arguments)):
        return site().unknown(*arguments, present=True, fallible=True)
    try:
        return function(*arguments)
    except FunctionError:
        return FAILED
    except Undecidable:
        return site().unknown(present=True, fallible=True)


@functools.cache
def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function takes that many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _try(node: Call, env: Env) -> Any:
    return _first_success(list(node.arguments), node, env)


def _first_success(arguments: list[Expression], node: Call, env: Env) -> Any:
    if not arguments:
        return FAILED
    value = evaluate(arguments[0], env)
    if not _may_fail(value):
        return value
    rest = _first_success(arguments[1:], node, env)
    return _recovered(value, rest, node, env)


def _may_fail(value: Any) -> bool:
    if value is FAILED or isinstance(value, Fallible):
        return True
    return isinstance(value, Choice) and (_may_fail(value.then) or _may_fail(value.otherwise))


def _recovered(value: Any, rest: Any, node: Call, env: Env) -> Any:
    """`value`, with `rest` where it fails."""
    if value is FAILED:
        return rest
    if isinstance(value, Fallible):
        return operations.settled(value) if rest is FAILED else env.site(node).unknown(value, rest)
    if isinstance(value, Choice):
        then, otherwise = _recovered(value.then, rest, node, env), _recovered(value.otherwise, rest, node, env)
        return choice(value.cond, then, otherwise)
    return value


def _can(node: Call, env: Env) -> Any:
    if len(node.arguments) != 1:
        return FAILED
    return _success(evaluate(node.arguments[0], env), env.site(node))


def _success(value: Any, site: Site) -> Any:
    """Whether evaluation of `value` succeeds."""
    if isinstance(value, Choice):
        return choice(value.cond, _success(value.then, site), _success(value.otherwise, site))
    if isinstance(value, Fallible):
        return operations.from_cond(site.test())
    return value is not FAILED


_EVALUATORS: Final[dict[type, Callable[[Any, Env], Any]]] = {
    Literal: lambda node, env: node.value,
    Template: _template,
    Traversal: _traversal,
    Call: _call,
    TupleNode: _tuple,
    ObjectNode: _object,
    ForNode: _for,
    Conditional: _conditional,
    Binary: _binary,
    Unary: _unary,
}
