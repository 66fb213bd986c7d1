package interop;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/**
 * word-count INPUT OUTPUT FOLDER: counts numbered records by word, and outputs the new count of the word for each
 * record. The counts are in memory and in a changelog topic. Prints the number of counted records after each hundred,
 * and ends when stdin has a line.
 */
final class WordCount {
    private static final int WORDS = 17;
    private static final int STEP = 100;

    private WordCount() {
    }

    static String run(String servers, List<String> args) throws Exception {
        AtomicLong counted = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        KStream<byte[], byte[]> input = builder.stream(args.get(0), Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()));
        input.map((key, value) -> new org.apache.kafka.streams.KeyValue<>(word(value), ""))
            .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
            .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts")).withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
            .toStream()
            .peek((word, count) -> {
                if (counted.incrementAndGet() % STEP == 0) {
                    tell(counted.get());
                }
            })
            .to(args.get(1), Produced.with(Serdes.String(), Serdes.Long()));
        try (KafkaStreams streams = new KafkaStreams(builder.build(), settings(servers, args.get(2)))) {
            streams.setUncaughtExceptionHandler(error -> {
                System.err.println("begins anew after " + error);
                return StreamThreadExceptionResponse.REPLACE_THREAD;
            });
            streams.start();
            System.in.read();
        }
        return String.format("{\"counted\":%d}", counted.get());
    }

    private static String word(byte[] value) {
        return "w" + ByteBuffer.wrap(value).getLong() % WORDS;
    }

    private static Properties settings(String servers, String folder) {
        Properties all = new Properties();
        all.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count");
        all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        all.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        all.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        all.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // The session of a killed instance expires soon.
        all.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6000);
        all.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 500);
        all.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        all.put("reconnect.backoff.max.ms", 100);
        return all;
    }

    private static void tell(long count) {
        System.out.println(count);
        System.out.flush();
    }
}
