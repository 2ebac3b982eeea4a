"""Damaged files for the tests of parsers: what disks, broken transfers, editors, spreadsheets and people make of valid ones."""

from hypothesis import strategies as st

# What stands in the place of a letter: signs that mean something in one format or another, and bytes that are no text.
SIGNS = [*"\t\n\r ;=\"'#>.-+,_0129AXNgxé%\0", b"\xff"]
# What stands in the place of a field; half of it looks like a number to some parser.
FIELDS = [
    "", " ", ".", "-", "+", "#", '"', '"1"', "\r", "\0", b"\xff", "é", "A", "x", "Y", "chrX", "gene", "track", "NA", "nan", "inf", "True",
    "0", "1", "2", "7", " 3", "-1", "+1", "00", "007", "1.0", "1.5", "1e2", "1e3", "1e999", "1_0", "0x1", "2147483648", "9" * 11, "9" * 30,
    "\N{ARABIC-INDIC DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}",
]  # fmt: skip
LINES = ["", " ", "\t", "#", "# comment", "##gff-version 3", "##FASTA", ">x", "track x", "a\tb", "a,b"]
WORDS = [b"\xff" * 4, b"\0" * 4, b"\0\0\0\x80", b"\x80\0\0\0", b"\xff\xff\xff\x7f"]


@st.composite
def damaged_text(draw, content, separator=b"\t", most=3):
    """Draw `content` (bytes; fields between `separator`, lines ended by a line feed) after one to `most` changes."""
    for _ in range(draw(st.integers(1, most))):
        change = draw(st.sampled_from([_change_letters, _change_lines, _change_fields]))
        content = change(draw, content, separator)
    return content


@st.composite
def damaged_bytes(draw, content, most=3):
    """Draw `content` (bytes of any format) after one to `most` changes."""
    content = bytes(content)
    for _ in range(draw(st.integers(1, most))):
        place = _place(draw, content)
        behind = place + draw(st.integers(1, 9))
        old = content[place:behind]
        match draw(
            st.sampled_from(["cut", "bit", "bit", "byte", "word", "drop", "double", "replace", "overwrite", "append"])
        ):
            case "cut":
                content = content[:place]
            case "bit":
                content = _flipped(draw, content, place)
            case "byte":
                content = content[:place] + draw(st.binary(min_size=1, max_size=1)) + content[place + 1 :]
            case "word":
                content = content[:place] + draw(st.sampled_from(WORDS)) + content[place + 4 :]
            case "drop":
                content = content[:place] + content[behind:]
            case "double":
                content = content[:behind] + content[place:]
            case "replace":
                content = content[:place] + draw(st.binary(max_size=9)) + content[behind:]
            case "overwrite":
                content = content[:place] + draw(st.binary(min_size=len(old), max_size=len(old))) + content[behind:]
            case "append":
                content += draw(st.binary(min_size=1, max_size=9))
    return content


def _place(draw, things, extra=0):
    return draw(st.integers(0, max(len(things) - 1 + extra, 0)))


def _one_of(draw, texts):
    text = draw(st.sampled_from(texts))
    return text.encode() if isinstance(text, str) else text


def _flipped(draw, content, place):
    return (
        content[:place]
        + bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in content[place : place + 1])
        + content[place + 1 :]
    )


def _change_letters(draw, content, separator):
    place = _place(draw, content)
    match draw(st.sampled_from(["cut", "cut", "bit", "sign", "sign", "insert", "windows", "mark"])):
        case "cut":
            return content[:place]
        case "bit":
            return _flipped(draw, content, place)
        case "sign":
            return content[:place] + _one_of(draw, SIGNS) + content[place + 1 :]
        case "insert":
            return content[:place] + _one_of(draw, SIGNS) + content[place:]
        case "windows":
            return content.replace(b"\n", b"\r\n")
        case "mark":
            return b"\xef\xbb\xbf" + content


def _change_lines(draw, content, separator):
    lines = content.split(b"\n")
    one, other = _place(draw, lines), _place(draw, lines)
    match draw(st.sampled_from(["drop", "double", "move", "swap", "insert"])):
        case "drop":
            del lines[one]
        case "double":
            lines.insert(draw(st.sampled_from([one, other])), lines[one])
        case "move":
            lines.insert(other, lines.pop(one))
        case "swap":
            lines[one], lines[other] = lines[other], lines[one]
        case "insert":
            lines.insert(one, draw(st.sampled_from([separator, _one_of(draw, LINES)])))
    return b"\n".join(lines)


def _change_fields(draw, content, separator):
    lines = content.split(b"\n")
    line = _place(draw, lines)
    fields = lines[line].split(separator)
    one, other = _place(draw, fields), _place(draw, fields)
    match draw(st.sampled_from(["replace", "replace", "swap", "insert", "double", "drop"])):
        case "replace":
            fields[one] = _one_of(draw, FIELDS)
        case "swap":
            fields[one], fields[other] = fields[other], fields[one]
        case "insert":
            fields.insert(_place(draw, fields, 1), _one_of(draw, FIELDS))
        case "double":
            fields.insert(one, fields[one])
        case "drop":
            del fields[one]
    lines[line] = separator.join(fields)
    return b"\n".join(lines)
