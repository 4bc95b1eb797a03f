#!/bin/bash
# The dependency rule of ARCHITECTURE.md, read off the includes. Prints every violation; exit 1 if there is one.
# Usage: check_dependencies.sh [ROOT]
set -uo pipefail
cd "${1:-$(dirname "$(readlink -f "$0")")/..}" || exit 2

folders=()
for f in core app widgets tools tests; do [ -d "$f" ] && folders+=("$f"); done
[ ${#folders[@]} -gt 0 ] || exit 0
find "${folders[@]}" \( -name "*.h" -o -name "*.cpp" \) -type f | LC_ALL=C sort | xargs -r awk '
BEGIN {
    # Left to right; a folder sees itself and what has a smaller number.
    split("base graph stats onnx spec report kernels exec quant data metrics weights ptq qat analysis session", names, " ")
    split("1    2     3     4    4    4      5       6    7     8    9       9       10  10  10       11", ranks, " ")
    for (i in names) rank[names[i]] = ranks[i] + 0
    split("base graph stats onnx spec report", list, " ")
    for (i in list) isModel[list[i]] = 1
}
function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
function starts(text, prefix) { return substr(text, 1, length(prefix)) == prefix }

FNR == 1 {
    if (lastFile != "" && lines > 600) { printf "%s: %d lines; 600 is the limit, split it.\n", lastFile, lines; bad = 1 }
    lastFile = FILENAME
    split(FILENAME, part, "/")
    room = part[1]
    folder = (room == "core") ? part[2] : ""
    isHeader = FILENAME ~ /\.h$/
}
{ lines = FNR }

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    if (room == "tests" || room == "tools") next
    path = $0
    quoted = path ~ /include[ \t]*"/
    sub(/^[^"<]*["<]/, "", path)
    sub(/[">].*$/, "", path)
    split(path, to, "/")
    target = (to[1] == "core") ? to[2] : ""

    torch = path ~ /^(torch|ATen|c10|caffe2)\//
    opencv = path ~ /^opencv/
    qt = path ~ /^Q[A-Z]/ || path ~ /^Qt/
    proto = path ~ /^(onnx|google)\//
    json = path ~ /^nlohmann\//
    highway = path ~ /^hwy\//

    if (quoted && path !~ /^(core|app|widgets|hwy)\// && path !~ /\.moc$/)
        complain("include \"" path "\" is not written from the repository root.")

    if (room == "core") {
        if (qt) complain("core includes no Qt: " path)
        if (to[1] == "app" || to[1] == "widgets") complain("core includes nothing of " to[1] ": " path)
        if (folder == "engine_pch.h") next
        if (!(folder in rank)) complain("core/" folder " has no place in the order of folders.")
        else if (target != "" && target != folder) {
            if (!(target in rank)) complain("core/" target " has no place in the order of folders.")
            else if (rank[target] >= rank[folder]) complain("core/" folder " must not include core/" target ": " path)
        }
        if (folder in isModel) {
            if (torch || opencv || highway) complain("core_model is free of LibTorch, OpenCV and Highway: " path)
            if (isHeader && (proto || json)) complain("core_model headers are standard C++ only: " path)
        }
        if (folder == "kernels" && torch) complain("kernels are plain C++ on spans: " path)
        if (isHeader && torch && path !~ /^ATen\/core\//) complain("engine headers name tensors through ATen/core/Tensor.h only: " path)
        if (FILENAME == "core/session/session.h" && (torch || opencv || (target != "" && !(target in isModel))))
            complain("session.h names no tensor and nothing of the engine: " path)
    } else {
        if (torch || opencv || highway || proto) complain(room " includes no LibTorch, OpenCV, Highway or protobuf: " path)
        if (target != "" && !(target in isModel) && !(room == "app" && path == "core/session/session.h"))
            complain(room " must not include the engine: " path)
        if (room == "widgets" && to[1] == "app") complain("widgets must not include app: " path)
    }
}
END {
    if (lines > 600) { printf "%s: %d lines; 600 is the limit, split it.\n", lastFile, lines; bad = 1 }
    exit bad
}'
