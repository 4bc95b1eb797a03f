# Sourced by ./run and ./check: installs what is missing (Debian 12 and 13), configures and builds. Idempotent.

say() { printf '%s\n' "$*" >&2; }

packages=(g++ cmake ninja-build ccache pkg-config libtorch-dev libopenblas0-pthread libdnnl-dev libonnx-dev libprotobuf-dev
          protobuf-compiler libopencv-dev libhwy-dev zlib1g-dev nlohmann-json3-dev libcli11-dev qt6-base-dev qt6-charts-dev
          qt6-svg-dev libqt6opengl6-dev libgl1-mesa-dev libonnx-testdata)
optional=(libonnxruntime-dev)              # Debian 13; without it the exported file is judged by our own executor

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# install_missing PACKAGE... : asks apt only when something is missing.
install_missing() {
    local missing=() wanted p as_root=()
    for p in "$@"; do installed "$p" || missing+=("$p"); done
    wanted=("${missing[@]}")
    if [ ${#wanted[@]} -gt 0 ]; then
        if [ "$(id -u)" != 0 ]; then
            if ! command -v sudo >/dev/null; then
                say "These packages are missing: ${wanted[*]}. Install them as root, or install sudo."
                return 2
            fi
            as_root=(sudo)
        fi
        say "Installing: ${wanted[*]}"
        "${as_root[@]}" apt-get update -qq >&2
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
        for p in "${optional[@]}"; do
            if ! installed "$p" && apt-cache show "$p" >/dev/null 2>&1; then
                "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$p" >&2 ||
                    say "$p could not be installed; going on without it."
            fi
        done
    fi
}

# One compiler needs up to 2 GB (LibTorch), so the number of jobs follows memory as well as cores.
jobs_for_this_machine() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ {print int($2 / 1048576 / 2)}' /proc/meminfo)
    [ "$memory" -lt 1 ] && memory=1
    echo $((cores < memory ? cores : memory))
}

# build PRESET [TARGET...] : everything when no target is named.
build() {
    local preset=$1 output
    shift
    if ! output=$(cmake --preset "$preset" 2>&1); then
        say "$output"
        return 1
    fi
    ninja -C "build/$preset" -j "$(jobs_for_this_machine)" "$@" >&2
}
