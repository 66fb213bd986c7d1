package interop;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Reports every acknowledged commit to the ledger: sync, async and automatic. */
public final class CommitWatch implements ConsumerInterceptor<byte[], byte[]> {
    static final String LEDGER = "interop.ledger";
    private Ledger ledger;

    @Override
    public void configure(Map<String, ?> settings) {
        ledger = (Ledger) settings.get(LEDGER);
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
        return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> ledger.committed(partition.partition(), offset.offset()));
    }

    @Override
    public void close() {
    }
}
