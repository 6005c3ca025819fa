// Prints trades as they come.
import registryPackage from '@kafkajs/confluent-schema-registry'
import avro from 'avsc'
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'

const { SchemaRegistry, SchemaType } = registryPackage
const { CompressionCodecs, CompressionTypes, Kafka } = kafkajs

// The topics are compressed with lz4, which kafkajs leaves to a package of one's choice.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
})

/** Avro's decimal as exact text: JavaScript numbers cannot hold it. */
class Decimal extends avro.types.LogicalType {
  constructor(schema, options) {
    super(schema, options)
    this.scale = schema.scale ?? 0
  }
  _fromValue(bytes) {
    const unscaled = bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt('0x' + bytes.toString('hex')))
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(this.scale + 1, '0')
    const point = digits.length - this.scale
    const text = `${digits.slice(0, point)}.${digits.slice(point)}`.replace(/\.?0+$/, '')
    return (unscaled < 0n ? '-' : '') + text
  }
  _toValue() {
    throw new Error('read only')
  }
}

const env = process.env
const registry = new SchemaRegistry(
  { host: env.SCHEMA_REGISTRY_URL },
  { [SchemaType.AVRO]: { logicalTypes: { decimal: Decimal } } },
)
const kafka = new Kafka({ logLevel: kafkajs.logLevel.ERROR, brokers: env.KAFKA_BOOTSTRAP_SERVERS.split(',') })
const consumer = kafka.consumer({ groupId: 'example-node' })
let remaining = Number(env.COUNT ?? 10)

await consumer.connect()
await consumer.subscribe({ topics: [`${env.TOPIC_PREFIX ?? ''}trades`], fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message }) => {
    if (remaining-- <= 0) return
    const trade = await registry.decode(message.value)
    console.log(trade.instId, trade.tradeId, trade.px, trade.sz, trade.side, new Date(trade.ts).toISOString())
    if (remaining === 0) consumer.disconnect()
  },
})
