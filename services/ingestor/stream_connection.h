/*
 * One WebSocket connection for a set of instruments: connecting again after failures, subscribing,
 * keeping alive. It understands control frames; data frames it hands on. On the stream's thread.
 */
#ifndef INGESTOR_STREAM_CONNECTION_H
#define INGESTOR_STREAM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "ingestor_metrics.h"
#include "okx_message.h"
#include "okx_ws_client.h"
#include "ws_subscriptions.h"

struct stream_connection;

struct stream_connection_events {
    /* A trade of our channel, owning nothing; taken. False: not to be used so, on_data follows.
     * from_heir: over a connection that has yet to take over from another. */
    bool (*on_trade)(struct trade *trade, bool from_heir, void *context);
    void (*on_data)(const struct okx_frame *frame, const char *text, size_t length, bool from_heir,
                    void *context);
    /* A frame that cannot be used; text is NULL when it was too large to keep. */
    void (*on_bad_frame)(const char *text, size_t length, const struct err *reason, void *context);
    /* OKX sends this instrument from now on. Borrowed for the call. */
    void (*on_subscribed)(const struct subscription *subscription, void *context);
    /* Nothing more of this instrument comes from the connection that was taken over from. */
    void (*on_taken_over)(const char *inst_id, void *context);
    void *context;
};

struct stream_connection_options {
    struct okx_ws_client *client;
    const char *channel;
    struct ingestor_metrics *metrics;
    struct stream_connection_events events;
    /* OKX will close the connection soon (64008): another one should take over. */
    void (*on_notice)(struct stream_connection *connection, void *notice_context);
    void *notice_context;
};

/* Copies the options, borrows what they point to. Nothing is opened before a tick allows it. */
struct stream_connection *
stream_connection_create(const struct stream_connection_options *options) MUST_CHECK;
/* Once it is gone, or after the client was destroyed. Accepts NULL. */
void stream_connection_destroy(struct stream_connection *connection);

void stream_connection_add(struct stream_connection *connection, const char *inst_id);
void stream_connection_remove(struct stream_connection *connection, const char *inst_id);
/* A new connection for the same instruments, which is heir until it takes over. */
struct stream_connection *
stream_connection_create_heir(const struct stream_connection *connection) MUST_CHECK;
bool stream_connection_is_heir(const struct stream_connection *connection);
void stream_connection_take_over(struct stream_connection *heir);
/* Closes it for good; it is gone once the link is down. reason: a constant for the metrics. */
void stream_connection_retire(struct stream_connection *connection, const char *reason);
bool stream_connection_is_retired(const struct stream_connection *connection);
bool stream_connection_is_gone(const struct stream_connection *connection);

/*
 * What is due now: connecting, requests, pings, giving up on a dead link. reads: whether sockets
 * are read. may_connect: room in the budget for new connections. Returns true when it began to
 * connect.
 */
bool stream_connection_tick(struct stream_connection *connection, bool reads, bool may_connect,
                            int64_t now_ms);

/* Instruments that it is for. */
size_t stream_connection_count(const struct stream_connection *connection);
bool stream_connection_is_open(const struct stream_connection *connection);
/* An attempt is under way. */
bool stream_connection_is_connecting(const struct stream_connection *connection);
/* Open, and every instrument has been answered for. */
bool stream_connection_is_settled(const struct stream_connection *connection);
/* OKX sends on the successor whatever it sends on the connection. */
bool stream_connection_covers(const struct stream_connection *successor,
                              const struct stream_connection *connection);
size_t stream_connection_active(const struct stream_connection *connection);
size_t stream_connection_refused(const struct stream_connection *connection);
/* Why it is not open; "" when it is. Borrowed. */
const char *stream_connection_trouble(const struct stream_connection *connection);

/* The link's events, for the okx_ws_handler; link_context is the connection. */
void stream_connection_on_open(void *link_context);
void stream_connection_on_message(const char *text, size_t length, void *link_context);
void stream_connection_on_oversize(const char *text, size_t length, void *link_context);
void stream_connection_on_close(enum okx_ws_close_kind kind, const char *reason,
                                void *link_context);

#endif
