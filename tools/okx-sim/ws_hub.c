#include "ws_hub.h"

#include <stdio.h>
#include <string.h>

#include "ws_frame.h"
#include "ws_session.h"

enum { CONNECTIONS_PER_SECOND_MAX = 3 };

void ws_hub_init(struct ws_hub *hub, const struct ws_settings *settings, struct tape *tape,
                 struct faults *faults, const struct replay *replay)
{
    *hub = (struct ws_hub){
        .settings = *settings,
        .tape = tape,
        .faults = faults,
        .replay = replay,
        .connections = rate_limiter_create(CONNECTIONS_PER_SECOND_MAX, 1000),
    };
}

void ws_hub_clear(struct ws_hub *hub)
{
    rate_limiter_destroy(hub->connections);
    *hub = (struct ws_hub){0};
}

bool ws_hub_admit(struct ws_hub *hub, const char *peer, struct instant now)
{
    return rate_limiter_admit(hub->connections, peer, now.monotonic_us) ||
           !hub->settings.has_rate_limits;
}

/* Three ways in turn: cut short, no JSON at all, a price that is no number. */
static void garble(struct buf *payload, int64_t turn)
{
    char *price;

    if (!payload->data)
        return;
    price = strstr(payload->data, "\"px\":\"");
    if (turn % 3 == 0 && price)
        price[6] = 'x';
    else if (turn % 3 == 1 && payload->length > 6)
        memcpy(payload->data, "<html>", 6);
    else
        payload->length /= 2;
}

void ws_hub_append_data(struct ws_hub *hub, struct buf *out, struct buf *payload)
{
    if (hub->faults->malformed_count > 0)
        garble(payload, hub->faults->malformed_count--);
    ws_frame_append_text(out, payload->data, payload->length);
    hub->frames_sent++;
}

void ws_hub_be_hostile(struct ws_hub *hub, enum hostile_form form, int64_t bytes)
{
    struct hostile_frame frame = {.form = form, .bytes = bytes};

    snprintf(frame.inst_id, sizeof frame.inst_id, "%s", tape_instrument(hub->tape, 0)->inst_id);
    for (struct ws_session *s = hub->sessions; s; s = ws_session_next(s))
        ws_session_be_hostile(s, &frame);
}

void ws_hub_drop(struct ws_hub *hub)
{
    ws_hub_close(hub, WS_DROP);
}

void ws_hub_close(struct ws_hub *hub, int code)
{
    for (struct ws_session *s = hub->sessions; s; s = ws_session_next(s))
        ws_session_request_end(s, code, "");
}

void ws_hub_announce_end(struct ws_hub *hub, int64_t delay_ms, struct instant now)
{
    for (struct ws_session *s = hub->sessions; s; s = ws_session_next(s))
        ws_session_announce_end(s, instant_monotonic_ms(now) + delay_ms);
}

void ws_hub_delay(struct ws_hub *hub, int64_t delay_ms)
{
    for (struct ws_session *s = hub->sessions; s; s = ws_session_next(s))
        ws_session_delay(s, delay_ms);
}

void ws_hub_stall(struct ws_hub *hub, int64_t duration_ms, struct instant now)
{
    hub->faults->stall_until_ms = instant_monotonic_ms(now) + duration_ms;
    hub->backlog_since_ms = now.wall_ms + duration_ms;
}
