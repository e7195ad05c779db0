"""The declared resources that a resource names, and those that name it: by reference, else by the name they declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from srm_checks.model import ABSENT, Path, Ref, Resource, Unknown
from srm_checks.policy.access import Context, Loose, Segments, references_at, same

Identities: TypeAlias = Mapping[str, Segments]  # type -> the attribute that holds its name


class Neighbours(NamedTuple):
    """Declared resources, and sentences on what could not be followed to one."""

    found: tuple[Resource, ...] = ()
    missing: tuple[str, ...] = ()


def named(resource: Resource, context: Context, attribute: Segments, identities: Identities) -> Neighbours:
    """The resources of the given types that an attribute names; empty where it is not set."""
    found: dict[int, Resource] = {}
    missing: dict[str, None] = {}
    for value, path in context.lookup(resource.attributes, attribute, ()):
        if value is ABSENT:
            continue
        meant = meant_by(resource, context, value, path, identities)
        found.update((id(other), other) for other in meant)
        if not meant:
            missing[not_in_view(".".join(attribute), value)] = None
    return Neighbours(tuple(found.values()), tuple(missing))


def meant_by(
    resource: Resource, context: Context, value: Any, path: Path, identities: Identities
) -> tuple[Resource, ...]:
    """The resources of the given types that a value at a path of `resource` means in this scenario."""
    if isinstance(value, Unknown):
        return tuple(_targets(context, value.refs, identities)) or _named_alike(context, value, identities)
    text = str(value)
    # A reference that stands in another branch is recorded at the same path: its name then is not in the value.
    by_reference = tuple(
        other
        for other in _targets(context, references_at(resource, (), path), identities)
        if _name(context, other, identities) in text
    )
    if by_reference:
        return by_reference
    return tuple(
        other
        for type_name in identities
        for other in context.index.by_type.get(type_name, ())
        if _name(context, other, identities) == text and context.holds(other.exists)
    )


def _targets(context: Context, refs: Iterable[Ref], identities: Identities) -> Iterator[Resource]:
    for ref in refs:
        for other in context.index.targets(ref):
            if other.type in identities and context.holds(other.exists):
                yield other


def _named_alike(context: Context, value: Unknown, identities: Identities) -> tuple[Resource, ...]:
    """The resources whose own name is the same open value (both are `var.name`)."""
    if not value.subject:
        return ()
    return tuple(
        other
        for type_name, identity in identities.items()
        for other in context.index.by_type.get(type_name, ())
        if _meant(value, context.lookup(other.attributes, identity, ())[0][0]) and context.holds(other.exists)
    )


_NO_NAME: Final = "\0"  # in no value


def _name(context: Context, other: Resource, identities: Identities) -> str:
    """The name that a resource declares."""
    own = context.lookup(other.attributes, identities[other.type], ())[0][0]
    return str(own) if isinstance(own, (str, int)) and own != "" else _NO_NAME


def not_in_view(attribute: str, value: Any) -> str:
    """A sentence on an attribute whose value leads to no declared resource."""
    text = value.text or "not known" if isinstance(value, Unknown) else str(value)
    return f"{attribute} is {text}, which is not declared in view"


def naming(resource: Resource, context: Context, links: Mapping[str, Segments], identity: Segments) -> Neighbours:
    """The resources that name this one in an attribute (`links`: type -> attribute); `identity` is its own name.

    What an unread module declares may name it too.
    """
    found: dict[int, Resource] = {}
    missing: dict[str, None] = {}
    identities = {resource.type: identity}
    own = context.lookup(resource.attributes, identity, ())[0][0]
    for type_name, link in links.items():
        for other in context.index.referrers(type_name, link, resource):
            if context.holds(other.exists) and _names(other, context, link, resource, identities):
                found[id(other)] = other
        for other in _loosely(context.index.loose(type_name, link), own):
            for value, _path in context.lookup(other.attributes, link, ()) if context.holds(other.exists) else ():
                meant = _meant(value, own)
                if meant:
                    found[id(other)] = other
                elif meant is None:
                    missing[f"{other.address} may name {resource.address}"] = None
    for module in context.index.stack.unread_modules:
        missing[f"{module.address} could not be read"] = None
    return Neighbours(tuple(found.values()), tuple(missing))


def _loosely(loose: Loose, own: Any) -> Iterator[Resource]:
    """The resources that mention no declared one and may mean the one of that name."""
    yield from (*loose.mixed, *loose.open)
    if isinstance(own, Unknown):
        yield from (other for others in loose.named.values() for other in others)
    elif isinstance(own, str):
        yield from loose.named.get(own, ())


def _meant(value: Any, own: Any) -> bool | None:
    """Whether a value without reference is the name `own`; None where that is open."""
    if value is ABSENT or own is ABSENT:  # AWS makes the name: only a reference or an open value can mean it
        return None if isinstance(value, Unknown) else False
    if isinstance(value, Unknown) and isinstance(own, Unknown) and value.subject and value.subject == own.subject:
        return True
    return None if isinstance(value, Unknown) or isinstance(own, Unknown) else same(own, value)


def _names(other: Resource, context: Context, link: Segments, resource: Resource, identities: Identities) -> bool:
    """Whether an attribute of `other` means `resource` in this scenario."""
    return any(
        resource in meant_by(other, context, value, path, identities)
        for value, path in context.lookup(other.attributes, link, ())
        if value is not ABSENT
    )
