"""The folder for `checkov --external-checks-dir`; Checkov imports the modules in it."""
