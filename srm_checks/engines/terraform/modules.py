"""A module's directory: which files belong to it, and what they declare together."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from srm_checks import reads
from srm_checks.engines.terraform import json_syntax, syntax
from srm_checks.engines.terraform.nodes import Attribute, Block, Body, Comment, File, Literal
from srm_checks.engines.terraform.source import Source, read_once, read_text
from srm_checks.errors import InputError
from srm_checks.model import ScanError

ENGINE: Final = "terraform"
_NATIVE: Final = (".tf", ".tofu")
_JSON: Final = (".tf.json", ".tofu.json")
# Blocks of which there is one per name: an override changes it, a second declaration is a mistake.
_NAMED: Final = {"variable": 1, "output": 1, "module": 1, "resource": 2, "data": 2}


def parse(path: str) -> File:
    """The syntax tree of a configuration or variable file, read once in this process. Raises InputError."""
    found = read_once(path, syntax.reader(), _parse)
    assert isinstance(found, File)
    return found


def _parse(path: str) -> File:
    source = Source(path, read_text(path))
    if path.endswith(".json") and not path.endswith(_JSON):
        return json_syntax.parse_json_variables(source)
    if path.endswith(_JSON):
        return json_syntax.parse_json_file(source)
    return syntax.parse_file(source)


@dataclass(slots=True)
class ModuleSource:
    """What the files of a directory declare. `broken` says that a file of it could not be read.

    `resources` and `data` are by (type, name); a list holds more than one only where the module is wrong.
    """

    directory: str
    variables: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    calls: dict[str, Block] = field(default_factory=dict)
    resources: dict[tuple[str, str], list[Block]] = field(default_factory=dict)
    data: dict[tuple[str, str], list[Block]] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    providers: list[Block] = field(default_factory=list)
    terraform: list[Block] = field(default_factory=list)
    moved: list[Block] = field(default_factory=list)
    comments: dict[str, tuple[Comment, ...]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    errors: list[ScanError] = field(default_factory=list)
    broken: bool = False


def join(directory: str, name: str) -> str:
    """A path below `directory`, as short as it can be written."""
    return os.path.normpath(os.path.join(directory, name)).replace(os.sep, "/")


def configuration_files(directory: str) -> tuple[list[str], list[str]]:
    """The primary files and the override files of a module, each in the order in which Terraform reads them.

    Where `x.tofu` stands beside `x.tf`, the former takes its place. Raises InputError for an unreadable directory.
    """
    reads.listing(directory)
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if not entry.is_dir())
    except OSError as problem:
        raise InputError(directory, f"The directory cannot be read: {problem.strerror or problem}.") from problem
    present = set(names)
    primary: list[str] = []
    overrides: list[str] = []
    for name in names:
        extension = next((e for e in (*_JSON, *_NATIVE) if name.endswith(e)), None)
        if extension is None or name.startswith((".", "#")) or name.endswith("~"):
            continue
        stem = name[: -len(extension)]
        if extension.startswith(".tf") and stem + extension.replace(".tf", ".tofu") in present:
            continue
        is_override = stem == "override" or stem.endswith("_override")
        (overrides if is_override else primary).append(join(directory, name))
    return primary, overrides


def load_module(directory: str) -> ModuleSource:
    """All that the files of `directory` declare. What cannot be read is in `errors`."""
    module = ModuleSource(directory)
    try:
        primary, overrides = configuration_files(directory)
    except InputError as problem:
        module.broken = True
        module.errors.append(scan_error(problem))
        return module
    bodies = [_read(module, path) for path in primary]
    for body in bodies:
        _declare(module, body.blocks)
    for path in overrides:
        _override(module, _read(module, path).blocks)
    return module


def scan_error(problem: InputError) -> ScanError:
    """An InputError as an entry of `Stack.errors`."""
    return ScanError(problem.path, ENGINE, problem.kind, str(problem))


def _read(module: ModuleSource, path: str) -> Body:
    module.files.append(path)
    try:
        file = parse(path)
    except InputError as problem:
        module.broken = True
        module.errors.append(scan_error(problem))
        return Body({}, ())
    if file.errors:
        module.broken = True
        module.errors += map(scan_error, file.errors)
    module.comments[path] = file.comments
    return file.body


def _declare(module: ModuleSource, blocks: Iterable[Block]) -> None:
    for block in blocks:
        if len(block.labels) < _NAMED.get(block.kind, 0):
            where = block.source.error(block.start, f'Expected a name for the block "{block.kind}".')
            module.errors.append(scan_error(where))
        elif block.kind == "locals":
            for name, attribute in block.body.attributes.items():
                if _is_new(module, module.locals, name, attribute, "local value"):
                    module.locals[name] = attribute
        elif block.kind in ("resource", "data"):
            kept = (module.resources if block.kind == "resource" else module.data).setdefault(
                (block.labels[0], block.labels[1]), []
            )
            if kept:
                _report_twice(module, block, f"{block.labels[0]}.{block.labels[1]}")
            kept.append(block)
        elif block.kind in ("variable", "output", "module"):
            table = _table(module, block.kind)
            if _is_new(module, table, block.labels[0], block, block.kind):
                table[block.labels[0]] = block
        elif block.kind == "provider" and block.labels:
            module.providers.append(block)
        elif block.kind == "terraform":
            module.terraform.append(block)
        elif block.kind == "moved":
            module.moved.append(block)


def _table(module: ModuleSource, kind: str) -> dict[str, Block]:
    return {"variable": module.variables, "output": module.outputs, "module": module.calls}[kind]


def _is_new(
    module: ModuleSource, table: dict[str, Block] | dict[str, Attribute], name: str, node: Block | Attribute, word: str
) -> bool:
    if name not in table:
        return True
    _report_twice(module, node, f'{word} "{name}"')
    return False


def _report_twice(module: ModuleSource, node: Block | Attribute, what: str) -> None:
    problem = node.source.error(node.start, f"The {what} is declared twice in one module; the first one counts.")
    module.errors.append(scan_error(problem))


# ------------------------------------------------------------------ overrides


def _override(module: ModuleSource, blocks: Iterable[Block]) -> None:
    """Change what is declared by the blocks of an override file, as Terraform merges them."""
    for block in blocks:
        if block.kind == "locals":
            module.locals.update(block.body.attributes)
        elif block.kind == "terraform":
            _override_terraform(module, block)
        elif block.kind == "provider":
            _override_provider(module, block)
        elif len(block.labels) < _NAMED.get(block.kind, 0):
            _declare(module, [block])
        elif block.kind in ("resource", "data"):
            table = module.resources if block.kind == "resource" else module.data
            key = (block.labels[0], block.labels[1])
            if key in table:
                table[key] = [_merged(table[key][0], block), *table[key][1:]]
            else:
                _declare(module, [block])
        elif block.kind in ("variable", "output", "module"):
            named = _table(module, block.kind)
            base = named.get(block.labels[0])
            named[block.labels[0]] = _merged(base, block) if base else block
        else:
            _declare(module, [block])


def _merged(base: Block, override: Block) -> Block:
    """Attributes are replaced one by one; nested blocks of a type all together, but `lifecycle` inside itself."""
    replaced = {block.kind for block in override.body.blocks if block.kind != "lifecycle"}
    dynamic = {block.labels[0] for block in override.body.named("dynamic") if block.labels}
    kept: list[Block] = []
    overriding = list(override.body.blocks)
    for block in base.body.blocks:
        kind = block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
        if kind in replaced or kind in dynamic:
            continue
        if kind == "lifecycle":
            for other in override.body.named("lifecycle"):
                block = _merged(block, other)
                overriding.remove(other)
        kept.append(block)
    body = Body({**base.body.attributes, **override.body.attributes}, (*kept, *overriding))
    return replace(base, body=body)


def _override_terraform(module: ModuleSource, block: Block) -> None:
    if any(other.kind in ("backend", "cloud") for other in block.body.blocks):
        module.terraform = [
            replace(
                base,
                body=Body(
                    base.body.attributes,
                    tuple(inner for inner in base.body.blocks if inner.kind not in ("backend", "cloud")),
                ),
            )
            for base in module.terraform
        ]
    module.terraform.append(block)


def _override_provider(module: ModuleSource, block: Block) -> None:
    for at, base in enumerate(module.providers):
        if base.labels == block.labels and provider_alias(base) == provider_alias(block):
            module.providers[at] = _merged(base, block)
            return
    module.providers.append(block)


def provider_alias(block: Block) -> str:
    """The alias of a provider block, "" for the default configuration."""
    alias = block.body.attributes.get("alias")
    if alias is not None and isinstance(alias.value, Literal) and isinstance(alias.value.value, str):
        return alias.value.value
    return ""


# ------------------------------------------------------------------ fetched modules


@dataclass(frozen=True, slots=True)
class FetchedModules:
    """What `terraform init` left in `.terraform/modules/modules.json`: directories by dotted module path."""

    directories: dict[str, str] = field(default_factory=dict)
    path: str | None = None
    error: ScanError | None = None


def fetched_modules(root: str) -> FetchedModules:
    """The modules fetched for a root, none where it was not initialised."""
    path = join(root, ".terraform/modules/modules.json")
    reads.presence(path)
    if not os.path.isfile(path):
        return FetchedModules()
    try:
        entries = json.loads(read_text(path))["Modules"]
        directories = {entry["Key"]: join(root, entry["Dir"]) for entry in entries if entry.get("Key")}
    except InputError as problem:
        return FetchedModules({}, path, scan_error(problem))
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "The list of fetched modules is not what terraform init writes; run terraform init again."
        return FetchedModules({}, path, ScanError(path, ENGINE, "parse", message))
    return FetchedModules(directories, path)
