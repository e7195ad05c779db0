"""Settings that a template completes."""

from __future__ import annotations

from typing import Final

from srm_checks.catalogue.neighbours import Identities, named
from srm_checks.catalogue.related.reading import attribute_of
from srm_checks.catalogue.scene import Scene
from srm_checks.model import Resource

_CONFIGURATIONS: Final[Identities] = {
    "aws_elastic_beanstalk_configuration_template": ("name",),
    "AWS::ElasticBeanstalk::ConfigurationTemplate": ("TemplateName",),
}


def settings_template(scene: Scene) -> tuple[Resource | None, str]:
    """The template whose settings count where the resource has none of its own; else a sentence where one is named
    that is not in view.
    """
    attribute = attribute_of(scene.resource, "template_name", "TemplateName")
    templates = named(scene.resource, scene.context, attribute, _CONFIGURATIONS)
    if templates.found:
        return templates.found[0], ""
    return None, templates.missing[0] if templates.missing else ""
