"""Messages about the progress of a step."""

import logging

import pytest

from wakawaka.core.progress import PROGRESS, SECONDS, Progress, duration

log = logging.getLogger("wakawaka.test_progress")


@pytest.fixture
def clock(monkeypatch):
    """A clock whose time only the test changes."""
    now = [1000.0]
    monkeypatch.setattr("wakawaka.core.progress.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def messages(caplog):
    """A function that returns the records so far."""
    caplog.set_level(PROGRESS, log.name)
    return lambda: caplog.records


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (99, "99 s"),
        (100, "2 min"),
        (754, "13 min"),
        (3599, "60 min"),
        (5999, "100 min"),
        (6000, "1.7 h"),
        (9000, "2.5 h"),
        (360_000, "100.0 h"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_quick_step_logs_nothing(clock, messages):
    progress = Progress(log, 100, "genes")
    for _ in range(10):
        progress.advance(10, "genes")
    clock[0] += SECONDS
    progress.advance(0, "genes")
    assert not messages()


def test_a_message_every_few_seconds_has_rate_and_time_left(clock, messages):
    progress = Progress(log, 8000, "samples")
    for _ in range(40):
        clock[0] += SECONDS / 4
        progress.advance(50, "%s: loss %.4f", "fold-1, epoch 2/10", 0.123456)
    # More than SECONDS apart: after 5, 10, ... of the 40 steps.
    assert len(messages()) == 8
    first, last = messages()[0].getMessage(), messages()[-1].getMessage()
    rate = 50 / (SECONDS / 4)
    assert first == f"fold-1, epoch 2/10: loss 0.1235, {rate:.0f} samples/s, {duration(7750 / rate)} left"
    assert last == f"fold-1, epoch 2/10: loss 0.1235, {rate:.0f} samples/s, {duration(6000 / rate)} left"


def test_the_rate_is_since_the_beginning(clock):
    progress = Progress(log, 300, "genes")
    clock[0] += 10
    progress.advance(100, "")
    clock[0] += 30
    progress.advance(100, "")
    assert progress.done == 200 and progress.rate == 5 and progress.left == 20


@pytest.mark.parametrize("level", [None, logging.INFO])
def test_the_level(clock, messages, level):
    progress = Progress(log, 100, "genes", **({"level": level} if level else {}))
    clock[0] += SECONDS + 1
    progress.advance(50, "half of it")
    (record,) = messages()
    assert record.levelno == (level or PROGRESS)
    assert record.levelname == ("INFO" if level else "PROGRESS")


def test_the_level_is_between_debug_and_info():
    assert logging.DEBUG < PROGRESS < logging.INFO
