"""Many commands at once on a busy machine: each must end with its own exit code.

    python -m tests.sweeps.abort [RUNS]

Libraries with native threads may abort the interpreter's teardown, most of all under load and
where it comes soon after they worked. So a text of vectors is read by several processes at a time
while another keeps a core busy. With `--teardown` the text is read by a script of Python instead,
which has a teardown: to see whether the load is enough. The script ends with the counts, and with
exit code 1 where a run ended in another way.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

AT_ONCE = 5
TEARDOWN = (
    "import sys\nfrom pathlib import Path\n"
    "from embedinspect.formats.word_vectors import read_text\n"
    "read_text(Path(sys.argv[1]))\n"
)


def write_vectors(path: Path, rows: int = 20_000, output_dim: int = 50) -> None:
    """Write a text of word vectors that is read in several parts."""
    matrix = np.random.RandomState(0).standard_normal((rows, output_dim)).astype(np.float32)
    with path.open("w") as file:
        for number, row in enumerate(matrix):
            file.write(f"w{number} " + " ".join(f"{value:.5f}" for value in row) + "\n")


def main() -> int:
    """Run the sweep and return an exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--teardown"]
    runs = int(arguments[0]) if arguments else 200
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
            vectors = Path(folder) / "vectors.txt"
            write_vectors(vectors)
            command = ["-m", "embedinspect", "rows", str(vectors), "w7", "--no-cache", "--json"]
            if "--teardown" in sys.argv:
                command = ["-c", TEARDOWN, str(vectors)]

            def run(_: int) -> int:
                return subprocess.run(
                    [sys.executable, *command], capture_output=True, check=False
                ).returncode

            codes = Counter(pool.map(run, range(runs)))
    finally:
        busy.kill()
        busy.wait()
    wrong = runs - codes[0]
    print(f"{wrong} of {runs} runs ended with another exit code than 0: {dict(codes)}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
