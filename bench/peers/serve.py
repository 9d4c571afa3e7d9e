"""The conversation with the benchmark: ready once, then one timed step for every line on stdin."""
import json
import sys
import time


def peak_bytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def serve(step, **about):
    """Runs `step` once untimed, says so, and then times it whenever asked, until stdin ends."""
    step()
    print(json.dumps({"ready": True, **about}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        step()
        print(json.dumps({"seconds": time.perf_counter() - started, "peakBytes": peak_bytes()}), flush=True)
