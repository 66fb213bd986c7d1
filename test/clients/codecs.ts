// kafkajs supports only gzip; this module registers the other codecs from the packages that the broker uses.
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import snappy from 'snappy'

const { CompressionCodecs, CompressionTypes } = kafkajs

/** An optional dependency: missing without a prebuilt binary and a compiler. */
const zstd = await import('zstd-napi').then(
  module => module.default,
  () => undefined
)

/** The arguments that kafkajs passes to a codec. */
interface Encoder {
  readonly buffer: Buffer
}

/** Every available codec, by name. */
export const CODECS: readonly [string, kafkajs.CompressionTypes][] = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ...(zstd ? [['zstd', CompressionTypes.ZSTD] as [string, kafkajs.CompressionTypes]] : [])
]

/** Registers Snappy, LZ4 and Zstandard with every kafkajs client of this process. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: ({ buffer }: Encoder) => snappy.compress(buffer),
    decompress: (buffer: Buffer) => snappy.uncompress(buffer)
  })
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: ({ buffer }: Encoder) => compressFrame(buffer),
    decompress: (buffer: Buffer) => decompressFrame(buffer)
  })
  if (!zstd) return
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: Encoder) => zstd.compress(buffer),
    decompress: async (buffer: Buffer) => zstd.decompress(buffer)
  })
}
