"""The checked configuration, and what a run consists of."""
