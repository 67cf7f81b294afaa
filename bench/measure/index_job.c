#include "index_job.h"

enum status index_job_run(const struct job_options *options, struct job_summary *summary,
			  struct message *message)
{
	struct diagnostics diagnostics = {0};
	enum status status = job_run(options, summary, &diagnostics, message);

	if (status == STATUS_USAGE && diagnostics.count)
		*message = diagnostics.items[0].message;
	diagnostics_free(&diagnostics);
	diagnostics_free(&summary->warnings);
	return status;
}
