"""Registers the policies with Checkov; imported by Checkov under its bare file name."""

from srm_checks.plugins.checkov_graph import register

register()
