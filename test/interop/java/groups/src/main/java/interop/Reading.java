package interop;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Positions of a single consumer: paused, after a seek, with manual assignment, and without committed offsets. */
final class Reading {
    private static final long HOUR_MS = 3_600_000;

    private Reading() {
    }

    static String pause(Scene on) throws Exception {
        try (Reader reader = Reader.subscribed(on, Map.of())) {
            Set<TopicPartition> first = Set.of(on.partition(0));
            reader.consumer.pause(first);
            on.send(0, "a", "b");
            on.send(1, "c");
            String other = reader.read(1);
            String paused = reader.consumer.paused().equals(first) ? "paused" : "not paused";
            reader.consumer.resume(first);
            return other + " " + paused + " " + reader.read(2);
        }
    }

    static String seek(Scene on) throws Exception {
        long nowMs = sendByTheHour(on);
        TopicPartition first = on.partition(0);
        try (Reader reader = Reader.subscribed(on, Map.of())) {
            StringBuilder seen = new StringBuilder(reader.read(3));
            reader.consumer.seek(first, 1);
            seen.append(" ").append(reader.read(2));
            reader.consumer.seekToBeginning(Set.of(first));
            seen.append(" ").append(reader.read(3));
            reader.consumer.seekToEnd(Set.of(first));
            seen.append(" ").append(reader.consumer.position(first));
            reader.consumer.seek(first, new OffsetAndMetadata(2, Optional.of(0), ""));
            seen.append(" ").append(reader.read(1));
            return seen.append(" ").append(reader.consumer.offsetsForTimes(Map.of(first, nowMs - 2 * HOUR_MS)).get(first)
                .offset()).toString();
        }
    }

    /** Sends records a, b and c with timestamps three, two and one hour ago; returns the current time. */
    private static long sendByTheHour(Scene on) throws Exception {
        long nowMs = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(on.servers)) {
            for (int number = 0; number < 3; number++) {
                byte[] value = String.valueOf((char) ('a' + number)).getBytes();
                producer.send(new ProducerRecord<>(on.topic, 0, nowMs - (3 - number) * HOUR_MS, null, value)).get();
            }
        }
        return nowMs;
    }

    /** A consumer with manual assignment may commit for a group while the group has no members. */
    static String assign(Scene on) throws Exception {
        List<TopicPartition> both = List.of(on.partition(0), on.partition(1));
        on.send(0, "a", "b");
        on.send(1, "c");
        StringBuilder seen = new StringBuilder();
        try (Reader reader = Reader.assigned(on, both, Map.of())) {
            seen.append(reader.read(3));
            reader.consumer.commitSync();
        }
        on.send(0, "d");
        try (Reader reader = Reader.assigned(on, both, Map.of())) {
            seen.append(" ").append(reader.read(1));
            try (Reader member = Reader.subscribed(on, Map.of())) {
                seen.append(" ").append(Scene.thrown(reader.consumer::commitSync)).append(" ").append(member.read(1));
                member.consumer.commitSync();
            }
            seen.append(" ").append(Scene.thrown(reader.consumer::commitSync));
        }
        return seen.toString();
    }

    /** auto.offset.reset, without a committed offset and with an offset out of range. */
    static String reset(Scene on) throws Exception {
        on.send(0, "a", "b");
        TopicPartition first = on.partition(0);
        StringBuilder seen = new StringBuilder();
        try (Reader reader = Reader.subscribed(on, Map.of("auto.offset.reset", "earliest"))) {
            seen.append("earliest ").append(reader.read(2));
            reader.consumer.seek(first, 1000);
            seen.append(" ").append(reader.read(2));
        }
        try (Reader reader = Reader.subscribed(on, Map.of("auto.offset.reset", "latest"))) {
            seen.append(", latest from ").append(reader.consumer.position(first));
            on.send(0, "c");
            seen.append(" ").append(reader.read(1));
        }
        try (Reader reader = new Reader(on, Map.of("auto.offset.reset", "none"))) {
            reader.consumer.subscribe(List.of(on.topic));
            seen.append(", none ").append(Scene.thrown(() -> reader.until("a refusal", () -> false)));
        }
        try (Reader reader = Reader.assigned(on, List.of(first), Map.of("auto.offset.reset", "none"))) {
            reader.consumer.seek(first, 1000);
            seen.append(" ").append(Scene.thrown(() -> reader.until("a refusal", () -> false)));
        }
        return seen.toString();
    }

    /** auto.offset.reset=by_duration, which exists since 4.0. */
    static String duration(Scene on) throws Exception {
        sendByTheHour(on);
        StringBuilder seen = new StringBuilder();
        for (String duration : List.of("PT90M", "PT150M", "P1D")) {
            try (Reader reader = Reader.subscribed(on, Map.of("auto.offset.reset", "by_duration:" + duration))) {
                reader.until("a position", () -> reader.consumer.position(on.partition(0)) >= 0);
                seen.append(reader.read(duration.equals("PT90M") ? 1 : duration.equals("PT150M") ? 2 : 3)).append(" ");
            }
        }
        return seen.toString().trim();
    }
}
