"""Whether the attribute paths of policies exist, nesting included. Run: python -m tools.attribute_paths [FILE ...]

CloudFormation paths are looked up in the resource schemas that come with cfn-lint, Terraform paths in
tests/data/terraform_nesting.tsv. Three small files beside it hold what these sources cannot say:

* `types_without_nesting.tsv`: types that neither source has; nothing is checked of them.
* `json_attributes.tsv`: attributes of which a policy may look into the text, as that is a JSON document. Nothing is
  checked inside of it, but for policy documents, whose statements have the shape that the language gives them.
* `paths_of_other_versions.tsv`: paths that another version of the provider or the service has.
"""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from srm_checks.policy import naming
from srm_checks.policy.access import Segments
from srm_checks.policy.conditions import QUANTIFIERS, Compiler
from srm_checks.policy.packs import MANIFEST, library
from srm_checks.policy.quantifiers import COLLECTIONS
from srm_checks.policy.source import Place, Source, read, suggest

DATA: Final = Path(__file__).resolve().parent.parent / "tests" / "data"
NESTING: Final = DATA / "terraform_nesting.tsv"
WITHOUT: Final = DATA / "types_without_nesting.tsv"
DOCUMENTS: Final = DATA / "json_attributes.tsv"
ELSEWHERE: Final = DATA / "paths_of_other_versions.tsv"
# What every resource has besides the names of its type.
_META: Final = {
    naming.TERRAFORM: frozenset(
        {"lifecycle", "provider", "depends_on", "count", "for_each", "provisioner", "connection"}
    ),
    naming.CLOUDFORMATION: frozenset(
        {"CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy", "DependsOn"}
    ),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand at a place of a resource.

    `parts` gives the names below it: None for a plain value, which has none. `open` tells that any name may stand
    there (a map, a free document). `repeated`: a list, or a block that may stand more than once.
    """

    parts: Callable[[], Mapping[str, Shape]] | None = None
    open: bool = False
    repeated: bool = False

    def names(self) -> Mapping[str, Shape]:
        return self.parts() if self.parts is not None else {}


VALUE: Final = Shape()
ANYTHING: Final = Shape(open=True)


def _fixed(**parts: Shape) -> Shape:
    return Shape(lambda: parts)


_TEXTS: Final = Shape(repeated=True)
# The one shape that the language gives a statement (srm_checks/policy/documents.py).
STATEMENT: Final = _fixed(
    Sid=VALUE,
    Effect=VALUE,
    Action=_TEXTS,
    NotAction=_TEXTS,
    Resource=_TEXTS,
    NotResource=_TEXTS,
    Principal=ANYTHING,
    NotPrincipal=ANYTHING,
    Principals=_TEXTS,
    Condition=ANYTHING,
    ConditionKeys=_TEXTS,
    Conditions=Shape(lambda: {"Operator": VALUE, "Key": VALUE, "Values": _TEXTS}, repeated=True),
)


# ------------------------------------------------------------------ Terraform


@functools.cache
def _lines() -> Mapping[str, str]:
    with NESTING.open(encoding="utf-8") as stream:
        rows = csv.reader((line for line in stream if not line.startswith("#")), delimiter="\t")
        next(rows)
        return {row[0]: row[1] for row in rows}


def _terraform(type_name: str) -> Shape | None:
    line = _lines().get(type_name)
    return None if line is None else _Line(line).shape()


class _Line:
    """Reads one line of the Terraform data."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def shape(self, *, repeated: bool = False) -> Shape:
        parts: dict[str, Shape] = {}
        while self.at < len(self.text) and self.text[self.at] != ")":
            start = self.at
            while self.at < len(self.text) and self.text[self.at] not in " *%?()":
                self.at += 1
            name = self.text[start : self.at]
            parts[name] = self._suffix()
            self._skip(" ")
        return Shape(lambda: parts, repeated=repeated)

    def _suffix(self) -> Shape:
        if self._skip("%") or self._skip("?"):
            return ANYTHING
        repeated = self._skip("*")
        if not self._skip("("):
            return Shape(repeated=repeated)
        shape = ANYTHING if self._skip("?") else self.shape(repeated=repeated)
        self._skip(")")
        return shape

    def _skip(self, mark: str) -> bool:
        found = self.text[self.at : self.at + 1] == mark
        self.at += found
        return found


# ------------------------------------------------------------------ CloudFormation


def _cloudformation(type_name: str) -> Shape | None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_name).schema
    except ResourceNotFoundError:
        return None
    # What a template cannot set. A name above another one ends with "/", so that none counts as part of another.
    read_only = frozenset(pointer.removeprefix("/properties") for pointer in schema.get("readOnlyProperties", ()))
    return _from_schema(schema, schema, "", read_only)


def _from_schema(root: dict[str, Any], node: Any, pointer: str, read_only: frozenset[str]) -> Shape:
    """The shape that a JSON Schema gives; alternatives are put together."""
    found = list(_alternatives(root, node, frozenset()))
    properties: dict[str, list[Any]] = {}
    items: list[Any] = []
    free = False
    for each in found:
        for name, inner in each.get("properties", {}).items():
            if f"{pointer}/{name}" not in read_only:
                properties.setdefault(name, []).append(inner)
        free = free or bool(each.get("patternProperties")) or isinstance(each.get("additionalProperties"), dict)
        if isinstance(each.get("items"), dict):
            items.append(each["items"])
    kinds = {kind for each in found for kind in _listed(each.get("type"))}
    if items:
        inner = _from_schema(root, {"anyOf": items}, f"{pointer}/*", read_only)
        return Shape(inner.parts, inner.open, repeated=True)
    if properties:
        return Shape(
            functools.cache(
                lambda: {
                    name: _from_schema(root, {"anyOf": parts}, f"{pointer}/{name}", read_only)
                    for name, parts in properties.items()
                }
            ),
            open=free,
        )
    if free or "object" in kinds or not kinds:
        return ANYTHING
    return Shape(repeated="array" in kinds)


def _alternatives(root: dict[str, Any], node: Any, seen: frozenset[str]) -> Iterator[dict[str, Any]]:
    """A schema with all that it refers to, and all that it may also be."""
    if not isinstance(node, dict):
        return
    yield node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        target: Any = root
        for step in reference.removeprefix("#/").split("/"):
            target = target.get(step, {})
        yield from _alternatives(root, target, seen | {reference})
    for key in ("allOf", "anyOf", "oneOf"):
        for each in node.get(key, ()):
            yield from _alternatives(root, each, seen)
    for key in ("then", "else"):
        yield from _alternatives(root, node.get(key), seen)


def _listed(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []


# ------------------------------------------------------------------ both


@functools.cache
def shape_of(type_name: str) -> Shape | None:
    """The shape of a resource type; None where there is no data."""
    return _cloudformation(type_name) if "::" in type_name else _terraform(type_name)


def repeats(type_name: str, path: Segments, below: Segments = ()) -> bool:
    """Whether the path may lead to several values: through a list, or a block that may stand more than once.

    `below` leads to what it is looked up in. True where nothing is known of it.
    """
    if "::" in type_name and _META[naming.CLOUDFORMATION].intersection((*below, *path)[:1]):
        return False  # what stands beside the properties has no list in it
    shape = shape_of(type_name)
    for index, step in enumerate((*below, *path[:-1])):
        if shape is None or step not in shape.names():
            return True
        shape = shape.names()[step]
        if shape.repeated and index >= len(below):
            return True
    return False


def takes_one_value(type_name: str, path: Segments, below: Segments = ()) -> bool:
    """Whether the path leads to one plain value at most; `below` as for `repeats`.

    Without a path that is asked of an element of `below` itself. False where nothing is known of it.
    """
    if repeats(type_name, path, below):
        return False
    shape = shape_of(type_name)
    for step in (*below, *path):
        if shape is None or step not in shape.names():
            return False
        shape = shape.names()[step]
    return shape is not None and shape.parts is None and not shape.open and not (path and shape.repeated)


@functools.cache
def _table(path: Path) -> frozenset[tuple[str, ...]]:
    """The rows of a data file without their last column, which is the reason."""
    with path.open(encoding="utf-8") as stream:
        rows = csv.reader((line for line in stream if not line.startswith("#")), delimiter="\t")
        next(rows)
        return frozenset(tuple(row[:-1]) for row in rows)


@dataclass(frozen=True, slots=True)
class Base:
    """Where the names of a condition are looked up: a resource type, or what a quantifier has come to.

    `shapes` are the shapes there, several for a quantifier over several attributes; None where nothing is known.
    """

    type_name: str
    path: Segments = ()
    shapes: tuple[Shape, ...] | None = None


class Checked:
    """The mistakes in the attribute paths of one policy, and what of the data it needed."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[str] = []
        self.without: set[str] = set()
        self.documents: set[tuple[str, str]] = set()
        self.elsewhere: set[tuple[str, str]] = set()
        data = source.data
        listed = [names for names in data["resources"].values() if not isinstance(names, dict)]
        self.types = frozenset(name for names in listed for name in (names if isinstance(names, list) else [names]))
        self.parameters = {name: spec["default"] for name, spec in data.get("parameters", {}).items()}
        for type_name in sorted(self.types):
            base = self._base(type_name, ("resources",))
            for key in ("require", "applies_when"):
                if key in data:
                    self._condition(data[key], (key,), base)
            if "where" in data.get("absence", {}):
                self._condition(data["absence"]["where"], ("absence", "where"), base)
            for index, entry in enumerate(data.get("unknown_when", [])):
                concerned = entry.get("for")
                names = concerned if isinstance(concerned, list) else [concerned]
                if concerned is None or type_name in names or naming.language_of(type_name) in names:
                    self._condition(entry["when"], ("unknown_when", index, "when"), base)
        self.problems = list(dict.fromkeys(self.problems))

    def _base(self, type_name: str, place: Place) -> Base:
        shape = shape_of(type_name)
        if shape is None:
            self.without.add(type_name)
            if (type_name,) not in _table(WITHOUT):
                self.problems.append(
                    f"{self.source.at(place)}: there is no data on {type_name}: look the names up by hand and put it "
                    f"into {WITHOUT.name}"
                )
        return Base(type_name, (), None if shape is None else (shape,))

    # ------------------------------------------------------------ conditions

    def _condition(self, node: Mapping[str, Any], place: Place, base: Base) -> None:
        compiler = self._compiler(base.type_name)
        if "attribute" in node:
            self._paths(node["attribute"], (*place, "attribute"), base)
        elif "all" in node or "any" in node:
            head = "all" if "all" in node else "any"
            for index, branch in enumerate(node[head]):
                self._condition(branch, (*place, head, index), base)
        elif "not" in node:
            self._condition(node["not"], (*place, "not"), base)
        elif "case" in node:
            key = next(key for key in (base.type_name, compiler.language, "otherwise") if key in node["case"])
            self._condition(node["case"][key], (*place, "case", key), base)
        elif "port_range" in node:
            for key, spec in node["port_range"].items():
                self._paths(spec, (*place, "port_range", key), base)
        elif "related" in node:
            self._related(node["related"], (*place, "related"), base)
        else:
            for head in QUANTIFIERS:
                if head in node:
                    self._quantifier(node[head], (*place, head), base)

    def _quantifier(self, spec: Mapping[str, Any], place: Place, base: Base) -> None:
        kind = next(key for key in COLLECTIONS if key in spec)
        found = self._paths(spec[kind], (*place, kind), base)
        shapes: tuple[Shape, ...] | None = tuple(shape for _path, shape in found if shape is not None)
        if len(found) > len(shapes or ()):
            shapes = None  # nothing is known of one of them
        path = base.path + found[0][0]
        if kind == "statements":
            shapes = (STATEMENT,)
        elif kind == "values_of":
            shapes = None
        self._condition(spec["where"], (*place, "where"), Base(base.type_name, path, shapes))

    def _related(self, spec: Mapping[str, Any], place: Place, base: Base) -> None:
        listed = self._compiler(base.type_name).variant(spec["resources"], ())
        others = [
            self._base(name, (*place, "resources")) for name in (listed if isinstance(listed, list) else [listed])
        ]
        if "through" in spec:
            self._paths(spec["through"], (*place, "through"), base)
        if "by" in spec and "identity" in spec:
            self._paths(spec["identity"], (*place, "identity"), self._whole(base))
        for other in others:
            if "by" in spec:
                self._paths(spec["by"], (*place, "by"), other)
            elif "identity" in spec:
                self._paths(spec["identity"], (*place, "identity"), other)
            for head in QUANTIFIERS:
                if head in spec:
                    self._condition(spec[head], (*place, head), other)

    @staticmethod
    def _whole(base: Base) -> Base:
        shape = shape_of(base.type_name)
        return Base(base.type_name, (), None if shape is None else (shape,))

    def _compiler(self, type_name: str) -> Compiler:
        return Compiler(type_name, Source("", {}, {}), self.types | {type_name}, self.parameters)

    # ------------------------------------------------------------ paths

    def _paths(self, spec: Any, place: Place, base: Base) -> list[tuple[Segments, Shape | None]]:
        """Check the paths that a spec names; each comes with its shape, None where nothing is known of it."""
        compiler = self._compiler(base.type_name)
        spec, place = self._chosen(spec, place, compiler)
        found: list[tuple[Segments, Shape | None]] = []
        for index, name in enumerate(spec if isinstance(spec, list) else [spec]):
            path = compiler.paths(name, ())[0]
            at = (*place, index) if isinstance(spec, list) else place
            shapes = [self._shape(shape, path, base, at) for shape in base.shapes or ()]
            known = [shape for shape in shapes if isinstance(shape, Shape)]
            if base.shapes and not known:
                self._wrong(path, base, at, next(names for names in shapes if not isinstance(names, Shape)))
            found.append((path, known[0] if known else None))
        return found

    def _chosen(self, spec: Any, place: Place, compiler: Compiler) -> tuple[Any, Place]:
        """The part of a map by framework or type that counts, with its place."""
        while isinstance(spec, dict):
            key = next(key for key in (compiler.type_name, compiler.language) if key in spec)
            spec, place = spec[key], (*place, key)
        return spec, place

    def _shape(self, shape: Shape, path: Segments, base: Base, place: Place) -> Shape | tuple[int, list[str]]:
        """The shape at a path, or at which step there is none and what there is instead."""
        if not base.path and path and path[0] in _META[naming.language_of(base.type_name)]:
            return ANYTHING
        for index, step in enumerate(path):
            if shape.open and step not in shape.names():
                return ANYTHING
            if shape.parts is None:
                holder = ".".join(base.path + path[:index])
                if (base.type_name, holder) in _table(DOCUMENTS):
                    self.documents.add((base.type_name, holder))
                    return ANYTHING
            names = shape.names()
            if step not in names:
                return index, sorted(names)
            shape = names[step]
        holder = ".".join(base.path + path)
        if shape.parts is None and (base.type_name, holder) in _table(DOCUMENTS):
            self.documents.add((base.type_name, holder))
            return ANYTHING
        return shape

    def _wrong(self, path: Segments, base: Base, place: Place, lacking: tuple[int, list[str]]) -> None:
        full = ".".join(base.path + path)
        if (base.type_name, full) in _table(ELSEWHERE):
            self.elsewhere.add((base.type_name, full))
            return
        index, names = lacking
        holder = ".".join(base.path + path[:index])
        where = f"{base.type_name}.{holder}" if holder else base.type_name
        what = suggest(path[index], names) if names else "; it holds a plain value"
        self.problems.append(f"{self.source.at(place)}: {where} has no {path[index]!r}{what}")


def policy_files() -> list[Path]:
    """The policies of the library."""
    return sorted(path for path in Path(library()).rglob("*.yaml") if path.name != MANIFEST)


def main(argv: Sequence[str]) -> int:
    """The command."""
    paths: Iterable[Path] = [Path(word) for word in argv] or policy_files()
    problems = [problem for path in paths for problem in Checked(read(str(path))).problems]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
