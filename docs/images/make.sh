#!/bin/sh
# Makes report.png for the README: the report of a real run of the canned team web-app, in rehearsal, as
# Chromium shows it. From the source tree: sh docs/images/make.sh build/src/muster
set -eu
muster=$(realpath "$1")
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/muster-image.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export MUSTER_DATADIR="$source"
"$muster" run web-app --quiet -i brief=@"$source/samples/web-app/brief.md" \
	--rehearse "$source/samples/web-app/rehearsal.yaml" >summary
"$muster" report -1 --out report.html
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1250 \
	--screenshot="$source/docs/images/report.png" "file://$folder/report.html"
