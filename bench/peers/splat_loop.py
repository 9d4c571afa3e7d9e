"""Blends projected splats with a plain loop in numba, one thread: splat_loop.py FILE. Prints JSON lines: one for the start, one per line read.

FILE holds, after two int32 (width, height) and one int32 (count), float32 records of 11: x, y, A, B, C, opacity, radius x, radius y, three of colour,
nearest first. Each line read from standard input is answered with the processor seconds of one picture; the last picture is written to FILE.out.
"""
import json
import math
import sys
import time

import numba
import numpy as np

RECORD = 11


@numba.njit(fastmath=False)
def blend(records, out, through):
    height, width = through.shape
    for n in range(len(records)):
        mx, my, a, b, c, opacity, rx, ry = records[n, :8]
        x0, x1 = max(0, int(math.floor(mx - rx))), min(width, int(math.ceil(mx + rx)))
        y0, y1 = max(0, int(math.floor(my - ry))), min(height, int(math.ceil(my + ry)))
        for y in range(y0, y1):
            for x in range(x0, x1):
                t = through[y, x]
                if t <= 0:
                    continue
                dx, dy = x + 0.5 - mx, y + 0.5 - my
                q = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
                if q < 0 or q > 5.55:
                    continue
                alpha = min(0.999, opacity * math.exp(-q))
                if alpha < 1 / 255:
                    continue
                if t * (1 - alpha) <= 1e-4:
                    through[y, x] = -t
                    continue
                for channel in range(3):
                    out[y, x, channel] += records[n, 8 + channel] * alpha * t
                through[y, x] = t * (1 - alpha)


def main(path):
    with open(path, "rb") as file:
        width, height, count = np.fromfile(file, np.int32, 3)
        records = np.fromfile(file, np.float32, count * RECORD).reshape(count, RECORD)

    def picture():
        out, through = np.zeros((height, width, 3), np.float32), np.ones((height, width), np.float32)
        start = time.process_time()
        blend(records, out, through)
        return out, time.process_time() - start

    out, _ = picture()
    out.tofile(path + ".out")
    print(json.dumps({"numba": numba.__version__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"seconds": picture()[1]}), flush=True)


main(sys.argv[1])
