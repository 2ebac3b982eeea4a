"""The tools of the project agree with each other."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def commands(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    return [line.strip() for line in recipe[1].splitlines()]


def test_the_hooks_before_a_commit_are_the_lints():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == commands("lint")


def test_what_is_tested_before_a_change_is_taken_is_what_the_makefile_does():
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.findall(r"^make (\w+)", text, re.MULTILINE) == ["lint", "test"]


def test_every_target_says_what_it_does():
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(re.findall(r"^([a-z]+):.*## \w", MAKEFILE, re.MULTILINE)) == set(phony[1].split())


def test_texts_are_in_the_words_of_the_field():
    """Neither these words nor the old names of keys, files and functions come back (the changelog lists the old names)."""
    private = re.compile(
        r"beside|by heart|flatter|telling.words|shuffled_dna|dna_words|leaky_slope|\boriented\b|fingerprint|withhold|rank_points|"
        r"choose_point|\bfind_genes\b|first_page|ensemble_mean|LookupConv1D|SeenGenes|before_sigmoid|\bknobs?\b"
    )
    places = ("workflow/**/*", "rules/*", "docs/*", "config.yaml", "README.md", "Snakefile", "bench/*.py")
    files = {
        path
        for place in places
        for path in ROOT.glob(place)
        if path.is_file() and path.suffix in (".py", ".smk", ".yaml", ".md", ".rst", ".css", "")
    }
    # What an old name is now, the refusal of old names says.
    files -= {ROOT / "workflow/scripts/wakawaka/config/renamed.py"}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if private.search(line)
    ]
    assert found == []
