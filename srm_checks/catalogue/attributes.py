"""Which attribute names a resource type has, so that a policy about a misspelt one is refused when it is loaded."""

from __future__ import annotations

import functools

from srm_checks.catalogue import tables


@functools.cache
def known(type_name: str) -> frozenset[str] | None:
    """The names of a type's attributes and blocks (Terraform) or properties (CloudFormation), on all levels in one set.

    Names that a former major version of the provider had are among them. None where the catalogue has no list for the
    type; then nothing can be said of a name. A data source has no list of its own. That a name is in the set does not
    show where in the type it may stand.
    """
    names = current(type_name)
    if names is None or "::" in type_name:
        return names
    former = tables.index("terraform_attributes_former").get(type_name)
    return names if former is None else names.union(former.split("\t")[2].split())


@functools.cache
def current(type_name: str) -> frozenset[str] | None:
    """The names as `known` gives them, without those that only former versions of the provider had."""
    table = "cloudformation_properties" if "::" in type_name else "terraform_attributes"
    line = tables.index(table).get(type_name)
    return None if line is None else frozenset(line.split("\t")[1].split())
