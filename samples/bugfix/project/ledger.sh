#!/bin/sh
# ledger.sh FILE [month]: the total of a list of bookings, or one for each month.
here=$(dirname "$0")
if [ $# -lt 1 ] || [ ! -r "$1" ]; then
	echo "usage: ledger.sh FILE [month]" >&2
	exit 2
fi
exec awk -v by="${2:-all}" -f "$here/lib/money.awk" -f "$here/lib/report.awk" "$1"
