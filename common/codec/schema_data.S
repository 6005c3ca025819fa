/* The schema files as they stand, NUL-terminated, for schema_text.c. Paths are relative to the
 * repository root, where the build runs. */
    .section .rodata

    .macro schema symbol, path
    .global schema_\symbol
    .global schema_\symbol\()_end
    .balign 16
schema_\symbol:
    .incbin "\path"
schema_\symbol\()_end:
    .byte 0
    .endm

    schema trade,          "schemas/Trade.avsc"
    schema candle,         "schemas/Candle.avsc"
    schema currency_chain, "schemas/CurrencyChain.avsc"
    schema fetch_command,  "schemas/FetchCommand.avsc"
    schema fetch_result,   "schemas/FetchResult.avsc"
    schema trade_position, "schemas/TradePosition.avsc"

    .section .note.GNU-stack, "", %progbits
