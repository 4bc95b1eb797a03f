"""python3 run_onnxruntime.py MODEL.onnx IN OUT: runs IN0.npy, IN1.npy… in ONNX Runtime and writes OUT0.npy, OUT1.npy…

Exit code 77: the package is not installed.
"""
import sys

try:
    import numpy
    import onnxruntime
except ImportError as error:
    print(error)
    sys.exit(77)

model, given, made = sys.argv[1:4]
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
options.intra_op_num_threads = 2
# It would requantize float weights between quantized tensors.
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=["WeightBiasQuantization"])
feeds = {i.name: numpy.load("%s%d.npy" % (given, k)) for k, i in enumerate(session.get_inputs())}
for k, output in enumerate(session.run(None, feeds)):
    numpy.save("%s%d.npy" % (made, k), numpy.ascontiguousarray(output))
