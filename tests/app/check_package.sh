#!/bin/bash
# check_package.sh BUILD : makes the .deb, unpacks it elsewhere, and runs the program from there.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$build" && cpack -G DEB -B "$work/out" >"$work/log" 2>&1) || { cat "$work/log"; exit 1; }
deb=$(ls "$work"/out/*.deb)
dpkg-deb -x "$deb" "$work/root"
for file in bin/quantscope share/applications/quantscope.desktop share/mime/packages/quantscope.xml share/icons/hicolor/scalable/apps/quantscope.svg \
            share/metainfo/org.quantscope.Quantscope.metainfo.xml share/man/man1/quantscope.1 share/quantscope/sample/sample.onnx \
            share/quantscope/presets/best.json share/doc/quantscope/copyright; do
    [ -s "$work/root/usr/$file" ] || [ -s "$work/root/usr/$file.gz" ] || { echo "The package lacks /usr/$file."; exit 1; }
done
dpkg-deb -f "$deb" Package Version Depends
cd "$work"
"$work/root/usr/bin/quantscope" sample --limit 40 --no-judge --out "$work/result"
[ -s "$work/result/sample_best.onnx" ]
for recipe in "$work"/root/usr/share/quantscope/presets/*.json; do
    "$work/root/usr/bin/quantscope" sample --limit 10 --no-judge --recipe "$recipe" --out "$work/preset" >/dev/null || { echo "$recipe cannot be used."; exit 1; }
    rm -rf "$work/preset"
done
