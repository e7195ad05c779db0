"""What is made of a finding after it was found: new, or silenced by somebody, and on whose word."""
