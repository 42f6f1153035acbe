"""What an answer may use while it is graded."""

CPU_SECONDS = 10  # of processor time, for one exercise
MEMORY = 1 << 30  # bytes more than the worker has
