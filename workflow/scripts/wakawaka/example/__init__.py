"""The built-in example: simulated raw files, and the check of the scores against their truth."""
