"""Prints the GFLOP of ONNX files as JSON, {path: number}: convolutions and matrix products, by shape inference.

    python3 scripts/count-flops.py models/*/model.onnx

Axes that a graph leaves free get their sizes by --axis NAME=N.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--axis", action="append", default=[], metavar="NAME=N")
    args = parser.parse_args()
    try:
        import onnx  # noqa: F401

        from prosopon_training.flops import count_gflop
    except ImportError as missing:
        sys.exit(f"onnx is not installed: {missing}")
    axes = {name: int(n) for name, n in (entry.split("=") for entry in args.axis)}
    print(json.dumps({str(path): round(count_gflop(path, axes), 3) for path in args.files}))


if __name__ == "__main__":
    main()
