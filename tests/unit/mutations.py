"""Damage to text files, as disks, spreadsheets and people do it."""

from hypothesis import strategies as st

# What a field may become; half of it looks like a number to some parser.
FIELDS = (
    b"", b" ", b"0", b"1", b"2", b"-1", b"+1", b"007", b"1.0", b"1e3", b"1_0", b"0x1", b"NA", b"nan", b"inf", b"-", b"True",
    b"99999999999", b"9" * 25, b"1e999", b'"1"', b'"', b"#", b"A", b"\xff", b"\x00", "\N{ARABIC-INDIC DIGIT ONE}".encode(),
)  # fmt: skip


@st.composite
def damaged(draw, content, separator):
    """Draw `content` (bytes, fields between `separator`, lines ended by a line feed) after one to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(_CHANGES))(draw, content, separator)
    return content


def _place(draw, things, extra=0):
    return draw(st.integers(0, max(len(things) - 1 + extra, 0)))


def _truncate(draw, content, separator):
    return content[: _place(draw, content)]


def _flip(draw, content, separator):
    if not content:
        return content
    place = _place(draw, content)
    return content[:place] + bytes([content[place] ^ 1 << draw(st.integers(0, 7))]) + content[place + 1 :]


def _delete_line(draw, content, separator):
    lines = content.split(b"\n")
    del lines[_place(draw, lines)]
    return b"\n".join(lines)


def _copy_line(draw, content, separator):
    lines = content.split(b"\n")
    lines.insert(_place(draw, lines, 1), lines[_place(draw, lines)])
    return b"\n".join(lines)


def _insert_line(draw, content, separator):
    lines = content.split(b"\n")
    lines.insert(_place(draw, lines, 1), draw(st.sampled_from([b"", b"# comment", b" ", separator])))
    return b"\n".join(lines)


def _swap_lines(draw, content, separator):
    lines = content.split(b"\n")
    one, other = _place(draw, lines), _place(draw, lines)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _fields(change):
    def changed(draw, content, separator):
        lines = content.split(b"\n")
        place = _place(draw, lines)
        fields = lines[place].split(separator)
        change(draw, fields)
        lines[place] = separator.join(fields)
        return b"\n".join(lines)

    return changed


@_fields
def _replace_field(draw, fields):
    fields[_place(draw, fields)] = draw(st.sampled_from(FIELDS))


@_fields
def _swap_fields(draw, fields):
    one, other = _place(draw, fields), _place(draw, fields)
    fields[one], fields[other] = fields[other], fields[one]


@_fields
def _insert_field(draw, fields):
    fields.insert(_place(draw, fields, 1), draw(st.sampled_from(FIELDS)))


@_fields
def _delete_field(draw, fields):
    del fields[_place(draw, fields)]


def _windows(draw, content, separator):
    return content.replace(b"\n", b"\r\n")


def _byte_order_mark(draw, content, separator):
    return b"\xef\xbb\xbf" + content


_CHANGES = [
    _truncate, _flip, _delete_line, _copy_line, _insert_line, _swap_lines, _replace_field, _swap_fields, _insert_field,
    _delete_field, _windows, _byte_order_mark,
]  # fmt: skip
