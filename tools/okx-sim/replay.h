/*
 * Recorded messages of a folder, one per file, in place of a market: "ws-*.json" are frames,
 * "rest-*.json" are answers of the endpoint that their name tells. Immutable once loaded.
 */
#ifndef OKX_SIM_REPLAY_H
#define OKX_SIM_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"
#include "http_request.h"

struct replay;

/* NULL: ERR_SYSTEM if the folder cannot be read, ERR_CONFIG if it holds no message or a file is no
 * JSON or too large. */
struct replay *replay_load(const char *directory, struct err *err) MUST_CHECK;
void replay_destroy(struct replay *replay);

/* The frames in the order to send them: control frames first, then data by their time. */
size_t replay_frame_count(const struct replay *replay);
struct text_view replay_frame(const struct replay *replay, size_t position);

/*
 * Fills reply with the recorded answer of the endpoint: the one whose rows or name match the
 * request's instId, or, when it names none, the next by turn. A follow-up page gets no rows.
 * turn counts the requests of the endpoint.
 */
void replay_answer(const struct replay *replay, const char *endpoint,
                   const struct http_request *request, uint64_t turn, struct http_reply *reply);

#endif
