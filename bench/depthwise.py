"""Which 3^3 convolution cp-gan is built of: plain, grouped by eights, depthwise; and 1^3. One thread, batch 2.

    OMP_NUM_THREADS=1 python bench/depthwise.py

Prints milliseconds of PyTorch forward, forward and backward (both memory layouts), and of ONNX Runtime.
"""
import io
import time

import onnxruntime
import torch
from torch import nn

torch.set_num_threads(1)
CASES = ((16, 64), (32, 32), (64, 16))


def best(run, count=5):
    run()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def trained(channels, size, groups, kernel, layout):
    conv = nn.Conv3d(channels, channels, kernel, padding=kernel // 2, groups=groups).to(memory_format=layout)
    x = torch.randn(2, channels, size, size, size).contiguous(memory_format=layout).requires_grad_()
    with torch.no_grad():
        forward = best(lambda: conv(x))
    return forward, best(lambda: conv(x).sum().backward())


def inferred(channels, size, groups, kernel):
    conv = nn.Conv3d(channels, channels, kernel, padding=kernel // 2, groups=groups).eval()
    x = torch.randn(1, channels, size, size, size)
    file = io.BytesIO()
    torch.onnx.export(conv, (x,), file, input_names=["x"], output_names=["y"], opset_version=20, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    feeds = {"x": x.numpy()}
    return best(lambda: session.run(["y"], feeds))


def main():
    print("| channels, grid | convolution | GFLOP | PyTorch fwd | fwd + bwd | fwd, channels last | fwd + bwd | ONNX Runtime fwd (batch 1) |")
    print("|---|---|---|---|---|---|---|---|")
    for channels, size in CASES:
        for name, groups, kernel in (("plain", 1, 3), ("groups of 8", channels // 8, 3), ("depthwise", channels, 3), ("1^3", 1, 1)):
            gflop = 2 * size**3 * channels * (channels // groups) * kernel**3 / 1e9
            first = trained(channels, size, groups, kernel, torch.contiguous_format)
            last = trained(channels, size, groups, kernel, torch.channels_last_3d)
            figures = " | ".join(f"{t:.0f}" for t in (*first, *last, inferred(channels, size, groups, kernel)))
            print(f"| {channels}, {size}^3 | {name} | {gflop:.2f} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
