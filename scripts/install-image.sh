#!/usr/bin/env bash
# What the images of Dockerfile and prosopon.def have in them: the program and the packages of its lock file, compiled from a copy of
# this clone, in a folder of its own. Needs a package registry; what it makes needs no network.
#
# Usage: bash scripts/install-image.sh /opt/prosopon     (run in the copy: node_modules, dist and vendor of it are made anew)
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?expected the folder to install to}

npm ci --no-audit --no-fund
node scripts/build.mjs --clean
node scripts/vendor-onnxruntime.mjs
# Of vendor/ what this platform needs; of node_modules what runs.
platform=$(node -p 'process.platform + "/" + process.arch')
npm ci --no-audit --no-fund --omit=dev
mkdir -p "$target/demo"
cp -r package.json LICENSE README.md bin dist models node_modules vendor "$target"
cp demo/head.nii.gz "$target/demo"
# The compiler, which a package names for its types.
rm -rf "$target/node_modules/typescript"
# Links to packages of the workspace that are not here.
find "$target/node_modules" -xtype l -delete
find "$target/dist" -name '*.map' -delete
libraries=$target/vendor/onnxruntime-node/bin/napi-v6
find "$libraries" -mindepth 2 -maxdepth 2 -type d ! -path "$libraries/$platform" -exec rm -r {} +
node "$target/bin/prosopon.mjs" models verify >/dev/null
# For whoever runs it, and for nobody to change.
chmod -R u=rwX,go=rX "$target"
