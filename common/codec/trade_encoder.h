/*
 * The Avro of a trade, written out field by field: what avro_encode does for every kind by its
 * table, for the one kind that comes thousands of times a second. Pure; byte for byte the same.
 */
#ifndef CODEC_TRADE_ENCODER_H
#define CODEC_TRADE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "domain/trade.h"

/* Longer than any trade without extra members. */
enum { TRADE_AVRO_BYTES_MAX = 256 };

/* trade has no extra members. Returns the length. */
size_t trade_encode(const struct trade *trade, uint8_t bytes[TRADE_AVRO_BYTES_MAX]);

#endif
