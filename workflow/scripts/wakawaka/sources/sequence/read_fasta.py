"""Sequences of the genes' windows, cut from a genome in FASTA: in one pass, whether it is compressed or not."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_bytes, readable
from wakawaka.core.numba_jit import compiled
from wakawaka.genome.dna import INVALID, N
from wakawaka.sources.parsed import digest_ahead
from wakawaka.sources.sequence.gene_windows import Windows

# Bytes read at once: these and what is made of them stay in the processor's cache.
_BLOCK = 1 << 20

# Bytes that are looked at side by side.
_LANES = 128

# IUPAC letters for a base that is not known exactly; the human genome has a few.
_AMBIGUOUS = np.zeros(256, np.bool_)
_AMBIGUOUS[np.frombuffer(b"RYSWKMBDHVryswkmbdhv", np.uint8)] = True


def read_fasta(genome, genes, part, *, window, oriented):
    """Write the sequence part of a FASTA file; see `cut_fasta`."""
    digest_ahead(genome)
    cut_fasta(genome, genes, window=window, oriented=oriented).write(part)


def cut_fasta(genome, genes, *, window, oriented):
    """Return the `Windows` of a FASTA file, filled.

    A record's name is the first word of its header line. Its lines have one length, the last one excepted. Ambiguous bases
    are taken as N, and counted.

    Args:
        genome: path; plain, or compressed by gzip or bgzip. genes: path of the genes part. window: even number of bp.
        oriented: whether minus-strand genes will be turned round.

    Raises:
        InputError: what is no FASTA, is malformed or damaged, has two records of one name, or other letters than nucleotides'
            in a window; and what `Windows.match` refuses.
    """
    windows = Windows(genome, genes, window, oriented)
    fasta = _Fasta(genome, windows)
    with readable(genome), open_bytes(genome) as file:
        fasta.read(file)
    windows.match(fasta.lengths)
    fasta.judge_letters()
    return windows


class _Fasta:
    """What is known of a FASTA file, as far as it is read.

    Its lines are looked at one by one only where something ends; those of one length in between are passed over at once.
    """

    def __init__(self, genome, windows):
        self._genome, self._windows = genome, windows
        # Base pairs of the records; those of the last one grow.
        self.lengths = {}
        # Lines read, and bytes of the unfinished one that are read already, if it is longer than a block.
        self._line, self._column = 0, 0
        # The last record's name; the length of its lines with their ends, how many carriage returns they end with, and
        # whether only blank lines may follow.
        self._name, self._width, self._returns, self._ended = None, 0, 0, False
        # The windows to cut from it; and by chromosome, the number of ambiguous bases and the first wrong one (place, letter).
        self._rows, self._odd = {}, {}

    def read(self, file):
        """Read a binary file to its end."""
        block, kept, count = bytearray(_BLOCK), 0, -1
        while count:
            if kept == len(block):
                block += bytes(len(block))
            count = file.readinto(memoryview(block)[kept:])
            end = kept + count
            if not self.lengths and block[: min(end, 1)] != b">":
                raise InputError(
                    f"{self._genome}: this is no FASTA file, because it does not start with `>`; check `sequence.path` in config.yaml."
                )
            used = self._take(block, end, last=not count)
            kept = end - used
            block[:kept] = block[used:end]

    def _take(self, block, end, last):
        """Take the lines of a block up to its byte `end`, an unfinished one only if it is the `last`; return how many bytes that were."""
        data = np.frombuffer(block, np.uint8)
        place = 0
        while place < end:
            if self._width and not self._ended and not self._column:
                count = _regular(data[place:end], self._width, self._returns)
                self._cut(data[place:end], count, self._width, self._width - 1 - self._returns)
                self._line += count
                place += count * self._width
            stop = block.find(b"\n", place, end) + 1
            if stop or last:
                line = block[place : stop or end]
                self._take_line(line)
                place += len(line)
            elif place or end < len(block):
                break
            else:
                return self._take_piece(block)
        return place

    def _take_line(self, line):
        """Take one line, or the rest of one."""
        self._line += 1
        where = f"{self._genome}, line {self._line}"
        if line[:1] == b">" and not self._column:
            self._begin(where, line)
        elif not line.strip() and not self._column:
            self._ended = True
        else:
            letters, length, whole = line.rstrip(b"\r\n"), self._column + len(line), line[-1:] == b"\n"
            returns = len(line) - len(letters) - whole
            self._check_letters(where, letters)
            # The last line of the file may lack its end, and must not have a base more for it.
            longest = self._width - (0 if whole else 1 + self._returns)
            if self._ended or (self._width and (length > longest or (whole and returns != self._returns))):
                self._refuse_line(where)
            if self._width:
                self._ended = length < self._width
            else:
                self._width, self._returns = length, returns
            self._cut(np.frombuffer(letters, np.uint8), 1, len(letters), len(letters))
            self._column = 0

    def _take_piece(self, block):
        """Take a block of one long line; return its length without carriage returns at its end, which may be the line's."""
        if block[:1] == b">" and not self._column:
            return 0
        letters = block.rstrip(b"\r")
        self._check_letters(f"{self._genome}, line {self._line + 1}", letters)
        self._cut(np.frombuffer(letters, np.uint8), 1, len(letters), len(letters))
        self._column += len(letters)
        return len(letters)

    def _begin(self, where, line):
        """Begin the record of a header line."""
        try:
            header = line.decode()[1:]
        except UnicodeDecodeError as error:
            raise InputError(f"{self._genome}: the FASTA file is malformed or damaged: {error}") from error
        name = "" if header[:1].isspace() or not header else header.split(None, 1)[0]
        if not name or name in self.lengths:
            what = "another record has this name too" if name else "the record has no name behind `>`"
            raise InputError(f"{where}: {what}: {line[:60].decode(errors='replace').strip()}; give each its own.")
        self.lengths[name] = 0
        self._name, self._width, self._returns, self._ended = name, 0, 0, False
        self._rows = self._windows.record(name)
        self._odd |= {chrom: [0, None] for chrom in self._rows}

    def _check_letters(self, where, letters):
        if b"\r" in letters:
            self._refuse_line(where)
        if not letters.isascii():
            raise InputError(
                f"{where}: the FASTA file is malformed or damaged: there is something else than letters: "
                f"{letters[:60].decode(errors='replace')!r}; fetch or make it again."
            )

    def _refuse_line(self, where):
        raise InputError(
            f"{where}: the lines of record {len(self.lengths)} are not all of one length and ending; only its last may be shorter. "
            "The file may be damaged; write it anew (samtools faidx, seqtk seq -l 60)."
        )

    def _cut(self, data, lines, width, bases):
        """Fill in what lies in the next lines of the record: `lines` times `width` bytes, of which the first `bases` are bases."""
        if not lines * bases:
            return
        begin = self.lengths[self._name]
        self.lengths[self._name] = end = begin + lines * bases
        values = self._windows.values
        for chrom, rows in self._rows.items():
            starts = self._windows.starts[rows]
            first, last = np.searchsorted(starts, (begin - values.shape[1], end), side="right")
            ambiguous, wrong = _fill(data, width, bases, begin, end, starts[first:last], rows[first:last], values)
            self._odd[chrom][0] += ambiguous
            if wrong >= 0 and self._odd[chrom][1] is None:
                line, column = divmod(wrong - begin, bases)
                self._odd[chrom][1] = (wrong, chr(data[line * width + column]))

    def judge_letters(self):
        """Refuse other letters than nucleotides' in the windows, and count the ambiguous ones."""
        ambiguous = 0
        for chrom, name in self._windows.chromosomes.items():
            count, wrong = self._odd[chrom]
            ambiguous += count
            if wrong:
                place, letter = wrong
                raise InputError(
                    f"{self._genome}: there is a letter {letter!r} at {name}:{place + 1}; a genome has nucleotides only."
                )
        if ambiguous:
            self._windows.warnings.add(
                f"{self._genome}: {ambiguous} bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."
            )


@compiled
def _regular(data, width, returns):
    """Return how many lines of `width` bytes, which end with `returns` carriage returns and a line feed, the data begin with.

    They are ASCII and no headers.
    """
    place = 0
    while place + width <= len(data) and data[place] != 62 and data[place + width - 1] == 10:
        place += width
    lines = place // width
    for line in range(lines if returns else 0):
        for place in range((line + 1) * width - 1 - returns, (line + 1) * width - 1):
            if data[place] != 13:
                lines = min(lines, line)
    if _has_ends(data[: lines * width], lines * (1 + returns)):
        return lines
    for line in range(lines):
        if not _has_ends(data[line * width : (line + 1) * width], 1 + returns):
            return line
    return lines


@compiled
def _has_ends(data, count):
    """Tell whether this many of the bytes are line feeds and carriage returns, and all are ASCII."""
    # In lanes of bytes, which are added up before they overflow: LLVM makes few instructions of it.
    rows = data[: len(data) // _LANES * _LANES].reshape(-1, _LANES)
    ends, all_bits = np.zeros(_LANES, np.uint8), np.zeros(_LANES, np.uint8)
    found, other = 0, np.uint8(0)
    for first in range(0, len(rows), 255):
        ends[:] = 0
        for row in rows[first : first + 255]:
            for lane in range(_LANES):
                ends[lane] += np.uint8((row[lane] == 10) | (row[lane] == 13))
                all_bits[lane] |= row[lane]
        found += ends.sum()
    for byte in data[rows.size :]:
        found += (byte == 10) | (byte == 13)
        other |= byte
    for bits in all_bits:
        other |= bits
    return found == count and other < 128


@compiled
def _fill(data, width, bases, begin, end, starts, rows, values):
    """Write the codes of the bases [begin, end) of a record, which lie in lines as in `_cut`, into its windows.

    Returns:
        (number of ambiguous bases, first place in the record with a wrong letter or -1).
    """
    ambiguous, wrong = 0, -1
    for window in range(len(rows)):
        start, row = starts[window], rows[window]
        first, last = max(start, begin), min(start + values.shape[1], end)
        piece = values[row, max(first - start, 0) : max(last - start, 0)]
        line, column, done = (first - begin) // bases, (first - begin) % bases, 0
        while done < len(piece):
            source = data[line * width + column : line * width + bases]
            count = min(len(source), len(piece) - done)
            target = piece[done : done + count]
            for place in range(count):
                target[place] = source[place]
            line, column, done = line + 1, 0, done + count
        if _encode(piece):
            continue
        for place in range(first, last):
            letter = data[(place - begin) // bases * width + (place - begin) % bases]
            if piece[place - first] == INVALID:
                piece[place - first] = N
                ambiguous += _AMBIGUOUS[letter]
                if not _AMBIGUOUS[letter] and (wrong < 0 or place < wrong):
                    wrong = place
    return ambiguous, wrong


@compiled
def _encode(letters):
    """Turn letters into their codes, as `dna.encode` does; tell whether all were known."""
    for place in range(len(letters)):
        # A table would keep LLVM from making few instructions of it, and so would a second result of this loop.
        letter = letters[place] & 0xDF
        code = INVALID
        code = 0 if letter == 65 else code
        code = 1 if letter == 67 else code
        code = 2 if letter == 71 else code
        code = 3 if letter == 84 else code
        code = N if letter == 78 else code
        letters[place] = code
    highest = np.uint8(0)
    for code in letters:
        highest |= code
    return highest < INVALID
