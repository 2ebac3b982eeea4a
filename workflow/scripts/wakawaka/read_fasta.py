"""Sequences of the genes' windows, cut from a genome in FASTA."""

import contextlib
import gzip
import struct
import tempfile
import zlib
from pathlib import Path

import pyfaidx

from .cut_windows import cut_windows
from .errors import InputError
from .files import is_compressed, readable
from .unpack_fasta import is_plain_gzip

# What pyfaidx, and Biopython below it, say of files that are malformed or damaged.
_MALFORMED = (
    pyfaidx.FastaIndexingError,
    pyfaidx.UnsupportedCompressionFormat,
    ValueError,
    AssertionError,
    RuntimeError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)


def read_fasta(genome, genes, part, *, window, oriented):
    """Write the sequence part of a FASTA file, plain or bgzipped; see `cut_windows`.

    A record's name is the first word of its header line. Its lines have one length, the last one excepted.

    Args:
        genome: path; the indices are made beside the part, and removed.
        genes: path of the genes part. window: even number of bp. oriented: whether minus-strand genes will be turned round.

    Raises:
        InputError: what is no FASTA, is malformed or damaged, has two records of one name, or is gzip-compressed without
            being bgzipped; and what `cut_windows` refuses.
    """
    Path(part).parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=Path(part).parent, prefix=".read_fasta.") as folder,
        _opened(genome, Path(folder)) as fasta,
    ):
        lengths = {name: len(fasta[name]) for name in fasta.keys()}  # noqa: SIM118, pyfaidx iterates over records

        def fetch(chromosome, start, end):
            with _well_formed(genome):
                return fasta[chromosome][start:end]

        cut_windows(genome, genes, part, lengths=lengths, fetch=fetch, window=window, oriented=oriented)


@contextlib.contextmanager
def _opened(genome, folder):
    """Open a FASTA through a link in a folder, where pyfaidx writes its indices: beside the genome it might not be allowed to."""
    if is_plain_gzip(genome):
        raise InputError(
            f"{genome}: the genome is gzip-compressed, in which no place can be found; unpack it (gunzip), or compress it with bgzip."
        )
    with readable(genome):
        bgzipped = is_compressed(genome)
        with gzip.open(genome) if bgzipped else open(genome, "rb") as file:
            _check_lines(genome, file)
    # pyfaidx goes by the name.
    link = folder / ("genome.fa.gz" if bgzipped else "genome.fa")
    link.symlink_to(Path(genome).resolve())
    with _well_formed(genome):
        fasta = pyfaidx.Fasta(str(link), as_raw=True, rebuild=True)
    with fasta:
        yield fasta


def _check_lines(genome, file):
    """Refuse what an index cannot describe: pyfaidx takes some of it (a last line longer than the others) and is then off by bases."""
    if file.read(1) != b">":
        raise InputError(
            f"{genome}: this is no FASTA file, because it does not start with `>`; check `sequence.path` in config.yaml."
        )
    file.seek(0)
    names, width, returns, ended = set(), 0, 0, False
    for number, line in enumerate(file, start=1):
        whole = line[-1:] == b"\n"
        if len(line) == width and whole and not ended and line.count(b"\r") == returns and line[:1] != b">":
            continue
        where = f"{genome}, line {number}"
        if line[:1] == b">":
            name = line[1:].split(None, 1)[:1]
            if not name or line[1:2].isspace() or name[0] in names:
                what = (
                    "another record has this name too"
                    if name and name[0] in names
                    else "the record has no name behind `>`"
                )
                raise InputError(f"{where}: {what}: {line[:60].decode(errors='replace').strip()}; give each its own.")
            names.add(name[0])
            width, returns, ended = 0, 0, False
        elif not line.strip():
            ended = True
        # The last line of the file may lack its end, and must not have a base more for it.
        elif ended or (
            width and (len(line) > width - (0 if whole else 1 + returns) or (whole and line.count(b"\r") != returns))
        ):
            raise InputError(
                f"{where}: the lines of record {len(names)} are not all of one length and ending; only its last may be shorter. "
                "The file may be damaged; write it anew (samtools faidx, seqtk seq -l 60)."
            )
        elif width:
            ended = True
        else:
            width, returns = len(line), line.count(b"\r")


@contextlib.contextmanager
def _well_formed(genome):
    try:
        yield
    except InputError:
        raise
    except _MALFORMED as error:
        # pyfaidx says of whatever it cannot read that its index may not be writable.
        reason = " ".join(str(error.__context__ or error if isinstance(error, OSError) else error).split())
        raise InputError(f"{genome}: the FASTA file is malformed or damaged: {reason}") from error
