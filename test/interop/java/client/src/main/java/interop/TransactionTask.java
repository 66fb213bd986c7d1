package interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;

/**
 * transactions PREFIX: all scenarios of transactions, each on its own topic. The output has the outcome of each: the
 * records that consumers read, and the exceptions of clients. It must be the same with a real Kafka.
 */
final class TransactionTask {
    private static final int LONG_MS = 60_000;
    private static final int SHORT_MS = 1000;

    private TransactionTask() {
    }

    interface Scenario {
        String run(Transactions on) throws Exception;
    }

    static String run(String servers, List<String> args) throws Exception {
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        scenarios.put("commit", TransactionTask::commit);
        scenarios.put("abort", TransactionTask::abort);
        scenarios.put("empty", TransactionTask::empty);
        scenarios.put("exception", TransactionTask::exception);
        scenarios.put("open", TransactionTask::open);
        scenarios.put("fenced", TransactionTask::fenced);
        scenarios.put("fencedIdle", TransactionTask::fencedIdle);
        scenarios.put("timeout", TransactionTask::timeout);
        scenarios.put("longTimeout", TransactionTask::longTimeout);
        scenarios.put("transformAsMember", on -> TransformTask.run(on, TransformTask::asMember));
        scenarios.put("transformAsGroup", on -> TransformTask.run(on, TransformTask::asGroup));
        scenarios.put("oldMember", TransformTask::oldMember);
        Map<String, String> results = new LinkedHashMap<>();
        for (Map.Entry<String, Scenario> scenario : scenarios.entrySet()) {
            String topic = args.get(0) + "-" + scenario.getKey();
            results.put(scenario.getKey(), outcome(scenario.getValue(), servers, topic));
        }
        return results.entrySet().stream()
            .map(result -> String.format("\"%s\":\"%s\"", result.getKey(), result.getValue()))
            .collect(Collectors.joining(",", "{", "}"));
    }

    private static String outcome(Scenario scenario, String servers, String topic) {
        try (Transactions on = new Transactions(servers, topic, 3)) {
            return scenario.run(on);
        } catch (Exception e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return trace.toString().replace("\\", "/").replace("\"", "'").replace("\t", " ").replace("\n", " | ");
        }
    }

    /** Name of the exception that the step throws. */
    static String thrown(Runnable step) {
        try {
            step.run();
            return "nothing";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }

    private static String commit(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = on.ready()) {
            for (String round : List.of("1", "2")) {
                producer.beginTransaction();
                on.send(producer, "a" + round, "b" + round, "c" + round);
                producer.commitTransaction();
            }
        }
        return on.read(Transactions.COMMITTED) + " " + on.ends(Transactions.COMMITTED);
    }

    private static String abort(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = on.ready()) {
            producer.beginTransaction();
            on.send(producer, "a", "b");
            producer.abortTransaction();
            producer.beginTransaction();
            on.send(producer, "A");
            producer.commitTransaction();
        }
        return on.read(Transactions.COMMITTED) + " of " + on.read(Transactions.UNCOMMITTED);
    }

    private static String empty(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = on.ready()) {
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            producer.beginTransaction();
            on.send(producer, "a");
            producer.commitTransaction();
            producer.beginTransaction();
            producer.commitTransaction();
        }
        return on.read(Transactions.COMMITTED) + " " + on.ends(Transactions.UNCOMMITTED);
    }

    private static String exception(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = on.ready()) {
            for (int round = 0; round < 4; round++) {
                producer.beginTransaction();
                try {
                    on.send(producer, "a" + round, "b" + round);
                    if (round % 2 == 0) {
                        throw new IllegalArgumentException("as applications do");
                    }
                    producer.commitTransaction();
                } catch (IllegalArgumentException e) {
                    producer.abortTransaction();
                }
            }
        }
        return on.read(Transactions.COMMITTED).toString();
    }

    /**
     * A read_committed consumer stops before the first record of an open transaction, also for records of others after
     * it.
     */
    private static String open(Transactions on) throws Exception {
        StringBuilder seen = new StringBuilder();
        try (KafkaProducer<byte[], byte[]> producer = on.ready();
             KafkaProducer<byte[], byte[]> plain = on.plain();
             KafkaConsumer<byte[], byte[]> reader = on.reader(Transactions.COMMITTED)) {
            on.send(plain, "before");
            producer.beginTransaction();
            on.send(producer, "within");
            on.send(plain, "after", "elsewhere");
            seen.append(on.readOn(reader)).append(reader.poll(Clients.POLL).count()).append(on.ends(Transactions.COMMITTED));
            producer.commitTransaction();
            on.settle();
            seen.append(on.readOn(reader)).append(on.ends(Transactions.COMMITTED));
        }
        return seen.toString();
    }

    private static String fenced(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> first = on.ready()) {
            first.beginTransaction();
            on.send(first, "lost");
            try (KafkaProducer<byte[], byte[]> second = on.ready()) {
                second.beginTransaction();
                on.send(second, "kept");
                second.commitTransaction();
                String thrown = thrown(first::commitTransaction) + " " + thrown(first::abortTransaction);
                second.beginTransaction();
                on.send(second, "kept too");
                second.commitTransaction();
                return thrown + " " + on.read(Transactions.COMMITTED) + " of " + on.read(Transactions.UNCOMMITTED);
            }
        }
    }

    /** The first producer learns that it is fenced by its next record. */
    private static String fencedIdle(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> first = on.ready(); KafkaProducer<byte[], byte[]> second = on.ready()) {
            first.beginTransaction();
            on.send(first, "lost");
            String thrown = thrown(first::commitTransaction);
            second.beginTransaction();
            on.send(second, "kept");
            second.commitTransaction();
            return thrown + " " + on.read(Transactions.COMMITTED);
        }
    }

    private static String timeout(Transactions on) throws Exception {
        try (KafkaProducer<byte[], byte[]> late = on.producer(SHORT_MS)) {
            late.initTransactions();
            late.beginTransaction();
            on.send(late, "late");
            on.awaitEnds(Transactions.COMMITTED, () -> List.of(2L, 0L, 0L));
            String thrown = thrown(late::commitTransaction);
            try (KafkaProducer<byte[], byte[]> next = on.ready()) {
                next.beginTransaction();
                on.send(next, "next");
                next.commitTransaction();
            }
            return thrown + " " + on.read(Transactions.COMMITTED);
        }
    }

    private static String longTimeout(Transactions on) {
        try (KafkaProducer<byte[], byte[]> producer = on.producer(LONG_MS * 60)) {
            return thrown(producer::initTransactions);
        }
    }
}
