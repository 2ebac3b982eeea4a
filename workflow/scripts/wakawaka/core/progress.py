"""Progress of a long step: for the screen, where log files want only results."""

import logging
import time

# Between DEBUG and INFO: shown on the screen, left out of log files.
PROGRESS = 15

# Between two lines.
SECONDS = 10

logging.addLevelName(PROGRESS, "PROGRESS")


class Progress:
    """Says every few seconds how far a step is.

    Args:
        log: the logger.
        total: how much there is to do.
        unit: of what, in the plural.
        level: of the messages.
    """

    def __init__(self, log, total, unit, level=PROGRESS):
        self._log, self._level, self.total, self.unit, self.done = log, level, total, unit, 0
        self._start = self._shown = time.monotonic()

    def advance(self, count, message, *arguments):
        """Note that `count` more is done; now and then log the message and its arguments, the rate and the time left."""
        self.done += count
        now = time.monotonic()
        if now - self._shown > SECONDS:
            self._shown = now
            message += ", %.0f %s/s, %s left"
            self._log.log(self._level, message, *arguments, self.rate, self.unit, duration(self.left))

    @property
    def rate(self):
        """Done per second, since the beginning."""
        return self.done / (time.monotonic() - self._start)

    @property
    def left(self):
        """Seconds."""
        return max(self.total - self.done, 0) / self.rate


def duration(seconds):
    """Return a number of seconds as people say it.

    >>> duration(59), duration(754), duration(9000)
    ('59 s', '13 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
