"""Damaged files for the tests of parsers: what truncation, bad discs, editors and scripts do to valid ones."""

from hypothesis import strategies as st


@st.composite
def mutated_text(draw, text, separator="\t", most=3):
    """A valid text file (str) after one to `most` changes: cut off, letters changed, lines dropped, doubled or moved, fields swapped."""
    for _ in range(draw(st.integers(1, most))):
        lines = text.split("\n")
        row = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["cut", "letter", "drop", "double", "move", "swap", "field", "insert"]))
        if kind == "cut":
            text = text[: draw(st.integers(0, len(text)))]
            continue
        if kind == "letter" and text:
            place = draw(st.integers(0, len(text) - 1))
            letter = draw(st.sampled_from("\t\n ;=\"'#>.-+,0129AXgé\0%"))
            text = text[:place] + letter + text[place + 1 :]
            continue
        fields = lines[row].split(separator)
        column = draw(st.integers(0, len(fields) - 1))
        if kind == "drop":
            del lines[row]
        elif kind == "double":
            lines.insert(row, lines[row])
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(row))
        elif kind == "swap":
            other = draw(st.integers(0, len(fields) - 1))
            fields[column], fields[other] = fields[other], fields[column]
            lines[row] = separator.join(fields)
        elif kind == "field":
            fields[column] = draw(
                st.sampled_from(["", ".", "-1", "0", "1e3", "7", "9" * 30, "٣", "x", "chrX", "Y", "gene"])
            )
            lines[row] = separator.join(fields)
        else:
            lines.insert(row, draw(st.sampled_from(["", " ", "#", "##gff-version 3", ">x", "track x", "a\tb"])))
        text = "\n".join(lines)
    return text


@st.composite
def mutated_bytes(draw, content, most=3):
    """A valid binary file after one to `most` changes: cut off, bytes changed, taken out, doubled or put in."""
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(["cut", "flip", "flip", "word", "drop", "double", "append"]))
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        behind = min(place + draw(st.integers(1, 9)), len(content))
        if kind == "cut":
            content = content[:place]
        elif kind == "flip" and content:
            content = content[:place] + bytes([content[place] ^ draw(st.integers(1, 255))]) + content[place + 1 :]
        elif kind == "word":
            content = (
                content[:place]
                + draw(st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80"]))
                + content[place + 4 :]
            )
        elif kind == "drop":
            content = content[:place] + content[behind:]
        elif kind == "double":
            content = content[:behind] + content[place:]
        else:
            content += draw(st.binary(min_size=1, max_size=9))
    return content
