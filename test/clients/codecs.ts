// kafkajs compresses by gzip alone; here it learns the other codecs from the packages that the broker uses itself.
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import snappy from 'snappy'

const { CompressionCodecs, CompressionTypes } = kafkajs

/** An optional dependency: missing where it has no prebuilt file and there is no compiler. */
const zstd = await import('zstd-napi').then(
  module => module.default,
  () => undefined
)

/** What kafkajs hands to a codec. */
interface Encoder {
  readonly buffer: Buffer
}

/** Every codec that can be used here, by name. */
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
