"""Writes every input of the vectors and rows as a seed: one byte for the context, then the text."""

import json
import pathlib
import sys

data = pathlib.Path(__file__).parent.parent / "tests" / "data"
folder = pathlib.Path(sys.argv[1])
count = 0
for file in [*data.glob("vectors/*.json"), *data.glob("language.json")]:
    for row in json.loads(file.read_text()):
        for text in (row["input"], row["input"] + ": Meeting", row["input"] + " 1h: Meeting"):
            (folder / f"seed-{count}").write_bytes(bytes([count % 90]) + text.encode())
            count += 1
