import subprocess
import sys
from pathlib import Path

import pytest

from wakawaka.core.errors import InputError
from wakawaka.sources.histone.sample_sheet import sheet_files, sheet_rows

ROWS = "cell\tmark\tpath\nE1\tK4\ta.bam\nE1\tK9\tb.bed.gz\nE2\tK4\tc.bw\nE2\tK9\td.cram\n"
CELLS, MARKS = ["E2", "E1"], ["K9", "K4"]


def sheet(tmp_path, text):
    path = tmp_path / "sheet.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        ROWS.replace("\n", "\r\n"),
        "\N{BYTE ORDER MARK}" + ROWS,
        ROWS.replace("\n", "\t\n"),
        ROWS.replace("\n", "\n\n"),
        "# cells\n\n" + ROWS.replace("E2\tK4", "#E3\tK4\tx\n\t\t\nE2\tK4"),
        ROWS.rstrip("\n"),
        "".join("\t".join([*line.split("\t")[::-1], "more"]) + "\n" for line in ROWS.splitlines()),
        ROWS.replace("\t", " \t "),
    ],
)
def test_files_of_cells_in_the_order_of_the_marks(tmp_path, text):
    expected = {"E2": [("K9", "d.cram"), ("K4", "c.bw")], "E1": [("K9", "b.bed.gz"), ("K4", "a.bam")]}
    assert sheet_files(sheet(tmp_path, text), CELLS, MARKS) == expected


def test_rows_know_their_lines(tmp_path):
    rows = sheet_rows(sheet(tmp_path, "#\n\n" + ROWS))
    assert rows[0] == (4, "E1", "K4", "a.bam") and rows[-1] == (7, "E2", "K9", "d.cram")


def test_rows_of_one_cell_and_mark_are_replicates(tmp_path):
    files = sheet_files(sheet(tmp_path, ROWS + "E1\tK9\te.bed\nE1\tK4\tf.bed\n"), ["E1"], MARKS)
    assert files == {"E1": [("K9", "b.bed.gz"), ("K9", "e.bed"), ("K4", "a.bam"), ("K4", "f.bed")]}


def test_other_cells_and_marks_are_left_out(tmp_path):
    # A control is often that of several cells.
    text = ROWS + "E1\tInput\ti.bam\nE2\tInput\ti.bam\na cell!\tK4\ta.bam\n"
    assert sheet_files(sheet(tmp_path, text), ["E1", "E2"], ["K4"]) == {"E1": [("K4", "a.bam")], "E2": [("K4", "c.bw")]}
    assert sheet_files(sheet(tmp_path, text), ["E1"], ["K4", "Input"]) == {"E1": [("K4", "a.bam"), ("Input", "i.bam")]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the sample sheet is empty; it needs a header with cell, mark, path"),
        ("# nothing\n\n", ": the sample sheet is empty"),
        (ROWS.replace("mark", "marks"), ", line 1: the header (cell, marks, path) must name the column 'mark' once"),
        (ROWS.replace("\t", ","), ", line 1: the header (cell,mark,path) must name the column 'cell' once"),
        ("\n" + ROWS.replace("\n", "\tcell\n"), ", line 2: the header (cell, mark, path, cell) must name the column 'cell' once"),
        (ROWS + "E3\tK4\n", ", line 6: 2 fields where the header has 3"),
        (ROWS + "E3\tK4\ta b\tc\n", ", line 6: 4 fields where the header has 3"),
        (ROWS + "E3\tK4\tx\t\t\n", ", line 6: 5 fields where the header has 3"),
        (ROWS + "E3\t\tx\n", ", line 6: the mark is empty; fill it in or remove the row"),
        (ROWS + " \tK4\tx\n", ", line 6: the cell is empty"),
        (ROWS + "E1\tK4\t\n", ", line 6: the path is empty"),
        (ROWS + "E1\tK4\ta.bam\n", ", line 6: the file a.bam of E1 K4 is already that of E1 K4 in line 2; every row needs"),
        (ROWS + "E2\tK4\t./x/../a.bam\n", ", line 6: the file ./x/../a.bam of E2 K4 is already that of E1 K4 in line 2"),
        (ROWS.replace("E2", "e2"), ": the cell E2 has no row; add its files, or remove the cell from config.yaml"),
        (ROWS.replace("E1\tK9\tb.bed.gz\n", ""), ": the cell E1 has no row for the mark K9; add its files, or remove the mark"),
        (ROWS.replace("E1\tK9", "E1\tK10"), ": the cell E1 has no row for the mark K9, but rows for: K10; add its files, or remove"),
        (ROWS.replace("E1\tK", "E1\tk"), ": the cell E1 has no row for the mark K9, but rows for: k4, k9; add its files, or"),
        (ROWS.encode("utf-16"), ": this is not a text file in UTF-8"),
    ],
)  # fmt: skip
def test_refused(tmp_path, text, says):
    path = sheet(tmp_path, text)
    with pytest.raises(InputError) as error:
        sheet_files(path, CELLS, MARKS)
    assert str(error.value).startswith(f"{path}{says}")


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="the file does not exist"):
        sheet_files(tmp_path / "sheet.tsv", CELLS, MARKS)


def test_light_to_import():
    # Snakemake imports it whenever it parses the workflow.
    scripts = Path(__file__).parents[4] / "workflow" / "scripts"
    heavy = "{'pysam', 'polars', 'pyBigWig', 'tensorflow'}"
    code = f"import sys, wakawaka.sources.histone.sample_sheet; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
