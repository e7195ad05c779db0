"""The module that `cfn-lint -a srm_checks.cfn_lint_rules` names: the rule classes, nothing else.

They are made from the policies of the configured packs when the module is imported.
"""

from srm_checks.plugins import cfn_lint as _plugin

globals().update(_plugin.rule_classes())
