"""The exceptions whose messages are written for the user of the pipeline."""


class InputError(Exception):
    """Something in the user's input is wrong.

    The message is a sentence (or a few) that names the file, line or key, says what is wrong and what to do about it. Scripts print
    it without a traceback.
    """


class Diverged(InputError):
    """The loss of a training is no longer a finite number."""
