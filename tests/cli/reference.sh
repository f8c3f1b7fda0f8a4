#!/bin/bash
# docs/reference.md is what tools/reference.sh makes of the sources.
# REEL: the command.
if tools/reference.sh "${REEL:-build/reel}" | diff docs/reference.md -; then
    echo "1 passed, 0 failed"
else
    echo "FAIL docs/reference.md is behind the sources; run: make docs"
    exit 1
fi
