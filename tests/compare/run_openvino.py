"""python3 run_openvino.py MODEL.onnx IN OUT: runs IN0.npy, IN1.npy… in OpenVINO on the CPU and writes OUT0.npy, OUT1.npy…

Exit code 77: the package is not installed.
"""
import sys

try:
    import numpy
    import openvino
except ImportError as error:
    print(error)
    sys.exit(77)

model, given, made = sys.argv[1:4]
core = openvino.Core()
# Without this hint the CPU plugin may compute float parts in bfloat16.
compiled = core.compile_model(core.read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "2"})
results = compiled([numpy.load("%s%d.npy" % (given, k)) for k in range(len(compiled.inputs))])
for k in range(len(compiled.outputs)):
    numpy.save("%s%d.npy" % (made, k), numpy.ascontiguousarray(results[k]))
