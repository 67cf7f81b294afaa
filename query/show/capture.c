#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "index/stored_headers.h"
#include "log/log_reader.h"
#include "packet/header.h"
#include "set/row_set_cursor.h"

enum { SNAP_LENGTH = 65535 };

struct capture {
	struct log log;
	struct log_reader *reader;
	struct moment *moment;
	struct stored_headers *headers; /* NULL of an index without headers */
	pcap_t *link;
	pcap_dumper_t *dumper; /* nothing but the stream, which is the caller's */
	FILE *stream;
	struct capture_gaps *gaps;
	struct message *message;
};

static enum status write_failed(struct capture *capture)
{
	return message_set(capture->message, STATUS_FAILED, "cannot write the capture: %s",
			   strerror(errno));
}

/* Where the row has no time that a savefile can hold, 0, and the row is counted. */
static struct timeval time_of(struct capture *capture, int64_t rowid, int64_t microseconds)
{
	if (microseconds >= 0 && microseconds / 1000000 <= (int64_t)UINT32_MAX)
		return (struct timeval){.tv_sec = (time_t)(microseconds / 1000000),
					.tv_usec = (suseconds_t)(microseconds % 1000000)};
	if (!capture->gaps->no_times && capture->gaps->times++ == 0)
		capture->gaps->first_time = rowid;
	return (struct timeval){0};
}

/* A time is in microseconds since 1970, or INSTANT_NONE. */
static enum status packet_write(struct capture *capture, int64_t rowid, int64_t time,
				const uint8_t *header, size_t captured)
{
	const struct pcap_pkthdr packet = {.ts = time_of(capture, rowid, time),
					   .caplen = (bpf_u_int32)captured,
					   .len = header_wire_length(header)};

	pcap_dump((u_char *)capture->dumper, &packet, header);
	/* pcap_dump does not tell. */
	return ferror(capture->stream) ? write_failed(capture) : STATUS_OK;
}

/* Makes the header of a row anew, for an index that has none. */
static enum status row_write(struct capture *capture, int64_t rowid)
{
	uint8_t header[HEADER_IPV6_SIZE];
	struct connection connection;
	enum outcome outcome;
	int64_t found_row;
	int64_t time;
	bool found;
	enum status status = log_reader_row(capture->reader, rowid, &found, &found_row, &outcome,
					    &connection, capture->message);

	if (status != STATUS_OK)
		return status;
	if (!found || found_row != rowid || outcome != OUTCOME_HEADER) {
		capture->gaps->headers++;
		return STATUS_OK;
	}
	status = log_reader_time(capture->reader, rowid, &time, capture->message);
	if (status != STATUS_OK)
		return status;
	return packet_write(capture, rowid, time, header, header_build(&connection, header));
}

/* Writes the stored header of a row: the one that the answer was made of. */
static enum status stored_write(struct capture *capture, int64_t rowid)
{
	const uint8_t *header;
	size_t captured;
	enum status status =
		stored_headers_find(capture->headers, rowid, &header, &captured, capture->message);

	if (status != STATUS_OK)
		return status;
	if (header)
		return packet_write(capture, rowid, stored_headers_time(capture->headers), header,
				    captured);
	/* A skipped row has none. */
	capture->gaps->headers++;
	return STATUS_OK;
}

static enum status rows_write(struct capture *capture, const struct row_set *rows)
{
	struct row_set_cursor cursor = {0};
	enum status status =
		row_set_cursor_start(&cursor, rows, INT64_MIN, INT64_MAX, false, capture->message);

	while (status == STATUS_OK && !cursor.at_end) {
		status = capture->headers
				 ? moment_go_on(capture->moment, capture->message)
				 : moment_row(capture->moment, cursor.rowid, capture->message);
		if (status == STATUS_OK)
			status = capture->headers ? stored_write(capture, cursor.rowid)
						  : row_write(capture, cursor.rowid);
		if (status == STATUS_OK)
			status = row_set_cursor_next(&cursor, capture->message);
	}
	row_set_cursor_free(&cursor);
	return status;
}

/* What the index has stored, or the log where it has nothing. */
static enum status rows_open(struct capture *capture)
{
	const struct moment *moment = capture->moment;
	const struct index_source *source = &moment->index->source;
	enum status status;

	capture->gaps->no_times = !source->layout.timestamp;
	if (source->packed)
		return stored_headers_open(moment->database, moment->index->database_name, source,
					   !capture->gaps->no_times, &capture->headers,
					   capture->message);
	status = log_open(moment->log_path, &moment->index->source.layout, &capture->log,
			  capture->message);
	return status == STATUS_OK
		       ? log_reader_open(&capture->log, &capture->reader, capture->message)
		       : status;
}

static enum status capture_open(struct capture *capture)
{
	struct message *message = capture->message;
	enum status status = rows_open(capture);

	if (status != STATUS_OK)
		return status;
	capture->link = pcap_open_dead(DLT_RAW, SNAP_LENGTH);
	if (!capture->link)
		return message_out_of_memory(message);
	capture->dumper = pcap_dump_fopen(capture->link, capture->stream);
	if (!capture->dumper)
		return message_set(message, STATUS_FAILED, "cannot write the capture: %s",
				   pcap_geterr(capture->link));
	return STATUS_OK;
}

enum status capture_write(struct moment *moment, const struct row_set *rows, FILE *stream,
			  struct capture_gaps *gaps, struct message *message)
{
	struct capture capture = {
		.moment = moment, .gaps = gaps, .message = message, .stream = stream};
	enum status status = capture_open(&capture);

	if (status == STATUS_OK)
		status = rows_write(&capture, rows);
	if (status == STATUS_OK && (fflush(stream) != 0 || ferror(stream)))
		status = write_failed(&capture);
	/* pcap_dump_close would close the stream. */
	if (capture.link)
		pcap_close(capture.link);
	log_reader_close(capture.reader);
	stored_headers_close(capture.headers);
	log_free(&capture.log);
	return status;
}
