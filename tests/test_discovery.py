"""From PATHs to units: which files are ours, which folders are roots, what is left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from srm_checks.discovery import Inputs, discover
from srm_checks.errors import UsageError
from srm_checks.model import Unit, UnitKind

TOPIC = 'resource "aws_sns_topic" "t" {\n}\n'
TEMPLATE = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  T:\n    Type: AWS::SNS::Topic\n"
BARE_TEMPLATE = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n"
JSON_TEMPLATE = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
PLAN = json.dumps(
    {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "planned_values": {"root_module": {}},
        "resource_changes": [],
    }
)


def call(source: str, name: str = "m") -> str:
    return f'module "{name}" {{\n  source = "{source}"\n}}\n'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes files into an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, body in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return tmp_path

    return write


def git_init(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True, capture_output=True)


def roots(inputs: Inputs) -> list[str]:
    return [unit.path for unit in inputs.units if unit.kind is UnitKind.TERRAFORM]


def others(inputs: Inputs) -> dict[str, str]:
    return {unit.path: str(unit.kind) for unit in inputs.units if unit.kind is not UnitKind.TERRAFORM}


# ------------------------------------------------------------------ nothing to do


def test_an_empty_folder_has_no_units(tree):
    tree({})
    assert discover(["."]) == Inputs(units=(), skipped_files=0, terraform_files=0, file_filter=None, folders=(".",))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("k8s.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - resources: {}\n"),
        ("workflow.yml", "on: push\njobs: {}\n"),
        ("package.json", '{"name": "x"}'),
        ("prose.yaml", "Resources: we have many\nnotes: AWS is a cloud\n"),
        ("event.json", '{"Records": [{"eventSource": "aws:s3"}]}'),
        ("macro_event.json", '{"fragment": {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}}'),
        (
            "config_map.yaml",
            "kind: ConfigMap\ndata:\n  t.yaml: |\n    Resources:\n      T:\n        Type: AWS::SNS::Topic\n",
        ),
        ("serverless.yml", "service: x\nresources:\n  Resources:\n    T:\n      Type: AWS::SNS::Topic\n"),
        ("state.json", '{"format_version": "1.0", "terraform_version": "1.9.8", "values": {}}'),
        ("terraform.tfvars.json", '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'),
        ("broken.json", "{"),
        ("empty.yaml", ""),
        ("binary.json", bytes(range(256))),
        ("template.txt", TEMPLATE),
    ],
)
def test_other_peoples_files_are_neither_units_nor_errors(tree, name, body):
    tree({name: body})
    inputs = discover(["."])
    assert (inputs.units, inputs.errors) == ((), ())


# ------------------------------------------------------------------ templates and plans


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.yaml", TEMPLATE),
        ("a.yml", BARE_TEMPLATE),
        ("a.template", TEMPLATE),
        ("A.YAML", TEMPLATE),
        ("a.json", JSON_TEMPLATE),
        ("pretty.json", json.dumps(json.loads(JSON_TEMPLATE), indent=2)),
        ("sam.yaml", "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"),
        ("custom.yaml", "Resources:\n  F:\n    Type: Custom::Thing\n"),
        ("third_party.yaml", "Resources:\n  F:\n    Type: Datadog::Monitors::Monitor\n"),
        ("doc_start.yaml", "# comment\n---\n" + BARE_TEMPLATE),
        ("second_document.yaml", "kind: Pod\n---\n" + BARE_TEMPLATE),
        ("indented.yaml", "  Resources:\n    T:\n      Type: AWS::SNS::Topic\n"),
        ("quoted.yaml", '"Resources":\n  T:\n    "Type": "AWS::SNS::Topic"\n'),
        ("flow.yaml", "{Resources: {T: {Type: 'AWS::SNS::Topic'}}}\n"),
        ("commented.json", "// ours\n" + JSON_TEMPLATE),
        ("bom.yaml", b"\xef\xbb\xbf" + TEMPLATE.encode()),
        ("utf16.yaml", TEMPLATE.encode("utf-16")),
        ("utf16.json", JSON_TEMPLATE.encode("utf-16")),
        ("cr.yaml", TEMPLATE.replace("\n", "\r").encode()),
        ("latin1.yaml", TEMPLATE.encode() + b"# caf\xe9\n"),
        ("no_parse.yaml", TEMPLATE + "   x: [\n"),
        ("no_parse.json", JSON_TEMPLATE[:-1]),
        ("deep.json", '{"Resources":{"T":{"Type":"AWS::SNS::Topic","M":' + "[" * 100_000 + "]" * 100_000 + "}}}"),
    ],
)
def test_templates_are_units_whole_or_broken(tree, name, body):
    tree({name: body})
    inputs = discover(["."])
    assert others(inputs) == {name: "cloudformation"}
    assert inputs.errors == ()


@pytest.mark.parametrize("body", [PLAN, PLAN[: len(PLAN) - 20], PLAN.encode("utf-16")], ids=["whole", "cut", "utf16"])
def test_plans_are_units(tree, body):
    tree({"plan.json": body})
    assert others(discover(["."])) == {"plan.json": "plan"}


def test_a_file_that_is_too_large_is_reported_only_if_it_looks_like_ours(tree):
    folder = tree({"plan.json": PLAN, "data.json": "{}"})
    for name in ("plan.json", "data.json"):
        with open(folder / name, "r+b") as file:
            file.truncate(50 * 1024 * 1024 + 1)
    inputs = discover(["."])
    assert inputs.units == ()
    assert [(error.path, error.kind) for error in inputs.errors] == [("plan.json", "unsupported")]


def test_what_cannot_be_opened_is_no_file(tree):
    folder = tree({"main.tf": TOPIC})
    os.mkfifo(folder / "pipe.yaml")
    os.symlink("nowhere", folder / "gone.yaml")
    os.symlink("/dev/zero", folder / "zero.json")
    inputs = discover(["."])
    assert (roots(inputs), inputs.errors, inputs.skipped_files) == (["."], (), 3)


# ------------------------------------------------------------------ roots


def test_called_folders_are_no_roots_and_count_once(tree):
    tree(
        {
            "app/main.tf": TOPIC,
            "app/variables.tf": "",
            "envs/one/main.tf": call("../../modules/db"),
            "envs/two/main.tf": call("../../modules/db"),
            "modules/db/main.tf": TOPIC,
        }
    )
    inputs = discover(["."])
    assert roots(inputs) == ["app", "envs/one", "envs/two"]
    assert inputs.terraform_files == 5


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("terraform.tfvars", ""),
        ("prod.auto.tfvars", ""),
        ("prod.auto.tfvars.json", "{}"),
        ("backend.tf", 'terraform {\n  backend "s3" {}\n}\n'),
        ("cloud.tf", "terraform {\n  cloud {\n  }\n}\n"),
        ("backend.tf.json", '{"terraform": {"backend": {"s3": {}}}}'),
    ],
)
def test_called_folders_that_are_run_by_themselves_are_roots_too(tree, name, body):
    tree({"main.tf": call("./m"), "m/main.tf": TOPIC, f"m/{name}": body})
    assert roots(discover(["."])) == [".", "m"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("prod.tfvars", ""),
        ("main.tf", '# terraform {\n#   backend "s3" {}\n# }\n'),
        ("main.tf", 'resource "x" "y" {\n  backend "s3" {}\n}\n'),
        ("main.tf", 'terraform {\n  required_providers {\n    cloud = { source = "a/backend" }\n  }\n}\n'),
    ],
)
def test_what_only_looks_like_a_backend_makes_no_root(tree, name, body):
    tree({"main.tf": call("./m"), "m/main.tf": TOPIC, f"m/{name}": body})
    assert roots(discover(["."])) == ["."]


def test_only_calls_within_the_scan_count(tree):
    tree({"envs/main.tf": call("../m"), "m/main.tf": TOPIC})
    assert roots(discover(["m"])) == ["m"]
    assert roots(discover(["m", "envs"])) == ["envs"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"b/m.tf": call("../a"), "a/m.tf": call("../b")}, ["a"]),
        ({"b/m.tf": call("../c"), "c/m.tf": call("../b") + call("../a", "n"), "a/m.tf": TOPIC}, ["b"]),
        ({"m.tf": call("./a"), "a/m.tf": call("../b"), "b/m.tf": call("../a")}, ["."]),
        ({"m.tf": call("./")}, ["."]),
    ],
    ids=["ring", "ring with a module below", "ring with a caller", "itself"],
)
def test_rings_of_calls_have_one_root(tree, files, expected):
    tree(files)
    assert roots(discover(["."])) == expected


@pytest.mark.parametrize("name", ["main.tf", "main.tofu"])
def test_both_native_syntaxes_count(tree, name):
    tree({name: call("./m"), f"m/{name}": TOPIC})
    inputs = discover(["."])
    assert (roots(inputs), inputs.terraform_files) == (["."], 2)


@pytest.mark.parametrize("name", ["main.tf.json", "main.tofu.json"])
@pytest.mark.parametrize(
    "body",
    [
        '{"module": {"m": {"source": "./m"}}}',
        '{"module": [{"m": [{"source": "./m"}]}]}',
        '[{"module": {"m": {"source": "./m"}}}]',
    ],
)
def test_json_syntax_counts(tree, name, body):
    tree({name: body, "m/main.tf": TOPIC})
    assert roots(discover(["."])) == ["."]


def test_a_module_reached_through_a_linked_folder_is_the_same_module(tree):
    folder = tree({"env/main.tf": call("./modules/m"), "shared/m/main.tf": TOPIC})
    os.symlink("../shared", folder / "env" / "modules")
    assert roots(discover(["."])) == ["env"]


def test_editors_leftovers_are_not_configuration(tree):
    tree({".#main.tf": TOPIC, "main.tf~": TOPIC})
    assert discover(["."]).units == ()


# ------------------------------------------------------------------ what is left out


def test_tool_folders_are_left_out_and_counted(tree):
    tree(
        {
            "main.tf": TOPIC,
            ".terraform/modules/x/main.tf": TOPIC,
            "node_modules/a/t.yaml": TEMPLATE,
            "node_modules/a/readme.md": "",
            ".git/hooks/t.yaml": TEMPLATE,
        }
    )
    inputs = discover(["."])
    assert (roots(inputs), others(inputs), inputs.skipped_files) == (["."], {}, 2)


def test_what_git_ignores_is_left_out_and_counted(tree):
    folder = tree({"main.tf": TOPIC, "build/t.yaml": TEMPLATE, "b.yaml": TEMPLATE, ".gitignore": "build/\nb.yaml\n"})
    git_init(folder)
    inputs = discover(["."])
    assert (roots(inputs), others(inputs), inputs.skipped_files) == (["."], {}, 2)


def test_ignored_files_that_are_tracked_are_read(tree):
    folder = tree({"b.yaml": TEMPLATE, ".gitignore": "b.yaml\n"})
    git_init(folder)
    subprocess.run(["git", "add", "-f", "b.yaml"], cwd=folder, check=True)
    assert others(discover(["."])) == {"b.yaml": "cloudformation"}


def test_ignored_paths_that_are_named_are_read(tree):
    folder = tree({"build/t.yaml": TEMPLATE, ".gitignore": "build/\n"})
    git_init(folder)
    assert others(discover(["build"])) == {"build/t.yaml": "cloudformation"}
    assert others(discover(["build/t.yaml"])) == {"build/t.yaml": "cloudformation"}


def test_each_repository_of_a_tree_has_its_own_rules(tree):
    folder = tree({"sub/b.yaml": TEMPLATE, "sub/.gitignore": "b.yaml\n", "b.yaml": TEMPLATE})
    git_init(folder)
    git_init(folder / "sub")
    assert others(discover(["."])) == {"b.yaml": "cloudformation"}


def test_the_rules_hold_below_the_top_of_the_repository(tree, monkeypatch):
    folder = tree({"app/main.tf": TOPIC, "app/b.yaml": TEMPLATE, ".gitignore": "/app/b.yaml\n"})
    git_init(folder)
    monkeypatch.chdir(folder / "app")
    inputs = discover(["."])
    assert (roots(inputs), others(inputs)) == (["."], {})


def test_a_repository_that_git_refuses_is_read_whole_and_noted(tree):
    tree({"b.yaml": TEMPLATE, ".gitignore": "b.yaml\n", ".git": "gitdir: nowhere\n"})
    inputs = discover(["."])
    assert others(inputs) == {"b.yaml": "cloudformation"}
    assert "git could not tell" in inputs.notes[0]


def test_git_runs_no_program_of_the_scanned_repository(tree):
    folder = tree({"main.tf": TOPIC})
    git_init(folder)
    with open(folder / ".git" / "config", "a") as file:
        file.write(f"[core]\n  fsmonitor = touch {folder / 'RUN'}\n")
    discover(["."])
    assert not (folder / "RUN").exists()


@pytest.mark.parametrize("pattern", ["old", "old/", "./old", "o*", "**/old", "old/**", "ol[d]", "**/*.yaml"])
def test_excluded_globs_hold_for_a_folder_and_all_below(tree, pattern):
    tree({"old/deep/t.yaml": TEMPLATE})
    inputs = discover(["."], exclude=[pattern])
    assert (others(inputs), inputs.skipped_files) == ({}, 1)


@pytest.mark.parametrize("pattern", ["ol", "deep/t.yaml", "old/*.yaml", "[!o]ld", "OLD"])
def test_globs_that_do_not_fit_exclude_nothing(tree, pattern):
    tree({"old/deep/t.yaml": TEMPLATE})
    assert others(discover(["."], exclude=[pattern])) == {"old/deep/t.yaml": "cloudformation"}


def test_exclusion_holds_for_files_too(tree):
    tree({"t.yaml": TEMPLATE})
    inputs = discover(["t.yaml"], exclude=["*.yaml"])
    assert (inputs.units, inputs.skipped_files) == ((), 1)


def test_loops_of_links_end(tree):
    folder = tree({"main.tf": TOPIC, "a/x.yaml": TEMPLATE})
    os.symlink("..", folder / "a" / "up")
    os.symlink("self", folder / "self")
    inputs = discover(["."])
    assert (roots(inputs), others(inputs)) == (["."], {"a/x.yaml": "cloudformation"})


def test_a_linked_file_is_a_file_of_its_own(tree):
    folder = tree({"a/t.yaml": TEMPLATE, "b/x": ""})
    os.symlink("../a/t.yaml", folder / "b" / "t.yaml")
    assert list(others(discover(["."]))) == ["a/t.yaml", "b/t.yaml"]


# ------------------------------------------------------------------ files as PATHs


def test_a_file_means_its_root(tree):
    tree({"app/main.tf": TOPIC, "app/more.tf": TOPIC, "other/main.tf": TOPIC})
    inputs = discover(["app/main.tf"])
    assert inputs == Inputs(
        units=(Unit(UnitKind.TERRAFORM, "app"),),
        skipped_files=0,
        terraform_files=2,
        file_filter=frozenset({"app/main.tf"}),
    )


def test_a_file_of_a_module_means_the_roots_that_reach_it(tree):
    tree(
        {
            "envs/one/main.tf": call("../../modules/outer"),
            "envs/two/main.tf": TOPIC,
            "modules/outer/main.tf": call("../inner"),
            "modules/inner/main.tf": TOPIC,
        }
    )
    inputs = discover(["modules/inner/main.tf"])
    assert (roots(inputs), inputs.terraform_files) == (["envs/one"], 3)


def test_callers_are_found_in_the_whole_repository(tree, monkeypatch):
    folder = tree({"env/main.tf": call("../modules/m"), "modules/m/main.tf": TOPIC})
    git_init(folder)
    monkeypatch.chdir(folder / "modules" / "m")
    assert roots(discover(["main.tf"])) == ["../../env"]


def test_folders_above_the_working_directory_have_one_spelling(tree, monkeypatch):
    folder = tree({"a/b/main.tf": TOPIC, "a/c/main.tf": TOPIC, "a/b/d/main.tf": TOPIC})
    monkeypatch.chdir(folder / "a" / "b")
    assert roots(discover(["../.."])) == [".", "../c", "d"]


def test_a_file_of_a_module_that_nothing_calls_means_its_folder(tree):
    tree({"m/main.tf": TOPIC})
    assert roots(discover(["m/main.tf"])) == ["m"]


def test_a_file_outside_the_working_directory_means_its_folder(tree, monkeypatch):
    folder = tree({"here/x": "", "there/main.tf": TOPIC})
    monkeypatch.chdir(folder / "here")
    assert roots(discover(["../there/main.tf"])) == ["../there"]


@pytest.mark.parametrize("name", ["terraform.tfvars", "prod.tfvars", "prod.tfvars.json", "x.auto.tfvars"])
def test_a_variable_file_means_the_root_in_its_folder(tree, name):
    tree({"app/main.tf": TOPIC, f"app/{name}": ""})
    assert roots(discover([f"app/{name}"])) == ["app"]


def test_a_variable_file_without_configuration_means_nothing(tree):
    tree({"vars/prod.tfvars": ""})
    assert discover(["vars/prod.tfvars"]).units == ()


def test_a_file_in_a_left_out_folder_means_its_folder(tree):
    tree({".terraform/modules/x/main.tf": TOPIC})
    assert roots(discover([".terraform/modules/x/main.tf"])) == [".terraform/modules/x"]


def test_templates_and_plans_mean_themselves_under_any_name(tree):
    tree({"t.cfn": TEMPLATE, "plan.out.json": PLAN, "note.yaml": "a: b\n"})
    inputs = discover(["t.cfn", "plan.out.json", "note.yaml"])
    assert others(inputs) == {"t.cfn": "cloudformation", "plan.out.json": "plan"}
    assert inputs.errors == ()


def test_spellings_of_one_path_are_one(tree, monkeypatch):
    folder = tree({"app/main.tf": TOPIC, "t.yaml": TEMPLATE})
    (folder.parent / "link").symlink_to(folder)
    paths = [
        "app",
        "./app/",
        "app/../app",
        str(folder / "app"),
        f"../{folder.name}/app",
        str(folder.parent / "link" / "app"),
    ]
    files = ["t.yaml", "./t.yaml", "app/../t.yaml", str(folder / "t.yaml"), str(folder.parent / "link" / "t.yaml")]
    inputs = discover([*paths, *files])
    assert inputs.units == (Unit(UnitKind.CLOUDFORMATION, "t.yaml"), Unit(UnitKind.TERRAFORM, "app"))
    assert (inputs.folders, inputs.file_filter) == (("app",), frozenset({"t.yaml"}))


def test_the_filter_covers_named_files_and_all_below_named_folders(tree):
    tree({"app/main.tf": TOPIC, "app/x.tf": TOPIC, "envs/a/main.tf": TOPIC, "envs2/main.tf": TOPIC})
    inputs = discover(["app/main.tf", "envs"])
    covered = {path: inputs.covers(path) for path in ("app/main.tf", "app/x.tf", "envs/a/main.tf", "envs2/main.tf")}
    assert covered == {"app/main.tf": True, "app/x.tf": False, "envs/a/main.tf": True, "envs2/main.tf": False}


def test_folders_alone_filter_nothing(tree):
    tree({"envs/main.tf": call("../m"), "m/main.tf": TOPIC})
    inputs = discover(["envs"])
    assert inputs.file_filter is None
    assert inputs.covers("m/main.tf")


@pytest.mark.parametrize("path", ["nowhere", "nowhere/main.tf", "dangling", "pipe"])
def test_a_path_that_cannot_be_scanned_is_the_users_mistake(tree, path):
    folder = tree({})
    os.symlink("gone", folder / "dangling")
    os.mkfifo(folder / "pipe")
    with pytest.raises(UsageError, match=path):
        discover([path])


def test_an_impossible_glob_is_the_users_mistake(tree):
    tree({})
    with pytest.raises(UsageError, match="z-a"):
        discover(["."], exclude=["[z-a]"])


def test_the_order_of_paths_does_not_matter(tree):
    tree({"a/main.tf": TOPIC, "b/t.yaml": TEMPLATE})
    assert discover(["a", "b"]) == discover(["b", "a"])


@pytest.mark.parametrize("name", ["a\nb.tf", "-x.tf", "[a-z]*.tf", "a b 'c'.tf", "été \U0001f680.tf"])
def test_odd_names_are_only_names(tree, name):
    tree({f"d/{name}": TOPIC})
    assert roots(discover(["."])) == ["d"]
    assert roots(discover([f"d/{name}"])) == ["d"]


def test_discovery_imports_no_engine():
    code = "import sys, srm_checks.discovery; print(sorted({'yaml', 'hcl2', 'checkov', 'cfnlint'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
