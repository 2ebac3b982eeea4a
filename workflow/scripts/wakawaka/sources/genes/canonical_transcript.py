"""The transcript that stands for its gene, and so the gene's transcription start site (TSS)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from wakawaka.sources.genes.gtf_records import Feature, GeneKey, Records, Transcript, TranscriptKey, check_same_place

# Tags of a gene's canonical transcript, the best first: those of GENCODE and Ensembl, then those of NCBI.
CANONICAL_TAGS = (
    ["MANE_Select", "Ensembl_canonical", "appris_principal"]
    + [f"appris_principal_{number}" for number in range(1, 6)]
    + ["MANE Select", "RefSeq Select"]
)
_RANK = {tag: rank for rank, tag in enumerate(CANONICAL_TAGS)}
UNRANKED = len(CANONICAL_TAGS)


def tag_rank(tags: Iterable[str]) -> int:
    """Return the place in `CANONICAL_TAGS` of the best of a transcript's tags, `UNRANKED` if none is there."""
    return min(_RANK.get(tag.strip(), UNRANKED) for tag in tags)


class Candidate(NamedTuple):
    """A transcript with the values that it is chosen by: its tags' rank, minus its length in bp, and its TSS."""

    rank: int
    shortness: int
    upstream: int
    feature: Feature


def transcripts_by_gene(records: Records) -> dict[GeneKey, list[Candidate]]:
    """Return a dict from a gene's key to the list of its transcripts; genes without any have no entry.

    Raises:
        InputError: if a transcript is not on the chromosome and strand of its gene.
    """
    lengths, spans = _exons(records)
    transcripts = dict(records.transcripts)
    for key, feature in spans.items():
        # In a GTF without lines of transcripts. Where there is one, its place is used: some transcripts are spliced from both strands.
        if key not in transcripts and isinstance(key, tuple):
            check_same_place(records.path, f"transcript {key[1]}", records.scattered.get(key, feature), feature)
            transcripts[key] = Transcript(feature, [key[0]], UNRANKED)
    found: dict[GeneKey, list[Candidate]] = {}
    for key, (feature, parents, rank) in transcripts.items():
        one = Candidate(rank, -lengths.get(key, feature.end - feature.start + 1), feature.upstream, feature)
        for parent in parents:
            gene = records.parents.get(parent) if isinstance(parent, str) else parent
            if gene in records.genes:
                others = found.setdefault(gene, [])
                check_same_place(
                    records.path, f"gene {gene[0]}", feature, records.genes[gene] or (others or [one])[0].feature
                )
                others.append(one)
    return found


def _exons(records: Records) -> tuple[dict[TranscriptKey, int], dict[TranscriptKey, Feature]]:
    """Return two dicts by the transcripts' keys: the bp of all exons, and the `Feature` from the first to the last of them."""
    code, start, end = (np.asarray(column, np.int64) for column in records.exons)
    if not len(code):
        return {}, {}
    order = np.lexsort((end, start, code))
    code, start, end = code[order], start[order], end[order]
    fresh = np.ones(len(code), bool)
    # An exon that stands there twice counts once.
    fresh[1:] = (np.diff(code) != 0) | (np.diff(start) != 0) | (np.diff(end) != 0)
    length = np.bincount(code[fresh], (end - start + 1)[fresh]).astype(np.int64).tolist()
    first = np.flatnonzero(np.diff(code, prepend=-1))
    low, high = start[first].tolist(), np.maximum.reduceat(end, first).tolist()
    spans = {
        key: place._replace(start=low[number], end=high[number])
        for number, (key, place) in enumerate(zip(records.codes, records.places, strict=True))
    }
    return dict(zip(records.codes, length, strict=True)), spans


def choose_tss(gene: Feature | None, transcripts: Sequence[Candidate] | None, choice: str) -> int:
    """Return the 0-based TSS of a gene.

    Args:
        gene: the place of the gene's line, None without one. transcripts: those of the gene, None without any.
        choice: `first`, `canonical` or `longest`, as for `read_gtf`.
    """
    if not transcripts:
        assert gene is not None
        return abs(gene.upstream)
    if choice == "first":
        return abs(min(one.upstream for one in transcripts))
    if choice == "longest":
        return abs(min(one[1:3] for one in transcripts)[1])
    return abs(min(one[:3] for one in transcripts)[2])
