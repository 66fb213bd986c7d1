package interop;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * million TOPIC PARTITIONS [COUNT]: produces records of 100 bytes and reads them in order without a group; prints the
 * rates.
 */
final class Million {
    private static final int SIZE = 100;

    private Million() {
    }

    static String run(String servers, List<String> args) throws Exception {
        String topic = args.get(0);
        int partitions = Integer.parseInt(args.get(1));
        long count = args.size() > 2 ? Long.parseLong(args.get(2)) : 1_000_000;
        Clients.ensureTopic(servers, topic, partitions);
        long startMs = System.currentTimeMillis();
        Map<String, Object> settings = Map.of("acks", "all", "linger.ms", 5, "batch.size", 131_072);
        Produce.send(servers, topic, count, new Sequence(partitions, SIZE), settings);
        long producedMs = System.currentTimeMillis();
        readBack(servers, topic, partitions, count);
        long consumedMs = System.currentTimeMillis();
        return String.format("{\"count\":%d,\"produceMs\":%d,\"consumeMs\":%d}", count, producedMs - startMs,
            consumedMs - producedMs);
    }

    private static void readBack(String servers, String topic, int partitions, long count) {
        Sequence sequence = new Sequence(partitions, SIZE);
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, Map.of())) {
            List<TopicPartition> all = IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p))
                .collect(Collectors.toList());
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long lastMs = System.currentTimeMillis();
            while (sequence.seen() < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
                    sequence.accept(record);
                    lastMs = System.currentTimeMillis();
                }
                Clients.checkTime(lastMs, sequence.seen() + " of " + count + " records");
            }
            consumer.endOffsets(all).forEach((partition, end) ->
                Clients.check(end == consumer.position(partition), "records beyond the last one in " + partition));
        }
    }
}
