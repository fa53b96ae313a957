"""Models: functions from rows of numbers to rows of numbers, compiled, in ONNX or in Python."""
