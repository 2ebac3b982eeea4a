"""The thresholds of verdicts and of the summary's sentences."""

# Predictions have collapsed if their standard deviation is below this part of the truths' standard deviation.
COLLAPSED = 0.1
# The most that the loss after the last epoch may be, divided by the loss after the best epoch.
OVERFITTED = 1.05
# The most that the folds' validation loss may be, divided by their training loss.
GAP = 2.0
# The largest standard deviation over folds of the skill compared with the training mean.
DISAGREEING = 0.1
# A network with permuted genes has memorised them if its training loss is at most this multiple of the model's training loss.
MEMORISED = 1.25
