package interop;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** values TOPIC COUNT: a digest of the values of the first records of partition 0. */
final class Values {
    private Values() {
    }

    static String run(String servers, List<String> args) throws Exception {
        TopicPartition partition = new TopicPartition(args.get(0), 0);
        long count = Long.parseLong(args.get(1));
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        long seen = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long startMs = System.currentTimeMillis();
            while (seen < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
                    digest.update(record.value());
                    seen++;
                }
                Clients.checkTime(startMs, seen + " of " + count + " records");
            }
        }
        return String.format("{\"records\":%d,\"sha256\":\"%s\"}", seen, HexFormat.of().formatHex(digest.digest()));
    }
}
