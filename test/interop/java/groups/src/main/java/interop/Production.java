package interop;

import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Produces records to every partition of a topic, every few milliseconds, until `end`. */
final class Production {
    private static final long PACE_NS = 5_000_000;
    private final Ledger ledger;
    private final Thread thread;
    private volatile boolean over;
    private volatile long rounds;

    Production(Ledger ledger, String servers, String topic, int partitions) {
        this.ledger = ledger;
        this.thread = new Thread(() -> produce(servers, topic, partitions), "producer");
        thread.start();
    }

    private void produce(String servers, String topic, int partitions) {
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers)) {
            do {
                for (int partition = 0; partition < partitions; partition++) {
                    producer.send(new ProducerRecord<>(topic, partition, null, new byte[50]), (metadata, error) -> {
                        if (error != null) {
                            ledger.failed("the producer", error);
                        }
                    });
                }
                rounds++;
                LockSupport.parkNanos(PACE_NS);
            } while (!over);
        } catch (RuntimeException e) {
            ledger.failed("the producer", e);
        }
    }

    /** Stops; returns the number of records in each partition. */
    long end() throws InterruptedException {
        over = true;
        thread.join();
        return rounds;
    }
}
