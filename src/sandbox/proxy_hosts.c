#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "sandbox/proxy.h"

static bool same(struct text one, struct text other)
{
	return one.length == other.length && strncasecmp(one.data, other.data, one.length) == 0;
}

// Splits "host:port" or "[address]:port"; 0: no port.
static unsigned split_port(struct text *host)
{
	unsigned port = 0;
	size_t digits = 0;
	while (digits < host->length && digits < 5 &&
		isdigit((unsigned char)host->data[host->length - digits - 1])) {
		digits++;
	}
	size_t end = host->length - digits;
	if (digits == 0 || end < 2 || host->data[end - 1] != ':' ||
		(host->data[0] != '[' && memchr(host->data, ':', end - 1))) {
		return 0;
	}
	for (size_t i = end; i < host->length; i++) {
		port = port * 10 + (unsigned)(host->data[i] - '0');
	}
	host->length = end - 1;
	return port;
}

static struct text without_brackets(struct text host)
{
	return host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']'
		? (struct text){host.data + 1, host.length - 2}
		: host;
}

static bool is_address(struct text host)
{
	char string[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (host.length == 0 || host.length >= sizeof(string)) {
		return false;
	}
	memcpy(string, host.data, host.length);
	string[host.length] = '\0';
	return inet_pton(AF_INET, string, &address) == 1 ||
		inet_pton(AF_INET6, string, &address) == 1;
}

bool proxy_host_allowed(const char *const *hosts, struct text host, unsigned port, bool *named)
{
	host = without_brackets(host);
	if (host.length && host.data[host.length - 1] == '.') {
		host.length--; // the root's dot says nothing
	}
	for (size_t i = 0; hosts[i]; i++) {
		struct text entry = text_of(hosts[i]);
		unsigned wanted = split_port(&entry);
		entry = without_brackets(entry);
		bool wild = text_starts(entry, "*.");
		struct text end = {entry.data + 1, wild ? entry.length - 1 : 0};
		struct text tail = {host.data + host.length - end.length, end.length};
		bool match = wild ? host.length > end.length && same(tail, end) : same(host, entry);
		if (match && (wanted ? port == wanted : port == 80 || port == 443)) {
			*named = !wild && (same(entry, TEXT("localhost")) || is_address(entry));
			return true;
		}
	}
	return false;
}

static bool in_network(uint32_t address, uint32_t network, int bits)
{
	return ((address ^ network) >> (32 - bits)) == 0;
}

static bool public_old(uint32_t address)
{
	static const struct {
		uint32_t network;
		int bits;
	} others[] = {
		{0x00000000, 8},  // this network
		{0x0a000000, 8},  // private
		{0x64400000, 10}, // shared by a provider's customers
		{0x7f000000, 8},  // loopback
		{0xa9fe0000, 16}, // link-local, where clouds keep their secrets
		{0xac100000, 12}, // private
		{0xc0000000, 24}, // protocols
		{0xc0000200, 24}, // documentation
		{0xc0586300, 24}, // relays
		{0xc0a80000, 16}, // private
		{0xc6120000, 15}, // benchmarks
		{0xc6336400, 24}, // documentation
		{0xcb007100, 24}, // documentation
		{0xe0000000, 3},  // multicast and reserved
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (in_network(address, others[i].network, others[i].bits)) {
			return false;
		}
	}
	return true;
}

// Only 2000::/3 is in use; of that, what holds an address of version 4 counts as that.
static bool public_new(const unsigned char *bytes)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint32_t old = 0;
	const unsigned char *holds = NULL;
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		holds = bytes + 12;
	} else if (bytes[0] == 0x20 && bytes[1] == 0x02) { // 6to4
		holds = bytes + 2;
	}
	if (holds) {
		memcpy(&old, holds, sizeof(old));
		return public_old(ntohl(old));
	}
	bool special = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02; // Teredo and others
	bool documentation =
		bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8;
	return (bytes[0] & 0xe0) == 0x20 && !special && !documentation;
}

bool proxy_address_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *old = (const void *)address;
		return public_old(ntohl(old->sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *new = (const void *)address;
		return public_new(new->sin6_addr.s6_addr);
	}
	return false;
}
