"""Conditions on other resources of the stack, reached by reference or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from srm_checks.model import ABSENT, Cause, Path, Ref, Resource, Unknown
from srm_checks.policy.access import (
    Condition,
    Context,
    Loose,
    Segments,
    Undecided,
    hangs_on_branch,
    possibilities,
    references_at,
    same,
)
from srm_checks.policy.leaves import at_absence
from srm_checks.policy.provenance import comes_from_reference, is_picked
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN, Fact, Result, all_of, any_of, negate

_BRANCHES_KEPT: Final = 64  # of which a condition remembers what it found out


def _quantify(results: list[Result], head: str) -> Result:
    if head == "every":
        return all_of(results)
    found = any_of(results)
    return found if head == "some" else negate(found)


def _judge_other(context: Context, other: Resource, tests: Mapping[str, Condition]) -> Result:
    test = tests.get(other.type)
    if test is None:
        return Result(TRUE, (Fact(other, (), ABSENT, ()),))
    return test(context, other, other.attributes, ())


def _missing(context: Context, resource: Resource, truth: int, types: Iterable[str]) -> Result:
    """The result where no such resource is in view; one may stand in a module that could not be read."""
    if truth == FALSE and context.index.stack.unread_modules:
        truth = UNKNOWN
    cause = Cause.OTHER_STACK if truth == UNKNOWN else None
    return Result(truth, (Fact(resource, (), ABSENT, ()),), cause, f"no {' or '.join(types)} for it in view")


def referred(
    links: Mapping[str, Segments], tests: Mapping[str, Condition], head: str, missing: int, identity: Segments | None
) -> Condition:
    """Resources whose attribute names this one."""

    decisive = TRUE if head == "some" else FALSE

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        results: list[Result] = []
        perhaps: list[Resource] = []
        counted: set[int] = {id(resource)}
        for type_name, link in links.items():
            loose = context.index.loose(type_name, link)
            meant = (
                *_referrers(context, resource, type_name, link),
                *((other, True) for other in _namesakes(context, resource, link, loose, identity)),
            )
            for other, surely in meant:
                if id(other) not in counted and context.holds(other.exists):
                    counted.add(id(other))
                    if surely:
                        results.append(_judge_other(context, other, tests))
                    else:
                        perhaps.append(other)
        answer = _quantify(results, head) if results else _missing(context, resource, missing, links)
        if results and answer.truth == decisive:
            return answer
        # Whether one refers here may be open; that matters only if what it says would change the answer.
        for other in perhaps:
            told = _judge_other(context, other, tests)
            if _quantify([*results, told], head).truth != answer.truth:
                return _quantify([*results, _doubt(resource, other, Cause.UNRESOLVED_VALUE)], head)
        for type_name, link in links.items():
            loose = context.index.loose(type_name, link)
            for truth, others in _strangers(context, resource, loose, identity, tests).items():
                if _quantify([*results, Result(truth)], head).truth == answer.truth:
                    continue
                for other in others:
                    if id(other) in counted or _means(context, other, link, resource, identity) != UNKNOWN:
                        continue
                    if context.holds(other.exists):
                        return _quantify([*results, _doubt(resource, other, Cause.MISSING_REFERENCE)], head)
        return answer

    return judge


def _doubt(resource: Resource, other: Resource, cause: Cause) -> Result:
    return Result(UNKNOWN, (Fact(resource, (), ABSENT, ()),), cause, f"{other.address} may refer to it")


def _referrers(context: Context, resource: Resource, type_name: str, link: Segments) -> Iterator[tuple[Resource, bool]]:
    """The resources of a type whose attribute means this one in this scenario, and whether it surely does."""
    seen: set[int] = set()
    for other, _ref in context.index.mentions(type_name, link, resource):
        if id(other) in seen:
            continue
        seen.add(id(other))
        surely = _means_of_mentioned(context, other, link).get(id(resource))
        if surely is not None:
            yield other, surely


def _means_of_mentioned(context: Context, other: Resource, link: Segments) -> Mapping[int, bool]:
    """Which of the resources that an attribute mentions it means, by their ids, and whether it surely does."""
    memo = context.index.memo
    key = ("means", id(other), link)
    if not context.assignment and key in memo:
        known: Mapping[int, bool] = memo[key]
        return known
    branches = hangs_on_branch(other.attributes, link)
    mentioned = [(ref, target) for ref in references_at(other, link) for target in context.index.targets(ref)]
    means: dict[int, bool] = {}
    for choice in _meant(context, mentioned, lambda: _named_by(context, other, link), branches=branches):
        for target in choice:
            means[id(target)] = means.get(id(target), False) or len(choice) == 1
    if not context.assignment and not branches:
        memo[key] = means
    return means


def _stands_in(context: Context, value: Any, ref: Ref, target: Resource) -> bool:
    """Whether a reference to `target` is what a value comes from, where it may stand in another branch.

    An open value says so itself; a known one has what it was read from in it.
    """
    if isinstance(value, Unknown):
        return any(other.target == ref.target and other.key in (None, ref.key) for other in value.refs)
    if isinstance(value, list):
        return any(_stands_in(context, element, ref, target) for element, _index, _certain in context.elements(value))
    if not ref.attribute:
        return True
    return any(
        isinstance(read, (str, int)) and read != "" and str(read) in str(value)
        for read, _at in context.lookup(target.attributes, (ref.attribute,), ())
    )


def _own_names(context: Context, resource: Resource, identity: Segments) -> list[Any]:
    return [item for item, _at in context.lookup(resource.attributes, identity, ()) if item is not ABSENT]


def _namesakes(
    context: Context, resource: Resource, link: Segments, loose: Loose, identity: Segments | None
) -> Iterator[Resource]:
    """The resources that mean this one by its name: the same text, or the same open value."""
    for other in (*loose.mixed, *loose.branched):
        if _means(context, other, link, resource, identity) == TRUE:
            yield other
    for own in _own_names(context, resource, identity) if identity is not None else ():
        if isinstance(own, Unknown):
            yield from loose.same_as.get(own.subject, ()) if own.subject else ()
        elif isinstance(own, str):
            yield from loose.named.get(own, ())


def _is_taken(context: Context, named: list[Any], resource: Resource, identity: Segments) -> bool:
    """Whether what is named is open, and is the name of another declared resource by the same open value.

    Then it is that one which is meant, and not by chance this one as well.
    """
    owners = _open_names(context, resource.type, identity)
    return all(
        isinstance(item, Unknown)
        and any(owner is not resource and owner.exists is True for owner in owners.get(item.subject, ()))
        for item in named
    )


def _open_names(context: Context, type_name: str, identity: Segments) -> Mapping[str, list[Resource]]:
    """The resources of a type whose name is open in every branch, by its subject."""
    memo = context.index.memo
    key = ("open names", type_name, identity)
    if key not in memo:
        owners: dict[str, list[Resource]] = {}
        memo[key] = owners
        for resource in context.index.by_type.get(type_name, ()):
            value: Any = resource.attributes
            for step in identity:
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, Unknown) and value.subject:
                owners.setdefault(value.subject, []).append(resource)
    found: Mapping[str, list[Resource]] = memo[key]
    return found


def _strangers(
    context: Context, resource: Resource, loose: Loose, identity: Segments | None, tests: Mapping[str, Condition]
) -> Mapping[int, list[Resource]]:
    """The resources of which it is open whether they mean this one, by what they say.

    What hangs on a condition of theirs is unknown: there may be any number of them, and no branch is worth telling
    apart for one that may have nothing to do with this resource. Outside of branches that is the same for all
    resources of the stack, and worked out once.
    """
    if identity is not None and any(isinstance(own, Unknown) for own in _own_names(context, resource, identity)):
        everyone = [
            *loose.mixed,
            *loose.branched,
            *loose.open,
            *(other for others in loose.named.values() for other in others),
        ]
        key = (id(tests), id(loose), "all")
    else:
        everyone = [*loose.mixed, *loose.branched, *loose.open]
        key = (id(tests), id(loose), "open")
    if context.assignment:
        return _by_what_they_say(context, everyone, tests)
    memo = context.index.memo
    if key not in memo:
        memo[key] = _by_what_they_say(context, everyone, tests)
    found: Mapping[int, list[Resource]] = memo[key]
    return found


def _by_what_they_say(
    context: Context, others: Iterable[Resource], tests: Mapping[str, Condition]
) -> Mapping[int, list[Resource]]:
    groups: dict[int, list[Resource]] = {}
    for other in others:
        try:
            truth = _judge_other(context, other, tests).truth
        except Undecided:
            truth = UNKNOWN
        groups.setdefault(truth, []).append(other)
    return groups


def _named_by(context: Context, other: Resource, link: Segments) -> list[Any]:
    return [item for item, _at in context.lookup(other.attributes, link, ()) if item is not ABSENT]


def anywhere(types: list[str], tests: Mapping[str, Condition], head: str, missing: int) -> Condition:
    """Resources of the stack that concern this one without naming it.

    What each of them says is the same for all resources, and worked out once for each branch.
    """

    def say(context: Context, other: Resource) -> Result | None:
        return _judge_other(context, other, tests) if context.holds(other.exists) else None

    def quantified(context: Context, known: dict[int, Any], apart: Resource | None) -> Result | None:
        others = (other for type_name in types for other in context.index.by_type.get(type_name, ()))
        found = (_once(known, id(other), lambda: say(context, other)) for other in others if other is not apart)  # noqa: B023
        results = [result for result in found if result is not None]
        return _quantify(results, head) if results else None

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        known = _of_branch(context, say)
        if resource.type in types:
            found = quantified(context, known, resource)
        else:
            found = _once(known, 0, lambda: quantified(context, known, None))  # no object has the id 0
        return _missing(context, resource, missing, types) if found is None else found

    return judge


def _of_branch(context: Context, owner: object) -> dict[int, Any]:
    """What `owner` has found out in the branch at hand; when too many branches are kept, all are let go."""
    branches: dict[object, dict[int, Any]] = context.index.memo.setdefault(owner, {})
    if len(branches) > _BRANCHES_KEPT:
        branches.clear()
    return branches.setdefault((context.assignment, context.patient), {})


def _once(known: dict[int, Any], key: int, find: Callable[[], Result | None]) -> Result | None:
    """What `find` gives or, where it cannot decide, raises; found out once."""
    if key not in known:
        try:
            known[key] = find()
        except Undecided as undecided:
            known[key] = Undecided(undecided.forks)  # one that has come through no frame
    found: Result | Undecided | None = known[key]
    if isinstance(found, Undecided):
        raise Undecided(found.forks)
    return found


def _means(context: Context, other: Resource, link: Segments, resource: Resource, identity: Segments | None) -> int:
    """Whether `other` means this resource by the name in its attribute.

    Where that hangs on a condition it is worth a branch only if one of them surely means it.
    """
    try:
        return _means_by(context, _named_by(context, other, link), resource, identity)
    except Undecided:
        truths = {_means_by(context, [item], resource, identity) for item in possibilities(other.attributes, link)}
        if TRUE in truths:
            raise
        return UNKNOWN if UNKNOWN in truths else FALSE


def _means_by(context: Context, named: list[Any], resource: Resource, identity: Segments | None) -> int:
    truth = _names(context, named, resource, identity)
    if truth == UNKNOWN and identity is not None and _is_taken(context, named, resource, identity):
        return FALSE
    return truth


def _leads_elsewhere(item: Any, resource: Resource) -> bool:
    """Whether an open value is a reference to other resources, so that it means these and not this one.

    A resource that is not in view has another address than any that is; a data source may look up whatever is there.
    """
    return (
        isinstance(item, Unknown)
        and bool(item.refs)
        and not any(_may_be(ref, resource) or "data" in ref.target.split(".") for ref in item.refs)
        and comes_from_reference(item)
    )


def _may_be(ref: Ref, resource: Resource) -> bool:
    return ref.target == resource.base and (ref.key is None or resource.key is None or ref.key == resource.key)


def _names(context: Context, named: list[Any], resource: Resource, identity: Segments | None) -> int:
    """Whether a value without references means this resource: by its declared name, where `identity` gives one."""
    answer = FALSE
    for item in (element for listed in named for element, _index, _certain in context.elements(listed)):
        elsewhere = _leads_elsewhere(item, resource)
        if identity is None:
            answer = UNKNOWN if isinstance(item, Unknown) and not elsewhere else answer
            continue
        for own, _at in context.lookup(resource.attributes, identity, ()):
            if own is ABSENT:
                continue  # the name is made by AWS, and only a reference can mean it
            if isinstance(own, Unknown) and isinstance(item, Unknown) and own.subject and own.subject == item.subject:
                return TRUE
            if isinstance(own, Unknown) or isinstance(item, Unknown):
                answer = answer if elsewhere else UNKNOWN
            elif same(own, item):
                return TRUE
    return answer


def _says_a_name(value: Unknown) -> bool:
    """Whether enough of a text is known to tell that it names something outside, such as an ARN with open Region."""
    return any(len(part) > len("arn:") for part in value.parts or () if part is not None)


def referring(
    link: Segments,
    types: list[str],
    tests: Mapping[str, Condition],
    head: str,
    missing: int,
    at_absent: int,
    identities: Mapping[str, Segments],
) -> Condition:
    """Resources that an attribute of this one names."""

    def judge(context: Context, resource: Resource, value: Any, path: Path) -> Result:
        named = context.lookup(value, link, path)
        if all(item is ABSENT for item, _at in named):
            return at_absence(resource, path + link, at_absent)
        values = [item for item, _at in named if item is not ABSENT]
        mentioned = [
            (ref, other)
            for ref in references_at(resource, link, path)
            for other in context.index.targets(ref)
            if other.type in types
        ]
        results: list[Result] = []
        seen: set[frozenset[int]] = set()
        for choice in _meant(context, mentioned, lambda: values, branches=hangs_on_branch(value, link)):
            others = [other for other in choice if context.holds(other.exists)]
            ids = frozenset(map(id, others))
            if others and ids not in seen:
                seen.add(ids)
                results.append(_judge_one_of(context, others, values, tests))
        link_fact = Fact(resource, named[0][1], values[0], named[0][1])
        if results:
            return _with_fact(_quantify(results, head), link_fact)
        for type_name, identity in identities.items():
            for other in context.index.by_type.get(type_name, ()):
                if _names(context, values, other, identity) == TRUE and context.holds(other.exists):
                    results.append(_judge_other(context, other, tests))
        if results:
            return _with_fact(_quantify(results, head), link_fact)
        opener = next((item for item in values if isinstance(item, Unknown) and not _says_a_name(item)), None)
        if missing != UNKNOWN and opener is None:
            return Result(missing, (link_fact,))
        cause = (
            opener.cause
            if opener is not None and opener.cause is not Cause.UNRESOLVED_VALUE
            else Cause.MISSING_REFERENCE
        )
        return Result(UNKNOWN, (link_fact,), cause, opener.text if opener else str(values[0]))

    return judge


def _meant(
    context: Context, mentioned: list[tuple[Ref, Resource]], read: Callable[[], list[Any]], *, branches: bool
) -> list[list[Resource]]:
    """The declared resources that an attribute means: for each that it means, those of which it is one.

    An expression may mention more than comes out of it: `try(a.id, b.id)` means `a`. An open value tells what it comes
    from; that may be several of which it is one (`element([a.id, b.id], var.i)`). Where `branches` is true, conditions
    decide on the values, and what no value tells stands in another branch. `read` gives the values.
    """
    candidates = {id(other): other for _ref, other in mentioned}
    if len(candidates) < 2 and not branches:
        return [[other] for other in candidates.values()]
    choices, silent = _told_by_values(context, read(), mentioned, branches=branches)
    if silent and not branches:
        told = {id(other) for others in choices for other in others}
        choices += [[other] for key, other in candidates.items() if key not in told]
    return choices


def _told_by_values(
    context: Context, values: list[Any], mentioned: list[tuple[Ref, Resource]], *, branches: bool
) -> tuple[list[list[Resource]], bool]:
    """What each value tells of the resources that it comes from, and whether one tells nothing."""
    by_base: dict[str, list[Resource]] = {}
    for other in {id(other): other for _ref, other in mentioned}.values():
        by_base.setdefault(other.base, []).append(other)
    items = [element for value in values for element, _index, _certain in context.elements(value)]
    choices: list[list[Resource]] = []
    silent = not items
    for item in items:
        if isinstance(item, Unknown):
            found = [other for told in item.refs for other in by_base.get(told.target, ()) if _may_be(told, other)]
            silent = silent or _says_a_name(item)  # what is known of a text may be the name of one more
        elif branches or (len(items) == 1 and isinstance(item, str)):
            found = [other for ref, other in mentioned if _stands_in(context, item, ref, other)]
        else:
            found = []  # many texts beside many resources would take too long
        others = list({id(other): other for other in found}.values())
        one_of_them = isinstance(item, Unknown) and is_picked(item)
        choices += [others] if one_of_them else [[other] for other in others]
        silent = silent or not others
    return choices, silent


def _judge_one_of(
    context: Context, others: list[Resource], values: list[Any], tests: Mapping[str, Condition]
) -> Result:
    """What the resource says that is meant, where it is one of several: what all of them say, else it is unknown."""
    said = [_judge_other(context, other, tests) for other in others]
    if all(result.truth == said[0].truth for result in said):
        return said[0]
    facts = tuple(fact for result in said for fact in result.facts)
    opener = next((item for item in values if isinstance(item, Unknown)), None)
    return Result(UNKNOWN, facts, opener.cause if opener else Cause.UNRESOLVED_VALUE, opener.text if opener else "")


def _with_fact(result: Result, fact: Fact) -> Result:
    """A result with the attribute that led to the other resource before what was found there."""
    return result._replace(facts=(fact, *result.facts))
