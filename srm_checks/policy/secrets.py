"""Whether a value holds a credential in clear text, with three values.

The patterns are those of detect-secrets, which Checkov brings along: tokens of well-known form, private keys,
credentials in URLs, and names that announce a secret (`DB_PASSWORD`). Its entropy detectors are left out: in scripts
and variables they mostly find hashes and identifiers. Its plugins are used as objects, never through its global
settings, so that Checkov's own secret scan in the same process and other threads are not disturbed. Nothing here
returns or logs what was found.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from srm_checks.model import ABSENT, FURTHER_KEYS, Encoded, Unknown
from srm_checks.policy.access import Context, decode_json
from srm_checks.policy.provenance import comes_from_reference, is_imported
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN

_HOLE: Final = "\ue000"  # stands in a text where a part of it is not known; a private character, in no real text
_MAX_DEPTH: Final = 20
_MAX_REMEMBERED: Final = 50_000


def holds_secret(value: Any, context: Context) -> int:
    """Whether a text, or a value inside a map or list, holds a credential in clear text.

    A map is read as name -> value (environment variables), also in the form {name: ..., value: ...}; a text as a
    script, a JSON document, or base64 of either. What comes from a resource, a data source or a dynamic reference is
    no clear text. FALSE needs everything to be known: an open variable anywhere gives UNKNOWN, unless the known
    parts hold a secret already, or its name tells that it is something else (`DB_HOST`). Raises `Undecided` as all
    reading does.
    """
    return _holds(value, context, 0)


def is_clear_text_secret(value: Any, context: Context) -> int:
    """Whether an attribute that is a secret by its nature (`master_password`) is written in clear text.

    Any text counts, a weak password too, but for references and placeholders. A JSON document counts by the names
    in it, as in `holds_secret`.
    """
    value = context.read(value)
    if value is ABSENT:
        return FALSE
    if isinstance(value, Unknown):
        return FALSE if _is_kept_elsewhere(value) else UNKNOWN
    if isinstance(value, str):
        data = _json(value)
        return _truth(not _is_no_secret(value)) if data is None else holds_secret(data, context)
    if isinstance(value, (Encoded, dict, list)):
        return holds_secret(value, context)
    return TRUE  # a number as a password is clear text too


def _is_kept_elsewhere(value: Unknown) -> bool:
    """Whether all that is open in a value is kept somewhere else; the stack that exports one has it in clear text."""
    return comes_from_reference(value) and not is_imported(value)


def _holds(value: Any, context: Context, depth: int) -> int:
    value = context.read(value)
    if value is ABSENT or isinstance(value, (bool, int, float)):
        return FALSE
    if depth > _MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, Encoded):
        return _holds(value.value, context, depth + 1)
    if isinstance(value, Unknown):
        if value.parts is not None and _scan("".join(_HOLE if part is None else part for part in value.parts)) == TRUE:
            return TRUE
        return FALSE if _is_kept_elsewhere(value) or _is_name(value, context) else UNKNOWN
    if isinstance(value, list):
        return _any_of(
            (_holds(element, context, depth + 1), certain) for element, _index, certain in context.elements(value)
        )
    if isinstance(value, dict):
        return _map_holds(value, context, depth)
    text = str(value)
    data = _json(text)
    return _scan(text) if data is None else _holds(data, context, depth + 1)


def _map_holds(value: Mapping[str, Any], context: Context, depth: int) -> int:
    entry = _as_entry(value, context)
    if entry is None:
        return _any_of((truth, True) for truth in _pairs_hold(value, context, depth))
    name, inner, kept_elsewhere = entry
    if kept_elsewhere == TRUE:  # the value names a secret or parameter, it is not one
        return FALSE
    truth = _pair_holds(name, inner, context, depth)
    return UNKNOWN if truth == TRUE and kept_elsewhere == UNKNOWN else truth


def _pairs_hold(value: Mapping[str, Any], context: Context, depth: int) -> Iterator[int]:
    for name, inner in value.items():
        read = context.read(inner)
        if name == FURTHER_KEYS and isinstance(read, Unknown) and read.entries:
            yield from (_entry_holds(key, element, context, depth) for key, element in read.entries)
        else:
            yield _pair_holds(name, inner, context, depth)


def _entry_holds(key: Unknown, value: Any, context: Context, depth: int) -> int:
    """As `_pair_holds`, of a name that is not known: its end may tell, else any text may be a password."""
    end = (key.parts or (None,))[-1]
    if end is not None and end[:1] in ("_", "-", "."):
        return _pair_holds(end, value, context, depth)
    truth = _pair_holds("", value, context, depth)
    return UNKNOWN if truth == FALSE and isinstance(context.read(value), str) else truth


def _as_entry(value: Mapping[str, Any], context: Context) -> tuple[str, Any, int] | None:
    """(name, value, whether the value is the name of something in a store) of a map that is one variable."""
    folded = {str(key).lower(): key for key in value}
    if "value" not in folded or not ("name" in folded or "key" in folded):
        return None
    name = context.read(value[folded.get("name", folded.get("key", ""))])
    store = context.read(value.get(folded.get("type", ""), ABSENT))
    # CodeBuild's variable types
    kept_elsewhere = UNKNOWN if isinstance(store, Unknown) else _truth(store in ("PARAMETER_STORE", "SECRETS_MANAGER"))
    return (name if isinstance(name, str) else ""), value[folded["value"]], kept_elsewhere


def _pair_holds(name: str, value: Any, context: Context, depth: int) -> int:
    value = context.read(value)
    if value is not ABSENT and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        if _is_secret_pair(name, str(value)):
            return TRUE
        if isinstance(value, str) and "\n" not in value and not _PLACEHOLDER.fullmatch(value):
            # With its name before it: some tokens are told by their name only (aws_secret_access_key).
            return TRUE if _scan(f"{name}={value}") == TRUE else _holds(value, context, depth + 1)
    truth = _holds(value, context, depth + 1)
    if truth == UNKNOWN and isinstance(value, Unknown) and _tells_no_secret(name, value):
        return FALSE
    return truth


def _any_of(truths: Iterable[tuple[int, bool]]) -> int:
    """Kleene's or over (truth, certain): an element that may not be there makes no TRUE."""
    answer = FALSE
    for truth, certain in truths:
        if truth == TRUE and certain:
            return TRUE
        if truth != FALSE:
            answer = UNKNOWN
    return answer


def _truth(holds: bool) -> int:
    return TRUE if holds else FALSE


# ------------------------------------------------------------------ open values

_NAME_ATTRIBUTE: Final = re.compile(r"(?:\w+_)?name|bucket|identifier")


def _is_name(value: Unknown, context: Context) -> bool:
    """Whether a value is the name of a declared resource, whatever that is made of."""
    return bool(value.subject) and any(
        isinstance(name := resource.attributes.get(ref.attribute), Unknown) and name.subject == value.subject
        for ref in value.refs
        if _NAME_ATTRIBUTE.fullmatch(ref.attribute)
        for resource in context.index.targets(ref)
    )


# Words that, at the end of a name, say what an open value is: no secret. Addresses may have one in them.
_PLAIN: Final = re.compile(
    r"accounts?|arns?|buckets?|class|counts?|database|days|dbname|domain|engine|env|environment|family|host|hostname|"
    r"hours|ids?|instance|level|minutes|mode|names?|namespace|port|ports|project|regions?|seconds|size|stage|tables?|"
    r"timeout|ttl|user|username|version|vpc|workspace|zones?"
)
_ADDRESS: Final = frozenset({"endpoint", "uri", "url"})
_HOST: Final = re.compile(r"https?://[\w-]+\.")


def _tells_no_secret(name: str, value: Unknown) -> bool:
    """Whether the name before an open value says that it is no secret: the name of a user, a host, a port.

    In an address the host must be there, in the place where a user and a password would be.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    if words[-1] in _ADDRESS:
        first = value.parts[0] if value.parts else None
        return first is not None and _HOST.match(first) is not None
    if words[-1] in ("id", "ids") and (len(words) == 1 or any(stem in name.lower() for stem in _STEMS)):
        return False  # an access key's id is a half of the credential
    return _PLAIN.fullmatch(words[-1]) is not None


# ------------------------------------------------------------------ texts

_remembered: dict[bytes, int] = {}


def _scan(text: str) -> int:
    """TRUE or FALSE for a known text; remembered by its digest, so that no secret is kept in memory."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    truth = _remembered.get(digest)
    if truth is None:
        truth = _truth(_text_holds(text) or _text_holds(_from_base64(text)))
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        _remembered[digest] = truth
    return truth


def _text_holds(text: str) -> bool:
    lowered = text.lower()
    for trigger, module, plugin in _TOKENS:
        if trigger.search(lowered) and any(not _is_template(found) for found in _detector(module, plugin)(text)):
            return True
    if not any(stem in lowered for stem in _STEMS):
        return False
    return any(_is_secret_pair(name, secret) for name, secret in _assignments(text))


# Tokens with a form of their own: (a cheap pattern that the small-lettered text matches wherever there is one, module
# and class of the detector). Most texts match none of the patterns and do without detect-secrets, a slow import.
_TOKENS: Final = tuple(
    (re.compile(trigger), module, plugin)
    for trigger, module, plugin in (
        (r"akia|asia|abia|acca|a3t|aws.{0,20}?(?:key|pw|pass|token)", "aws", "AWSKeyDetector"),
        (r"private key|putty-user-key", "private_key", "PrivateKeyDetector"),
        (r"://[^\s:@/]+:[^\s@/]+@", "basic_auth", "BasicAuthDetector"),
        (r"gh[pousr]_", "github_token", "GitHubTokenDetector"),
        (r"xox[abposr]-|hooks\.slack\.com", "slack", "SlackDetector"),
        (r"k_live_", "stripe", "StripeDetector"),
        (r"eyj", "jwt", "JwtTokenDetector"),
        (r"npm_|_authtoken|npm[ _-]?token", "npm", "NpmDetector"),
        (r"sg\.", "sendgrid", "SendGridDetector"),
        (r"(?:ac|sk)[a-z0-9]{32}", "twilio", "TwilioKeyDetector"),
        (r"-us[0-9]", "mailchimp", "MailchimpDetector"),
        (r"sq0csp-", "square_oauth", "SquareOAuthDetector"),
    )
)


@functools.cache
def _detector(module: str, plugin: str) -> Callable[[str], Iterator[str]]:
    """The function of a detect-secrets plugin that yields what it finds in a text."""
    found: Any = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), plugin)()

    def analyze(text: str) -> Iterator[str]:
        for secret in found.analyze_string(text):
            # The pattern for secret access keys also fits paths and digests of its length; a key of 40 random
            # characters has capitals, small letters and digits.
            if module != "aws" or len(secret) != 40 or _MIXED.match(secret):
                yield secret

    return analyze


_MIXED: Final = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])")


def _from_base64(text: str) -> str:
    """The text that a base64 text stands for, "" where it is none."""
    packed = "".join(text.split())
    if len(packed) < 16 or len(packed) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", packed):
        return ""
    try:
        decoded = base64.b64decode(packed, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if all(char.isprintable() or char in "\r\n\t" for char in decoded) else ""


def _json(text: str) -> Any:
    """The map or list of a JSON text, None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    data = decode_json(text)
    return data if isinstance(data, (dict, list)) else None


# ------------------------------------------------------------------ names and values

# A name, then `=`, `:=`, `=>` or `:`, then a value in quotes or one word; or a long option and its value. A colon
# needs a quoted value or a line to itself: in prose and comments it is punctuation.
_ASSIGNMENT: Final = re.compile(
    r"""(?P<name>[A-Za-z_][\w.\-]{0,100})["']?\]?[ \t]*(?P<sign>:=|=>|={1,3}(?!=)|:)[ \t]*
        (?:"(?P<double>[^"\n]{1,4000})"|'(?P<single>[^'\n]{1,4000})'|(?P<bare>[^\s"'`;&|<>()\[\],]{1,4000})(?P<after>[^\n]?))"""
    r"""|--(?P<option>[A-Za-z][\w\-]{0,100})[ \t]+
        (?:"(?P<odouble>[^"\n]{1,4000})"|'(?P<osingle>[^'\n]{1,4000})'|(?P<obare>[^\s"'`;&|<>()\[\],\-][^\s"'`;&|<>()\[\],]{0,4000}))""",
    re.VERBOSE,
)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """The (name, value) pairs that a script or configuration text sets, on lines that could name a secret."""
    for line in text.splitlines():
        lowered = line.lower()
        if not any(stem in lowered for stem in _STEMS):
            continue
        for match in _ASSIGNMENT.finditer(line):
            if match["option"]:
                yield match["option"], match["odouble"] or match["osingle"] or match["obare"]
                continue
            bare = match["bare"]
            if bare and (match["after"] in ("(", "[") or (match["sign"] == ":" and not _is_whole_line(line, match))):
                continue  # a call or look-up (`password = get_password()`), or punctuation
            if bare and _MEMBER.fullmatch(bare):
                continue  # `token: event.token` in inline code
            yield match["name"], match["double"] or match["single"] or bare


def _is_whole_line(line: str, match: re.Match[str]) -> bool:
    before, after = line[: match.start()], line[match.end("bare") :]
    return not before.strip(" \t-'\"") and not after.strip()


_MEMBER: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+;?")

# Every name that the keyword detector knows has one of these in it.
_STEMS: Final = ("key", "pass", "pwd", "token", "secret", "contrase")

# Words that, at the end of a name, say that the value is about a secret and not the secret itself.
_ABOUT: Final = re.compile(
    r"age|algorithm|alg|arn|arns|attribute|audience|backend|bucket|class|column|count|days|"
    r"dir|directory|duration|enabled|endpoint|env|exp|expiration|expiry|field|file|filename|"
    r"folder|format|header|headers|host|hours|id|ids|issuer|kind|label|len|length|limit|"
    r"location|manager|max|message|method|min|minutes|mode|name|names|optional|param|"
    r"parameter|path|policy|port|prefix|provider|ref|reference|region|required|reset|rotation|"
    r"scope|scopes|seconds|secs|service|size|source|store|suffix|table|timeout|title|ttl|"
    r"type|uri|url|urls|user|username|validity|version"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD_NAME: Final = re.compile(r"pass|pwd", re.IGNORECASE)


@functools.lru_cache(maxsize=20_000)
def _names_secret(name: str) -> bool:
    """Whether a variable's name announces a secret (`DB_PASSWORD`, not `DB_PASSWORD_FILE`)."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not any(stem in name.lower() for stem in _STEMS) or (words and _ABOUT.fullmatch(words[-1])):
        return False
    # The detector judges lines; a line with a neutral value makes it judge the name alone.
    return any(_detector("keyword", "KeywordDetector")(f'{name} = "x1y2z3w4"'))


def _is_secret_pair(name: str, value: str) -> bool:
    if len(value) < 3 or not _names_secret(name) or _is_no_secret(value) or _SHELL_REFERENCE.match(value):
        return False
    if value.replace(".", "", 1).isdigit() or value.lower() in _SETTINGS:
        # MAX_TOKENS=4096 is a setting, PASSWORD=123456 is not
        return value.isdigit() and _PASSWORD_NAME.search(name) is not None
    return True


_SETTINGS: Final = frozenset(
    {"true", "false", "yes", "no", "on", "off", "enabled", "disabled", "auto", "default", "required"}
)
_EMPTY_WORDS: Final = frozenset({"null", "none", "nil", "undefined", "todo", "tbd", "fixme", "placeholder", "redacted"})
_PLACEHOLDER: Final = re.compile(
    r"""
    [\s*.xX_\-]* | \[?(?:redacted|hidden)\]?            # nothing, or blanked out
    | replace(?:[-_ ]?(?:me|this|with)|\b).*            # REPLACE_ME, replace-with-your-token, Replace after build
    | change[-_ ]me\b.*                                 # but changeme is a password that many have kept
    | (?:your|insert|enter|put)[-_ ].* | <.*>           # your-password-here, <password>
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_TEMPLATE: Final = re.compile(r"\$\{|\$\(|\{\{|" + _HOLE)  # ${var}, $(command), {{resolve:...}}, {{ template }}
_SHELL_REFERENCE: Final = re.compile(r"[$`@]|%\w+%|#\{")  # $VAR, `command`, @file, %VAR%, #{...}
_REFERENCE: Final = re.compile(
    r"""
    arn:aws[\w-]*: | (?:ssm|s3|file|secretsmanager|vault|https?)://[^@]*$
    | ~?\.{0,2}/[\w.\-/]*$ | [A-Za-z]:\\                  # paths, and names of SSM parameters
    """,
    re.VERBOSE,
)


def _is_template(text: str) -> bool:
    """Whether a text, or a part of it, is filled in when it is used."""
    return _TEMPLATE.search(text) is not None or _SHELL_REFERENCE.match(text) is not None or text.startswith("<")


def _is_no_secret(value: str) -> bool:
    """Whether a text is a reference to something, or a placeholder, or says nothing; a weak password is a secret."""
    value = value.strip().strip("\"'")
    return (
        value.lower() in _EMPTY_WORDS
        or _TEMPLATE.search(value) is not None
        or _PLACEHOLDER.fullmatch(value) is not None
        or _REFERENCE.match(value) is not None
    )
