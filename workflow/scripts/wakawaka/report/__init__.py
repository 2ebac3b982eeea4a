"""The report: verdicts, the summary, the comparison of models, and the provenance of a run."""
