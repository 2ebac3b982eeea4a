"""Sentences for people: warnings that are gathered for the report, and lists of names that fit into a sentence."""

import logging

import pandas as pd

from wakawaka.core.files import write_table

log = logging.getLogger(__name__)


class Warnings(list):
    """Sentences about what was odd but not refused; each is logged when it is added."""

    def add(self, sentence):
        log.warning(sentence)
        self.append(sentence)


def write_warnings(sentences, path):
    """Write sentences as a table, one that says so where there are none: the report shows it as it is."""
    write_table(pd.DataFrame({"warning": sentences or ["Nothing odd was met."]}), path)


def some(names, most=5):
    """Name up to `most` of several things in a sentence."""
    names = list(names)
    return ", ".join(str(name) for name in names[:most]) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )
