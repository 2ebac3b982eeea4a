"""The input files of one size in a folder, made when they are first asked for; measures nothing by itself."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import PathLike, in_own_process, progress

# As in the course: 6 of 56 cells and 1,447 of 17,447 genes are held out.
CELLS, HELD_OUT_CELLS = 56, 6
GENES, HELD_OUT_GENES = 17_447, 1_447
# The sizes of the small files that each process reads first.
SMALL = {"reads": 2000, "genes": 20, "megabases": 1, "cells": 3, "values": 2000}


class Files:
    """The files of one size in a folder. The name of a file has the sizes that its content depends on.

    Args:
        folder: path of the folder.
        sizes: dict with the keys of `SMALL`.
    """

    def __init__(self, folder: PathLike, sizes: Mapping[str, int]) -> None:
        self._folder, self._sizes = Path(folder), sizes

    def genes(self) -> Path:
        """Return the path of parsed genes on hg19's chromosomes."""
        return self._made("genes-{genes}.npz", "write_gene_places", "genes")

    def first_genes(self, number: int) -> Path:
        """Return the path of the first of these parsed genes."""
        return self._made(f"genes-{{genes}}-{number}.npz", "write_first_genes", self.genes(), number)

    def windows(self, genes: Path, size: int) -> Path:
        """Return the path of a BED file of the bins of `size` bp of parsed genes."""
        return self._made(f"{genes.stem}-{size}.bed", "write_windows", genes, size)

    def tag_align(self) -> Path:
        """Return the path of a tagAlign in random order."""
        return self._made("reads-{reads}.tagAlign.gz", "write_tag_align", "reads", False)

    def sorted_tag_align(self) -> Path:
        """Return the path of a sorted tagAlign of the same reads."""
        return self._made("reads-{reads}-sorted.tagAlign.gz", "write_tag_align", "reads", True)

    def bam(self) -> Path:
        """Return the path of a BAM of the same reads, with its index."""
        path = self._made("reads-{reads}.bam", "write_bam", "reads")
        if not path.with_name(f"{path.name}.bai").exists():
            subprocess.run(["samtools", "index", path], check=True)
        return path

    def bam_without_index(self) -> Path:
        """Return the path of a link to the BAM, which has no index."""
        path = self.bam()
        link = path.with_name(f"no-index-{path.name}")
        if not link.is_symlink():
            link.symlink_to(path.name)
        return link

    def expected(self) -> Path:
        """Return the path of the counts of the reads, by the slow reference."""
        return self._made("expected-{reads}-{genes}.npy", "write_expected", self.tag_align(), self.genes())

    def fasta(self) -> Path:
        """Return the path of a FASTA."""
        return self._made("genome-{megabases}.fa", "write_fasta", "megabases")

    def fasta_genes(self) -> Path:
        """Return the path of parsed genes in the FASTA."""
        return self._made("genome-{megabases}-genes-{genes}.npz", "write_gene_places", "genes", "megabases")

    def big_wig(self) -> Path:
        """Return the path of a bigWig."""
        return self._made("track-{values}.bw", "write_big_wig", "values")

    def course(self) -> Path:
        """Return the path of a folder with train.npz, eval.npz and seq_data.csv."""
        genes, cells = self._sizes["genes"], self._sizes["cells"]
        held_out = round(cells * HELD_OUT_CELLS / CELLS), round(genes * HELD_OUT_GENES / GENES)
        return self._made("course-{cells}-{genes}", "write_course", "cells", held_out[0], "genes", held_out[1])

    def _made(self, name: str, function: str, *arguments: Any) -> Path:
        """Return the path of a file that a function of random_inputs.py writes, if it is not there yet.

        An argument that is a key of the sizes is replaced by that size.
        """
        path = self._folder / name.format(**self._sizes)
        if not path.exists():
            progress("making %s", path.name)
            given = [self._sizes.get(argument, argument) for argument in arguments]
            in_own_process(make, function, path, *given)
        return path


def make(function: str, path: PathLike, *arguments: Any) -> None:
    """Call a function of random_inputs.py, whose imports only the process that makes a file needs."""
    import random_inputs

    getattr(random_inputs, function)(path, *arguments)
