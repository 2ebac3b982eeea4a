"""The order in which the test files run."""

# The files of tests/workflow, then of tests/unit, that take longest. They come first, so that pytest's workers end at about the same
# time; without `--no-loadscope-reorder`, pytest-xdist starts with the files of most tests instead.
LONGEST = [
    "workflow/test_real_data.py",
    "workflow/test_readers.py",
    "workflow/test_bench.py",
    "workflow/test_labels.py",
    "workflow/test_tuning_jobs.py",
    "workflow/test_ablations.py",
    "workflow/test_planted_effects.py",
    "workflow/test_plus.py",
    "workflow/test_leakage.py",
    "workflow/test_rerun.py",
    "workflow/test_experiments.py",
    "workflow/test_course_files.py",
    "workflow/test_errors.py",
    "workflow/test_transforms.py",
    "workflow/test_resume.py",
    "workflow/test_profiles.py",
    "workflow/test_example.py",
    "unit/training/test_train.py",
    "unit/training/test_held_out.py",
]


def pytest_collection_modifyitems(config, items):
    """Put the longest test files first."""
    tests = config.rootpath / "tests"
    places = {tests / name: place for place, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in places), "a test file in LONGEST is not there"
    items.sort(key=lambda item: places.get(item.path, len(places)))
