#!/bin/sh
# Copies the public headers of today to include/vN, N being the ABI version that they state. While
# that version is open (include/vN/open exists), do so in the commit that changes a header. When it
# is closed, remove the mark: the copy then stays as it is for ever.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
public=$here/../../include/mailhaul
version=$(sed -n 's/^#define HAUL_ABI_VERSION \([0-9]*\)u$/\1/p' "$public/plugin.h")
frozen=$here/include/v$version
if [ -d "$frozen/mailhaul" ] && [ ! -e "$frozen/open" ]; then
  echo "ABI $version is closed: its headers stay; raise HAUL_ABI_VERSION" >&2
  exit 1
fi
rm -rf "$frozen/mailhaul"
mkdir -p "$frozen/mailhaul"
cp "$public"/*.h "$frozen/mailhaul/"
: >"$frozen/open"
