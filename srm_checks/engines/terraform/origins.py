"""Where a value comes from: the resources that its expression mentions, and the places that decided it.

Both follow the expression through local values, variables, module arguments and outputs, along the path that is
read: of a large local map only the entry that is used counts.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from srm_checks.engines.terraform import operations
from srm_checks.engines.terraform.env import Binding, Env, Origin, ValuePath
from srm_checks.engines.terraform.evaluate import evaluate
from srm_checks.engines.terraform.nodes import (
    Attribute,
    AttributeStep,
    Binary,
    Call,
    Conditional,
    Expression,
    ForNode,
    IndexStep,
    Literal,
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
from srm_checks.engines.terraform.scope import ModuleScope
from srm_checks.engines.terraform.values import FAILED
from srm_checks.model import Path, Ref, SourceRange, Unknown

# Where the value at a path of a name comes from: resources, places.
Known: TypeAlias = "dict[tuple[int, int, ValuePath], tuple[tuple[Ref, ...], tuple[SourceRange, ...]]]"

_SAME_PATH: Final = frozenset(
    {
        "merge",
        "try",
        "coalesce",
        "sensitive",
        "nonsensitive",
        "ephemeralasnull",
        "tomap",
        "tolist",
        "toset",
        "coalescelist",
    }
)
_ANY_ELEMENT: Final = frozenset({"values", "concat", "compact", "distinct", "slice", "reverse", "sort"})
_PICKS_ELEMENT: Final = frozenset({"element", "one"})


def references(expression: Expression, env: Env, path: ValuePath = ()) -> tuple[Ref, ...]:
    """The resources that the value at `path` of an expression comes from, each once."""
    walk = _Walk(_known(env))
    walk.follow(expression, env, path)
    return tuple(walk.refs)


def places(expression: Expression, env: Env, path: Path = ()) -> tuple[SourceRange, ...]:
    """The places outside of the expression that decided the value at `path`, nearest first."""
    walk = _Walk(_known(env))
    walk.follow(expression, env, path)
    return tuple(walk.places)


def _known(env: Env) -> Known:
    return env.module.project.origins if isinstance(env.module, ModuleScope) else {}


class _Walk:
    """One way back through the expressions; `known` remembers where the values of names come from."""

    def __init__(self, known: Known, underway: frozenset[Any] = frozenset()) -> None:
        self._known = known
        self._underway = underway
        self._cut = False  # a name that leads to itself was left out
        self.refs: dict[Ref, None] = {}
        self.places: dict[SourceRange, None] = {}
        self._seen: set[tuple[int, int, ValuePath]] = set()
        self._held: list[Env] = []  # so that no id is used twice

    def follow(self, node: Expression, env: Env, path: ValuePath) -> None:
        key = (id(node), id(env), path)
        if key in self._seen:
            return
        self._seen.add(key)
        if isinstance(node, Literal):
            return
        if isinstance(node, Traversal):
            self._traversal(node, env, path)
        elif isinstance(node, Template):
            self._parts(node.parts, env)
        elif isinstance(node, TupleNode):
            self._tuple(node, env, path)
        elif isinstance(node, ObjectNode):
            self._object(node, env, path)
        elif isinstance(node, Call):
            self._call(node, env, path)
        elif isinstance(node, ForNode):
            self._for(node, env, path)
        elif isinstance(node, Conditional):
            self._conditional(node, env, path)
        elif isinstance(node, Binary):
            self.follow(node.left, env, ())
            self.follow(node.right, env, ())
        elif isinstance(node, Unary):
            self.follow(node.operand, env, ())

    # -- constructors

    def _parts(self, parts: tuple[TemplatePart, ...], env: Env) -> None:
        for part in parts:
            if isinstance(part, TemplateIf):
                self._parts(part.then, env)
                self._parts(part.otherwise, env)
            elif isinstance(part, TemplateFor):
                self.follow(part.collection, env, ())
                bindings = {part.value_name: Binding(Unknown(part.value_name), Origin(part.collection, env, (None,)))}
                if part.key_name:
                    bindings[part.key_name] = Binding(Unknown(part.key_name))
                self._parts(part.parts, self._held_env(env.bind(bindings, "")))
            elif not isinstance(part, str):
                self.follow(part, env, ())

    def _held_env(self, env: Env) -> Env:
        self._held.append(env)
        return env

    def _tuple(self, node: TupleNode, env: Env, path: ValuePath) -> None:
        if path and isinstance(path[0], int) and path[0] < len(node.items):
            self.follow(node.items[path[0]], env, path[1:])
            return
        for item in node.items:
            self.follow(item, env, path[1:])

    def _object(self, node: ObjectNode, env: Env, path: ValuePath) -> None:
        wanted = path[0] if path else None
        if wanted is not None:
            for item in node.items:
                if isinstance(item.key, Literal) and item.key.value == wanted:
                    self.follow(item.value, env, path[1:])
                    return
        for item in node.items:
            if wanted is None or not isinstance(item.key, Literal):
                self.follow(item.value, env, path[1:])
                self.follow(item.key, env, ())

    def _for(self, node: ForNode, env: Env, path: ValuePath) -> None:
        wanted = path[0] if path else None
        same_key = (
            node.key is not None
            and isinstance(node.key, Traversal)
            and node.key.root == node.key_name
            and not node.key.steps
        )
        origin = Origin(node.collection, env, (wanted if same_key or node.key is None else None,))
        bindings = {node.value_name: Binding(Unknown(node.value_name), origin)}
        if node.key_name:
            bindings[node.key_name] = Binding(Unknown(node.key_name))
        inner = self._held_env(env.bind(bindings, ""))
        self.follow(node.value, inner, path[2:] if node.grouping else path[1:])

    # -- operations

    def _conditional(self, node: Conditional, env: Env, path: ValuePath) -> None:
        """The condition decides which branch counts; it is no source of the value."""
        verdict = evaluate(node.condition, env)
        cond = None if verdict is FAILED else operations.truth_cond(verdict, env.site(node.condition))
        if cond is not False:
            self.follow(node.then, env, path)
        if cond is not True:
            self.follow(node.otherwise, env, path)
        if not isinstance(cond, bool):
            self._places_only(node.condition, env)

    def _places_only(self, node: Expression, env: Env) -> None:
        refs = dict(self.refs)
        self.follow(node, env, ())
        self.refs = refs

    def _call(self, node: Call, env: Env, path: ValuePath) -> None:
        if node.name == "lookup" and len(node.arguments) > 1:
            key = _plain_key(evaluate(node.arguments[1], env))
            self.follow(node.arguments[0], env, (key, *path))
            for default in node.arguments[2:]:
                self.follow(default, env, path)
            return
        if node.name in _PICKS_ELEMENT and node.arguments:
            self.follow(node.arguments[0], env, (None, *path))
            return
        inner: ValuePath = ()
        if node.name in _SAME_PATH:
            inner = path
        elif node.name in _ANY_ELEMENT and path:
            inner = (None, *path[1:])
        for at, argument in enumerate(node.arguments):
            last = node.expand and at == len(node.arguments) - 1
            self.follow(argument, env, (None, *inner) if last and inner else inner)

    # -- names

    def _traversal(self, node: Traversal, env: Env, path: ValuePath) -> None:
        whole = (*_step_path(node.steps, env), *path)
        if not isinstance(node.root, str):
            self.follow(node.root, env, whole)
            return
        binding = env.bindings.get(node.root)
        if binding is not None:
            self._binding(binding, whole)
            return
        module = env.module
        if not isinstance(module, ModuleScope) or not whole or not isinstance(whole[0], str):
            return
        if node.root == "var":
            self._variable(module, whole[0], whole[1:])
        elif node.root == "local":
            attribute = module.source.locals.get(whole[0])
            if attribute is not None:
                self._attribute(attribute, module.env, whole[1:])
        elif node.root == "module":
            self._module(module, whole[0], whole[1:])
        elif node.root == "data":
            if len(whole) > 1 and isinstance(whole[1], str):
                self._resource(module, "data", whole[0], whole[1], whole[2:])
        elif node.root not in ("path", "terraform", "tofu", "each", "count", "self", "ephemeral"):
            self._resource(module, "managed", node.root, whole[0], whole[1:])

    def _binding(self, binding: Binding, path: ValuePath) -> None:
        origin = binding.origin
        if origin is None:
            return
        if binding.pair:
            if path and path[0] == "key":
                return
            path = path[1:]
        self.follow(origin.expression, origin.env, (*origin.path, *path))

    def _attribute(self, attribute: Attribute, env: Env, path: ValuePath) -> None:
        """What a name stands for: a local value, an argument, an output."""
        if not isinstance(env.module, ModuleScope) or env is not env.module.env:
            self.places.setdefault(_narrowed(attribute, path))
            self.follow(attribute.value, env, path)
            return
        key = (id(attribute), id(env), path)  # both live as long as the project
        found = self._known.get(key)
        if found is None:
            if key in self._underway:
                self._cut = True
                return
            walk = _Walk(self._known, self._underway | {key})
            walk.places.setdefault(_narrowed(attribute, path))
            walk.follow(attribute.value, env, path)
            found = (tuple(walk.refs), tuple(walk.places))
            if walk._cut:
                self._cut = True
            else:
                self._known[key] = found
        refs, places_found = found
        self.refs.update(dict.fromkeys(refs))
        self.places.update(dict.fromkeys(places_found))

    def _variable(self, module: ModuleScope, name: str, path: ValuePath) -> None:
        block = module.source.variables.get(name)
        given = module.given_expression(name, block) if block is not None else None
        if given is None:
            return
        expression, env, attribute = given
        if attribute is not None:
            self._attribute(attribute, env, path)
        else:
            self.follow(expression, env, path)

    def _module(self, module: ModuleScope, name: str, path: ValuePath) -> None:
        if name not in module.source.calls:
            return
        call = module.module_call(name)
        repeated = "count" in call.block.body.attributes or "for_each" in call.block.body.attributes
        key = path[0] if repeated and path else None
        rest = path[1:] if repeated else path
        output = rest[0] if rest else None
        scopes = [call.scopes[key]] if key is not None and key in call.scopes else list(call.scopes.values())
        for scope in scopes:
            names = [output] if isinstance(output, str) else list(scope.source.outputs)
            for one in names:
                block = scope.source.outputs.get(one)
                attribute = block.body.attributes.get("value") if block else None
                if attribute is not None:
                    self._attribute(attribute, scope.env, rest[1:])

    def _resource(self, module: ModuleScope, mode: str, kind: str, name: str, path: ValuePath) -> None:
        local = f"data.{kind}.{name}" if mode == "data" else f"{kind}.{name}"
        declared = module.declarations(mode, kind, name)
        attributes = declared[0].block.body.attributes if declared else {}
        repeated = "count" in attributes or "for_each" in attributes
        if not declared:
            repeated = bool(path) and not isinstance(path[0], str)
        key = path[0] if repeated and path else None
        rest = path[1:] if repeated else path
        attribute = rest[0] if rest and isinstance(rest[0], str) else ""
        self.refs.setdefault(Ref(module.qualified(local), key, attribute))


def _step_path(steps: tuple[Step, ...], env: Env) -> ValuePath:
    path: list[str | int | None] = []
    for step in steps:
        if isinstance(step, AttributeStep):
            path.append(step.name)
        elif isinstance(step, IndexStep):
            path.append(_plain_key(evaluate(step.key, env)))
        elif isinstance(step, SplatStep):
            path += (None, *_step_path(step.steps, env))
    return tuple(path)


def _plain_key(value: Any) -> str | int | None:
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _narrowed(attribute: Attribute, path: ValuePath) -> SourceRange:
    """The place of the entry to which `path` leads, as far as entries are written one by one."""
    found = attribute.range
    node: Expression = attribute.value
    for key in path:
        if isinstance(node, ObjectNode):
            item = next((i for i in node.items if isinstance(i.key, Literal) and i.key.value == key), None)
            if item is None:
                break
            found, node = item.range, item.value
        elif isinstance(node, TupleNode) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
            found = node.range
        else:
            break
    return found
