package interop;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;

/**
 * A group member in its own thread: polls, reports to the ledger, commits consumed offsets, and commits before a
 * revocation. Steps for its consumer run between two polls.
 */
final class Member implements ConsumerRebalanceListener, AutoCloseable {
    interface Step<T> {
        T run(KafkaConsumer<byte[], byte[]> consumer) throws Exception;
    }

    private static final Duration POLL = Duration.ofMillis(100);
    final String name;
    private final Ledger ledger;
    private final String topic;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final boolean commits;
    private final BlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
    private final Thread thread;
    private CountDownLatch held = new CountDownLatch(0);
    private volatile boolean over;
    private volatile Throwable failure;

    /** Joins at once. Its settings decide about automatic commits. */
    Member(Ledger ledger, String name, String topic, Map<String, Object> settings) {
        this.ledger = ledger;
        this.name = name;
        this.topic = topic;
        this.consumer = Clients.consumer(settings);
        this.commits = !settings.containsKey("enable.auto.commit");
        this.thread = new Thread(this::work, name);
        thread.start();
    }

    private void work() {
        try {
            consumer.subscribe(Set.of(topic), this);
            while (!over) {
                for (Runnable step = steps.poll(); step != null; step = steps.poll()) {
                    step.run();
                }
                var records = consumer.poll(POLL);
                records.forEach(record -> ledger.read(name, record.partition(), record.offset()));
                if (commits && !records.isEmpty()) {
                    commit();
                }
            }
            consumer.close();
            ledger.note(name + " has closed");
        } catch (Throwable e) {
            failure = e;
            ledger.note(name + " ends by " + e);
            closeQuietly();
        }
    }

    private void closeQuietly() {
        try {
            consumer.close();
        } catch (RuntimeException e) {
            ledger.note(name + " closes with " + e);
        }
    }

    /**
     * Whether the commit succeeded. The next commit, or that before a revocation, includes the offsets of a failed one.
     */
    private boolean commit() {
        try {
            consumer.commitSync();
            return true;
        } catch (RebalanceInProgressException | CommitFailedException e) {
            ledger.note(name + " could not commit: " + e.getClass().getSimpleName());
            return false;
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        ledger.assigned(name, numbers(partitions));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        // On a slow machine the next rebalance may already be in progress. Kafka then refuses the commit, and records
        // are read again.
        if (commits && !partitions.isEmpty() && !commit()) {
            ledger.uncommitted(numbers(partitions));
        }
        ledger.released(name, "revoked", numbers(partitions));
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        ledger.released(name, "lost", numbers(partitions));
    }

    private static Set<Integer> numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).collect(Collectors.toSet());
    }

    Set<Integer> owned() {
        return ledger.owned(name);
    }

    /** Name of the exception that ended the member, if any. */
    String failure() {
        return failure == null ? null : failure.getClass().getSimpleName();
    }

    /** Runs a step with the consumer in its thread, before the next poll. */
    <T> CompletableFuture<T> begin(Step<T> step) {
        CompletableFuture<T> result = new CompletableFuture<>();
        steps.add(() -> {
            try {
                result.complete(step.run(consumer));
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    <T> T ask(Step<T> step) throws Exception {
        return begin(step).get(60, TimeUnit.SECONDS);
    }

    /** Waits until it has a position in each of its partitions: a commit contains only partitions with a position. */
    void awaitPositions() throws Exception {
        ask(all -> all.assignment().stream().mapToLong(all::position).sum());
    }

    /** Stops polling until `letGo`. Returns when polling has stopped. */
    void hold() throws Exception {
        CountDownLatch letGo = new CountDownLatch(1);
        CompletableFuture<Boolean> stopped = new CompletableFuture<>();
        held = letGo;
        steps.add(() -> {
            stopped.complete(true);
            try {
                letGo.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        stopped.get(60, TimeUnit.SECONDS);
        ledger.note(name + " polls no more");
    }

    void letGo() {
        ledger.note(name + " may poll again");
        held.countDown();
    }

    /** Stops polling and closes the consumer, which leaves the group as its protocol requires. */
    @Override
    public void close() {
        over = true;
        held.countDown();
        try {
            thread.join(60_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ledger.gone(name);
        if (thread.isAlive()) {
            ledger.failed(name, new IllegalStateException("does not end"));
        }
    }
}
