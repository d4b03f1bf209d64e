"""The networks, in the operations that ONNX Runtime runs fast on a CPU: plain 3-D convolutions, space-to-depth and
1x1x1 convolution with depth-to-space instead of strided stems and transposed convolutions.
"""
