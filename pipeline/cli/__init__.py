import os

# Before anything loads numpy: its products here are small, and a second thread for them stands in the way of the encoder's own
# (beside other work on two cores, claim matching took a fifth of the judge's time; with one thread it does not show).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
