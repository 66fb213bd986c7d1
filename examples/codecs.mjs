import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress, uncompress } from 'snappy'
import { decompress as unzstd, compress as zstd } from 'zstd-napi'

const { CompressionCodecs, CompressionTypes } = kafkajs
const codec = (compress, decompress) => () => ({ compress: async encoder => compress(encoder.buffer), decompress })
CompressionCodecs[CompressionTypes.Snappy] = codec(compress, uncompress)
CompressionCodecs[CompressionTypes.LZ4] = codec(compressFrame, decompressFrame)
CompressionCodecs[CompressionTypes.ZSTD] = codec(
  async bytes => zstd(bytes),
  async bytes => unzstd(bytes)
)
