package interop;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;

/** admin PREFIX: Admin requests for two transactions, one open and one committed, and the abort of open ones. */
final class TransactionAdmin {
    private static final long LIMIT_MS = 60_000;

    private final Admin admin;
    private final String open;
    private final String done;
    private final TopicPartition partition;
    private final Map<String, String> seen = new LinkedHashMap<>();

    private TransactionAdmin(Admin admin, String prefix) {
        this.admin = admin;
        this.open = prefix + "-open";
        this.done = prefix + "-done";
        this.partition = new TopicPartition(prefix, 0);
    }

    static String run(String servers, List<String> args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            TransactionAdmin task = new TransactionAdmin(admin, args.get(0));
            admin.createTopics(Set.of(new NewTopic(args.get(0), 1, (short) 1))).all().get();
            try (KafkaProducer<String, String> one = task.producer(servers, task.open);
                 KafkaProducer<String, String> other = task.producer(servers, task.done)) {
                // Each producer has committed a transaction before, so that a previous epoch exists.
                for (KafkaProducer<String, String> producer : List.of(one, other)) {
                    task.begin(producer);
                    producer.commitTransaction();
                }
                task.awaitStable(4);
                task.begin(one);
                task.describe();
                task.list();
                task.producers();
                task.abort(one);
                task.fence(one);
            }
            return task.seen.entrySet().stream().map(e -> String.format("\"%s\":\"%s\"", e.getKey(), e.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
    }

    private KafkaProducer<String, String> producer(String servers, String id) {
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", servers,
            "transactional.id", id, "transaction.timeout.ms", 54_321), new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        return producer;
    }

    private void begin(KafkaProducer<String, String> producer) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(partition.topic(), "a"));
        producer.flush();
    }

    private void describe() throws Exception {
        Map<String, TransactionDescription> all = admin.describeTransactions(Set.of(open, done)).all().get();
        for (String id : List.of(open, done)) {
            TransactionDescription one = all.get(id);
            seen.put("described " + word(id), one.state() + " " + one.transactionTimeoutMs() + " "
                + one.topicPartitions().size() + " since " + one.transactionStartTimeMs().isPresent());
        }
        seen.put("described nobody", failure(admin.describeTransactions(Set.of("nobody")).all()));
    }

    private void list() throws Exception {
        long id = admin.describeTransactions(Set.of(open)).all().get().get(open).producerId();
        seen.put("listed", listed(new ListTransactionsOptions()));
        seen.put("listed ongoing", listed(new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING))));
        seen.put("listed complete", listed(new ListTransactionsOptions().filterStates(Set.of(TransactionState.COMPLETE_COMMIT))));
        seen.put("listed by id", listed(new ListTransactionsOptions().filterProducerIds(Set.of(id))));
        seen.put("listed by both", listed(new ListTransactionsOptions().filterProducerIds(Set.of(id))
            .filterStates(Set.of(TransactionState.EMPTY))));
        seen.put("listed longer than an hour", listed(new ListTransactionsOptions().filterOnDuration(3_600_000)));
        seen.put("listed by pattern", listed(new ListTransactionsOptions().filterOnTransactionalIdPattern(".*-d.ne")));
        seen.put("listed by bad pattern",
            failure(admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("(")).all()));
    }

    private void producers() throws Exception {
        seen.put("producers", states().stream()
            .map(one -> one.currentTransactionStartOffset().isPresent()
                ? "open at " + one.currentTransactionStartOffset().getAsLong() : "idle after " + one.lastSequence())
            .sorted().collect(Collectors.joining(", ")));
    }

    /** Aborts a hanging transaction as an admin does: by a marker to its partition, without the coordinator. */
    private void abort(KafkaProducer<String, String> producer) throws Exception {
        ProducerState hanging = states().stream().filter(one -> one.currentTransactionStartOffset().isPresent())
            .findFirst().orElseThrow();
        short epoch = (short) hanging.producerEpoch();
        seen.put("aborted by an old epoch", failure(admin.abortTransaction(new AbortTransactionSpec(partition,
            hanging.producerId(), (short) (epoch - 1), hanging.coordinatorEpoch().orElse(0))).all()));
        admin.abortTransaction(new AbortTransactionSpec(partition, hanging.producerId(), epoch,
            hanging.coordinatorEpoch().orElse(0))).all().get();
        seen.put("stable after the abort", stable() + " of " + end());
        producer.abortTransaction();
    }

    private void fence(KafkaProducer<String, String> producer) throws Exception {
        begin(producer);
        long before = stable();
        admin.fenceProducers(Set.of(open)).all().get();
        awaitStable(end());
        seen.put("fenced", (end() > before + 1) + " " + thrown(producer::commitTransaction));
    }

    private Collection<ProducerState> states() throws Exception {
        return admin.describeProducers(Set.of(partition)).all().get().get(partition).activeProducers();
    }

    private String listed(ListTransactionsOptions options) throws Exception {
        return admin.listTransactions(options).all().get().stream().filter(one -> Set.of(open, done).contains(one.transactionalId()))
            .map(this::line).sorted().collect(Collectors.joining(", "));
    }

    private String line(TransactionListing listing) {
        return word(listing.transactionalId()) + " " + listing.state();
    }

    private String word(String id) {
        return id.substring(id.lastIndexOf('-') + 1);
    }

    private long stable() throws Exception {
        return latest(IsolationLevel.READ_COMMITTED);
    }

    private long end() throws Exception {
        return latest(IsolationLevel.READ_UNCOMMITTED);
    }

    private long latest(IsolationLevel isolation) throws Exception {
        return admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(isolation)).all().get()
            .get(partition).offset();
    }

    private void awaitStable(long least) throws Exception {
        for (long startMs = System.currentTimeMillis(); stable() < least;) {
            if (System.currentTimeMillis() - startMs > LIMIT_MS) {
                throw new TimeoutException("the last stable offset is " + stable());
            }
        }
    }

    private static String failure(KafkaFuture<?> future) throws InterruptedException {
        try {
            future.get();
            return "nothing";
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName();
        }
    }

    private static String thrown(Runnable step) {
        try {
            step.run();
            return "nothing";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }
}
