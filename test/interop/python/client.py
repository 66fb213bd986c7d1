"""confluent-kafka (librdkafka) against a broker: TASK BOOTSTRAP_SERVERS TOPIC. Exits with 0 if the task passes."""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
COUNT = 2000
PARTITIONS = 4
LIMIT_S = 60


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def eventually(holds, what):
    """Kafka's broker learns of a change after its controller."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        check(time.monotonic() < deadline, what)


def value(number):
    return f"{number:08d} ".encode() * 12


def create(servers, topic, partitions=PARTITIONS):
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        future.result()
    return admin


def produce(servers, topic, count, **settings):
    """Produces numbered records, number i to partition i % PARTITIONS; all must be acknowledged."""
    errors = []
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 5, **settings})
    for number in range(count):
        producer.produce(
            topic,
            value(number),
            partition=number % PARTITIONS,
            headers={"n": str(number).encode()},
            on_delivery=lambda error, _: error and errors.append(error),
        )
        producer.poll(0)
    check(producer.flush(LIMIT_S) == 0, "unsent records")
    check(not errors, errors[:1])


class Order:
    """Checks that the numbers of each partition arrive once, in order."""

    def __init__(self):
        self.next = {}
        self.seen = 0

    def accept(self, message):
        if message.error():
            raise KafkaException(message.error())
        expected = self.next.get(message.partition(), message.partition())
        check(message.value() == value(expected), f"{message.partition()}@{message.offset()}: {message.value()[:8]}")
        check(message.headers() == [("n", str(expected).encode())], "headers")
        self.next[message.partition()] = expected + PARTITIONS
        self.seen += 1


def until(holds, step, what):
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        step()
        check(time.monotonic() < deadline, f"gave up waiting: {what}")


def codec(servers, topic, name):
    create(servers, topic)
    produce(servers, topic, COUNT, **{"compression.type": name, "enable.idempotence": True})
    order = Order()
    consumer = Consumer({"bootstrap.servers": servers, "group.id": topic, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    until(lambda: order.seen == COUNT, lambda: [order.accept(m) for m in consumer.consume(500, 0.2)], order.seen)
    consumer.close()


def member(servers, group):
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 300,
        }
    )


def group(servers, topic):
    create(servers, topic)
    produce(servers, topic, COUNT)
    order = Order()

    def take(consumer):
        for message in consumer.consume(100, 0.1):
            order.accept(message)
            consumer.commit(message, asynchronous=False)

    first, second = member(servers, topic), member(servers, topic)
    first.subscribe([topic])
    until(lambda: order.seen >= 100, lambda: take(first), "the first records")
    second.subscribe([topic])
    half = PARTITIONS // 2
    shared = lambda: len(first.assignment()) == len(second.assignment()) == half  # noqa: E731
    until(shared, lambda: (share_step(first), share_step(second)), "an even share")
    first.close()
    second.close()
    third = member(servers, topic)
    third.subscribe([topic])
    committed = third.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], 10)
    rest = COUNT - sum(max(p.offset, 0) for p in committed)
    seen = []
    until(lambda: len(seen) >= rest, lambda: seen.extend(third.consume(500, 0.2)), f"{len(seen)} of {rest}")
    check(len(seen) == rest, "more than what was left")
    third.close()


def share_step(consumer):
    """Runs the rebalance callbacks of the member. Its records are read again, because they are not committed."""
    consumer.poll(0.05)


def admin(servers, topic):
    client = create(servers, topic, 2)
    eventually(lambda: len(client.list_topics(topic, 10).topics[topic].partitions) == 2, "two partitions")
    check(client.list_topics(topic, 10).brokers, "a broker")
    check(client.describe_cluster().result().cluster_id, "a cluster id")
    fails("TOPIC_ALREADY_EXISTS", client.create_topics([NewTopic(topic, 1, 1)])[topic])
    client.create_partitions([NewPartitions(topic, PARTITIONS)])[topic].result()
    configs(client, topic)
    produce(servers, topic, 40)
    first = TopicPartition(topic, 0)
    offset = lambda spec: client.list_offsets({first: spec})[first].result().offset  # noqa: E731
    check((offset(OffsetSpec.earliest()), offset(OffsetSpec.latest())) == (0, 10), "ten records")
    deleted = client.delete_records([TopicPartition(topic, 0, 4)])[first].result()
    check(deleted.low_watermark == 4 and offset(OffsetSpec.earliest()) == 4, "the log start moved")
    client.delete_topics([topic])[topic].result()
    fails("UNKNOWN_TOPIC_OR_PART", client.delete_topics([topic])[topic])


def configs(client, topic):
    resource = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[
            ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET),
        ],
    )
    client.incremental_alter_configs([resource])[resource].result()
    asked = ConfigResource(ResourceType.TOPIC, topic)
    retention = lambda: client.describe_configs([asked])[asked].result()["retention.ms"].value  # noqa: E731
    eventually(lambda: retention() == "1000", "the altered value")


def fails(name, future):
    try:
        future.result()
    except KafkaException as error:
        check(error.args[0].name() == name, error)
        return
    raise AssertionError(f"should have failed with {name}")


def main(task, servers, topic):
    if task in CODECS:
        codec(servers, topic, task)
    else:
        {"group": group, "admin": admin}[task](servers, topic)
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
