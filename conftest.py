"""Settings for every test and for the kernels that run the chapters."""

import os

os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output that changes
os.environ.setdefault("PYTHONHASHSEED", "0")
