"""The adapter to cfn-lint: the only module of this engine that imports it, and where its types end.

cfn-lint decodes what our own decoder (decoding.py) leaves to it. Its resolver and its Fn::ForEach are not used: both
put likely values where the template leaves them open.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

from srm_checks.engines.cloudformation.source import Source
from srm_checks.errors import EnvironmentProblem, InputError

if TYPE_CHECKING:
    from cfnlint.template import Template

_PLACE: Final = re.compile(r'\s*in "[^"]*",\s*line (\d+),\s*column (\d+)(?:,?\s*:)?')


def decode(source: Source) -> Any:
    """The template as plain dicts and lists whose keys carry marks.

    Raises InputError for what cfn-lint cannot decode, EnvironmentProblem where it is not installed.
    """
    decode_str = _decoder()
    try:
        document, matches = decode_str(source.text)
    except Exception as problem:
        raise InputError(
            source.path, f"{source.path} cannot be decoded: {_sentence(problem)} Validate the template.", kind="crash"
        ) from problem
    if matches:
        line, column, message = _place(matches[0])
        raise InputError(
            source.path,
            f"{source.path}:{line}:{column}: {_sentence(message)} Mend it there; nothing of this template was judged.",
            line=line,
        )
    return document


def holds_guesses(cfn: Template) -> bool:
    """Whether cfn-lint's transform has replaced open values in `cfn` by likely ones."""
    return bool(cfn.has_language_extensions_transform())


def _decoder() -> Any:
    try:
        from cfnlint.decode import decode_str
    except ImportError as problem:
        raise EnvironmentProblem(
            f"cfn-lint cannot be loaded ({problem}). Install it with `pip install 'cfn-lint>=1.58,<2'`."
        ) from problem
    # Without any handler, Python prints the library's log to standard error; what it logs is raised here.
    logger = logging.getLogger("cfnlint")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return decode_str


def _place(match: Any) -> tuple[int, int, str]:
    """Line, column and words of a parse error. Some of PyYAML's have their place only in the words; the last counts."""
    places = _PLACE.findall(match.message)
    line, column = map(int, places[-1]) if places else (match.linenumber, match.columnnumber)
    return line, column, _PLACE.sub("", match.message)


def _sentence(message: object) -> str:
    text = " ".join(str(message).split()) or type(message).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
