"""Progress of a long step: shown on the screen, while log files keep results only."""

import logging
import time

# Between DEBUG and INFO: shown on the screen, left out of log files.
PROGRESS = 15

# Seconds between two messages.
SECONDS = 10

logging.addLevelName(PROGRESS, "PROGRESS")


class Progress:
    """Logs every few seconds how far a step is.

    Args:
        log: the logger.
        total: the amount of work.
        unit: its unit, in the plural.
        level: the level of the messages.

    Attributes:
        done: the amount of work that is done, in the same unit.
    """

    def __init__(self, log: logging.Logger, total: float, unit: str, level: int = PROGRESS) -> None:
        self._log, self._level, self.total, self.unit = log, level, total, unit
        self.done: float = 0
        self._start = self._shown = time.monotonic()

    def advance(self, count: float, message: str, *arguments: object) -> None:
        """Add `count` to what is done. Every few seconds log the message and its arguments, the rate and the time left."""
        self.done += count
        now = time.monotonic()
        if now - self._shown > SECONDS:
            self._shown = now
            message += ", %.0f %s/s, %s left"
            self._log.log(self._level, message, *arguments, self.rate, self.unit, duration(self.left))

    @property
    def rate(self) -> float:
        """The amount done per second, since the beginning."""
        return self.done / (time.monotonic() - self._start)

    @property
    def left(self) -> float:
        """The time left at this rate, in seconds."""
        return max(self.total - self.done, 0) / self.rate


def duration(seconds: float) -> str:
    """Return a number of seconds as text, in seconds, minutes or hours.

    >>> duration(59), duration(754), duration(9000)
    ('59 s', '13 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
