package interop;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Numbered records, and the check that all are read: number i is in partition i % partitions, so each partition must
 * hold p, p + partitions, p + 2 partitions ... in that order. Any lost, repeated or reordered record fails the check.
 */
final class Sequence {
    private final int partitions;
    private final int size;
    private final Map<Integer, Long> next = new HashMap<>();
    private long seen;

    Sequence(int partitions, int size) {
        this.partitions = partitions;
        this.size = size;
    }

    /** The partition of a number. */
    int partition(long number) {
        return (int) (number % partitions);
    }

    /** A value that begins with the number and is half compressible. */
    byte[] value(long number) {
        byte[] value = new byte[Math.max(size, Long.BYTES)];
        ByteBuffer.wrap(value).putLong(number);
        long state = number * 0x9E3779B97F4A7C15L;
        for (int i = Long.BYTES; i < value.length; i += 2) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            value[i] = (byte) (state >>> 56);
        }
        return value;
    }

    /** Checks the next record of its partition. */
    void accept(ConsumerRecord<byte[], byte[]> record) {
        long number = ByteBuffer.wrap(record.value()).getLong();
        long expected = next.getOrDefault(record.partition(), (long) record.partition());
        if (number != expected || !java.util.Arrays.equals(record.value(), value(number))) {
            throw new IllegalStateException("partition " + record.partition() + " offset " + record.offset() + ": number "
                + number + ", expected " + expected);
        }
        next.put(record.partition(), expected + partitions);
        seen++;
    }

    long seen() {
        return seen;
    }
}
