"""run.py DATA [DATA ...] [--repeat R] [--engines a,b] [--xiaokang PATH]: the twelve rules in every engine, side by side.

A fresh process each time, engines interleaved, the data evicted from the page cache before each. Xiaokang is timed as a
whole process, from its start to its totals; the others from their first read to their last result, without the start
of Python and the import of their libraries. All must give the same 18 totals, to the fen."""
import argparse, json, os, resource, statistics, subprocess, sys, time

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("data", nargs="+")
parser.add_argument("--repeat", type=int, default=5)
parser.add_argument("--engines", default="xiaokang,duckdb,polars,numpy,datafusion,openfisca")
parser.add_argument("--xiaokang", default=os.path.join(here, "../../target/release/xiaokang"))
parser.add_argument("--memory", help="passed to xiaokang")
options = parser.parse_args()


def evict(folder):
    for path, _, files in os.walk(folder):
        for name in files:
            handle = os.open(os.path.join(path, name), os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def run(engine, data):
    if engine == "xiaokang":
        command = [options.xiaokang, "assess", "--snapshot", f"{data}/snapshot", "--pack", f"{here}/pack", "--as-of", "2019-12-31",
                   "--totals-only", "--threads", "2", "--json"] + (["--memory", options.memory] if options.memory else [])
    elif engine == "openfisca":
        command = [sys.executable, f"{here}/openfisca_rules.py", data]
    else:
        command = [sys.executable, f"{here}/peers.py", engine, data]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{engine} failed on {data}")
    found = json.loads(output)
    if engine == "xiaokang":
        totals = {name.removesuffix("_total"): value for name, value in found.items() if name.endswith("_total")}
        return seconds, usage.ru_maxrss / 1024, totals
    return found["seconds"], usage.ru_maxrss / 1024, found["totals"]


engines = options.engines.split(",")
for data in options.data:
    times, peaks, totals = {}, {}, {}
    for _ in range(options.repeat):
        for engine in engines:
            evict(data)
            seconds, peak, found = run(engine, data)
            times.setdefault(engine, []).append(seconds)
            peaks.setdefault(engine, []).append(peak)
            totals[engine] = found
    reference = totals[engines[0]]
    print(f"\n{data}: {totals[engines[0]].get('members')} persons, medians of {options.repeat}")
    print("| engine | s | times xiaokang | MiB | totals |\n|---|---|---|---|---|")
    base = statistics.median(times[engines[0]])
    for engine in engines:
        same = "equal" if totals[engine] == reference else "differ: " + ", ".join(
            f"{name} {totals[engine].get(name)}" for name in reference if totals[engine].get(name) != reference[name])
        median = statistics.median(times[engine])
        print(f"| {engine} | {median:.3f} | {median / base:.2f} | {statistics.median(peaks[engine]):.0f} | {same} |")
