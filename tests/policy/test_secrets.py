"""Credentials in clear text. All of them are made up."""

from __future__ import annotations

import base64
import datetime
import subprocess
import sys
from typing import Any

import pytest

from srm_checks.model import (
    ABSENT,
    Choice,
    Encoded,
    Options,
    Ref,
    Repeated,
    Stack,
    Test,
    Unit,
    UnitKind,
    Unknown,
)
from srm_checks.policy import secrets
from srm_checks.policy.access import Assignment, Context, Decision, Environment, StackIndex, Undecided
from srm_checks.policy.secrets import holds_secret, is_clear_text_secret
from srm_checks.policy.truth import FALSE, TRUE, UNKNOWN
from srm_checks.subjects import composed, hole

INDEX = StackIndex(Stack(unit=Unit(UnitKind.TERRAFORM, "."), resources=[]))


def context(assignment: Assignment = ()) -> Context:
    return Context(INDEX, Environment(datetime.date(2026, 1, 1)), assignment)


# Put together here so that no scanner of this repository takes them for real ones.
KEY_ID = "AKIA" + "IOSFODNN7EXAMAAA"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMAAAKEY"
GITHUB = "ghp_" + "a1B2" * 9
SLACK = "xoxb-" + "123456789012-123456789012-abcdefABCDEF"
STRIPE = "sk_live_" + "a1b2c3d4" * 3
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SENDGRID = "SG." + "a" * 22 + "." + "b" * 43
PRIVATE_KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA1234567890\n-----END RSA PRIVATE KEY-----"

VAR = Unknown("var.x", subject="var.x")
RESULT_AT = Unknown("random_password.p.result", refs=(Ref("random_password.p"),), subject="random_password.p.result")
ROLE_ID = Unknown("!Ref Role", refs=(Ref("Role"),), subject="!Ref Role")
RESULT = Unknown("random_password.p.result", refs=(Ref("random_password.p"),))

NO_SECRET: list[Any] = [
    ABSENT,
    "",
    {},
    [],
    True,
    42,
    "#!/bin/bash\nyum install -y httpd\nsystemctl enable --now httpd\n",
    # the token of the instance metadata service, fetched when the script runs
    'TOKEN=`curl -X PUT "http://169.254.169.254/latest/api/token" -H "X-aws-ec2-metadata-token-ttl-seconds: 21600"`\n'
    'curl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/',
    "DB_PASSWORD=$(aws ssm get-parameter --name /app/db --with-decryption --query Parameter.Value)",
    'export PASSWORD="${DB_PASSWORD}"',
    "aws secretsmanager get-secret-value --secret-id prod/db --query SecretString",
    "password = get_password()",
    "# the password: see the wiki",
    "PasswordAuthentication = yes",
    "const params = {\n  token: event.detail.token\n}",
    "gpgcheck=1\ngpgkey=https://example.com/RPM-GPG-KEY",
    "aws s3 cp s3://bucket/keys/some/very/long/path/of/letters/and/more/of/it here",
    "aws kms key sha1 0123456789abcdef0123456789abcdef01234567",
    "postgres://user:${PASSWORD}@host/db",
    "https://user@host:8080/path",
    "<password>",
    {"DB_HOST": "db.internal", "DB_USER": "app", "LOG_LEVEL": "debug"},
    {
        "DB_PASSWORD_FILE": "run/secrets/db",
        "DB_SECRET_ARN": "x1y2z3",
        "SECRET_NAME": "prod",
        "TOKEN_URL": "https://x.y/t",
    },
    {"PASSWORD": ""},
    {"PASSWORD": "REPLACE_ME"},
    {"PASSWORD": "Replace after build"},
    {"PASSWORD": "replace"},
    {"PASSWORD": "change-me"},
    {"PASSWORD": "Change me before use"},
    {"PASSWORD": "<your password>"},
    {"PASSWORD": "${db_password}"},
    {"PASSWORD": "{{resolve:secretsmanager:db:SecretString:password}}"},
    {"PASSWORD": "********"},
    {"PASSWORD": "/app/prod/db/password"},
    {"PASSWORD": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"},
    {"PASSWORD": "ssm:///app/db"},
    {"PASSWORD": "$PASSWORD"},
    {"MAX_TOKENS": "4096", "TOKEN_REFRESH": True, "USE_TOKEN": "true"},
    {"PASSWORD": RESULT},
    [{"name": "DB_HOST", "value": "db.internal"}],
    [{"name": "API_KEY", "value": "team-a-key", "type": "PARAMETER_STORE"}],
    [{"Name": "API_KEY", "Value": "team-a-key", "Type": "SECRETS_MANAGER"}],
    Unknown("{{resolve:ssm-secure:db:1}}", present=True),
    Unknown("AWS::Region", subject="AWS::Region", present=True),
    Unknown('"host=${aws_db_instance.d.address}"', refs=(Ref("module.m.aws_db_instance.d"),), parts=("host=", None)),
    Unknown("!Sub '${AWS::Region} ${Bucket}'", refs=(Ref("Bucket"),), parts=(None, " ", None)),
    Unknown("templatefile(...)", refs=(Ref("aws_eks_cluster.c"),), parts=("bootstrap.sh ", None)),
]

# What a text is made of shows in its subject: behind a local value, beside a parameter that is known, and so on.
SECRET_VALUE = Unknown(
    "local.env.ids",
    refs=(Ref("data.aws_secretsmanager_secret_version.v"),),
    subject="|jsondecode(data.aws_secretsmanager_secret_version.v.secret_string).ids",
)
ROLE = Unknown(
    "aws_iam_role.r.arn",
    refs=(Ref("module.m.aws_iam_role.r"),),
    parts=("arn:", None, ":role/", None),
    subject="module.m.aws_iam_role.r.arn",
)
REGION = Unknown("AWS::Region", subject="AWS::Region")


def joined(text: str, *pieces: Any) -> Unknown:
    refs = tuple(ref for piece in pieces if isinstance(piece, Unknown) for ref in piece.refs)
    return Unknown(text, refs=refs, parts=("x", None), subject=composed(pieces))


NO_SECRET += [
    SECRET_VALUE,
    ROLE,
    joined('"x${local.env.ids}"', "x", SECRET_VALUE),
    joined("!Sub 'x${AWS::Region}${UserData}'", "x", REGION, ""),
    joined('"x${local.role}"', "x", ROLE),
    Unknown("local.ids[var.env]", refs=RESULT.refs, subject="random_password.p.result[|var.env]"),
    Unknown("!Sub x{{resolve:ssm-secure:a}}", parts=("x", None), subject=hole("{{resolve:ssm-secure:a}}")),
]

SECRET: list[Any] = [
    KEY_ID,
    f"export AWS_ACCESS_KEY_ID={KEY_ID}",
    f"aws_secret_access_key = {SECRET_KEY}",
    f"git clone https://{GITHUB}@github.com/o/r",
    f"curl -d token={SLACK}",
    STRIPE,
    f"Authorization: Bearer {JWT}",
    SENDGRID,
    PRIVATE_KEY,
    "postgres://user:hunter2@host/db",
    "export DB_PASSWORD=hunter2",
    "DB_PASSWORD='hunter2'",
    '$password = "hunter2"',
    "mysql -u root --password=hunter2",
    "mysql -u root --password hunter2",
    "db:\n  password: hunter2\n",
    '{"a": [{"db_password": "hunter2"}]}',
    '[{"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]',
    {"DB_PASSWORD": "hunter2"},
    {"dbPassword": "hunter2"},
    {"PASSWORD": "changeme"},
    {"PASSWORD": f"replace {KEY_ID}"},
    {"PASSWORD": "change-melon"},
    {"PASSWORD": 123456},
    {"API_KEY": "team-a-key"},
    {"AWS_SECRET_ACCESS_KEY": SECRET_KEY},
    {"KEY": KEY_ID},
    {"a": {"b": [{"c": KEY_ID}]}},
    {"PASSWORD": "hunter2", "X": VAR},
    [{"name": "API_KEY", "value": "team-a-key"}],
    [{"Name": "API_KEY", "Value": "team-a-key", "Type": "PLAINTEXT"}],
    Encoded([{"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "X", "value": VAR}]}]),
    base64.b64encode(b"#!/bin/sh\nexport DB_PASSWORD=hunter2\n").decode(),
    Unknown("<<EOF", parts=("export DB_PASSWORD=hunter2\ncluster=", None)),
    Unknown("<<EOF", refs=(Ref("aws_x.y"),), parts=("export DB_PASSWORD=hunter2\ncluster=", None)),
]

NO_SECRET += [
    # the name before an open value tells what it is
    {"DB_HOST": VAR, "dbPort": VAR, "username": VAR, "TARGET_ACCOUNTS": VAR, "secret_arn": VAR, "TABLE_NAME": VAR},
    [{"name": "AWS_REGION", "value": VAR}],
    {"*": Unknown("{}", entries=((Unknown(parts=(None, "_PASSWORD")), RESULT), (Unknown(parts=(None, "_HOST")), VAR)))},
    {"url": Unknown('"https://db.${var.env}.example.org"', parts=("https://db.", None, ".example.org"))},
]

SECRET += [{"*": Unknown("{}", entries=((Unknown(parts=(None, "_PASSWORD")), "hunter2"),))}]

OPEN: list[Any] = [
    VAR,
    {"AWS_ACCESS_KEY_ID": VAR},
    {"DATABASE_URL": VAR},
    {"url": Unknown('"https://${var.user}@example.org"', parts=("https://", None, "@example.org"))},
    {"APP_SETTING": VAR},
    {"*": Unknown("{}", entries=((Unknown(parts=(None, "_PASSWORD")), VAR),))},
    {"*": Unknown("{}", entries=((Unknown(parts=("DB_", None)), "hunter2"),))},
    {"*": Unknown("{}", entries=((Unknown(parts=(None, "_ID")), VAR),))},
    {"X": VAR},
    [VAR],
    Encoded({"X": VAR}),
    [Repeated({"name": "PASSWORD", "value": "hunter2"})],
    [{"name": "API_KEY", "value": "team-a-key", "type": VAR}],
    Unknown("<<EOF", parts=("export DB_PASSWORD=", None)),
    Unknown('"${var.a} ${aws_x.y.id}"', refs=(Ref("aws_x.y"),), parts=(None, " ", None)),
    Unknown("templatefile(...)", refs=(Ref("aws_x.y"),), parts=("a ", None, " b ", None)),
    Unknown('"id ${coalesce(var.p, aws_x.y.id)}"', refs=(Ref("aws_x.y"),), parts=("id ", None)),
    Unknown("coalesce(var.p, random_password.p.result)", refs=(Ref("random_password.p"),)),
    Unknown("local.a", refs=RESULT.refs, subject="|coalesce(var.p, random_password.p.result)"),
    Unknown("local.a.b", refs=RESULT.refs, subject="|local.a.b"),
    joined('"x${local.a}${local.b}"', "x", RESULT_AT, VAR),
    # a parameter with the name of a resource in its own
    joined("!Sub 'x${Role}${RoleName}'", "x", ROLE_ID, Unknown("RoleName", subject="Parameters/RoleName")),
    # an expression that is cut off does not show all its holes
    Unknown("!Sub 'x${AWS::Region} and so on…", parts=("x", None, " and so on", None)),
]


@pytest.mark.parametrize("value", NO_SECRET, ids=lambda value: repr(value)[:60])
def test_no_secret(value: Any) -> None:
    assert holds_secret(value, context()) == FALSE


@pytest.mark.parametrize("value", SECRET, ids=lambda value: repr(value)[:60])
def test_a_secret_in_clear_text(value: Any) -> None:
    assert holds_secret(value, context()) == TRUE


@pytest.mark.parametrize("value", OPEN, ids=lambda value: repr(value)[:60])
def test_an_open_part_leaves_it_unknown(value: Any) -> None:
    assert holds_secret(value, context()) == UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABSENT, FALSE),
        ("", FALSE),
        ("hunter2", TRUE),
        ("changeme", TRUE),
        ("password", TRUE),
        ("!$trange@Value", TRUE),
        ("$ecret1", TRUE),
        (12345678, TRUE),
        ("REPLACE_ME", FALSE),
        ("<password>", FALSE),
        ("${var.password}", FALSE),
        ("{{resolve:secretsmanager:db:SecretString:password}}", FALSE),
        ("/app/prod/db/password", FALSE),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db", FALSE),
        (RESULT, FALSE),
        (Unknown("{{resolve:ssm-secure:db:1}}", present=True), FALSE),
        (VAR, UNKNOWN),
        (Unknown('"abc${var.x}"', parts=("abc", None)), UNKNOWN),
        (Unknown("!ImportValue db-password", present=True), UNKNOWN),
        (Encoded({"username": "app", "password": RESULT}), FALSE),
        (Encoded({"username": "app", "password": "hunter2"}), TRUE),
        (Encoded({"username": "app", "password": VAR}), UNKNOWN),
        ('{"username": "app", "password": "hunter2"}', TRUE),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_an_attribute_that_is_a_secret(value: Any, expected: int) -> None:
    assert is_clear_text_secret(value, context()) == expected


def test_branches_are_left_to_the_caller() -> None:
    value = {"PASSWORD": Choice(Test("var.env", "dev", "var.env"), "hunter2", RESULT)}
    with pytest.raises(Undecided):
        holds_secret(value, context())
    dev, other = (context((Decision("var.env", "dev", holds, "var.env"),)) for holds in (True, False))
    assert (holds_secret(value, dev), holds_secret(value, other)) == (TRUE, FALSE)


def test_each_allowed_value_is_a_branch() -> None:
    value = Options("Parameters/P", "P", ("hunter2", "REPLACE_ME"))
    with pytest.raises(Undecided):
        is_clear_text_secret(value, context())
    assert is_clear_text_secret(value, context((Decision("Parameters/P", "hunter2", True, "P"),))) == TRUE


def test_what_is_remembered_holds_no_text() -> None:
    holds_secret("export DB_PASSWORD=correcthorse", context())
    assert all(isinstance(key, bytes) and len(key) == 16 for key in secrets._remembered)
    assert all(truth in (TRUE, FALSE) for truth in secrets._remembered.values())


def test_the_settings_of_detect_secrets_stay_as_they_are() -> None:
    from detect_secrets.settings import get_settings

    before = get_settings().json()
    assert holds_secret(f"key {KEY_ID}", context()) == TRUE
    assert get_settings().json() == before


def test_plain_texts_do_not_load_detect_secrets() -> None:
    code = (
        "import sys\n"
        "from srm_checks.policy import secrets\n"
        "assert secrets._scan('#!/bin/bash\\nyum install -y httpd\\n') == 0\n"
        "assert not [name for name in sys.modules if name.startswith('detect_secrets')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_map_that_contains_itself_ends() -> None:
    value: dict[str, Any] = {}
    value["a"] = value
    assert holds_secret(value, context()) == UNKNOWN
