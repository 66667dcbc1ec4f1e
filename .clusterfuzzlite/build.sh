#!/bin/bash -eu
# Builds the fuzz target into $OUT; ClusterFuzzLite and OSS-Fuzz run it in their image.
# docs/oss-fuzz.md explains each file, tests/ossfuzz runs this script without the image.

pip3 install .
compile_python_fuzzer fuzz/oss_drain.py

# The wrapper that it made preloads a libFuzzer, which would call no mutator.
cp .clusterfuzzlite/oss_drain "$OUT/oss_drain"
chmod +x "$OUT/oss_drain"

python3 fuzz/seed_corpus.py "$OUT/oss_drain_seed_corpus.zip"
