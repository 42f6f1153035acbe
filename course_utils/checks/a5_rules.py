"""Assignment 5: the places of the book that explain its rules."""

from course_utils.checks.exercise import Place

LINES = Place("11_case_study", "Three kinds of lines")
SPLIT = Place("11_case_study", "The split")
SAMPLER = Place("11_case_study", "A balanced sampler")
STEP = Place("11_case_study", "The loss and the step")
COUNTING = Place("11_case_study", "Counting what is right")
MATRIX = Place("11_case_study", "The confusion matrix")
TWO_LOSSES = Place("11_case_study", "Two validation losses")
LEAKS = Place("11_case_study", "Fifty-five images")
BATCH_MEANS = Place("11_case_study", '"The mean of the batch means is the mean"')
PILE_UP = Place("14_gradients", "Without zero grad: gradients that pile up")
DOUBLE_SOFTMAX = Place("14_gradients", "Softmax before the loss")
READ_ONLY = Place(
    "07_batch_norm_and_dropout", "In evaluation the running statistics are read, not written"
)
COMPANY = Place("07_batch_norm_and_dropout", "The answer depends on the company")
BATCH_STATISTICS = Place(
    "07_batch_norm_and_dropout", "What goes wrong with batch statistics in evaluation"
)
MODES = Place("13_hooks", "Look without changing the mode")
