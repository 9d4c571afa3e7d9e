"""Fréchet distance as pytorch-fid computes it: argv[1] is JSON {first, second}, two .npz files with feats. Prints one line of JSON."""
import json
import sys
import time

import numpy as np
from scipy import linalg

from serve import peak_bytes

settings = json.loads(sys.argv[1])
first, second = [np.load(settings[name])["feats"].astype(np.float64) for name in ("first", "second")]
before = peak_bytes()
started = time.perf_counter()
(m1, s1), (m2, s2) = [(x.mean(0), np.cov(x, rowvar=False)) for x in (first, second)]
statistics = time.perf_counter() - started
root = linalg.sqrtm(s1 @ s2)
value = (m1 - m2) @ (m1 - m2) + np.trace(s1) + np.trace(s2) - 2 * np.trace(root).real
print(json.dumps({"value": float(value), "seconds": time.perf_counter() - started, "statisticsSeconds": statistics, "extraBytes": peak_bytes() - before}), flush=True)
