#!/bin/bash
# The benchmark on a small network: its JSON must have these keys and no others, and numbers where nothing is optional.
set -uo pipefail
answer=$(OMP_WAIT_POLICY=passive "$1" --quick --json --threads 1) || { echo "The benchmark ended with $?."; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
keys=$(printf '%s' "$answer" | grep -o '"[a-z0-9_]*":' | tr -d '":' | LC_ALL=C sort | tr '\n' ' ')
expected="calibrate_histogram calibrate_minmax fake_quant_per_channel fake_quant_per_tensor float_step_seconds float_vs_onnxruntime lsq_step memory_10x observers_seconds qat_step tqt_step "
failed=0
[ "$keys" = "$expected" ] || { echo "The keys are: $keys"; failed=1; }
numbers=$(printf '%s' "$answer" | grep -v float_vs_onnxruntime | grep -cE '": [0-9]+(\.[0-9]+)?(e-?[0-9]+)?,?$')
[ "$numbers" = 10 ] || { echo "$numbers of 10 values are numbers:"; printf '%s\n' "$answer"; failed=1; }
echo "$((1 - failed)) passed, $failed failed, 0 skipped"
exit $failed
