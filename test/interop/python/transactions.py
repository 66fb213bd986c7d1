"""Transactions by confluent-kafka (librdkafka): BOOTSTRAP_SERVERS PREFIX. Prints the outcome of each scenario."""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from client import create, until

PARTITIONS = 3
LIMIT_S = 120


def transactional(servers, topic, **settings):
    producer = Producer({"bootstrap.servers": servers, "transactional.id": topic, **settings})
    producer.init_transactions(LIMIT_S)
    return producer


def send(producer, topic, *words):
    for index, word in enumerate(words):
        producer.produce(topic, word.encode(), partition=index % PARTITIONS)
    producer.flush(LIMIT_S)


def reader(servers, topic, isolation):
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"readers of {topic}",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    return consumer


def read_on(consumer):
    """The words up to the end of every partition at this isolation level."""
    words, ended = [], set()

    def step():
        message = consumer.poll(0.2)
        if message is None:
            return
        if message.error():
            ended.add(message.partition())
        else:
            words.append(message.value().decode())
            ended.discard(message.partition())

    until(lambda: len(ended) == PARTITIONS, step, "the ends")
    return sorted(words)


def read(servers, topic, isolation="read_committed"):
    consumer = reader(servers, topic, isolation)
    words = read_on(consumer)
    consumer.close()
    return words


def settled(servers, topic, words):
    """The committed words, after the coordinator has written the markers."""
    seen = []

    def step():
        seen[:] = read(servers, topic)

    until(lambda: len(seen) >= words, step, "committed words")
    return seen


def thrown(step):
    try:
        step()
    except KafkaException as error:
        return error.args[0].name()
    return "nothing"


def commit(servers, topic):
    producer = transactional(servers, topic)
    for number in "12":
        producer.begin_transaction()
        send(producer, topic, "a" + number, "b" + number, "c" + number)
        producer.commit_transaction(LIMIT_S)
    return settled(servers, topic, 6)


def abort(servers, topic):
    producer = transactional(servers, topic)
    producer.begin_transaction()
    send(producer, topic, "a", "b")
    producer.abort_transaction(LIMIT_S)
    producer.begin_transaction()
    producer.commit_transaction(LIMIT_S)
    producer.begin_transaction()
    send(producer, topic, "c")
    producer.commit_transaction(LIMIT_S)
    return settled(servers, topic, 1), read(servers, topic, "read_uncommitted")


def opened(servers, topic):
    producer = transactional(servers, topic)
    plain = Producer({"bootstrap.servers": servers})
    send(plain, topic, "before")
    producer.begin_transaction()
    send(producer, topic, "within")
    send(plain, topic, "after", "elsewhere")
    waiting = read(servers, topic)
    producer.commit_transaction(LIMIT_S)
    return waiting, settled(servers, topic, 4)


def fenced(servers, topic):
    first = transactional(servers, topic)
    first.begin_transaction()
    send(first, topic, "lost")
    second = transactional(servers, topic)
    second.begin_transaction()
    send(second, topic, "kept")
    second.commit_transaction(LIMIT_S)
    return thrown(lambda: first.commit_transaction(LIMIT_S)), settled(servers, topic, 1)


def timeout(servers, topic):
    late = transactional(servers, topic, **{"transaction.timeout.ms": 1000})
    late.begin_transaction()
    send(late, topic, "late")
    plain = Producer({"bootstrap.servers": servers})
    send(plain, topic, "behind")
    words = settled(servers, topic, 1)
    return thrown(lambda: late.commit_transaction(LIMIT_S)), words


def transform(servers, topic):
    output = topic + "-out"
    create(servers, output, PARTITIONS)
    plain = Producer({"bootstrap.servers": servers})
    send(plain, topic, *"abcdef")
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    messages = []
    until(lambda: len(messages) == 6, lambda: messages.extend(consumer.consume(6, 0.2)), "the input")
    producer = transactional(servers, topic)
    partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    committed = []
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        send(producer, output, *[message.value().decode().upper() for message in messages])
        producer.send_offsets_to_transaction(
            consumer.position(partitions), consumer.consumer_group_metadata(), LIMIT_S
        )
        end(LIMIT_S)
        committed.append([max(p.offset, 0) for p in consumer.committed(partitions, LIMIT_S)])
    consumer.close()
    return committed, settled(servers, output, 6)


TASKS = {
    "commit": commit,
    "abort": abort,
    "open": opened,
    "fenced": fenced,
    "timeout": timeout,
    "transform": transform,
}


def main(servers, prefix):
    for name, task in TASKS.items():
        create(servers, f"{prefix}-{name}", PARTITIONS)
        print(name, task(servers, f"{prefix}-{name}"), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
