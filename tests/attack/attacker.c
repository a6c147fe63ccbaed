/* A program that attack.py puts into the workspace: system calls that no shell can make. */
#include "../unit/attacker.h"

#include <fcntl.h>

// What may work or not, but must help nobody.
static void attack_first_process(void)
{
	char path[] = "/proc/1/fd/3", target[256];
	report("kill 1", kill(1, SIGKILL), 0); // the kernel drops it
	report("stop 1", kill(1, SIGSTOP), 0);
	report("look into 1", readlink(path, target, sizeof(target)), EACCES);
	report("its memory", open("/proc/1/mem", 0), EACCES);
	DENIED("trace 1", SYS_ptrace, PTRACE_SEIZE, 1, 0, 0);
}

int main(int argument_count, char **arguments)
{
	if (argument_count < 2) {
		return 2;
	}
	if (strcmp(arguments[1], "first") == 0) {
		errno = 0;
		attack_first_process();
		fflush(NULL);
		_exit(0);
	}
	return attack(arguments + 1);
}
