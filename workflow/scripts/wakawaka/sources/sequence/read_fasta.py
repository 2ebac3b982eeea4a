"""Sequences of the genes' windows, cut from a genome in FASTA, compressed or not, in one pass."""

from typing import Any

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_bytes, readable
from wakawaka.core.numba_jit import numba_jit
from wakawaka.genome.dna import INVALID, N
from wakawaka.sources.parsed import start_checksums
from wakawaka.sources.sequence.gene_windows import Windows

# Bytes read at once: few enough to stay in the processor's cache, with their codes.
_BLOCK = 1 << 20

# Bytes that are processed at the same time.
_LANES = 128

# IUPAC letters for bases that are not known exactly; the human genome has a few.
_AMBIGUOUS = np.zeros(256, np.bool_)
_AMBIGUOUS[np.frombuffer(b"RYSWKMBDHVryswkmbdhv", np.uint8)] = True


def read_fasta(genome: PathLike, genes: PathLike, parsed: PathLike, *, window: int, strand_aware: bool) -> None:
    """Write the parsed sequences of a FASTA file; arguments and errors as for `cut_fasta`."""
    start_checksums(genome)
    cut_fasta(genome, genes, window=window, strand_aware=strand_aware).write(parsed)


def cut_fasta(genome: PathLike, genes: PathLike, *, window: int, strand_aware: bool) -> Windows:
    """Return the `Windows` of a FASTA file, filled.

    A record's name is the first word of its header line. All lines of a record have one length, except for the last. Ambiguous bases
    become N, and a warning counts them.

    Args:
        genome: path; plain, or compressed by gzip or bgzip. genes: path of the parsed genes. window: even number of bp.
        strand_aware: whether minus-strand genes will be reverse-complemented.

    Raises:
        InputError: a file that is not FASTA, is malformed or damaged, has two records of one name, or letters in a window that are not
            nucleotides; and what `Windows.match` refuses.
    """
    windows = Windows(genome, genes, window, strand_aware)
    fasta = _Fasta(genome, windows)
    with readable(genome), open_bytes(genome) as file:
        fasta.read(file)
    windows.match(fasta.lengths)
    fasta.judge_letters()
    return windows


class _Fasta:
    """The state of reading a FASTA file.

    Lines of one length are processed together; other lines, such as headers and the last lines of records, one by one.
    """

    def __init__(self, genome: PathLike, windows: Windows) -> None:
        self._genome, self._windows = genome, windows
        # Base pairs of the records so far.
        self.lengths: dict[str, int] = {}
        # The number of lines read, and how many bytes of an unfinished line that is longer than a block are read.
        self._line, self._column = 0, 0
        # Of the current record: its name, the bytes of its lines with their ends, the number of carriage returns at their ends, and
        # whether only blank lines may follow.
        self._name, self._width, self._returns, self._ended = "", 0, 0, False
        # The windows to cut from the current record.
        self._rows: dict[str, np.ndarray] = {}
        # By chromosome, the number of ambiguous bases and the first invalid letter (place, letter) in the windows.
        self._ambiguous: dict[str, int] = {}
        self._invalid: dict[str, tuple[int, str]] = {}

    def read(self, file: Any) -> None:
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

    def _take(self, block: bytearray, end: int, last: bool) -> int:
        """Process the lines of a block up to its byte `end`; return the number of bytes processed.

        An unfinished line is processed only if the block is the `last`, or if the line is longer than the block.
        """
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

    def _take_line(self, line: bytearray) -> None:
        """Process one line, or the rest of a line whose beginning `_take_piece` has processed."""
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
            # The last line of the file may lack its line end, but must not have more bases for that.
            longest = self._width - (0 if whole else 1 + self._returns)
            if self._ended or (self._width and (length > longest or (whole and returns != self._returns))):
                self._refuse_line(where)
            if self._width:
                self._ended = length < self._width
            else:
                self._width, self._returns = length, returns
            self._cut(np.frombuffer(letters, np.uint8), 1, len(letters), len(letters))
            self._column = 0

    def _take_piece(self, block: bytearray) -> int:
        """Process a block inside one long line; return its length without carriage returns at its end, which may end the line."""
        if block[:1] == b">" and not self._column:
            return 0
        letters = block.rstrip(b"\r")
        self._check_letters(f"{self._genome}, line {self._line + 1}", letters)
        self._cut(np.frombuffer(letters, np.uint8), 1, len(letters), len(letters))
        self._column += len(letters)
        return len(letters)

    def _begin(self, where: str, line: bytearray) -> None:
        """Begin the record of a header line. Raises InputError for a name that is missing, or that another record has."""
        try:
            header = line.decode()[1:]
        except UnicodeDecodeError as error:
            raise InputError(f"{self._genome}: the FASTA file is malformed or damaged: {error}") from error
        name = "" if header[:1].isspace() or not header else header.split(None, 1)[0]
        if not name or name in self.lengths:
            what = "another record has this name too" if name else "the record has no name after `>`"
            raise InputError(f"{where}: {what}: {line[:60].decode(errors='replace').strip()}; give each its own.")
        self.lengths[name] = 0
        self._name, self._width, self._returns, self._ended = name, 0, 0, False
        self._rows = self._windows.record(name)
        for chrom in self._rows:
            self._ambiguous[chrom] = 0
            self._invalid.pop(chrom, None)

    def _check_letters(self, where: str, letters: bytearray) -> None:
        """Raise an InputError for bytes that are not ASCII, and for carriage returns within a line."""
        if b"\r" in letters:
            self._refuse_line(where)
        if not letters.isascii():
            raise InputError(
                f"{where}: the FASTA file is malformed or damaged: there are bytes other than letters: "
                f"{letters[:60].decode(errors='replace')!r}; fetch or make it again."
            )

    def _refuse_line(self, where: str) -> None:
        raise InputError(
            f"{where}: the lines of record {len(self.lengths)} are not all of one length and ending; only its last may be shorter. "
            "The file may be damaged; write it anew (samtools faidx, seqtk seq -l 60)."
        )

    def _cut(self, data: np.ndarray, lines: int, width: int, bases: int) -> None:
        """Copy the codes of the next lines of the record into its windows.

        Args:
            data: the bytes. lines: their number of lines. width: bytes of a line with its end. bases: bases of a line.
        """
        if not lines * bases:
            return
        begin = self.lengths[self._name]
        self.lengths[self._name] = end = begin + lines * bases
        values = self._windows.values
        for chrom, rows in self._rows.items():
            starts = self._windows.starts[rows]
            first, last = np.searchsorted(starts, (begin - values.shape[1], end), side="right")
            ambiguous, invalid = _fill(data, width, bases, begin, end, starts[first:last], rows[first:last], values)
            self._ambiguous[chrom] += ambiguous
            if invalid >= 0 and chrom not in self._invalid:
                line, column = divmod(invalid - begin, bases)
                self._invalid[chrom] = invalid, chr(data[line * width + column])

    def judge_letters(self) -> None:
        """Raise an InputError for a letter in a window that is not a nucleotide. A warning counts the ambiguous ones."""
        ambiguous = 0
        for chrom, name in self._windows.chromosomes.items():
            ambiguous += self._ambiguous[chrom]
            if chrom in self._invalid:
                place, letter = self._invalid[chrom]
                raise InputError(
                    f"{self._genome}: there is a letter {letter!r} at {name}:{place + 1}; a genome has nucleotides only."
                )
        if ambiguous:
            self._windows.warnings.add(
                f"{self._genome}: {ambiguous} bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."
            )


@numba_jit
def _regular(data: np.ndarray, width: int, returns: int) -> int:
    """Return the number of regular lines at the beginning of the data.

    A regular line has `width` bytes, all ASCII, ends with `returns` carriage returns and a line feed, and is not a header.
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


@numba_jit
def _has_ends(data: np.ndarray, count: int) -> bool:
    """Return whether `count` of the bytes are line feeds and carriage returns, and all bytes are ASCII."""
    # In lanes of bytes, summed before they overflow, because LLVM compiles this to vector instructions.
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
    return bool(found == count and other < 128)


@numba_jit
def _fill(
    data: np.ndarray,
    width: int,
    bases: int,
    begin: int,
    end: int,
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
) -> tuple[int, int]:
    """Write the codes of the bases [begin, end) of a record into its windows; `data`, `width` and `bases` are as for `_cut`.

    Returns:
        (number of ambiguous bases, first place in the record with an invalid letter or -1).
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


@numba_jit
def _encode(letters: np.ndarray) -> bool:
    """Replace letters by their codes, as `dna.encode` does; return whether all letters are valid."""
    for place in range(len(letters)):
        # Neither a table nor a second result of this loop, because LLVM would then not compile it to vector instructions.
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
    return bool(highest < INVALID)
