"""Resource types read from a template's shape alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srm_checks.foreign.templates import Declared, at_line, resources

Project = Callable[[dict[str, str]], Path]

YAML = """\
Resources:
  One:
    Type: AWS::SNS::Topic

  Two: {Type: "AWS::SQS::Queue", Properties: !If [a, b, !Ref c]}
  Three:
    Properties: {}
    Type: AWS::S3::Bucket
"""


def test_yaml_with_short_forms(project: Project) -> None:
    project({"t.yaml": YAML})
    assert resources("t.yaml") == {
        "One": Declared("AWS::SNS::Topic", 2, 4),
        "Two": Declared("AWS::SQS::Queue", 5, 5),
        "Three": Declared("AWS::S3::Bucket", 6, 8),
    }


def test_json(project: Project) -> None:
    project({"t.json": '{"Resources": {\n  "One": {\n    "Type": "AWS::SNS::Topic"\n  }\n}}\n'})
    assert resources("t.json") == {"One": Declared("AWS::SNS::Topic", 2, 4)}


@pytest.mark.parametrize(("line", "name"), [(1, None), (2, "One"), (3, "One"), (5, "Two"), (6, "Three"), (9, None)])
def test_by_line(project: Project, line: int, name: str | None) -> None:
    project({"t.yaml": YAML})
    found = at_line("t.yaml", line)
    assert (found and found[0]) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n",
        "Resources: 3\n",
        "Resources:\n  A: 3\n",
        "Resources:\n  A: {Type: [1]}\n",
        "a: &a [*a]\n",
        ": :\n  -",
    ],
)
def test_what_is_no_template_has_no_resources(project: Project, text: str) -> None:
    project({"t.yaml": text})
    assert resources("t.yaml") == {}


@pytest.mark.parametrize("path", ["../t.yaml", "/etc/passwd", "missing.yaml", "."])
def test_only_files_of_the_project_are_opened(project: Project, path: str) -> None:
    here = project({"inner/x": "", "t.yaml": YAML})
    import os

    os.chdir(here / "inner")
    assert resources(path) == {}
