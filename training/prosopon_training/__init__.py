"""Training of Prosopon's networks: from the volumes that ``prosopon prepare`` wrote to ONNX files.

Nothing here reads a scan: preprocessing exists once, in TypeScript.
"""
