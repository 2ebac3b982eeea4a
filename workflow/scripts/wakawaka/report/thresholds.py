"""The thresholds of verdicts and of the sentences of the report's first page."""

# Predictions whose standard deviation is less than this part of the truth's count as collapsed.
COLLAPSED = 0.1
# The loss of the last epoch may exceed that of the best one by so much before the model counts as overfitted.
OVERFITTED = 1.05
# The loss of what the folds held out, divided by that of their training samples.
GAP = 2.0
# The standard deviation over folds of the skill beside the training mean, which knows how hard each fold is.
DISAGREEING = 0.1
# With shuffled DNA, a training loss of at most so many times the own one counts as knowing the genes by heart.
MEMORISED = 1.25
