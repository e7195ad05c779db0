"""The house keeps its shape: who may import whom, and what a start-up costs in imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import srm_checks

PACKAGE = Path(srm_checks.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Heavy or foreign packages, and the only places that may name them.
KEEPERS = {
    "checkov": ("plugins/checkov_graph.py", "foreign/checkov_engine.py"),
    "cfnlint": ("engines/cloudformation/", "plugins/cfn_lint.py", "foreign/cfn_lint_engine.py"),
    "hcl2": ("grammar.py",),
    "lark": ("engines/terraform/syntax.py",),
    "detect_secrets": ("policy/secrets.py",),
    "rich": ("cli/progress.py",),
    "click": ("cli/", "__main__.py"),
    "jsonschema": (),
    "pydantic": (),
    "requests": (),
    "boto3": (),
    "socket": ("foreign/checkov_engine.py",),
    "urllib.request": (),
}
# A layer may import itself, those named here, and `model` and `errors`.
LAYERS = {
    "model": set(),
    "errors": set(),
    "facts": set(),
    "nearest": set(),
    "reads": {"facts"},
    "grammar": set(),
    "subjects": set(),
    "expressions": set(),
    "versions": set(),
    "engines": {"engines", "expressions", "grammar", "reads", "subjects"},
    "identity": {"reads"},
    "git": {"reads"},
    "globs": set(),
    "triage": {"triage", "identity", "git", "globs", "policy", "reads"},
    "gate": set(),
    "config": {"config", "gate", "nearest", "triage", "policy", "reads"},
    "catalogue": {"catalogue", "policy"},
    "policy": {"policy", "catalogue", "expressions", "facts", "nearest", "reads", "subjects"},
    "absences": {"identity", "policy"},
    "judge": {"absences", "catalogue", "identity", "policy", "triage"},
    "discovery": {"discovery", "facts", "git", "globs", "reads"},
    "foreign": {"foreign", "grammar", "catalogue", "identity", "policy"},
    "unit_report": {"absences"},
    "units": {"engines", "judge", "policy", "unit_report"},
    "unit_json": {"absences", "unit_report"},
    "cache": {"facts", "reads", "unit_json", "unit_report", "versions"},
    "workers": set(),
    "fleet": {
        "cache",
        "engines",
        "identity",
        "policy",
        "reads",
        "unit_report",
        "units",
        "versions",
        "workers",
    },
    "pipeline": {
        "absences",
        "catalogue",
        "discovery",
        "fleet",
        "foreign",
        "identity",
        "policy",
        "triage",
        "unit_report",
        "units",
        "shards",
    },
    "report": {"report", "pipeline", "gate", "policy", "reads", "shards", "triage"},
    "shards": {"discovery", "unit_json", "unit_report"},
    "guide": {"guide", "catalogue", "fixtures", "judge", "policy", "report", "units", "versions"},
}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, and whether at its top level."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in top
            if node.module == "srm_checks":
                for alias in node.names:
                    yield f"srm_checks.{alias.name}", id(node) in top


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("package", KEEPERS)
def test_foreign_packages_stay_in_their_adapters(package: str) -> None:
    strangers = [
        relative(path)
        for path in MODULES
        for name, _top in imports(path)
        if (name == package or name.startswith(f"{package}."))
        and not relative(path).startswith(KEEPERS[package] or ("-",))
    ]
    assert strangers == []


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_import_downwards_only(layer: str) -> None:
    allowed = LAYERS[layer] | {"model", "errors"}
    wrong = []
    for path in MODULES:
        if relative(path).split("/")[0].removesuffix(".py") != layer:
            continue
        for name, _top in imports(path):
            if name.startswith("srm_checks.") and name.split(".")[1] not in allowed:
                wrong.append(f"{relative(path)} imports {name}")
    assert wrong == []


def modules_after(*argv: str) -> set[str]:
    code = (
        "import sys, io, contextlib\n"
        f"sys.argv = ['srm-checks', *{list(argv)!r}]\n"
        "from srm_checks.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try:\n        main()\n    except SystemExit:\n        pass\n"
        "sys.stderr.write('\\n'.join(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in result.stderr.split()}


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["--version"],
        ["policies"],
        ["policies", "--matrix"],
        ["explain", "SRM-DAR-005"],
        ["path", "checkov"],
        ["scan", "--help"],
    ],
    ids=" ".join,
)
def test_commands_that_scan_nothing_import_no_engine(argv: list[str]) -> None:
    heavy = {"checkov", "cfnlint", "hcl2", "lark", "sympy", "networkx", "detect_secrets", "rich", "jsonschema"}
    assert modules_after(*argv) & heavy == set()


def test_a_template_alone_imports_neither_a_terraform_parser_nor_cfn_lint(tmp_path: Path) -> None:
    template = tmp_path / "t.yaml"
    template.write_text("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  T:\n    Type: AWS::SNS::Topic\n")
    assert modules_after("scan", str(template)) & {"checkov", "hcl2", "lark", "cfnlint", "sympy"} == set()


def test_a_root_alone_imports_neither_checkov_nor_cfn_lint(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_sns_topic" "t" {\n}\n')
    assert modules_after("scan", str(tmp_path)) & {"checkov", "cfnlint", "sympy"} == set()


def test_no_registration_by_import() -> None:
    """Importing the package leaves nothing behind but itself."""
    code = "import srm_checks, sys; sys.stderr.write(' '.join(m for m in sys.modules if m.startswith('srm_checks')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.split() == ["srm_checks"]
