"""Write tests/data/terraform_nesting.tsv: which attributes and blocks a Terraform type has, and what stands in which.

usage: pip download --no-deps --dest FOLDER cdktf-cdktf-provider-aws
       python -m tools.terraform_nesting FOLDER/cdktf_cdktf_provider_aws-*.whl [--types-in FILE ...]

The source is the CDK for Terraform bindings of the AWS provider, read as text and never imported. What is written are
the types that our policies name, those already in the data, and those that stand in further files.

A type's shape is one line of names. A name is followed by `*` for a list of plain values, `%` for a map, `?` for
anything at all, `(...)` for a block that stands once and `*(...)` for one that may be repeated.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from srm_checks.policy.packs import library

DATA: Final = Path(__file__).resolve().parent.parent / "tests" / "data" / "terraform_nesting.tsv"
_TYPE: Final = re.compile(r"(?<![\w.])(?:data\.)?aws_[a-z0-9_]+")
_WHEEL: Final = re.compile(r"cdktf_cdktf_provider_aws-([\d.]+)-")
_PROVIDER: Final = re.compile(r"hashicorp/aws provider version ([\d.]+)")
# `:param name: ... #name_in_terraform S3Bucket#name_in_terraform}`
_DOCUMENTED: Final = re.compile(r":param (\w+):[^\n]*?\{@link \S+#(\w+) ")


class Module:
    """The struct classes of one module of the bindings, each with its fields' annotations by Terraform name."""

    def __init__(self, text: str) -> None:
        self.structs: dict[str, dict[str, ast.expr]] = {}
        self.config: dict[str, ast.expr] = {}
        for node in ast.parse(text).body:
            if not isinstance(node, ast.ClassDef):
                continue
            functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            init = next((function for function in functions if function.name == "__init__"), None)
            if init is None:
                continue
            names = dict(_DOCUMENTED.findall(ast.get_docstring(init, clean=False) or ""))
            fields = {
                names[argument.arg]: argument.annotation
                for argument in init.args.kwonlyargs
                if argument.arg in names and argument.annotation is not None
            }
            self.structs[node.name] = fields
            if any("TerraformMetaArguments" in ast.unparse(base) for base in node.bases):
                self.config = fields

    def shape(self, fields: Mapping[str, ast.expr], inside: tuple[str, ...] = ()) -> str:
        """The names of a struct in one line; a struct that contains itself is `?`."""
        return " ".join(f"{name}{self._suffix(fields[name], inside)}" for name in sorted(fields))

    def _suffix(self, annotation: ast.expr, inside: tuple[str, ...]) -> str:
        words = list(_words(annotation))
        struct = next((word for word in words if word in self.structs), None)
        if struct is not None:
            body = "?" if struct in inside else self.shape(self.structs[struct], (*inside, struct))
            return f"{'*' if 'Sequence' in words else ''}({body})"
        if "Mapping" in words:
            return "%"
        if "Sequence" in words:
            return "*"
        return "?" if words in (["Any"], ["Optional", "Any"]) else ""


def _words(annotation: ast.expr) -> Iterator[str]:
    """The names in an annotation, outermost first; forward references are texts."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Attribute):
            if node.attr != "Dict":
                yield node.attr
        elif isinstance(node, ast.Name) and node.id not in ("typing", "builtins", "jsii"):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def shapes(wheel: zipfile.ZipFile, types: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The types that the bindings have, each with its shape."""
    present = set(wheel.namelist())
    for type_name in sorted(types):
        folder = type_name.replace("data.aws_", "data_aws_").removeprefix("aws_")
        path = f"cdktf_cdktf_provider_aws/{folder}/__init__.py"
        if path in present:
            module = Module(wheel.read(path).decode())
            yield type_name, module.shape(module.config)


def types_in(paths: Iterable[Path]) -> set[str]:
    """Every word in files that reads like a type."""
    return {name for path in paths for name in _TYPE.findall(path.read_text(encoding="utf-8"))}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.terraform_nesting")
    parser.add_argument("wheel", type=Path, help="the wheel of cdktf-cdktf-provider-aws")
    parser.add_argument("--types-in", type=Path, nargs="+", default=[], metavar="FILE", help="files that name types")
    options = parser.parse_args(argv)
    version = _WHEEL.match(options.wheel.name)
    if version is None:
        print(f"{options.wheel} is no wheel of cdktf-cdktf-provider-aws", file=sys.stderr)
        return 2
    sources = [*Path(library()).rglob("*.yaml"), *options.types_in, *([DATA] if DATA.is_file() else [])]
    with zipfile.ZipFile(options.wheel) as wheel:
        metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        provider = _PROVIDER.search(wheel.read(metadata).decode())
        newest = max(entry.date_time[:3] for entry in wheel.infolist())
        bindings = f"{version[1]} (provider {provider[1] if provider else 'unknown'})"
        built, today = datetime.date(*newest), datetime.date.today()
        lines = [
            "# What stands in which attribute or block of a Terraform type; how to read it: tools/terraform_nesting.py",
            f"# source: CDK for Terraform AWS bindings {bindings}, built {built}; read {today}",
            "resource_type\tshape",
            *(f"{type_name}\t{shape}" for type_name, shape in shapes(wheel, types_in(sources))),
        ]
    DATA.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
