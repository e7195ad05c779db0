"""Native doors: the same judgement inside Checkov and inside cfn-lint."""
