"""Plans as `terraform show -json` prints them, read into Stacks."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srm_checks.engines.plan import load
from srm_checks.errors import InputError
from srm_checks.model import Encoded, EngineOptions, Ref, Resource, Stack, Unit, UnitKind, Unknown

PROVIDER = "registry.terraform.io/hashicorp/aws"
Json = dict[str, Any]


def planned(address: str, values: Json | None, *, mode: str = "managed", index: str | int | None = None) -> Json:
    """A resource of planned_values; `values` is left out where nothing is known, as Terraform does."""
    type_, name = re.sub(r"\[[^\]]*\]$", "", address).split(".")[-2:]
    entry: Json = {"address": address, "mode": mode, "type": type_, "name": name}
    if index is not None:
        entry["index"] = index
    entry |= {"provider_name": PROVIDER, "schema_version": 1}
    if values is not None:
        entry["values"] = values
    return entry | {"sensitive_values": {}}


def change(address: str, unknown: Any, **more: Any) -> Json:
    body = {"actions": ["create"], "before": None, "after": {}, "after_unknown": unknown, "before_sensitive": False}
    return {"address": address, "mode": "managed", "provider_name": PROVIDER, "change": body, **more}


def configured(address: str, expressions: Json | None = None, *, mode: str = "managed", **more: Any) -> Json:
    """A resource of the configuration; Terraform leaves `expressions` out where there are none."""
    type_, name = address.replace("data.", "").split(".")
    block: Json = {"address": address, "mode": mode, "type": type_, "name": name, "provider_config_key": "aws"}
    if expressions is not None:
        block["expressions"] = expressions
    return block | {"schema_version": 1} | more


def reads(*references: str) -> Json:
    return {"references": list(references)}


def constant(value: Any) -> Json:
    return {"constant_value": value}


def whole(
    resources: list[Json],
    changes: list[Json],
    configuration: list[Json],
    **root_module: Any,
) -> Json:
    """A plan of a root module; more members of its configuration by keyword."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "variables": {"region": {"value": "eu-west-1"}},
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {
                "aws": {"name": "aws", "full_name": PROVIDER, "expressions": {"region": constant("eu-central-1")}}
            },
            "root_module": {"resources": configuration, **root_module},
        },
        "timestamp": "2025-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }


KEY = "aws_kms_key.k"
DB = "aws_db_instance.db"


def database(values: Json, unknown: Any, expressions: Json) -> Json:
    """One database in a plan beside a key."""
    return whole(
        [planned(DB, values), planned(KEY, {"enable_key_rotation": True})],
        [change(DB, unknown), change(KEY, {"arn": True, "id": True})],
        [configured(DB, expressions), configured(KEY, {"enable_key_rotation": constant(True)})],
    )


Read = Callable[..., Stack]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads a plan given as JSON data, text or bytes."""
    monkeypatch.chdir(tmp_path)

    def run(plan: Json | str | bytes, indent: int | None = 2) -> Stack:
        text = json.dumps(plan, indent=indent) if isinstance(plan, dict) else plan
        Path("plan.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(Unit(UnitKind.PLAN, "plan.json"), EngineOptions())

    return run


def the(stack: Stack, address: str) -> Resource:
    return next(resource for resource in stack.resources if resource.address == address)


def addresses(stack: Stack) -> list[str]:
    return [resource.address for resource in stack.resources if not resource.type.startswith("provider.")]


# ------------------------------------------------------------------ values


def test_an_empty_plan_has_no_resources(read):
    plan = whole([], [], [])
    plan["planned_values"] = {"root_module": {}}
    stack = read(plan)
    assert (addresses(stack), stack.errors, stack.files) == ([], [], {"plan.json"})


def test_known_values_are_as_they_are_and_nulls_are_absent(read):
    values = {
        "engine": "postgres",
        "allocated_storage": 20,
        "iops": 1.5,
        "storage_encrypted": False,
        "domain": None,
        "logging": [{"bucket": "b", "prefix": None}],
        "names": ["a", None, "b"],
    }
    stack = read(database(values, {}, {name: constant(value) for name, value in values.items()}))
    assert the(stack, DB).attributes == {
        "engine": "postgres",
        "allocated_storage": 20,
        "iops": 1.5,
        "storage_encrypted": False,
        "logging": [{"bucket": "b"}],
        "names": ["a", "b"],
    }
    assert stack.framework == "terraform_plan"


def test_policy_documents_stay_texts(read):
    policy = '{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}]}'
    assert the(read(database({"policy": policy}, {}, {"policy": reads("local.p")})), DB).attributes["policy"] == policy


def test_what_is_set_but_known_only_after_apply_is_unknown(read):
    stack = read(
        database({"storage_encrypted": None}, {"storage_encrypted": True}, {"storage_encrypted": reads("var.enc")})
    )
    assert the(stack, DB).attributes["storage_encrypted"] == Unknown("(known after apply)")


def test_what_a_resource_attribute_gives_names_its_source(read):
    stack = read(database({}, {"kms_key_id": True}, {"kms_key_id": reads("aws_kms_key.k.arn", "aws_kms_key.k")}))
    ref = Ref(KEY, None, "arn")
    assert the(stack, DB).attributes["kms_key_id"] == Unknown(
        "(known after apply, from aws_kms_key.k.arn)", refs=(ref,), present=True
    )
    assert the(stack, DB).references == ((("kms_key_id",), ref),)


def test_what_nobody_set_is_left_to_the_policys_default(read):
    unknown = {"multi_az": True, "id": True, "arn": True, "tags_all": {}}
    stack = read(
        database({"engine": "postgres", "logging": [], "labels": {}}, unknown, {"engine": constant("postgres")})
    )
    there = Unknown("(known after apply)", present=True)
    assert the(stack, DB).attributes == {"engine": "postgres", "id": there, "arn": there}


def test_a_written_null_sets_nothing(read):
    unknown = {"storage_encrypted": True, "logging": [{"prefix": True}]}
    expressions = {
        "storage_encrypted": constant(None),
        "logging": [{"bucket": constant("b"), "prefix": constant(None)}],
    }
    stack = read(database({"logging": [{"bucket": "b"}]}, unknown, expressions))
    assert the(stack, DB).attributes == {"logging": [{"bucket": "b"}]}


@pytest.mark.parametrize(
    ("attribute", "surely"),
    [
        ("id", True),
        ("name", True),
        ("target_group_arn", True),
        ("kms_key_arn", False),
        ("role_arn", False),
        ("policy", False),
    ],
)
def test_what_every_resource_has_is_surely_set(read, attribute, surely):
    stack = read(database({}, {"a": True}, {"a": reads(f"aws_kms_key.k.{attribute}", "aws_kms_key.k")}))
    assert the(stack, DB).attributes["a"].present is surely


def test_an_empty_list_that_was_written_stays(read):
    stack = read(database({"logs": []}, {}, {"logs": constant([])}))
    assert the(stack, DB).attributes == {"logs": []}


def test_unknown_parts_of_blocks_stand_where_they_are(read):
    values = {"root_block_device": [{"encrypted": True, "tags": None}]}
    unknown = {"root_block_device": [{"kms_key_id": True, "volume_id": True}]}
    expressions = {"root_block_device": [{"encrypted": constant(True), "kms_key_id": reads("aws_kms_key.k.arn", KEY)}]}
    resource = the(read(database(values, unknown, expressions)), DB)
    (block,) = resource.attributes["root_block_device"]
    assert set(block) == {"encrypted", "kms_key_id"}
    assert block["kms_key_id"].refs == (Ref(KEY, None, "arn"),)
    assert [path for path, _ref in resource.references] == [("root_block_device", 0, "kms_key_id")]


def test_blocks_of_a_set_are_matched_by_what_they_say(read):
    values = {"rule": [{"port": 22}, {"port": 443}]}
    unknown = {"rule": [{"source": True}, {"source": True}]}
    expressions = {
        "rule": [{"port": constant(443)}, {"port": constant("22"), "source": reads("aws_kms_key.k.id", KEY)}]
    }
    first, second = the(read(database(values, unknown, expressions)), DB).attributes["rule"]
    assert first["source"].refs == (Ref(KEY, None, "id"),)
    assert second == {"port": 443}


def test_blocks_that_cannot_be_told_apart_share_what_is_set(read):
    values = {"rule": [{}, {}]}
    unknown = {"rule": [{"a": True, "b": True, "c": True}, {"a": True, "b": True, "c": True}]}
    expressions = {"rule": [{"a": reads("aws_kms_key.k.id", KEY)}, {"b": reads("var.x")}]}
    for block in the(read(database(values, unknown, expressions)), DB).attributes["rule"]:
        assert set(block) == {"a", "b"}


def test_dynamic_blocks_do_not_show_what_is_set_so_all_of_it_is_unknown(read):
    values = {"ingress": [{"description": "", "self": False}]}
    unknown = {"ingress": [{"cidr_blocks": True, "from_port": True}]}
    (block,) = the(read(database(values, unknown, {})), DB).attributes["ingress"]
    unknown_value = Unknown("(known after apply)")
    assert block == {"description": "", "self": False, "cidr_blocks": unknown_value, "from_port": unknown_value}


def test_unknown_elements_of_a_list_keep_their_place(read):
    stack = read(database({"ids": ["a", None, None]}, {"ids": [False, True, False]}, {"ids": reads("var.x")}))
    assert the(stack, DB).attributes["ids"] == ["a", Unknown("(known after apply)")]


def test_unknown_elements_that_a_set_leaves_out_are_there(read):
    stack = read(database({"ids": ["a"]}, {"ids": [True, False]}, {"ids": reads("aws_kms_key.k.id", KEY)}))
    known, unknown = the(stack, DB).attributes["ids"]
    assert (known, unknown.refs) == ("a", (Ref(KEY, None, "id"),))


def test_elements_that_cannot_be_matched_make_the_list_unknown(read):
    stack = read(database({"b": [{"x": 1}]}, {"b": [{"y": True}, {"y": True}, {}]}, {"b": reads("var.x")}))
    assert the(stack, DB).attributes["b"] == Unknown("(known after apply)")


def test_a_list_known_only_after_apply_is_unknown(read):
    stack = read(database({}, {"ids": True}, {"ids": reads("var.x")}))
    assert the(stack, DB).attributes["ids"] == Unknown("(known after apply)")


def test_a_resource_of_which_nothing_is_known_has_no_values(read):
    plan = database({}, {"bucket": True, "id": True}, {"bucket": reads("var.x")})
    del plan["planned_values"]["root_module"]["resources"][0]["values"]
    assert set(the(read(plan), DB).attributes) == {"bucket", "id"}


def test_all_is_unknown_where_the_plan_says_so(read):
    stack = read(database({"engine": "postgres"}, True, {"engine": constant("postgres"), "enc": reads("var.x")}))
    assert all(isinstance(value, Unknown) for value in the(stack, DB).attributes.values())
    assert set(the(stack, DB).attributes) == {"engine", "enc"}


def test_without_word_on_what_is_unknown_missing_values_are(read):
    plan = database({"engine": "postgres", "domain": None}, {}, {"domain": reads("var.d"), "enc": reads("var.x")})
    plan["resource_changes"] = []
    stack = read(plan)
    assert the(stack, DB).attributes == {"engine": "postgres", "enc": Unknown("(known after apply)")}
    assert any(DB in error.message for error in stack.errors)


def test_without_configuration_unknown_values_stay_unknown(read):
    plan = database({"engine": "postgres"}, {"multi_az": True}, {})
    del plan["configuration"]
    assert the(read(plan), DB).attributes["multi_az"] == Unknown("(known after apply)")


def test_a_deposed_object_does_not_speak_for_the_current_one(read):
    plan = database({"engine": "postgres"}, {}, {"engine": reads("var.x")})
    plan["resource_changes"].append(change(DB, {"engine": True}, deposed="abcd1234"))
    assert the(read(plan), DB).attributes["engine"] == "postgres"


def test_deleted_resources_are_not_there(read):
    plan = database({}, {}, {})
    gone = change("aws_db_instance.gone", {})
    gone["change"]["actions"] = ["delete"]
    plan["resource_changes"].append(gone)
    assert addresses(read(plan)) == [DB, KEY]


# ------------------------------------------------------------------ addresses, modules, references


def module_plan() -> Json:
    """A for_each module whose database takes a key from the root, and whose output the root uses."""
    key, use = KEY, "aws_ssm_parameter.use"
    plan = whole(
        [planned(key, {}), planned(use, {"name": "x"})],
        [change(key, {"arn": True}), change(use, {"value": True})],
        [
            configured(key),
            configured(
                use, {"name": constant("x"), "value": reads('module.db["x.y"].arn', 'module.db["x.y"]', "module.db")}
            ),
        ],
        module_calls={
            "db": {
                "source": "./modules/db",
                "expressions": {"kms": reads("aws_kms_key.k.arn", "aws_kms_key.k"), "enc": reads("each.value")},
                "for_each_expression": constant({"x.y": True, "z": False}),
                "module": {
                    "outputs": {"arn": {"expression": reads("aws_db_instance.db.arn", "aws_db_instance.db")}},
                    "resources": [
                        configured(DB, {"kms_key_id": reads("var.kms"), "storage_encrypted": reads("var.enc")})
                    ],
                    "variables": {"kms": {}, "enc": {}},
                },
            }
        },
    )
    children = []
    for name, encrypted in (("x.y", True), ("z", False)):
        address = f'module.db["{name}"].{DB}'
        children.append(
            {"resources": [planned(address, {"storage_encrypted": encrypted})], "address": f'module.db["{name}"]'}
        )
        plan["resource_changes"].append(change(address, {"kms_key_id": True, "arn": True}))
    plan["planned_values"]["root_module"]["child_modules"] = children
    return plan


def test_resources_of_modules_have_their_module_and_base(read):
    resource = the(read(module_plan()), f'module.db["z"].{DB}')
    assert (resource.module, resource.base, resource.key) == ('module.db["z"]', f'module.db["z"].{DB}', None)
    assert (resource.type, resource.name) == ("aws_db_instance", "db")
    assert resource.attributes["storage_encrypted"] is False


def test_references_lead_through_module_inputs(read):
    resource = the(read(module_plan()), f'module.db["z"].{DB}')
    assert resource.references == ((("kms_key_id",), Ref(KEY, None, "arn")),)


def test_references_lead_through_module_outputs(read):
    resource = the(read(module_plan()), "aws_ssm_parameter.use")
    assert resource.references == ((("value",), Ref(f'module.db["x.y"].{DB}', None, "arn")),)
    assert resource.attributes["value"].present


def test_a_module_address_that_is_none_has_no_configuration(read):
    plan = database({}, {}, {"kms_key_id": reads("aws_kms_key.k.arn", KEY)})
    child = {"address": "not a module", "resources": [planned(f"not a module.{DB}", {"kms_key_id": "k"})]}
    plan["planned_values"]["root_module"]["child_modules"] = [child]
    assert the(read(plan), f"not a module.{DB}").references == ()


def test_an_output_of_all_instances_of_a_module_leads_nowhere(read):
    plan = module_plan()
    plan["configuration"]["root_module"]["resources"][1]["expressions"]["value"] = reads("module.db")
    assert the(read(plan), "aws_ssm_parameter.use").references == ()


def test_a_module_that_calls_itself_in_a_broken_plan_ends(read):
    plan = module_plan()
    call = plan["configuration"]["root_module"]["module_calls"]["db"]
    call["expressions"]["kms"] = reads('module.db["z"].arn')
    call["module"]["outputs"]["arn"]["expression"] = reads("var.kms")
    assert the(read(plan), f'module.db["z"].{DB}').references == ()


def instances(source: str, sink_expression: Json, keys: tuple[Any, ...], **sink_block: Any) -> Json:
    """A bucket and a versioning resource of which each has one instance a key."""
    bucket, sink = "aws_s3_bucket.b", "aws_s3_bucket_versioning.v"
    resources, changes = [], []
    for base in (bucket, sink):
        for key in keys:
            address = f"{base}[{json.dumps(key)}]"
            resources.append(planned(address, {}, index=key))
            changes.append(change(address, {"bucket": True}))
    return whole(resources, changes, [configured(bucket), configured(sink, {"bucket": sink_expression}, **sink_block)])


@pytest.mark.parametrize(
    ("expression", "keys", "block", "expected"),
    [
        (
            reads("aws_s3_bucket.b[0].id", "aws_s3_bucket.b[0]", "aws_s3_bucket.b"),
            (0, 1),
            {},
            Ref("aws_s3_bucket.b", 0, "id"),
        ),
        (reads("aws_s3_bucket.b", "count.index"), (0, 1), {}, Ref("aws_s3_bucket.b", 1)),
        (reads("aws_s3_bucket.b", "each.key"), ("x", "y"), {}, Ref("aws_s3_bucket.b", "y")),
        (
            reads("each.value.id", "each.value"),
            ("x", "y"),
            {"for_each_expression": reads("aws_s3_bucket.b")},
            Ref("aws_s3_bucket.b", "y", "id"),
        ),
        (reads("aws_s3_bucket.b"), (0, 1), {}, Ref("aws_s3_bucket.b")),
        (reads('aws_s3_bucket.b["a.b"].id'), ("a.b", "y"), {}, Ref("aws_s3_bucket.b", "a.b", "id")),
    ],
    ids=["literal", "own index", "own key", "chained for_each", "any", "key with a dot"],
)
def test_references_to_instances(read, expression, keys, block, expected):
    plan = instances("aws_s3_bucket.b", expression, keys, **block)
    resource = the(read(plan), f"aws_s3_bucket_versioning.v[{json.dumps(keys[-1])}]")
    assert resource.key == keys[-1]
    assert resource.references == ((("bucket",), expected),)


def test_an_own_key_may_be_one_of_more(read):
    plan = instances("aws_s3_bucket.b", reads("aws_s3_bucket.b", "each.key"), ("x", "y"))
    resources, changes = plan["planned_values"]["root_module"]["resources"], plan["resource_changes"]
    resources.pop(2)
    changes.pop(2)
    resource = the(read(plan), 'aws_s3_bucket_versioning.v["y"]')
    assert resource.references == ((("bucket",), Ref("aws_s3_bucket.b", "y")),)


def test_an_own_index_into_other_instances_names_none(read):
    plan = instances("aws_s3_bucket.b", reads("aws_s3_bucket.b", "count.index"), (0, 1))
    plan["planned_values"]["root_module"]["resources"].pop(0)
    resource = the(read(plan), "aws_s3_bucket_versioning.v[1]")
    assert resource.references == ((("bucket",), Ref("aws_s3_bucket.b")),)


@pytest.mark.parametrize(
    "name", ["var.x", "local.x", "path.module", "terraform.workspace", "each.value", "count.index", "self.id"]
)
def test_names_that_are_no_resources_lead_nowhere(read, name):
    resource = the(read(database({}, {"a": True}, {"a": reads(name)})), DB)
    assert resource.references == ()
    assert resource.attributes["a"] == Unknown("(known after apply)")


def test_a_known_value_keeps_its_references(read):
    stack = read(database({"kms_key_id": "arn:aws:kms:..."}, {}, {"kms_key_id": reads("aws_kms_key.k.arn", KEY)}))
    assert the(stack, DB).references == ((("kms_key_id",), Ref(KEY, None, "arn")),)


def test_a_value_that_came_out_as_null_mentions_nothing(read):
    stack = read(database({"kms_key_id": None}, {}, {"kms_key_id": reads("aws_kms_key.k.arn", KEY)}))
    assert the(stack, DB).references == ()


@pytest.mark.parametrize(
    ("planned_text", "kept"),
    [
        ("Main_Key", [KEY, "aws_kms_key.other"]),
        ("alias/main-key/1", [KEY]),
        ("main", [KEY]),
        ("maintenance", []),
        ("", [KEY, "aws_kms_key.other"]),
    ],
    ids=["case and separators changed", "within more text", "cut short", "neither", "nothing planned"],
)
def test_a_planned_text_tells_which_of_several_references_it_cannot_come_from(read, planned_text, kept):
    other = "aws_kms_key.other"
    expressions = {"kms_key_id": reads(f"{KEY}.description", KEY, f"{other}.description", other)}
    plan = database({"kms_key_id": planned_text}, {}, expressions)
    for address, description in ((KEY, "main-key"), (other, "main--Key" if planned_text == "Main_Key" else "second")):
        plan["planned_values"]["root_module"]["resources"].append(planned(address, {"description": description}))
    del plan["planned_values"]["root_module"]["resources"][1]
    assert [ref.target for _, ref in the(read(plan), DB).references] == kept


def test_moved_resources_remember_their_former_base(read):
    plan = database({}, {}, {})
    plan["resource_changes"][0]["previous_address"] = 'module.old["a"].aws_db_instance.old[0]'
    plan["resource_changes"][1]["previous_address"] = "aws_kms_key.k[0]"
    stack = read(plan)
    assert the(stack, DB).former_bases == ('module.old["a"].aws_db_instance.old',)
    assert the(stack, KEY).former_bases == ()


# ------------------------------------------------------------------ data sources and policy documents

DOCUMENT = "data.aws_iam_policy_document.p"


def test_data_sources_that_were_read_come_from_the_prior_state(read):
    plan = whole([], [], [configured(DOCUMENT, {}, mode="data")])
    resources = [planned(DOCUMENT, {"json": "{}", "sid": None}, mode="data"), planned(KEY, {})]
    plan["prior_state"] = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
    stack = read(plan)
    assert addresses(stack) == [DOCUMENT]
    assert (the(stack, DOCUMENT).type, the(stack, DOCUMENT).base) == ("data.aws_iam_policy_document", DOCUMENT)
    assert the(stack, DOCUMENT).attributes == {"json": "{}"}


def document_plan(policy: Json, *, data_values: Json | None = None, data_unknown: Json | None = None) -> Json:
    """A bucket policy that uses a document which is read during apply, because one ARN is unknown."""
    statement = {
        "actions": ["s3:GetObject"],
        "principals": [{"identifiers": ["*"], "type": "AWS"}],
        "resources": [None],
    }
    unknown = {"actions": [False], "principals": [{"identifiers": [False]}], "resources": [True]}
    expressions = {
        "statement": [
            {
                "actions": constant(["s3:GetObject"]),
                "principals": [{"identifiers": constant(["*"]), "type": constant("AWS")}],
                "resources": reads("aws_s3_bucket.b.arn", "aws_s3_bucket.b"),
            }
        ]
    }
    return whole(
        [
            planned("aws_s3_bucket.b", {}),
            planned("aws_s3_bucket_policy.p", None),
            planned(DOCUMENT, {"statement": [statement], "version": None, **(data_values or {})}, mode="data"),
        ],
        [
            change("aws_s3_bucket.b", {"arn": True, "id": True}),
            change("aws_s3_bucket_policy.p", {"policy": True}),
            change(DOCUMENT, {"id": True, "json": True, "statement": [unknown], **(data_unknown or {})}),
        ],
        [
            configured("aws_s3_bucket.b"),
            configured("aws_s3_bucket_policy.p", {"policy": policy}),
            configured(DOCUMENT, expressions, mode="data"),
        ],
    )


WHOLE_DOCUMENT = reads(f"{DOCUMENT}.json", DOCUMENT)


def test_a_document_read_during_apply_is_known_but_for_its_unknown_parts(read):
    policy = the(read(document_plan(WHOLE_DOCUMENT)), "aws_s3_bucket_policy.p").attributes["policy"]
    assert isinstance(policy, Encoded)
    (statement,) = policy.value["Statement"]
    (resource,) = statement.pop("Resource")
    assert statement == {"Effect": "Allow", "Action": ["s3:GetObject"], "Principal": {"AWS": ["*"]}}
    assert resource.refs == (Ref("aws_s3_bucket.b", None, "arn"),)
    assert policy.value["Version"] == "2012-10-17"


@pytest.mark.parametrize(
    "policy",
    [reads(f"{DOCUMENT}.json", DOCUMENT, "var.more"), reads(f"{DOCUMENT}.id", DOCUMENT), reads(DOCUMENT)],
    ids=["mixed with more", "another attribute", "as a whole object"],
)
def test_other_uses_of_a_document_stay_unknown(read, policy):
    assert isinstance(the(read(document_plan(policy)), "aws_s3_bucket_policy.p").attributes["policy"], Unknown)


def test_a_document_with_overrides_stays_unknown(read):
    plan = document_plan(WHOLE_DOCUMENT, data_values={"override_policy_documents": ["{}"]})
    assert isinstance(the(read(plan), "aws_s3_bucket_policy.p").attributes["policy"], Unknown)


def test_a_document_is_built_upon_its_sources(read):
    source = json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    plan = document_plan(WHOLE_DOCUMENT, data_values={"source_policy_documents": [source, "no json"]})
    policy = the(read(plan), "aws_s3_bucket_policy.p").attributes["policy"]
    assert [type(item).__name__ for item in policy.value["Statement"]] == ["dict", "Repeated", "dict"]
    assert policy.value["Statement"][0]["Effect"] == "Deny"


# ------------------------------------------------------------------ tags, providers, Region


def test_tags_are_those_of_the_provider_and_the_resource(read):
    tags = {"tags": {"Name": "a"}, "tags_all": {"Name": "a", "Owner": "team"}}
    assert the(read(database(tags, {}, {"tags": constant({"Name": "a"})})), DB).tags == tags["tags_all"]


def test_unknown_tags_all_are_made_up_of_what_is_known(read):
    plan = database(
        {"tags": {"Name": "a"}}, {"tags": {"Run": True}, "tags_all": True}, {"tags": reads("aws_kms_key.k.id", KEY)}
    )
    plan["configuration"]["provider_config"]["aws"]["expressions"]["default_tags"] = [
        {"tags": constant({"Owner": "team"})}
    ]
    tags = the(read(plan), DB).tags
    assert (tags["Name"], tags["Owner"]) == ("a", "team")
    assert isinstance(tags["Run"], Unknown)


def test_tags_with_unknown_default_tags_are_unknown(read):
    plan = database({}, {"tags_all": True}, {})
    plan["configuration"]["provider_config"]["aws"]["expressions"]["default_tags"] = [{"tags": reads("var.tags")}]
    assert the(read(plan), DB).tags == Unknown("var.tags")


def test_providers_are_resources(read):
    plan = whole([], [], [])
    plan["configuration"]["provider_config"]["aws.us"] = {
        "name": "aws",
        "alias": "us",
        "expressions": {"region": constant("us-east-1"), "default_tags": [{"tags": constant({"Owner": "team"})}]},
    }
    stack = read(plan)
    provider = the(stack, "provider.aws.us")
    assert (provider.type, provider.base) == ("provider.aws", "provider.aws.us")
    assert provider.attributes == {"region": "us-east-1", "default_tags": [{"tags": {"Owner": "team"}}]}
    assert the(stack, "provider.aws").attributes == {"region": "eu-central-1"}


@pytest.mark.parametrize(
    ("expressions", "region"),
    [
        ({"region": constant("eu-central-1")}, "eu-central-1"),
        ({"region": reads("var.region")}, "eu-west-1"),
        ({"region": reads("var.prefix")}, Unknown("var.prefix")),
        ({"region": reads("var.region", "var.zone")}, Unknown("var.region")),
        ({"region": reads("local.region")}, Unknown("local.region")),
        ({}, Unknown("region")),
    ],
    ids=["constant", "variable", "variable that is no Region", "made of two", "local", "from the environment"],
)
def test_the_region_is_the_default_providers(read, expressions, region):
    plan = whole([], [], [])
    plan["variables"]["prefix"] = {"value": "eu"}
    plan["configuration"]["provider_config"]["aws"]["expressions"] = expressions
    assert read(plan).region == region


@pytest.mark.parametrize(
    ("provider", "values", "region"),
    [
        ("aws", {}, "eu-central-1"),
        ("aws.us", {}, "us-east-1"),
        ("module.db:aws", {}, Unknown("region")),
        ("aws.us", {"region": "eu-west-1"}, "eu-west-1"),
        (None, {}, None),
    ],
)
def test_a_resource_is_in_the_region_of_its_provider_or_of_its_own(read, provider, values, region):
    plan = database(values, {}, {})
    us_east = {"name": "aws", "alias": "us", "expressions": {"region": constant("us-east-1")}}
    plan["configuration"]["provider_config"]["aws.us"] = us_east
    plan["configuration"]["root_module"]["resources"][0]["provider_config_key"] = provider
    assert the(read(plan), DB).region == region


# ------------------------------------------------------------------ lines


def test_lines_are_those_of_the_plan_file(read):
    stack = read(database({"engine": "postgres", "rule": [{"port": 22}, {"port": 80}]}, {}, {"rule": reads("var.x")}))
    text = Path("plan.json").read_text().splitlines()
    resource = the(stack, DB)
    assert text[resource.block.start_line - 1].strip() == "{"
    assert text[resource.block.start_line].strip() == f'"address": "{DB}",'
    assert text[resource.block.end_line - 1].strip() == "},"
    assert text[resource.place(("engine",)).start_line - 1].strip() == '"engine": "postgres",'
    assert text[resource.place(("rule", 1, "port")).start_line - 1].strip() == '"port": 80'
    rule = resource.place(("rule",))
    assert text[rule.start_line - 1].strip() == '"rule": ['
    assert text[rule.end_line - 1].strip() == "]"
    assert resource.place(("absent",)).start_line == resource.block.start_line


def test_lines_follow_elements_after_a_null(read):
    stack = read(database({"ids": [None, "a", None, "b"]}, {}, {"ids": reads("var.x")}))
    text = Path("plan.json").read_text().splitlines()
    resource = the(stack, DB)
    assert resource.attributes["ids"] == ["a", "b"]
    assert [text[resource.place(("ids", at)).start_line - 1].strip(' ,"') for at in (0, 1)] == ["a", "b"]


def test_lines_of_providers_are_those_of_their_expressions(read):
    stack = read(whole([], [], []))
    line = the(stack, "provider.aws").place(("region",)).start_line
    assert Path("plan.json").read_text().splitlines()[line - 1].strip() == '"region": {'


def test_a_plan_on_one_line_is_all_line_one(read):
    plan = database({"engine": 'a\nb " {'}, {}, {"engine": constant("x")})
    resource = the(read(plan, indent=None), DB)
    assert (resource.place(("engine",)).start_line, resource.block.end_line) == (1, 1)


def test_brackets_and_quotes_in_texts_are_only_text(read):
    values = {"a": '{"x": [', 'b"}': "]", "c": "\\", "d": {"e": "\u2028é"}}
    stack = read(database(values, {}, {name: reads("var.x") for name in values}))
    resource = the(stack, DB)
    assert {name: resource.attributes[name] for name in values} == values
    assert resource.place(("d", "e")).start_line == resource.place(("c",)).start_line + 2


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{", "line 1, column 2"),
        ('{"a": 1,}', "not valid JSON"),
        ('{"a" 1}', "':' delimiter"),
        ('{"a": 1 "b": 2}', "',' delimiter"),
        ('{"a": NaN}', "NaN"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"planned_values": {}} x', "Extra data"),
        ('{"planned_values": {"root_module": {"resources": [{}', "not valid JSON"),
        (b'{"a": "\xe9"}', "not valid UTF-8 at line 1"),
        ("{}", "planned_values is missing"),
        ('{"planned_values": []}', "planned_values is a list"),
        ('{"planned_values": {"root_module": null}}', "root_module is missing or null"),
        ('{"planned_values": {"root_module": 5}}', "root_module is a number"),
        ('{"planned_values": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
        ('{"planned_values": ' + "[" * 200_000, "not valid JSON"),
        ('{"planned_values": ' + "[" * 200_000 + "}" * 200_000 + "}", "not valid JSON"),
    ],
)
def test_what_is_no_plan_is_an_input_error(read, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read(text)
    assert (caught.value.path, caught.value.kind) == ("plan.json", "parse")


def test_a_cut_plan_is_an_input_error_with_its_line(read):
    text = json.dumps(database({}, {}, {}), indent=1)
    with pytest.raises(InputError) as caught:
        read(text[: len(text) // 2])
    assert caught.value.line is not None
    assert caught.value.line > 10


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"  \r\n"])
def test_marks_and_spaces_before_the_plan_are_passed_over(read, start):
    assert addresses(read(start + json.dumps(database({}, {}, {})).encode())) == [DB, KEY]


def test_utf16_is_read(read):
    assert addresses(read(json.dumps(database({}, {}, {})).encode("utf-16"))) == [DB, KEY]


def root_resources(plan: Json) -> list[Any]:
    return plan["planned_values"]["root_module"]["resources"]


def break_address(plan: Json) -> None:
    root_resources(plan).append({**root_resources(plan)[0], "address": 5})


def break_type(plan: Json) -> None:
    root_resources(plan).append({**root_resources(plan)[0], "address": "odd", "type": ["x"]})


def break_values(plan: Json) -> None:
    root_resources(plan).append({**root_resources(plan)[0], "address": "odd", "values": "secret-text"})


def mix_resources(plan: Json) -> None:
    root_resources(plan).append(None)


def break_children(plan: Json) -> None:
    plan["planned_values"]["root_module"]["child_modules"] = {"address": "module.a"}


def break_child(plan: Json) -> None:
    plan["planned_values"]["root_module"]["child_modules"] = [{"resources": []}]


def break_changes(plan: Json) -> None:
    plan["resource_changes"] = "x"


def break_unknown(plan: Json) -> None:
    plan["resource_changes"][0]["change"]["after_unknown"] = "x"


def break_configuration(plan: Json) -> None:
    plan["configuration"] = []


def break_providers(plan: Json) -> None:
    plan["configuration"]["provider_config"] = {"aws": []}


def break_version(plan: Json) -> None:
    plan["format_version"] = "99.0"


def end_in_error(plan: Json) -> None:
    plan["errored"] = True


def defer(plan: Json) -> None:
    plan["deferred_changes"] = [{"reason": "provider_config_unknown"}]


@pytest.mark.parametrize(
    "spoil",
    [
        break_address,
        break_type,
        break_values,
        mix_resources,
        break_children,
        break_child,
        break_changes,
        break_unknown,
        break_configuration,
        break_providers,
        break_version,
        end_in_error,
        defer,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_a_part_without_shape_is_reported_and_the_rest_comes_out(read, spoil):
    plan = copy.deepcopy(database({"storage_encrypted": False}, {}, {"storage_encrypted": constant(False)}))
    spoil(plan)
    stack = read(plan)
    assert the(stack, DB).attributes == {"storage_encrypted": False}
    assert stack.errors
    for error in stack.errors:
        assert (error.path, error.engine) == ("plan.json", "plan")
        assert error.kind in ("parse", "unsupported")
        assert "secret-text" not in error.message


def test_a_resource_that_is_nested_too_deeply_costs_only_itself(read):
    plan = json.dumps(database({"engine": "postgres"}, {}, {"engine": constant("postgres")}))
    deep = (
        '{"address": "aws_x.deep", "type": "aws_x", "name": "deep", "values": {"a": '
        + "[" * 100_000
        + "]" * 100_000
        + "}}, "
    )
    stack = read(plan.replace('"resources": [', '"resources": [' + deep, 1))
    assert addresses(stack) == [DB, KEY]
    assert ["nested too deeply" in error.message for error in stack.errors] == [True]


def test_deeply_nested_modules_are_read(read):
    plan = database({}, {}, {})
    module = plan["planned_values"]["root_module"]
    text = json.dumps(plan)
    opening = "".join(f'{{"address": "{".".join(["module.m"] * depth)}", "child_modules": [' for depth in range(1, 400))
    chain = '"child_modules": [' + opening + "]}" * 399 + "], "
    assert module["resources"]
    stack = read(text.replace('"root_module": {', '"root_module": {' + chain, 1))
    assert addresses(stack) == [DB, KEY]
    assert stack.errors == []


def test_an_address_that_stands_twice_keeps_the_first_resource_and_tells_of_the_second(read):
    odd = planned("aws_db_instance.odd", {"storage_encrypted": False})
    twin = {**odd, "type": "x"}
    stack = read(whole([odd, twin], [change("aws_db_instance.odd", {"id": True})], [configured("aws_db_instance.odd")]))
    assert [resource.type for resource in stack.resources if resource.address == "aws_db_instance.odd"] == [
        "aws_db_instance"
    ]
    assert ["stands twice" in error.message for error in stack.errors] == [True]
