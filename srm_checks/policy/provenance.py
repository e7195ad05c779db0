"""Where a value comes from that is not known: from something elsewhere, or from what somebody may write out."""

from __future__ import annotations

import re
from typing import Final

from srm_checks import subjects
from srm_checks.model import Unknown

# What an expression may name that is no resource: a value of the caller, or a name whose value the text does not show.
_OPEN_NAME: Final = re.compile(r"(?<![\w.-])(?:(?:var|local|each|count|path|self)\.|Parameters/)")
_INDEX: Final = re.compile(r"(?<=[\w\])])\[[^\[\]]*\]")  # it tells which part is read, not what is
_PATH: Final = re.compile(r"[\w.|-]+|!GetAtt [\w.]+|!Ref [\w:]+")
_DYNAMIC_REFERENCE: Final = re.compile(r"\{\{resolve:(?:secretsmanager|ssm|ssm-secure):")
# Expressions that are one reference as a whole: a dynamic reference, also one that !Sub puts together, and the value
# that another stack exports, also one element of it.
_WHOLLY_DYNAMIC: Final = re.compile(r"(?:!Sub \[?\"?)?\{\{resolve:(?:secretsmanager|ssm|ssm-secure):")
_IMPORTED: Final = re.compile(r"(?:!Select \[\d+, )?(?:!Split \[\"[^\"]*\", |!Split \[[^\s\"\[]+, )?!ImportValue\b")
_READ_FROM_STORE: Final = re.compile(r", read from ")
_PATH_IN_STORE: Final = re.compile(r"(?:, read from |\{\{resolve:ssm(?:-secure)?:)(/?[^{}\s]*)")
_INTERPOLATION: Final = re.compile(r"\$\{([^{}]*)\}")
_CUT: Final = "…"  # ends the text of an expression that is too long to be shown
_HARMLESS_SUBJECTS: Final = ("AWS::",)  # pseudo parameters: Region, AccountId ...


def comes_from_reference(value: Unknown) -> bool:
    """Whether all that is open in a value comes from resources, data sources, stores, other stacks or the account.

    The subjects of a text's open pieces tell best. Else its text tells of its holes by the expressions in it; where it
    does not show them, there must be a reference for each hole.
    """
    if value.subject.startswith(_HARMLESS_SUBJECTS) or is_imported(value):
        return True
    if value.parts is None and (_WHOLLY_DYNAMIC.match(value.text) or _READ_FROM_STORE.search(value.text)):
        return True
    pieces = subjects.pieces_of(value.subject)
    if pieces:
        return all(_names_reference(piece, value) for piece in pieces)
    holes = _INTERPOLATION.findall(value.text) if value.parts is not None else []
    if holes and not value.text.endswith(_CUT):
        return all(_names_reference(hole, value) for hole in holes)
    # The subject looks through local values, the text is as written.
    source = _without_indexes(value.subject or value.text)
    if _OPEN_NAME.search(source):
        return False
    if _PATH.fullmatch(source) and _names_reference(source, value):
        return True
    if value.parts is not None and len(value.refs) < value.parts.count(None):
        return bool(_DYNAMIC_REFERENCE.search(value.text)) and value.parts.count(None) == 1
    return bool(value.refs)


def is_picked(value: Unknown) -> bool:
    """Whether a value with several references is one of what they lead to, and not all of it.

    What picks by an open index or key may find nothing there, so that the value is not surely set; what puts together
    (a sorted list, a text) surely gives something. A value without a subject is none that an engine has worked out: of
    a plan's it is known what its expression mentions, and no more.
    """
    return bool(value.subject) and value.parts is None and not value.present


def is_imported(value: Unknown) -> bool:
    """Whether a value is what another stack exports, in clear text as all exports are."""
    return value.parts is None and _IMPORTED.match(value.text) is not None


def _names_reference(expression: str, value: Unknown) -> bool:
    expression = _without_indexes(expression.strip())
    if expression.startswith(_HARMLESS_SUBJECTS) or _DYNAMIC_REFERENCE.match(expression):
        return True
    if _OPEN_NAME.search(expression):
        return False
    # Inside a module the text has the local address, the reference the full one: their last two labels agree.
    names = (".".join(ref.target.split(".")[-2:]) for ref in value.refs)
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", expression) for name in names)


def _without_indexes(expression: str) -> str:
    """An expression without what stands in `[...]` behind a name."""
    shorter = _INDEX.sub("", expression)
    return expression if shorter == expression else _without_indexes(shorter)


def path_in_store(value: Unknown) -> str | None:
    """The path in the Parameter Store of which the value is read; None where it is read from somewhere else."""
    found = _PATH_IN_STORE.search(value.text) if value.parts is None else None
    return found.group(1) if found else None


def is_surely_given(value: Unknown) -> bool:
    """Whether a value that is not known is set, and no empty text."""
    if any(value.parts or ()):
        return True
    # A parameter of a template is marked as present where CloudFormation refuses an empty one.
    return value.present and (comes_from_reference(value) or value.subject.startswith("Parameters/"))
