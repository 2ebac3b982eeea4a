"""Records of BAM files, decoded by compiled code (SAM specification, sections 4.2 and 1.4).

The module is longer than others, because a compiled function and all functions that it calls must be in one module; see `numba_jit`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wakawaka.core.numba_jit import numba_jit

# (chrom int32, start int64, end int64, strand int8), each [read].
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

# Reads in a batch.
BATCH = 1_000_000

# Flags of an alignment.
PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED, REVERSE = 0x1, 0x2, 0x4, 0x8, 0x10
READ_1, READ_2 = 0x40, 0x80
SECONDARY, FAILED, DUPLICATE, SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800

# Decompressed bytes decoded at a time: few enough to stay in the processor's cache.
_CHUNK = 1 << 20

# Bits of the CIGAR operations that consume bases of the reference (M, D, N, =, X) and of the read (M, I, S, =, X).
_ON_REFERENCE, _ON_READ = 0b110001101, 0b110010011
_SOFT_CLIP = 4

# Why `_walk` stops: it needs more bytes, more room for reads or more room for mates, or a record is damaged.
_MORE, _FULL, _CROWDED, _DAMAGED = range(4)
# What `_walk` counts: reads in the batch, mates in the table, and the numbers for the warnings.
_READS, _MATES, _ALONE, _PLACELESS, _FIRST, _SECOND = range(6)

# A mate that waits for its partner. Names are compared by 128 bits of hash only: among a hundred million names, two have equal hashes
# by chance once in 10^22 files. `state` is 0 in an empty slot, else the flag and the bits _WAITS and _COUNTS.
_MATE = np.dtype(
    [("high", "u8"), ("low", "u8"), ("end", "i8"), ("start", "i4"), ("chrom", "i4"), ("state", "u4")], align=True
)
_WAITS, _COUNTS = 1 << 16, 1 << 17
# Odd numbers without a pattern, for the hash: the fractions of the golden ratio and of the square roots of 2 and 3.
_HIGH, _LOW, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x6A09E667F3BCC909), np.uint64(0xBB67AE8584CAA73B)


class Records:
    """Reads and fragments of the records of a BAM file, or of a part of it; see `alignment_reads` for what counts.

    Args:
        chrom_count: number of chromosomes in the header. rejected: flags of alignments that do not count. min_mapq: int.
        first, last: the first and last chromosome that the records may have. Records without a chromosome, which come last in a sorted
            file, have the number `chrom_count` here.
    """

    def __init__(self, chrom_count: int, rejected: int, min_mapq: int, first: int = 0, last: int | None = None) -> None:
        last = chrom_count if last is None else last
        self._rules = np.array([chrom_count, rejected, min_mapq, first, last], np.int64)
        self._state = np.zeros(6, np.int64)
        self._mates = np.zeros(1 << 10, _MATE)
        self._columns = _columns()

    @property
    def tally(self) -> dict[str, int]:
        """The numbers of alignments for the warnings, by name; see `alignment_reads`."""
        places = {"alone": _ALONE, "placeless": _PLACELESS, "first": _FIRST, "second": _SECOND}
        return {name: int(self._state[place]) for name, place in places.items()}

    def batches(self, file: Any) -> Iterator[Columns]:
        """Yield (chromosome int32, start int64, end int64, strand int8), each [read], of the records of a file.

        Mates that still wait at the end are left to `alone`.

        Args:
            file: binary file of records, decompressed.

        Raises:
            ValueError: for a damaged record, or an end within a record.
        """
        data, held = np.empty(_CHUNK, np.uint8), 0
        while count := file.readinto(data.data[held:]):
            size, place, why = held + count, 0, -1
            while why != _MORE:
                place, why = _walk(data, place, size, self._rules, self._mates, self._state, *self._columns)
                if why == _DAMAGED:
                    raise ValueError("record")
                if why == _FULL:
                    yield self._batch()
                elif why == _CROWDED:
                    self._mates = _grown(self._mates)
            held = size - place
            if held == len(data):
                # A longer record: the memory grows only as far as the file has bytes.
                data = np.concatenate([data, np.empty_like(data)])
            else:
                data[:held] = data[place:size].copy()
        if held:
            raise ValueError("truncated")
        yield self._batch()

    def alone(self) -> Iterator[Columns]:
        """Yield batches of the mates that count and whose partner is missing; add their number to the tally."""
        mates = self._mates[self._mates["state"] & _COUNTS != 0]
        self._state[_ALONE] += len(mates)
        for batch in np.split(mates, range(BATCH, len(mates), BATCH)):
            strand = np.where(batch["state"] & REVERSE, -1, 1).astype(np.int8)
            yield batch["chrom"].copy(), batch["start"].astype(np.int64), batch["end"].copy(), strand

    def _batch(self) -> Columns:
        """Return the reads so far, and begin another batch."""
        count = int(self._state[_READS])
        chrom, start, end, strand = self._columns
        self._columns, self._state[_READS] = _columns(), 0
        return chrom[:count], start[:count], end[:count], strand[:count]


def _columns() -> Columns:
    """Return empty columns for one batch."""
    return np.empty(BATCH, np.int32), np.empty(BATCH, np.int64), np.empty(BATCH, np.int64), np.empty(BATCH, np.int8)


@numba_jit
def _walk(
    data: np.ndarray,
    place: int,
    size: int,
    rules: np.ndarray,
    mates: np.ndarray,
    state: np.ndarray,
    chroms: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    strands: np.ndarray,
) -> tuple[int, int]:
    """Decode the records in data[place:size]. Return (place of the first that is not decoded, why it stopped).

    A record is damaged if htslib refuses it: lengths that do not fit into the record, chromosomes that the header lacks, or a CIGAR of
    another length than the read. The function is longer than others, because it is one compiled loop over the fields of a record.
    """
    rejected, min_mapq = rules[1], rules[2]
    # The length of a record, and its fields of fixed size.
    while size - place >= 36:
        if state[_READS] == len(chroms):
            return place, _FULL
        if 4 * (state[_MATES] + 1) > 3 * len(mates):
            return place, _CROWDED
        at = place + 4
        behind, tags = _layout(data, at, rules)
        if behind < 0:
            return place, _DAMAGED
        if behind > size:
            return place, _MORE
        span = _span(data, at, tags, behind)
        if span < 0:
            return place, _DAMAGED
        chrom, start, mate_chrom = _int32(data, at), np.int64(_int32(data, at + 4)), _int32(data, at + 20)
        flag, mapq, name, cigar = _uint16(data, at + 14), data[at + 9], at + 32, at + 32 + data[at + 8]
        place = behind
        if flag & (UNMAPPED | SECONDARY | SUPPLEMENTARY):
            continue
        end = start + span
        counts: Any = np.int64(not flag & rejected and mapq >= min_mapq)
        if chrom < 0 or start < 0 or span == 0:
            state[_PLACELESS] += counts
            counts = 0
        if flag & PAIRED and not flag & MATE_UNMAPPED:
            if flag & PROPER and mate_chrom == chrom:
                behind_name = _template(data, name, cigar)
                if behind_name < 0:
                    return place, _DAMAGED
                high, low = _hash(data, name, behind_name, chrom)
                counts, start, end, flag = _join(mates, state, high, low, chrom, counts, start, end, flag)
            else:
                counts = _improper(state, counts, flag)
        if counts:
            read = state[_READS]
            chroms[read], starts[read], ends[read], strands[read] = chrom, start, end, -1 if flag & REVERSE else 1
            state[_READS] += 1
    return place, _MORE


@numba_jit
def _layout(data: np.ndarray, at: int, rules: np.ndarray) -> tuple[int, int]:
    """Return (end of a record, place of its tags); the end is -1 if the record is damaged."""
    chrom_count, first, last = rules[0], rules[3], rules[4]
    chrom, mate_chrom = _int32(data, at), _int32(data, at + 20)
    name_length, bases = data[at + 8], np.int64(_int32(data, at + 16))
    behind = at + _int32(data, at - 4)
    tags = at + 32 + name_length + 4 * _uint16(data, at + 12) + (bases + 1) // 2 + bases
    known = -1 <= chrom < chrom_count and -1 <= mate_chrom < chrom_count
    expected = first <= (chrom if chrom >= 0 else chrom_count) <= last
    return behind if known and expected and name_length and bases >= 0 and tags <= behind else -1, tags


@numba_jit
def _span(data: np.ndarray, at: int, tags: int, end: int) -> int:
    """Return the number of bases of the reference that an alignment covers, by its CIGAR; -1 if the record is damaged."""
    cigar, operations, bases = at + 32 + data[at + 8], _uint16(data, at + 12), _uint32(data, at + 16)
    is_placed = _int32(data, at) >= 0 and _int32(data, at + 4) >= 0
    if operations and is_placed and _uint32(data, cigar) == bases << 4 | _SOFT_CLIP:
        cigar, operations = _real_cigar(data, cigar, operations, tags, end)
    on_reference, on_read = _lengths(data, cigar, operations)
    is_mapped = not _uint16(data, at + 14) & UNMAPPED
    return -1 if operations < 0 or (operations and bases and on_read != bases and is_mapped) else on_reference


@numba_jit
def _improper(state: np.ndarray, counts: Any, flag: int) -> Any:
    """Return whether a read of a pair that is not proper counts; add it to the number of first or second reads.

    A complete file has as many first reads as second ones, whether they pass the filters or not.
    """
    if flag & READ_1:
        state[_FIRST] += 1
    elif flag & READ_2:
        state[_SECOND] += 1
        return 0
    return counts


@numba_jit
def _uint16(data: np.ndarray, place: int) -> Any:
    """Return an unsigned number of 16 bits, little-endian, as int64."""
    return np.int64(data[place]) | np.int64(data[place + 1]) << 8


@numba_jit
def _uint32(data: np.ndarray, place: int) -> Any:
    """Return an unsigned number of 32 bits, little-endian, as int64."""
    return _uint16(data, place) | _uint16(data, place + 2) << 16


@numba_jit
def _int32(data: np.ndarray, place: int) -> Any:
    """Return a signed number of 32 bits, little-endian."""
    return np.int32(_uint32(data, place))


@numba_jit
def _lengths(data: np.ndarray, cigar: int, operations: int) -> tuple[int, int]:
    """Return the numbers of bases of the reference and of the read that a CIGAR covers."""
    on_reference, on_read = 0, 0
    for number in range(operations):
        value = _uint32(data, cigar + 4 * number)
        on_reference += (value >> 4) * (_ON_REFERENCE >> (value & 15) & 1)
        on_read += (value >> 4) * (_ON_READ >> (value & 15) & 1)
    return on_reference, on_read


@numba_jit
def _real_cigar(data: np.ndarray, cigar: int, operations: int, tags: int, end: int) -> tuple[int, int]:
    """Return (place, number of operations) of a CIGAR, from the tag CG if there is one; -1 operations if tags are damaged.

    A CIGAR of more than 65535 operations is in the tag; in its own place is one that clips the whole read (section 4.2.2).
    """
    while end - tags > 2:
        kind, value = data[tags + 2], tags + 3
        is_cigar = data[tags] == ord("C") and data[tags + 1] == ord("G")
        # Tags of type B are arrays; those of types Z and H are texts that end with a zero.
        if kind == ord("B"):
            if end - value < 5:
                return cigar, -1
            size, many, begin = _type_size(data[value]), _uint32(data, value + 1), value + 5
            if size == 0 or end - begin < size * many:
                return cigar, -1
            if is_cigar:
                fits = (data[value] == ord("I") or data[value] == ord("i")) and operations <= many < 1 << 29
                return (begin, many) if fits else (cigar, operations)
            tags = begin + size * many
            continue
        if kind == ord("Z") or kind == ord("H"):
            while value < end and data[value]:
                value += 1
            if value == end and is_cigar:
                return cigar, -1
            tags = value + 1
        else:
            size = _type_size(kind)
            if size == 0 or end - value < size:
                return cigar, -1
            tags = value + size
        if is_cigar:
            break
    return cigar, operations


@numba_jit
def _type_size(kind: int) -> int:
    """Return the number of bytes of a tag's value by its type, 0 for an unknown type."""
    if kind == ord("A") or kind == ord("c") or kind == ord("C"):
        return 1
    if kind == ord("s") or kind == ord("S"):
        return 2
    if kind == ord("i") or kind == ord("I") or kind == ord("f"):
        return 4
    return 8 if kind == ord("d") else 0


@numba_jit
def _template(data: np.ndarray, name: int, end: int) -> int:
    """Return the end of a name without the /1 or /2 of old files; -1 if the name has letters that are not ASCII."""
    behind, letters = name, 0
    while behind < end and data[behind]:
        letters |= data[behind]
        behind += 1
    if letters > 127:
        return -1
    numbered = behind - name >= 2 and data[behind - 2] == ord("/") and data[behind - 1] in (ord("1"), ord("2"))
    return behind - 2 if numbered else behind


@numba_jit
def _hash(data: np.ndarray, name: int, behind: int, chrom: int) -> tuple[Any, Any]:
    """Return two 64-bit hashes of a chromosome and of the name in data[name:behind].

    Every step is invertible, so names that differ in eight bytes only never have equal hashes.
    """
    word = np.uint64(behind - name) << np.uint64(32) | np.uint64(np.uint32(chrom))
    high, low = _mixed(_HIGH, word, _LOW), _mixed(_LOW, word, _HIGH)
    while name < behind:
        word = np.uint64(0)
        if behind - name >= 8:
            word = np.uint64(_uint32(data, name)) | np.uint64(_uint32(data, name + 4)) << np.uint64(32)
        else:
            for place in range(name, behind):
                word = word << np.uint64(8) | np.uint64(data[place])
        high, low = _mixed(high, word, _LOW), _mixed(low, word, _HIGH)
        name += 8
    return _mixed(high, np.uint64(0), _MIX), _mixed(low, np.uint64(0), _MIX)


@numba_jit
def _mixed(value: Any, word: Any, factor: Any) -> Any:
    """Return a 64-bit hash that a word is mixed into."""
    value = (value ^ word) * factor
    value = (value ^ value >> np.uint64(32)) * _MIX
    return value ^ value >> np.uint64(29)


@numba_jit
def _join(
    mates: np.ndarray,
    state: np.ndarray,
    high: Any,
    low: Any,
    chrom: int,
    counts: Any,
    start: Any,
    end: Any,
    flag: int,
) -> tuple[Any, Any, Any, Any]:
    """Return (whether it counts, start, end, flag) of the fragment that a read completes.

    Without its mate, the read is put into the table `mates`, and the result does not count.
    """
    slot = _slot(mates, high, low)
    mate = mates[slot]
    before = np.int64(mate["state"])
    if before and (before ^ flag) & READ_1:
        counts = counts if before & _COUNTS else 0
        start, end = min(start, np.int64(mate["start"])), max(end, mate["end"])
        _remove(mates, slot)
        state[_MATES] -= 1
        return counts, start, end, flag if flag & READ_1 else before
    # Two reads of one name and number: the partner of the earlier one is missing.
    alone = np.int64(before & _COUNTS != 0), np.int64(mate["start"]), mate["end"], before
    state[_ALONE] += alone[0]
    state[_MATES] += before == 0
    mate["high"], mate["low"], mate["chrom"], mate["start"], mate["end"] = high, low, chrom, start, end
    mate["state"] = flag | _WAITS | (_COUNTS if counts else 0)
    return alone


@numba_jit
def _slot(mates: np.ndarray, high: Any, low: Any) -> Any:
    """Return the slot of a mate, or the empty slot where it belongs. The number of slots is a power of two."""
    mask = len(mates) - 1
    slot = np.int64(low) & mask
    while mates[slot]["state"] and (mates[slot]["high"] != high or mates[slot]["low"] != low):
        slot = (slot + 1) & mask
    return slot


@numba_jit
def _remove(mates: np.ndarray, slot: Any) -> None:
    """Empty a slot, and move the following mates that would not be found any more."""
    mask = len(mates) - 1
    other = (slot + 1) & mask
    while mates[other]["state"]:
        if (other - np.int64(mates[other]["low"])) & mask >= (other - slot) & mask:
            mates[slot] = mates[other]
            slot = other
        other = (other + 1) & mask
    mates[slot]["state"] = 0


@numba_jit
def _grown(mates: np.ndarray) -> np.ndarray:
    """Return a table of twice the size with the same mates."""
    table = np.zeros(2 * len(mates), mates.dtype)
    for mate in mates:
        if mate["state"]:
            table[_slot(table, mate["high"], mate["low"])] = mate
    return table
