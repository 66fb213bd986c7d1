package interop;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** one-transaction TOPIC ID VALUE: commits a transaction with one record without a key. */
final class OneTransaction {
    private OneTransaction() {
    }

    static String run(String servers, List<String> args) throws Exception {
        String topic = args.get(0);
        Clients.ensureTopic(servers, topic, 1);
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers, Map.of("transactional.id", args.get(1)))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, args.get(2).getBytes()));
            producer.commitTransaction();
        }
        return "{\"committed\":1}";
    }
}
