/* Resolving references between URIs (RFC 3986, 5.2). */
#include <string.h>

#include "base/json_schema_parts.h"

struct uri {
	struct text scheme, authority, path, query;
	bool has_scheme, has_authority, has_query;
};

static struct text take(struct text *rest, size_t length)
{
	struct text taken = {rest->data, length};
	*rest = (struct text){rest->data + length, rest->length - length};
	return taken;
}

static size_t span_until(struct text text, const char *ends)
{
	size_t length = 0;
	while (length < text.length && !strchr(ends, text.data[length])) {
		length++;
	}
	return length;
}

// Without a fragment.
static struct uri split(struct text text)
{
	struct uri uri = {0};
	size_t scheme = span_until(text, ":/?");
	if (scheme > 0 && scheme < text.length && text.data[scheme] == ':') {
		uri.has_scheme = true;
		uri.scheme = take(&text, scheme);
		take(&text, 1);
	}
	if (text_starts(text, "//")) {
		uri.has_authority = true;
		take(&text, 2);
		uri.authority = take(&text, span_until(text, "/?"));
	}
	uri.path = take(&text, span_until(text, "?"));
	if (text.length) {
		uri.has_query = true;
		take(&text, 1);
		uri.query = text;
	}
	return uri;
}

// Removes what "." and ".." stand for.
static struct text remove_dots(struct arena *arena, struct text path)
{
	char *result = arena_new_array(arena, path.length + 1, char);
	size_t length = 0;
	bool absolute = text_starts(path, "/");
	while (path.length) {
		size_t name = span_until(path, "/");
		bool ends = name == path.length;
		struct text part = take(&path, name + !ends);
		bool up = text_is((struct text){part.data, name}, "..");
		if (up || text_is((struct text){part.data, name}, ".")) {
			// The slash in front stays, the folder before it goes.
			for (size_t slashes = 0; up && length > absolute; length--) {
				slashes += result[length - 1] == '/';
				if (slashes == 2) {
					break;
				}
			}
		} else {
			memcpy(result + length, part.data, part.length);
			length += part.length;
		}
	}
	return (struct text){result, length};
}

static struct text merge(struct arena *arena, const struct uri *base, struct text path)
{
	struct text folder = base->path;
	buffer_cleanup merged = {0};
	while (folder.length && folder.data[folder.length - 1] != '/') {
		folder.length--;
	}
	buffer_add_text(&merged, base->has_authority && !base->path.length ? TEXT("/") : folder);
	buffer_add_text(&merged, path);
	return text_copy(arena, buffer_text(&merged));
}

static const char *join(struct arena *arena, const struct uri *uri)
{
	buffer_cleanup text = {0};
	if (uri->has_scheme) {
		buffer_add_text(&text, uri->scheme);
		buffer_add_char(&text, ':');
	}
	if (uri->has_authority) {
		buffer_add_string(&text, "//");
		buffer_add_text(&text, uri->authority);
	}
	buffer_add_text(&text, uri->path);
	if (uri->has_query) {
		buffer_add_char(&text, '?');
		buffer_add_text(&text, uri->query);
	}
	return arena_string(arena, text.data ? text.data : "");
}

static int digit(char byte)
{
	const char *digits = "0123456789abcdef", *found;
	found = byte ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + ('a' - 'A') : byte)
		     : NULL;
	return found ? (int)(found - digits) : -1;
}

static const char *decode(struct arena *arena, const char *text)
{
	char *result = arena_string(arena, text), *to = result;
	for (const char *from = text; *from; from++) {
		if (*from == '%' && digit(from[1]) >= 0 && digit(from[2]) >= 0) {
			*to++ = (char)(digit(from[1]) * 16 + digit(from[2]));
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return result;
}

const char *schema_uri_resolve(
	struct arena *arena, const char *base, const char *reference, const char **fragment)
{
	struct text text = text_of(reference);
	size_t length = span_until(text, "#");
	*fragment = decode(arena, length < text.length ? reference + length + 1 : "");
	text.length = length;
	struct uri from = split(text_of(base)), to = split(text);
	if (to.has_scheme) {
		to.path = to.has_authority ? remove_dots(arena, to.path) : to.path;
		return join(arena, &to);
	}
	to.scheme = from.scheme;
	to.has_scheme = from.has_scheme;
	if (!to.has_authority) {
		to.authority = from.authority;
		to.has_authority = from.has_authority;
		if (!to.path.length) {
			to.path = from.path;
			to.query = to.has_query ? to.query : from.query;
			to.has_query = to.has_query || from.has_query;
			return join(arena, &to);
		}
		if (!text_starts(to.path, "/")) {
			to.path = merge(arena, &from, to.path);
		}
	}
	to.path = remove_dots(arena, to.path);
	return join(arena, &to);
}
