#!/bin/sh
# tests/test-soak.sh -- load for 20 seconds; `make soak` is the same for half an hour. See tests/soak/run.
srcdir=${srcdir:-$(dirname "$0")/..}
SOAK_SECONDS=${SOAK_SECONDS:-20} exec sh "$srcdir/tests/soak/run"
