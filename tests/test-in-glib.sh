#!/bin/sh
# tests/test-in-glib.sh -- the example that serves a group inside a loop of GLib.
set -u
program=in-glib
needs='GLib (Debian, Ubuntu: apt-get install libglib2.0-dev)'
. "${srcdir:-$(dirname "$0")/..}/tests/room.sh"
