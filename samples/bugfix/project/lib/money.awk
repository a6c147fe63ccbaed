# Amounts are counted in cents: sums of fractions are never exact.

# "12.5" is 1250.
function cents(amount,    parts, whole, part)
{
	split(amount, parts, ".")
	whole = parts[1] + 0
	part = substr(parts[2] "00", 1, 2) + 0
	return whole * 100 + (whole < 0 ? -part : part)
}

# 1250 is "12.50".
function money(amount,    sign)
{
	sign = amount < 0 ? "-" : ""
	amount = amount < 0 ? -amount : amount
	return sprintf("%s%d.%02d", sign, int(amount / 100), amount % 100)
}
