BEGIN {
	FS = "\t"
}

/^#/ || NF < 3 {
	next
}

{
	month = substr($1, 1, 7)
	if (!(month in sums)) {
		months[++count] = month
	}
	sums[month] += cents($3)
	total += cents($3)
	bookings++
}

END {
	for (i = 1; by == "month" && i <= count; i++) {
		print months[i] "\t" money(sums[months[i]])
	}
	if (by == "all") {
		print money(total + 0) "\t" bookings + 0 " bookings"
	}
}
