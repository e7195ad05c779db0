"""Other engines: reading the reports of Checkov and cfn-lint, running their own checks, annotating both."""
