#include "cli/starter.h"

#include <string.h>

static const char team[] =
	"version: 1\n"
	"name: @NAME@\n"
	"description: A manager plans a note, a writer writes it, and a gate reads it.\n"
	"\n"
	"inputs:\n"
	"  topic: {type: string, default: the tides, description: What the note is about.}\n"
	"\n"
	"model: openai/gpt-5.4\n"
	"limits: {max_turns: 40, timeout: 30m, max_tokens: 500000}\n"
	"sandbox: {provider: unix-local, network: off}\n"
	"\n"
	"manager: manager\n"
	"\n"
	"agents:\n"
	"  manager:\n"
	"    description: Plans the note and answers for it.\n"
	"    instructions_file: @NAME@/manager.md\n"
	"    writes: [outline.md]\n"
	"    outputs: [outline.md, note]      # it is done when these are there, not when it says "
	"so\n"
	"    sub_agents:\n"
	"      - {to: writer, needs: outline.md}  # no outline, no handoff\n"
	"\n"
	"  writer:\n"
	"    description: Writes the note.\n"
	"    instructions_file: @NAME@/writer.md\n"
	"    writes: [note.md]\n"
	"    outputs: note\n"
	"\n"
	"gates:\n"
	"  note:\n"
	"    description: A short note with a summary, without loose ends.\n"
	"    require:\n"
	"      - file: note.md\n"
	"        min_bytes: 40\n"
	"        max_bytes: 4000\n"
	"        headings: [Summary]\n"
	"        not_matches: '(?i)\\bTODO\\b'\n";

static const char manager[] =
	"You answer for a short note about ${inputs.topic}.\n"
	"\n"
	"1. Write `outline.md`: three to five points that the note has to make.\n"
	"2. Delegate to the writer. Say what the note is for and what matters most.\n"
	"3. Read `note.md` when the writer is back. If a point is missing, delegate again and say "
	"which.\n"
	"4. Answer with one sentence that says what the note says.\n";

static const char writer[] =
	"You write notes that are understood at the first reading.\n"
	"\n"
	"Read `outline.md`, then write `note.md` in Markdown: a title, a section \"Summary\" of "
	"two\n"
	"sentences, then one paragraph for each point of the outline. No word more than needed.\n";

static const char rehearsal[] =
	"# Recorded answers: the team runs without a model. The writer leaves a loose end at "
	"first, and the\n"
	"# gate sends it back. The files and the gates are real.\n"
	"version: 1\n"
	"agents:\n"
	"  manager:\n"
	"    - say: I plan the note.\n"
	"      calls:\n"
	"        - write_file:\n"
	"            path: outline.md\n"
	"            content: |\n"
	"              1. The moon pulls at the sea.\n"
	"              2. So the water rises twice a day.\n"
	"              3. Spring tides come after a new or full moon.\n"
	"        - delegate_to_writer: {task: Write the note for people who have never seen the "
	"sea.}\n"
	"    - say: The note says why the sea rises twice a day.\n"
	"\n"
	"  writer:\n"
	"    - calls:\n"
	"        - write_file:\n"
	"            path: note.md\n"
	"            content: \"# Tides\\n\\n## Summary\\n\\nTODO\\n\"\n"
	"    - say: The note is in note.md.\n"
	"    - when: {last: 'note\\.md'}\n"
	"      calls:\n"
	"        - write_file:\n"
	"            path: note.md\n"
	"            content: |\n"
	"              # Tides\n"
	"\n"
	"              ## Summary\n"
	"\n"
	"              The moon pulls at the sea. So the water rises and falls twice a day.\n"
	"\n"
	"              ## Spring tides\n"
	"\n"
	"              After a new or full moon the sun pulls along, and the water rises highest.\n"
	"    - say: The note is in note.md, without loose ends.\n";

const struct starter_file starter_files[] = {
	{".yaml", team},
	{"/manager.md", manager},
	{"/writer.md", writer},
	{"/rehearsal.yaml", rehearsal},
	{NULL},
};

void starter_add(struct buffer *buffer, const char *content, const char *name)
{
	static const char mark[] = "@NAME@";
	for (const char *found; (found = strstr(content, mark));) {
		buffer_add(buffer, content, (size_t)(found - content));
		buffer_add_string(buffer, name);
		content = found + strlen(mark);
	}
	buffer_add_string(buffer, content);
}
