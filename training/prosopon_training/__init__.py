"""Training of Prosopon's networks: from the volumes that ``prosopon prepare`` wrote to ONNX files.

Nothing here reads a scan: preprocessing exists once, in TypeScript.
"""

import os

# ONNX Runtime 1.29 and later report usage to its makers unless told not to before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
