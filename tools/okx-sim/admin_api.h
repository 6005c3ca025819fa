/* The admin port: the ledger that tests trust, figures, and faults to order. One thread's. */
#ifndef OKX_SIM_ADMIN_API_H
#define OKX_SIM_ADMIN_API_H

#include "http_request.h"
#include "instant.h"
#include "rest_api.h"
#include "ws_hub.h"

struct admin_api {
    struct tape *tape; /* borrowed, as the others */
    struct faults *faults;
    struct ws_hub *hub;
    const struct rest_api *rest;
};

/* Fills reply, which was initialised. */
void admin_api_answer(const struct admin_api *api, const struct http_request *request,
                      struct instant now, struct http_reply *reply);

#endif
