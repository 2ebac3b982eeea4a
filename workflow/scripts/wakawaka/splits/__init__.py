"""The test set, the folds, and the audit of what they share."""
