#!/bin/sh
# Every case: bookings, what is asked, what has to be printed.
cd "$(dirname "$0")/.." || exit 2
file=$(mktemp) || exit 2
trap 'rm -f "$file"' EXIT
failed=0

check() {
	printf "%b" "$2" >"$file"
	found=$(sh ledger.sh "$file" $3)
	expected=$(printf "%b" "$4")
	if [ "$found" = "$expected" ]; then
		echo "ok - $1"
	else
		printf 'not ok - %s\n  expected: %s\n  found: %s\n' "$1" "$expected" "$found"
		failed=1
	fi
}

check "no bookings" "" "" "0.00\t0 bookings"
check "income and costs" "2026-11-02\tBeans\t-14.90\n2026-11-03\tSales\t20\n" "" "5.10\t2 bookings"
check "one digit behind the point" "2026-11-02\tTip\t2.5\n" "" "2.50\t1 bookings"
check "remarks are left out" "# November\n2026-11-02\tTip\t2.50\n" "" "2.50\t1 bookings"
check "months" "2026-10-31\tA\t1\n2026-11-01\tB\t-2\n" month "2026-10\t1.00\n2026-11\t-2.00"
exit $failed
