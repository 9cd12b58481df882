/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * toml_cxx: the one file in C++. It parses TOML with toml++, and adds a value to the text of a
 * document. Errors are exceptions here, and -errno outside.
 */

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

/*
 * With TOML_EXCEPTIONS=0 most of toml++ is noexcept, so that memory that runs out would end the
 * process. Formatters, and std::stringstream for numbers, would bring iostreams and locales into
 * the program, which every command would initialise when it starts.
 *
 * toml++ 3.3 asserts that a key follows in "[=]" (parse_key()), instead of refusing the text: with
 * NDEBUG, the compiler would take it for granted.
 */
struct assertion {
};

[[noreturn]] static void assertion_failed()
{
	throw assertion{};
}

#undef NDEBUG
#define TOML_EXCEPTIONS 1
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : assertion_failed())
#define TOML_ENABLE_FORMATTERS 0
#define TOML_FLOAT_CHARCONV 1
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_UNDEF_MACROS 1
#include <toml++/toml.h>

#include "toml_priv.h"

struct toml_doc {
	std::string text;
	toml::table root;
};

namespace
{

using keys = std::vector<std::string_view>;

keys split(std::string_view path)
{
	keys ret;

	for (size_t at = 0; at <= path.size();) {
		size_t dot = std::min(path.find('.', at), path.size());

		ret.push_back(path.substr(at, dot - at));
		at = dot + 1;
	}
	return ret;
}

/* What the first n keys lead to, or nullptr. */
template <typename table_type> auto find(table_type &root, const keys &path, size_t n)
{
	auto *node = static_cast<decltype(root.get(""))>(&root);

	for (size_t i = 0; i < n && node; i++) {
		auto *t = node->as_table();

		node = t ? t->get(path[i]) : nullptr;
	}
	return node;
}

/* The offset of a position, whose line and column count from 1; columns are characters. */
size_t offset(std::string_view text, const toml::source_position &at)
{
	size_t p = 0;

	for (auto line = at.line; line > 1; line--) {
		p = text.find('\n', p);
		if (p == text.npos)
			return text.size();
		p++;
	}
	for (auto column = at.column; column > 1 && p < text.size(); column--)
		for (p++; p < text.size() && (static_cast<unsigned char>(text[p]) & 0xc0) == 0x80;)
			p++;
	return p;
}

std::string join(const keys &path, size_t first, size_t end)
{
	std::string ret;

	for (size_t i = first; i < end; i++) {
		ret += i == first ? "" : ".";
		ret += path[i];
	}
	return ret;
}

/* The document with the value added. false: something else is there. */
bool add_to_tree(toml::table &root, const keys &path, std::string_view value)
{
	toml::table *t = &root;

	for (size_t i = 0; i + 1 < path.size(); i++) {
		t->insert(path[i], toml::table{});
		t = t->get(path[i])->as_table();
		if (!t)
			return false;
	}
	t->insert(path.back(), toml::array{});
	toml::array *a = t->get(path.back())->as_array();
	if (!a)
		return false;
	for (const auto &x : *a)
		if (!x.is_string())
			return false;
	a->push_back(value);
	return true;
}

/* Texts that may be the new one. Which of them is right depends on how the tables are written. */
using candidates = std::vector<std::string>;

void insert(candidates &ret, const std::string &text, size_t at, const std::string &what)
{
	std::string s = text;

	ret.push_back(s.insert(at, what));
}

void add_to_array(
	candidates &ret, const std::string &text, const toml::array &a, const std::string &quoted)
{
	if (a.empty())
		insert(ret, text, offset(text, a.source().begin) + 1, quoted);
	else
		insert(ret, text, offset(text, a.get(a.size() - 1)->source().end), ", " + quoted);
}

/* A line after the line of a header, or the first member of a table in braces. */
void add_to_table(candidates &ret, const std::string &text, const toml::node &t,
	const std::string &assignment)
{
	size_t at = offset(text, t.source().begin);

	if (at >= text.size())
		return;
	if (text[at] == '{') {
		insert(ret, text, at + 1, " " + assignment + ",");
		insert(ret, text, at + 1, " " + assignment + " ");
		return;
	}
	at = text.find('\n', at);
	if (at == text.npos)
		ret.push_back(text + "\n" + assignment + "\n");
	else
		insert(ret, text, at + 1, assignment + "\n");
}

candidates list_candidates(const struct toml_doc &doc, const keys &path, const std::string &quoted)
{
	const std::string &text = doc.text;
	const size_t n = path.size();
	const std::string end = text.empty() || text.back() == '\n' ? "" : "\n";
	candidates ret;

	if (const toml::node *there = find(doc.root, path, n)) {
		if (const toml::array *a = there->as_array())
			add_to_array(ret, text, *a, quoted);
		return ret;
	}
	const std::string last = join(path, n - 1, n) + " = [" + quoted + "]";
	if (const toml::node *t = find(doc.root, path, n - 1))
		add_to_table(ret, text, *t, last);
	ret.push_back(text + end + (text.empty() ? "" : "\n") + "[" + join(path, 0, n - 1) + "]\n" +
		last + "\n");
	for (size_t i = n - 1; i-- > 1;)
		if (const toml::node *t = find(doc.root, path, i))
			add_to_table(ret, text, *t, join(path, i, n) + " = [" + quoted + "]");
	insert(ret, text, 0, join(path, 0, n) + " = [" + quoted + "]\n");
	return ret;
}

int copy_out(const std::string &s, char **ret, size_t *ret_n)
{
	char *p = static_cast<char *>(malloc(s.size() + 1));

	if (!p)
		return -ENOMEM;
	memcpy(p, s.c_str(), s.size() + 1);
	*ret = p;
	*ret_n = s.size();
	return 0;
}

bool is_document(const std::string &text, const toml::table &want)
{
	try {
		return toml::parse(std::string_view(text)) == want;
	} catch (const toml::parse_error &) {
		return false;
	} catch (const assertion &) {
		return false;
	}
}

bool asserts(const std::string_view text)
{
	try {
		(void)toml::parse(text);
	} catch (const toml::parse_error &) {
	} catch (const assertion &) {
		return true;
	}
	return false;
}

/* The line at which an assertion fails, which has no position. */
unsigned asserted_line(const std::string &text)
{
	size_t good = 0, bad = text.size();

	while (bad - good > 1) {
		const size_t middle = good + (bad - good) / 2;

		(asserts(std::string_view(text).substr(0, middle)) ? bad : good) = middle;
	}
	return 1 + static_cast<unsigned>(std::count(text.begin(), text.begin() + good, '\n'));
}

int add(const struct toml_doc &doc, std::string_view path_text, const std::string &value,
	char **ret, size_t *ret_n)
{
	const keys path = split(path_text);
	toml::table want = doc.root;

	if (!add_to_tree(want, path, value))
		return -EINVAL;
	for (const std::string &text : list_candidates(doc, path, "\"" + value + "\""))
		if (is_document(text, want))
			return copy_out(text, ret, ret_n);
	return -EINVAL;
}

/* The first string of the array that is old becomes value. */
int replace(const struct toml_doc &doc, std::string_view path_text, const std::string &old,
	const std::string &value, char **ret, size_t *ret_n)
{
	const keys path = split(path_text);
	const toml::node *node = find(doc.root, path, path.size());
	const toml::array *a = node ? node->as_array() : nullptr;

	for (size_t i = 0; a && i < a->size(); i++) {
		const auto *s = a->get(i)->as_string();

		if (!s || s->get() != old)
			continue;
		const size_t at = offset(doc.text, s->source().begin),
			     end = offset(doc.text, s->source().end);
		std::string text = doc.text;
		toml::table want = doc.root; /* a copy has no positions */

		text.replace(at, end - at, "\"" + value + "\"");
		*find(want, path, path.size())->as_array()->get(i)->as_string() = value;
		return is_document(text, want) ? copy_out(text, ret, ret_n) : -EINVAL;
	}
	return -EINVAL;
}

int parse(const char *text, size_t n, struct toml_doc **ret, char *fault, unsigned *line)
{
	std::string copy(text, n);

	try {
		toml::table root = toml::parse(std::string_view(copy));

		*ret = new toml_doc{ std::move(copy), std::move(root) };
		return 0;
	} catch (const toml::parse_error &x) {
		const std::string_view what = x.description();

		snprintf(fault, TOML_CXX_FAULT, "%.*s", static_cast<int>(what.size()), what.data());
		*line = static_cast<unsigned>(x.source().begin.line);
	} catch (const assertion &) {
		snprintf(fault, TOML_CXX_FAULT, "this cannot be parsed");
		*line = asserted_line(copy);
	}
	return -EINVAL;
}

int get_str(const struct toml_doc &doc, std::string_view path_text, const char **ret)
{
	const keys path = split(path_text);
	const toml::node *node = find(doc.root, path, path.size());

	if (!node)
		return 0;
	if (!node->is_string())
		return -EINVAL;
	*ret = node->as_string()->get().c_str();
	return 1;
}

int get_item(const struct toml_doc &doc, std::string_view path_text, size_t i, const char **ret)
{
	const keys path = split(path_text);
	const toml::node *node = find(doc.root, path, path.size());
	const toml::array *a = node ? node->as_array() : nullptr;

	if (!node || (a && i >= a->size()))
		return 0;
	if (!a || !a->get(i)->is_string())
		return -EINVAL;
	*ret = a->get(i)->as_string()->get().c_str();
	return 1;
}

/* No exception gets out. */
template <typename function> int guarded(function fn) noexcept
{
	try {
		return fn();
	} catch (const std::bad_alloc &) {
		return -ENOMEM;
	} catch (...) {
		return -EINVAL;
	}
}

} // namespace

int toml_cxx_parse(const char *text, size_t n, struct toml_doc **ret, char fault[TOML_CXX_FAULT],
	unsigned *line)
{
	return guarded([&] { return parse(text, n, ret, fault, line); });
}

void toml_cxx_free(struct toml_doc *t)
{
	delete t;
}

int toml_cxx_str(const struct toml_doc *t, const char *path, const char **ret)
{
	return guarded([&] { return get_str(*t, path, ret); });
}

int toml_cxx_item(const struct toml_doc *t, const char *path, size_t i, const char **ret)
{
	return guarded([&] { return get_item(*t, path, i, ret); });
}

int toml_cxx_add(
	const struct toml_doc *t, const char *path, const char *value, char **ret, size_t *ret_n)
{
	return guarded([&] { return add(*t, path, value, ret, ret_n); });
}

int toml_cxx_replace(const struct toml_doc *t, const char *path, const char *old, const char *value,
	char **ret, size_t *ret_n)
{
	return guarded([&] { return replace(*t, path, old, value, ret, ret_n); });
}
