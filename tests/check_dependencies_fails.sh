#!/bin/bash
# The dependency check must find each of these planted violations, and nothing in a tree without one.
set -uo pipefail
check=$(dirname "$(readlink -f "$0")")/../tools/check_dependencies.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

# plant FILE INCLUDE EXPECTED : EXPECTED is "fails" or "passes".
plant() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/$(dirname "$1")"
    printf '#pragma once\n#include %s\n' "$2" >"$tree/$1"
    local seen=passes
    "$check" "$tree" >/dev/null || seen=fails
    if [ "$seen" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1 including $2: the check $seen, expected: $3"
    fi
}

plant core/graph/a.h '"core/base/error.h"' passes
plant core/graph/a.h '"core/spec/config.h"' fails
plant core/spec/a.h '"core/report/report.h"' fails
plant core/ptq/a.cpp '"core/qat/trainer.h"' fails
plant core/exec/a.cpp '"core/session/session.h"' fails
plant core/session/a.cpp '"core/exec/executor.h"' passes
plant core/session/session.h '"core/exec/executor.h"' fails
plant core/onnx/a.cpp '<onnx/onnx_pb.h>' passes
plant core/onnx/a.h '<onnx/onnx_pb.h>' fails
plant core/spec/a.h '<nlohmann/json.hpp>' fails
plant core/stats/a.cpp '<torch/torch.h>' fails
plant core/kernels/a.cpp '<ATen/core/Tensor.h>' fails
plant core/exec/a.h '<ATen/core/Tensor.h>' passes
plant core/exec/a.h '<torch/torch.h>' fails
plant core/exec/a.cpp '<torch/torch.h>' passes
plant core/exec/a.cpp '<QString>' fails
plant core/exec/a.h '"executor.h"' fails
plant core/data/a.cpp '"app/cli.h"' fails
plant core/attic/a.h '<vector>' fails
plant core/attic/a.h '"core/base/error.h"' fails
plant app/a.cpp '"core/session/session.h"' passes
plant app/a.cpp '"core/exec/executor.h"' fails
plant app/a.cpp '<torch/torch.h>' fails
plant widgets/graph/a.cpp '"core/session/session.h"' fails
plant widgets/graph/a.cpp '"core/graph/graph.h"' passes

rm -rf "${tree:?}"/*
mkdir -p "$tree/core/base"
yes '//' | head -601 >"$tree/core/base/a.cpp"
if "$check" "$tree" >/dev/null; then
    failed=$((failed + 1))
    echo "a file of 601 lines: the check passes"
else
    passed=$((passed + 1))
fi

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
