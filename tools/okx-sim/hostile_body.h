/* REST answers that no well-meaning exchange gives, written piece by piece. Pure. */
#ifndef OKX_SIM_HOSTILE_BODY_H
#define OKX_SIM_HOSTILE_BODY_H

#include "faults.h"
#include "http_request.h"

/* Fills the reply for REST_FAULT_REDIRECT, HUGE, ENDLESS, NESTED or ROWS. */
void hostile_body_fill(struct http_reply *reply, enum rest_fault_form form,
                       const struct http_request *request);

#endif
