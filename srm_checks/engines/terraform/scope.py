"""Module instances: variables, local values, outputs, resources and calls, each evaluated when asked for, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from srm_checks import reads
from srm_checks.engines.terraform import expansion, modules, operations, types, validations, variables
from srm_checks.engines.terraform.env import Binding, Env
from srm_checks.engines.terraform.evaluate import evaluate, evaluate_parts
from srm_checks.engines.terraform.expansion import Slot, TooManyInstances
from srm_checks.engines.terraform.files import RepositoryFiles, digest
from srm_checks.engines.terraform.modules import FetchedModules, ModuleSource
from srm_checks.engines.terraform.nodes import (
    Attribute,
    AttributeStep,
    Block,
    Expression,
    Template,
    Traversal,
)
from srm_checks.engines.terraform.site import Site
from srm_checks.engines.terraform.source import Source
from srm_checks.engines.terraform.syntax import parse_template
from srm_checks.engines.terraform.values import (
    FAILED,
    Confined,
    ObjectValue,
    OpenMap,
    choice,
    conjoin,
    is_known,
    text_of,
)
from srm_checks.errors import InputError
from srm_checks.model import (
    ABSENT,
    Cause,
    Choice,
    Cond,
    EngineOptions,
    Options,
    Ref,
    Repeated,
    ScanError,
    Unknown,
    UnreadModule,
)
from srm_checks.model import (
    Call as CallPlace,
)

_META_ARGUMENTS: Final = frozenset({"source", "version", "providers", "count", "for_each", "depends_on", "enabled"})
_DEPTH_LIMIT: Final = 40  # of module calls
# What is known of the end of an ARN, which tells a named principal from a whole account.
_ARN_TAILS: Final[dict[str, tuple[str | None, ...]]] = {
    "aws_iam_role": (":role/", None),
    "aws_iam_user": (":user/", None),
}
# Attributes that every provider computes: surely set on a resource that exists, though not in the code.
_COMPUTED: Final = frozenset(
    {
        "id",
        "arn",
        "name",
        "key_id",
        "unique_id",
        "bucket",
        "function_name",
        "identifier",
        "cluster_identifier",
        "domain_name",
        "bucket_domain_name",
        "bucket_regional_domain_name",
        "dns_name",
        "endpoint",
        "fqdn",
        "hosted_zone_id",
        "zone_id",
        "repository_url",
        "owner_id",
        "account_id",
        "url",
        "hex",
        "b64_url",
        "b64_std",
        "dec",
        "result",
        "private_key_pem",
        "public_key_openssh",
        "public_key_pem",
        "output",
        "default_security_group_id",
        "default_route_table_id",
        "main_route_table_id",
        "latest_version",
        "version_id",
        "secret_id",
    }
)
# Names that end in `_arn` but are arguments, which nobody needs to set.
_ARGUMENT_ARNS: Final = ("kms_", "key_arn", "role_arn", "topic_arn", "policy_arn", "outpost_arn", "boundary_arn")


@dataclass(slots=True)
class Project:
    """What all module instances of a root share."""

    root: str
    options: EngineOptions
    given: variables.GivenVariables
    fetched: FetchedModules
    files: RepositoryFiles
    sources: dict[str, ModuleSource] = field(default_factory=dict)
    errors: list[ScanError] = field(default_factory=list)
    unread: list[UnreadModule] = field(default_factory=list)
    templates: dict[str, Expression | None] = field(default_factory=dict)
    origins: dict[Any, Any] = field(default_factory=dict)  # what origins.py has found out
    calls: int = 0

    def source(self, directory: str) -> ModuleSource:
        """What the files of a directory declare; its errors are reported once."""
        found = self.sources.get(directory)
        if found is None:
            found = self.sources[directory] = modules.load_module(directory)
            self.errors += found.errors
        return found

    def report(self, problem: InputError) -> None:
        """Put a problem into the errors of the stack, once."""
        error = modules.scan_error(problem)
        if error not in self.errors:
            self.errors.append(error)


class ResourceInstance(ObjectValue):
    """An instance of a resource or data block."""

    __slots__ = ("_running", "_values", "block", "declaration", "env", "exists", "slot")

    def __init__(self, declaration: Declaration, slot: Slot) -> None:
        self.declaration = declaration
        self.block = declaration.block
        self.slot = slot
        self.exists = slot.exists
        self.env = declaration.module.env.bind(slot.bindings, slot.suffix) if slot.bindings else declaration.module.env
        self._values: dict[str, Any] = {}
        self._running: set[str] = set()

    @property
    def base(self) -> str:
        return self.declaration.base

    @property
    def address(self) -> str:
        return self.base + self.slot.suffix

    def attribute(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name in self._running:  # Terraform reports a cycle
            return self._computed(name)
        self._running.add(name)
        try:
            value = self._value(name)
        finally:
            self._running.discard(name)
        self._values[name] = value
        return value

    def unknown(self) -> Unknown:
        return Unknown(text=self.address, refs=(self._ref(""),), present=True, subject=self.address)

    def _ref(self, attribute: str) -> Ref:
        return Ref(self.base, self.slot.key, attribute)

    def _value(self, name: str) -> Any:
        from srm_checks.engines.terraform import policy_document, resources

        if self.declaration.is_policy_document and name in ("json", "minified_json"):
            return policy_document.document(self)
        attribute = self.block.body.attributes.get(name)
        if attribute is not None:
            value = evaluate(attribute.value, self.env)
            if value is not ABSENT:
                return self._with_ref(value, name)
        nested = resources.nested_blocks(self.block.body, name, self.env)
        return self._computed(name) if nested is None else self._with_computed(nested, name)

    def _with_computed(self, blocks: list[Any], name: str) -> list[Any]:
        """Nested blocks as a reference sees them: what the code does not set, the provider may."""
        rest = Unknown(text=f"{self.declaration.local_address}{self.slot.suffix}.{name}", refs=(self._ref(name),))

        def seen(value: Any) -> Any:
            if isinstance(value, dict):
                return OpenMap(value, rest)
            if isinstance(value, Choice):
                return choice(value.cond, seen(value.then), seen(value.otherwise))
            return Repeated(seen(value.value)) if isinstance(value, Repeated) else value

        return [seen(block) for block in blocks]

    def _with_ref(self, value: Any, name: str) -> Any:
        """An open value that is read through this resource says so."""
        if not isinstance(value, Unknown):
            return value
        refs = tuple(dict.fromkeys((*value.refs, self._ref(name))))
        kind = type(value)
        return kind(value.text, value.cause, refs, value.present, value.parts, value.subject)

    def _computed(self, name: str) -> Unknown:
        data = self.declaration.mode == "data"
        present = data or name in _COMPUTED or (name.endswith("_arn") and not name.endswith(_ARGUMENT_ARNS))
        if name.endswith("_arn") and name.startswith(_ARGUMENT_ARNS):
            present = data
        remote = data and self.declaration.type == "terraform_remote_state" and name == "outputs"
        is_arn = name == "arn" and self.declaration.type.startswith("aws_")
        arn = ("arn:", None, *_ARN_TAILS.get(self.declaration.type, ()))
        return Unknown(
            text=f"{self.declaration.local_address}{self.slot.suffix}.{name}",
            cause=Cause.OTHER_STACK if remote else Cause.UNRESOLVED_VALUE,
            refs=(self._ref(name),),
            present=present,
            parts=arn if is_arn else None,
            subject=f"{self.address}.{name}",
        )


class Declaration:
    """A resource or data block in a module instance."""

    def __init__(self, module: ModuleScope, mode: str, block: Block) -> None:
        self.module = module
        self.mode = mode
        self.block = block
        self.type, self.name = block.labels[0], block.labels[1]
        self.local_address = f"{'data.' if mode == 'data' else ''}{self.type}.{self.name}"
        self.base = module.qualified(self.local_address)
        self.is_policy_document = self.local_address.startswith("data.aws_iam_policy_document.")
        self._instances: dict[str | int | None, ResourceInstance] | None = None
        self._collection: Any = None
        self._expanding = False

    def instances(self) -> list[ResourceInstance]:
        """The instances, in the order of their keys."""
        self._expand()
        assert self._instances is not None
        return list(self._instances.values())

    def value(self) -> Any:
        """What a reference to the block gives: an instance, or a list or map of them."""
        self._expand()
        if self._expanding or self._instances is None:
            return Unknown(text=self.local_address, refs=(Ref(self.base),), subject=self.base)
        return self._collection

    def _expand(self) -> None:
        if self._instances is not None or self._expanding:
            return
        self._expanding = True
        try:
            slots, value = expansion.slots_of(self.block, self.module.env)
        except TooManyInstances:
            self.module.report_instances(self.block)
            slots, value = [Slot(None, True)], None
        finally:
            self._expanding = False
        found = {slot.key: ResourceInstance(self, slot) for slot in slots}
        self._instances = found
        if value is None:
            self._collection = found[None]
        else:
            by_count = "for_each" not in self.block.body.attributes
            self._collection = expansion.collection(value, lambda key: _instance(found, key), by_count=by_count)


def _instance(found: dict[str | int | None, Any], key: str | int | None) -> Any:
    return found[key] if key in found else found.get(None, FAILED)


class ModuleObject(ObjectValue):
    """A module instance as a value; its attributes are its outputs."""

    __slots__ = ("exists", "scope")

    def __init__(self, scope: ModuleScope, exists: Cond) -> None:
        self.scope = scope
        self.exists = exists

    def attribute(self, name: str) -> Any:
        return self.scope.output(name)

    def unknown(self) -> Unknown:
        return Unknown(text=self.scope.address, present=True, subject=self.scope.address)


class UnreadObject(ObjectValue):
    """A module whose source is not at hand."""

    __slots__ = ("address", "exists", "text")

    def __init__(self, address: str, text: str, exists: Cond) -> None:
        self.address = address
        self.text = text
        self.exists = exists

    def attribute(self, name: str) -> Any:
        return Unknown(text=f"{self.text}.{name}", subject=f"{self.address}.{name}")

    def unknown(self) -> Unknown:
        return Unknown(text=self.text, present=True, subject=self.address)


@dataclass(slots=True)
class ModuleCall:
    """A module call in a module instance, expanded. `scopes` is empty where its source is not at hand."""

    block: Block
    scopes: dict[str | int | None, ModuleScope]
    value: Any


class ModuleScope:
    """An instance of a module. `exists` is the condition under which anything in it is created."""

    def __init__(
        self,
        project: Project,
        directory: str,
        *,
        address: str = "",
        path: str = "",
        parent: ModuleScope | None = None,
        call: Block | None = None,
        call_env: Env | None = None,
        exists: Cond = True,
        calls: tuple[CallPlace, ...] = (),
    ) -> None:
        self.project = project
        self.directory = directory
        self.address = address
        self.path = path  # the dotted names of the calls, as modules.json has them
        self.parent = parent
        self.call = call
        self.call_env = call_env
        self.exists = exists
        self.calls = calls
        self.source = project.source(directory)
        self.env = Env(self)
        self._memo: dict[tuple[str, str], Any] = {}
        self._running: set[tuple[str, str]] = set()
        self._declarations: dict[tuple[str, str, str], list[Declaration]] = {}
        self._calls: dict[str, ModuleCall] = {}

    # -- names

    def qualified(self, local_address: str) -> str:
        """An address with the module's in front."""
        return f"{self.address}.{local_address}" if self.address else local_address

    def subject(self, text: str) -> str:
        """The subject of an expression of this module instance."""
        return f"{self.address}|{text}"

    def resolve(self, node: Traversal, env: Env) -> tuple[Any, int]:
        root = node.root
        assert isinstance(root, str)
        binding = env.bindings.get(root)
        if binding is not None:
            return binding.value, 0
        steps = node.steps
        first = steps[0].name if steps and isinstance(steps[0], AttributeStep) else None
        if first is None:
            return Unknown(text=node.text, subject=self.subject(node.text)), len(steps)
        if root == "var":
            return self.variable(first), 1
        if root == "local":
            return self.local(first), 1
        if root == "module":
            return self.module_value(first), 1
        if root == "path":
            return self._path(first), 1
        if root in ("terraform", "tofu"):
            return self._terraform(first), 1
        if root in ("each", "count", "self", "ephemeral"):
            return Unknown(text=node.text, subject=env.site(node).subject), len(steps)
        if root == "data":
            second = steps[1].name if len(steps) > 1 and isinstance(steps[1], AttributeStep) else None
            if second is None:
                return Unknown(text=node.text, subject=self.subject(node.text)), len(steps)
            return self._resource("data", first, second, node)
        return self._resource("managed", root, first, node)

    def _resource(self, mode: str, kind: str, name: str, node: Traversal) -> tuple[Any, int]:
        declarations = self.declarations(mode, kind, name)
        if declarations:
            return declarations[0].value(), 2 if mode == "data" else 1
        local = f"data.{kind}.{name}" if mode == "data" else f"{kind}.{name}"
        names = [step.name for step in node.steps if isinstance(step, AttributeStep)][2 if mode == "data" else 1 :]
        ref = Ref(self.qualified(local), None, names[0] if names else "")
        return self._missing(node.text, (ref,)), len(node.steps)

    def _missing(self, text: str, refs: tuple[Ref, ...] = ()) -> Unknown:
        return operations.missing(text, self.subject(text), refs, surely=not self.source.broken)

    def _path(self, name: str) -> Any:
        if name == "module":
            return os.path.relpath(self.directory, self.project.root).replace(os.sep, "/")
        if name == "root":
            return "."
        return Unknown(text=f"path.{name}", present=True, subject=f"|path.{name}")

    def _terraform(self, name: str) -> Any:
        if name == "workspace" and self.project.options.workspace is not None:
            return self.project.options.workspace
        return Unknown(text=f"terraform.{name}", present=True, subject=f"|terraform.{name}")

    def _once(self, kind: str, name: str, compute: Callable[[], Any]) -> Any:
        """A value that is computed once; asked for while it is computed (a cycle), it is unknown."""
        key = (kind, name)
        if key in self._memo:
            return self._memo[key]
        if key in self._running:
            text = f"{kind}.{name}"
            return Unknown(text=text, subject=self.subject(text))
        self._running.add(key)
        try:
            value = compute()
        finally:
            self._running.discard(key)
        self._memo[key] = value
        return value

    def local(self, name: str) -> Any:
        """The value of a local."""
        attribute = self.source.locals.get(name)
        if attribute is None:
            return self._missing(f"local.{name}")
        return self._once("local", name, lambda: evaluate(attribute.value, self.env))

    def output(self, name: str) -> Any:
        """The value of an output."""
        block = self.source.outputs.get(name)
        attribute = block.body.attributes.get("value") if block else None
        if attribute is None:
            return self._missing(f"{self.address}.{name}")
        return self._once("output", name, lambda: evaluate(attribute.value, self.env))

    # -- variables

    def variable(self, name: str) -> Any:
        """The value of a variable."""
        block = self.source.variables.get(name)
        if block is None:
            return self._missing(f"var.{name}")
        return self._once("var", name, lambda: self._variable(name, block))

    def given_expression(self, name: str, block: Block) -> tuple[Expression, Env, Attribute | None] | None:
        """The expression that decides a variable, where it is evaluated, and the attribute that holds it."""
        if self.call is not None and self.call_env is not None:
            argument = self.call.body.attributes.get(name)
            if argument is not None and name not in _META_ARGUMENTS:
                return argument.value, self.call_env, argument
        elif self.call is None:
            given = self._root_value(name, block)
            if given is not None:
                return given
            if self.project.options.strict_parameters:
                return None
        default = block.body.attributes.get("default")
        return None if default is None else (default.value, Env(self), default)

    def _root_value(self, name: str, block: Block) -> tuple[Expression, Env, Attribute | None] | None:
        assigned = self.project.given.assigned.get(name)
        if assigned is not None:
            return assigned.value, Env(self), assigned
        text = self.project.given.environment.get(name)
        if text is None:
            return None
        constraint = block.body.attributes.get("type")
        try:
            return variables.environment_value(name, text, constraint.value if constraint else None), Env(self), None
        except InputError as problem:
            self.project.report(problem)
            return None

    def _variable(self, name: str, block: Block) -> Any:
        given = self.given_expression(name, block)
        if given is None:
            text = f"var.{name}"
            return self._validated(name, block, Unknown(text=text, subject=self.subject(text)))
        value = evaluate(given[0], given[1])
        if "default" in block.body.attributes and not self._nullable(block):
            value = types.or_default(value, evaluate(block.body.attributes["default"].value, self.env))
        constraint = block.body.attributes.get("type")
        if constraint is not None:
            value = types.convert(value, constraint.value, lambda default: evaluate(default, self.env))
        if value is ABSENT and given[2] is block.body.attributes.get("default"):
            value = self._needed(name, block)
        return self._validated(name, block, value)

    def _needed(self, name: str, block: Block) -> Any:
        """A null default; where a validation refuses it, any value of the variable's type that is given instead."""
        value: Any = ABSENT
        for validation in block.body.named("validation"):
            condition = validation.body.attributes.get("condition")
            excuse = validations.excuse_for_null(condition.value, name) if condition else None
            if excuse is None:
                continue
            allowed = operations.truth_cond(evaluate(excuse, self.env), self.env.site(excuse))
            if allowed is None or allowed is True:
                continue
            constraint, text = block.body.attributes.get("type"), f"var.{name}"
            given = types.open_value(
                text,
                self.subject(text),
                constraint.value if constraint else None,
                lambda default: evaluate(default, self.env),
            )
            value = choice(allowed, value, given)
        return value

    def _nullable(self, block: Block) -> bool:
        nullable = block.body.attributes.get("nullable")
        return nullable is None or evaluate(nullable.value, self.env) is not False

    def _validated(self, name: str, block: Block, value: Any) -> Any:
        """An unknown that a validation confines to some literals is one of these; so for attributes of its elements."""
        if not isinstance(value, Unknown) or not value.subject or value.parts is not None:
            return value
        attributes: list[tuple[str, tuple[Any, ...]]] = []
        for validation in block.body.named("validation"):
            condition = validation.body.attributes.get("condition")
            if condition is None:
                continue
            allowed = validations.allowed_values(condition.value, name)
            if allowed:
                return allowed[0] if len(allowed) == 1 else Options(value.subject, value.text, allowed)
            attribute = validations.allowed_of_each(condition.value, name)
            if attribute:
                attributes.append(attribute)
        return Confined.of(value, tuple(attributes), is_collection=True) if attributes else value

    # -- resources

    def declarations(self, mode: str, kind: str, name: str) -> list[Declaration]:
        """The blocks that declare a resource or data source: one, or none, or several in a wrong module."""
        key = (mode, kind, name)
        found = self._declarations.get(key)
        if found is None:
            blocks = (self.source.data if mode == "data" else self.source.resources).get((kind, name), [])
            found = self._declarations[key] = [Declaration(self, mode, block) for block in blocks]
        return found

    def all_declarations(self) -> Iterator[Declaration]:
        """All resource and data blocks of the module instance."""
        for kind, name in self.source.resources:
            yield from self.declarations("managed", kind, name)
        for kind, name in self.source.data:
            yield from self.declarations("data", kind, name)

    def report_instances(self, block: Block) -> None:
        limit = expansion.INSTANCE_LIMIT
        line = block.source.line(block.start)
        message = f"{line}: The block has more than {limit} instances; it is read as one."
        self.project.report(InputError(block.source.path, message, kind="unsupported", line=line))

    # -- module calls

    def module_value(self, name: str) -> Any:
        """What `module.name` gives: a module instance, or a list or map of them."""
        if name not in self.source.calls:
            return self._missing(f"module.{name}")
        return self.module_call(name).value

    def module_call(self, name: str) -> ModuleCall:
        """A call of this module, expanded."""
        found = self._calls.get(name)
        if found is None:
            block = self.source.calls[name]
            text = f"module.{name}"
            # while the call is expanded, references to it (a cycle) find this
            self._calls[name] = ModuleCall(block, {}, Unknown(text=text, subject=self.subject(text)))
            found = self._calls[name] = self._expand_call(name, block)
        return found

    def all_calls(self) -> Iterator[ModuleCall]:
        """All module calls, expanded."""
        for name in self.source.calls:
            yield self.module_call(name)

    def _expand_call(self, name: str, block: Block) -> ModuleCall:
        try:
            slots, value = expansion.slots_of(block, self.env)
        except TooManyInstances:
            self.report_instances(block)
            slots, value = [Slot(None, True)], None
        local_address = self.qualified(f"module.{name}")
        directory = self._call_directory(name, block, any_instance=bool(slots))
        scopes: dict[str | int | None, ModuleScope] = {}
        objects: dict[str | int | None, ObjectValue] = {}
        for slot in slots:
            address = local_address + slot.suffix
            exists = conjoin((self.exists, slot.exists))
            if directory is None:
                objects[slot.key] = UnreadObject(address, f"module.{name}{slot.suffix}", slot.exists)
                continue
            place = block.source.range(block.start, block.start + 1)
            scope = ModuleScope(
                self.project,
                directory,
                address=address,
                path=f"{self.path}.{name}" if self.path else name,
                parent=self,
                call=block,
                call_env=self.env.bind(slot.bindings, slot.suffix) if slot.bindings else self.env,
                exists=exists,
                calls=(*self.calls, CallPlace(address, place.path, place.start_line)),
            )
            scopes[slot.key] = scope
            objects[slot.key] = ModuleObject(scope, slot.exists)
        if value is None:
            whole: Any = objects[None]
        else:
            by_count = "for_each" not in block.body.attributes
            whole = expansion.collection(value, lambda key: _instance(objects, key), by_count=by_count)
        return ModuleCall(block, scopes, whole)

    def _call_directory(self, name: str, block: Block, *, any_instance: bool) -> str | None:
        """The directory of a called module; None where it is not at hand, which is reported."""
        attribute = block.body.attributes.get("source")
        source = evaluate(attribute.value, self.env) if attribute else ABSENT
        where = block.source.range(block.start, block.start + 1)
        if not isinstance(source, str):
            shown = attribute.value.text if attribute else ""
            if any_instance:
                self._report_unread(name, shown, block)
            return None
        if source in (".", "..") or source.startswith(("./", "../")):
            directory = modules.join(self.directory, source)
            reads.presence(directory)
            if not os.path.isdir(directory):
                problem = f'{where.start_line}: The module "{name}" has the source "{source}", which is no directory.'
                self.project.report(InputError(where.path, problem, line=where.start_line))
                return None
        else:
            key = f"{self.path}.{name}" if self.path else name
            fetched = self.project.fetched.directories.get(key)
            if fetched is not None:
                reads.presence(fetched)
            if fetched is None or not os.path.isdir(fetched):
                if any_instance:
                    self._report_unread(name, source, block)
                return None
            directory = fetched
        return None if self._is_cycle(directory, name, block) else directory

    def _is_cycle(self, directory: str, name: str, block: Block) -> bool:
        scope: ModuleScope | None = self
        depth = 0
        while scope is not None:
            depth += 1
            if scope.directory == directory or depth > _DEPTH_LIMIT:
                line = block.source.line(block.start)
                message = f'{line}: The module "{name}" calls itself, directly or through others; it is not followed.'
                self.project.report(InputError(block.source.path, message, line=line))
                return True
            scope = scope.parent
        return False

    def _report_unread(self, name: str, source: str, block: Block) -> None:
        place = block.source.range(block.start, block.start + 1)
        unread = UnreadModule(self.qualified(f"module.{name}"), source, place.path, place.start_line)
        if unread not in self.project.unread:
            self.project.unread.append(unread)

    # -- functions that read files

    def call_file_function(self, name: str, arguments: list[Any], site: Site, env: Env) -> Any:
        if FAILED in arguments or not arguments:
            return FAILED
        if name == "templatestring":
            return self._template_string(arguments, site)
        path = text_of(arguments[0])
        if path is None or (name == "fileset" and not all(map(is_known, arguments))):
            return site.unknown(*arguments, present=True, fallible=True)
        if name == "templatefile":
            return self._template_file(path, arguments[1:], site)
        files = self.project.files
        if name == "fileexists":
            exists = files.exists(path)
            return site.unknown(present=True) if exists is None else exists
        if name == "fileset":
            found = files.matching(path, text_of(arguments[1]) or "") if len(arguments) == 2 else None
            return site.unknown(present=True) if found is None else found
        content = files.content(path)
        if content is None:
            return site.unknown(present=True, fallible=True)
        if name == "file":
            text = files.text(path)
            return site.unknown(present=True) if text is None else text
        if name == "filebase64":
            return site.unknown(present=True)
        return digest(name, content)

    def _template_file(self, path: str, arguments: list[Any], site: Site) -> Any:
        text = self.project.files.text(path)
        if text is None or len(arguments) != 1:
            return site.unknown(*arguments, present=True, fallible=True)
        key = os.path.join(self.project.root, path)
        if key not in self.project.templates:
            self.project.templates[key] = self._parsed_template(os.path.normpath(key).replace(os.sep, "/"), text)
        template = self.project.templates[key]
        if template is None:
            return site.unknown(*arguments, present=True)
        return self._rendered(template, arguments[0], site)

    def _parsed_template(self, path: str, text: str) -> Expression | None:
        try:
            return parse_template(Source(path, text))
        except InputError as problem:
            self.project.report(problem)
            return None

    def _template_string(self, arguments: list[Any], site: Site) -> Any:
        text = text_of(arguments[0])
        if text is None or len(arguments) != 2:
            return site.unknown(*arguments, present=True, fallible=True)
        try:
            template = parse_template(Source("templatestring", text))
        except InputError:
            return FAILED
        return self._rendered(template, arguments[1], site)

    def _rendered(self, template: Expression, given: Any, site: Site) -> Any:
        if isinstance(given, OpenMap):
            given = dict(given.known)
        if not isinstance(given, dict):
            return site.unknown(given, present=True, fallible=True)
        env = Env(_TemplateModule(self), {name: Binding(value) for name, value in given.items()}, f"|{site.subject}")
        if isinstance(template, Template):
            return evaluate_parts(template.parts, env, lambda: site)
        return evaluate_parts((template,), env, lambda: site)


class _TemplateModule:
    """The names that a template file sees: its own variables only."""

    def __init__(self, scope: ModuleScope) -> None:
        self._scope = scope

    @property
    def address(self) -> str:
        return self._scope.address

    def resolve(self, node: Traversal, env: Env) -> tuple[Any, int]:
        assert isinstance(node.root, str)
        binding = env.bindings.get(node.root)
        if binding is not None:
            return binding.value, 0
        return Unknown(text=node.text), len(node.steps)

    def call_file_function(self, name: str, arguments: list[Any], site: Site, env: Env) -> Any:
        return self._scope.call_file_function(name, arguments, site, env)
