"""DNA as integer codes: 0-3 = A C G T, 4 = N."""

import numpy as np

LETTERS = "ACGTN"
N = 4
INVALID = 255

_CODES = bytearray([INVALID] * 256)
for _code, _letter in enumerate(LETTERS):
    _CODES[ord(_letter)] = _CODES[ord(_letter.lower())] = _code
# Five rows for four columns: the row of N is zero.
_ONE_HOT = np.eye(5, 4, dtype=np.float32)


def encode(sequence: str | bytes | bytearray) -> np.ndarray:
    """Return the codes of a sequence (str or ASCII bytes) as uint8; letters other than ACGTN, in either case, become INVALID."""
    raw = sequence.encode("latin-1", "replace") if isinstance(sequence, str) else sequence
    return np.frombuffer(bytearray(raw).translate(_CODES), np.uint8)


def decode(codes: np.ndarray) -> str:
    """Return the letters of an array of codes.

    >>> decode(encode("acGTN"))
    'ACGTN'
    """
    return "".join(LETTERS[code] for code in codes)


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Return the reverse complements [..., position] uint8 of codes [..., position] uint8.

    >>> decode(reverse_complement(encode("AACGN")))
    'NCGTT'
    """
    if codes.shape[-1] % 8:
        # 3 - 4 is 255 in uint8.
        return np.minimum(np.uint8(3) - codes, np.uint8(N))[..., ::-1]
    # Eight bases at a time, because numpy reverses single bytes slowly. The complement is XOR with 3, except for N, the only code with
    # the bit 4.
    eights = np.ascontiguousarray(codes, np.uint8).view(np.uint64)
    complement = eights >> np.uint64(2)
    complement &= np.uint64(0x0101010101010101)
    complement *= np.uint64(3)
    complement ^= eights
    complement ^= np.uint64(0x0303030303030303)
    return complement[..., ::-1].byteswap().view(np.uint8)


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Return codes [...] uint8 as one-hot [..., 4] float32; N is all zeros."""
    return _ONE_HOT[codes]
