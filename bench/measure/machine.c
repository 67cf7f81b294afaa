#include "machine.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/evaluate.h"

static void processor_read(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown processor");
	while (file && fgets(line, sizeof(line), file)) {
		const char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value += strspn(value, ": \t");
		snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
		break;
	}
	if (file)
		fclose(file);
}

static int processors_count(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void machine_read(struct machine *machine)
{
	struct utsname system;

	*machine = (struct machine){
		.instructions = kernels_best()->name,
		.processors = processors_count(),
		.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
	};
	processor_read(machine->processor, sizeof(machine->processor));
	if (uname(&system) == 0)
		snprintf(machine->system, sizeof(machine->system), "%.64s %.64s %.16s",
			 system.sysname, system.release, system.machine);
	snprintf(machine->compiler, sizeof(machine->compiler), "%s", CONNBITS_COMPILER);
	snprintf(machine->libraries, sizeof(machine->libraries), "SQLite %s, %s",
		 sqlite3_libversion(), pcap_lib_version());
}

void machine_print(FILE *stream, const struct machine *machine)
{
	fprintf(stream, "# %s, %d processor%s, %.1f GiB, %s, %s\n", machine->processor,
		machine->processors, machine->processors == 1 ? "" : "s",
		(double)machine->memory / (1 << 30), machine->instructions, machine->system);
	fprintf(stream, "# %s; %s\n", machine->compiler, machine->libraries);
}

void machine_print_json(FILE *stream, const struct machine *machine)
{
	fputs("{\"processor\": ", stream);
	json_write_string(stream, machine->processor);
	fprintf(stream, ", \"processors\": %d, \"memory\": %" PRIu64 ", \"instructions\": ",
		machine->processors, machine->memory);
	json_write_string(stream, machine->instructions);
	fputs(", \"system\": ", stream);
	json_write_string(stream, machine->system);
	fputs(", \"compiler\": ", stream);
	json_write_string(stream, machine->compiler);
	fputs(", \"libraries\": ", stream);
	json_write_string(stream, machine->libraries);
	fputs("}", stream);
}
