"""The store: all sources joined by gene and cell, and the targets made of its expression."""
