"""Records of BAM files, decoded by compiled code (SAM specification, sections 4.2 and 1.4)."""

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

# Unpacked bytes decoded at a time; little enough to stay in a processor's cache.
_CHUNK = 1 << 20

# Operations of a CIGAR that consume bases of the reference (M, D, N, =, X) and of the read (M, I, S, =, X), as bits.
_ON_REFERENCE, _ON_READ = 0b110001101, 0b110010011
_SOFT_CLIP = 4

# Why `_walk` stops: it needs more bytes, room for reads, room for mates; or a record is impossible.
_MORE, _FULL, _CROWDED, _DAMAGED = range(4)
# What it counts: reads in the batch, mates in the table, and what the warnings tell.
_READS, _MATES, _ALONE, _PLACELESS, _FIRST, _SECOND = range(6)

# A mate that waits for its partner. Names are known by 128 bits of hash alone: among a hundred million names, two are
# alike by chance once in 10^22 files. `state` is 0 in an empty slot, else the flag and these bits.
_MATE = np.dtype(
    [("high", "u8"), ("low", "u8"), ("end", "i8"), ("start", "i4"), ("chrom", "i4"), ("state", "u4")], align=True
)
_WAITS, _COUNTS = 1 << 16, 1 << 17
# Odd numbers without a pattern (the fractions of the golden ratio and of the roots of 2 and 3).
_HIGH, _LOW, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x6A09E667F3BCC909), np.uint64(0xBB67AE8584CAA73B)


class Records:
    """Reads and fragments of the records of a BAM file, or of a part of it; see `alignment_reads` for what counts.

    Args:
        chrom_count: number of chromosomes in the header. rejected: flags of alignments that do not count. min_mapq: int.
        first, last: the chromosomes that the records may be of; none has the number `chrom_count` here, because records
            without a chromosome come last in a sorted file.
    """

    def __init__(self, chrom_count, rejected, min_mapq, first=0, last=None):
        last = chrom_count if last is None else last
        self._rules = np.array([chrom_count, rejected, min_mapq, first, last], np.int64)
        self._state = np.zeros(6, np.int64)
        self._mates = np.zeros(1 << 10, _MATE)
        self._columns = _columns()

    @property
    def tally(self):
        """What the warnings tell: a dict of numbers of alignments."""
        places = {"alone": _ALONE, "placeless": _PLACELESS, "first": _FIRST, "second": _SECOND}
        return {name: int(self._state[place]) for name, place in places.items()}

    def batches(self, file):
        """Yield (chromosome int32, start int64, end int64, strand int8), each [read], of the records of a file.

        Mates that wait at the end are left to `alone`.

        Args:
            file: binary file of records, unpacked. Raises ValueError where they are impossible or end within one.
        """
        data, held = np.empty(_CHUNK, np.uint8), 0
        while count := file.readinto(memoryview(data)[held:]):
            size, place, why = held + count, 0, None
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
                # A record that is longer: only as much memory as the file has bytes for.
                data = np.concatenate([data, np.empty_like(data)])
            else:
                data[:held] = data[place:size].copy()
        if held:
            raise ValueError("truncated")
        yield self._batch()

    def alone(self):
        """Yield batches of the mates whose partner did not come, of those that count; add them to the tally."""
        mates = self._mates[self._mates["state"] & _COUNTS != 0]
        self._state[_ALONE] += len(mates)
        for some in np.split(mates, range(BATCH, len(mates), BATCH)):
            strand = np.where(some["state"] & REVERSE, -1, 1).astype(np.int8)
            yield some["chrom"].copy(), some["start"].astype(np.int64), some["end"].copy(), strand

    def _batch(self):
        batch = tuple(column[: self._state[_READS]] for column in self._columns)
        self._columns, self._state[_READS] = _columns(), 0
        return batch


def _columns():
    return tuple(np.empty(BATCH, dtype) for dtype in (np.int32, np.int64, np.int64, np.int8))


@numba_jit
def _walk(data, place, size, rules, mates, state, chroms, starts, ends, strands):
    """Decode the records in data[place:size]. Return (place of the first that is not decoded, why it stopped).

    Whatever htslib refuses is refused: lengths that do not fit into the record, chromosomes that the header lacks, a CIGAR
    of another length than the read.
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
        counts = np.int64(not flag & rejected and mapq >= min_mapq)
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
def _layout(data, at, rules):
    """Return the places where a record ends, -1 if it is impossible, and where its tags begin."""
    chrom_count, first, last = rules[0], rules[3], rules[4]
    chrom, mate_chrom = _int32(data, at), _int32(data, at + 20)
    name_length, bases = data[at + 8], np.int64(_int32(data, at + 16))
    behind = at + _int32(data, at - 4)
    tags = at + 32 + name_length + 4 * _uint16(data, at + 12) + (bases + 1) // 2 + bases
    known = -1 <= chrom < chrom_count and -1 <= mate_chrom < chrom_count
    expected = first <= (chrom if chrom >= 0 else chrom_count) <= last
    return behind if known and expected and name_length and bases >= 0 and tags <= behind else -1, tags


@numba_jit
def _span(data, at, tags, end):
    """Return how many bases of the reference an alignment covers, by its CIGAR; -1 if that is impossible."""
    cigar, operations, bases = at + 32 + data[at + 8], _uint16(data, at + 12), _uint32(data, at + 16)
    is_placed = _int32(data, at) >= 0 and _int32(data, at + 4) >= 0
    if operations and is_placed and _uint32(data, cigar) == bases << 4 | _SOFT_CLIP:
        cigar, operations = _real_cigar(data, cigar, operations, tags, end)
    on_reference, on_read = _lengths(data, cigar, operations)
    is_mapped = not _uint16(data, at + 14) & UNMAPPED
    return -1 if operations < 0 or (operations and bases and on_read != bases and is_mapped) else on_reference


@numba_jit
def _improper(state, counts, flag):
    """Return whether a read of a pair that is not proper counts; note which of the two it is.

    A whole file has as many first ones as second ones, whether they pass the filters or not.
    """
    if flag & READ_1:
        state[_FIRST] += 1
    elif flag & READ_2:
        state[_SECOND] += 1
        return 0
    return counts


@numba_jit
def _uint16(data, place):
    return np.int64(data[place]) | np.int64(data[place + 1]) << 8


@numba_jit
def _uint32(data, place):
    return _uint16(data, place) | _uint16(data, place + 2) << 16


@numba_jit
def _int32(data, place):
    return np.int32(_uint32(data, place))


@numba_jit
def _lengths(data, cigar, operations):
    """Return how many bases of the reference and of the read a CIGAR covers."""
    on_reference, on_read = 0, 0
    for number in range(operations):
        value = _uint32(data, cigar + 4 * number)
        on_reference += (value >> 4) * (_ON_REFERENCE >> (value & 15) & 1)
        on_read += (value >> 4) * (_ON_READ >> (value & 15) & 1)
    return on_reference, on_read


@numba_jit
def _real_cigar(data, cigar, operations, tags, end):
    """Return (place, number of operations) of a CIGAR, from the tag CG if it is there; -1 operations if tags are damaged.

    A CIGAR of more than 65535 operations is there, and one that clips the whole read in its place (section 4.2.2).
    """
    while end - tags > 2:
        kind, value = data[tags + 2], tags + 3
        is_cigar = data[tags] == ord("C") and data[tags + 1] == ord("G")
        # How many values, of how many bytes: of B an array, Z and H are texts that end with a zero.
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
def _type_size(kind):
    """Return the bytes of a tag's value; 0 of a type that there is not."""
    if kind == ord("A") or kind == ord("c") or kind == ord("C"):
        return 1
    if kind == ord("s") or kind == ord("S"):
        return 2
    if kind == ord("i") or kind == ord("I") or kind == ord("f"):
        return 4
    return 8 if kind == ord("d") else 0


@numba_jit
def _template(data, name, end):
    """Return where a name ends, without /1 and /2, which old files have at its end; -1 if it has letters that are not ASCII."""
    behind, letters = name, 0
    while behind < end and data[behind]:
        letters |= data[behind]
        behind += 1
    if letters > 127:
        return -1
    numbered = behind - name >= 2 and data[behind - 2] == ord("/") and data[behind - 1] in (ord("1"), ord("2"))
    return behind - 2 if numbered else behind


@numba_jit
def _hash(data, name, behind, chrom):
    """Return two 64-bit hashes of a chromosome and of the name in data[name:behind].

    Every step can be undone, so that names that differ in eight bytes only never have one hash.
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
def _mixed(value, word, factor):
    value = (value ^ word) * factor
    value = (value ^ value >> np.uint64(32)) * _MIX
    return value ^ value >> np.uint64(29)


@numba_jit
def _join(mates, state, high, low, chrom, counts, start, end, flag):
    """Return (whether it counts, start, end, flag) of the fragment that a read completes; until then, none counts."""
    slot = _slot(mates, high, low)
    mate = mates[slot]
    before = np.int64(mate["state"])
    if before and (before ^ flag) & READ_1:
        counts = counts if before & _COUNTS else 0
        start, end = min(start, np.int64(mate["start"])), max(end, mate["end"])
        _remove(mates, slot)
        state[_MATES] -= 1
        return counts, start, end, flag if flag & READ_1 else before
    # Two of one name and number: the partner of the earlier one is missing.
    alone = np.int64(before & _COUNTS != 0), np.int64(mate["start"]), mate["end"], before
    state[_ALONE] += alone[0]
    state[_MATES] += before == 0
    mate["high"], mate["low"], mate["chrom"], mate["start"], mate["end"] = high, low, chrom, start, end
    mate["state"] = flag | _WAITS | (_COUNTS if counts else 0)
    return alone


@numba_jit
def _slot(mates, high, low):
    """Return the slot of a mate, or the empty one that it may have. The number of slots is a power of two."""
    mask = len(mates) - 1
    slot = np.int64(low) & mask
    while mates[slot]["state"] and (mates[slot]["high"] != high or mates[slot]["low"] != low):
        slot = (slot + 1) & mask
    return slot


@numba_jit
def _remove(mates, slot):
    """Empty a slot, and move those behind it that then would not be found."""
    mask = len(mates) - 1
    other = (slot + 1) & mask
    while mates[other]["state"]:
        if (other - np.int64(mates[other]["low"])) & mask >= (other - slot) & mask:
            mates[slot] = mates[other]
            slot = other
        other = (other + 1) & mask
    mates[slot]["state"] = 0


@numba_jit
def _grown(mates):
    """Return a table of twice the size."""
    table = np.zeros(2 * len(mates), mates.dtype)
    for mate in mates:
        if mate["state"]:
            table[_slot(table, mate["high"], mate["low"])] = mate
    return table
