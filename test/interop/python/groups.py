"""Consumer groups of confluent-kafka (librdkafka): BOOTSTRAP_SERVERS PROTOCOL PREFIX [SCENARIO ...]. Prints the outcome
of each scenario. PROTOCOL is `consumer`, or a classic assignor."""

import json
import subprocess
import sys
import threading
import time
import traceback

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

PARTITIONS = 10
BATCH = 100
LIMIT_S = 60
SHORT_SESSION_MS = 2000


def settings(servers, protocol, group, **more):
    common = {
        "bootstrap.servers": servers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 100,
    }
    if protocol == "consumer":
        more.pop("session.timeout.ms", None)
        return {**common, "group.protocol": "consumer", **more}
    classic = {"partition.assignment.strategy": protocol, "session.timeout.ms": 30000, "heartbeat.interval.ms": 200}
    return {**common, **classic, **more}


class Ledger:
    """The events of all members: owners of partitions, read and committed offsets. A partition has one owner at a time,
    and no record is skipped."""

    def __init__(self):
        self.changed = threading.Condition()
        self.owners, self.read, self.committed, self.story, self.wrong = {}, {}, {}, [], []
        self.fresh, self.absent, self.begun = set(), set(), time.monotonic()
        self.repeated = self.seen = 0

    def tell(self, line):
        with self.changed:
            self.story.append(f"{time.monotonic() - self.begun:8.3f} s {line}")
            self.changed.notify_all()

    def violate(self, line):
        self.wrong.append(line)
        self.tell("WRONG: " + line)

    def assigned(self, name, partitions):
        with self.changed:
            self.tell(f"{name} is assigned {sorted(partitions)}")
            for partition in partitions:
                if partition in self.owners:
                    self.violate(f"{name} is assigned {partition}, which {self.owners[partition]} owns")
                self.owners[partition] = name
                self.fresh.add(partition)
                self.absent.discard(name)

    def released(self, name, partitions, how):
        with self.changed:
            self.tell(f"{name} has {how} {sorted(partitions)}")
            for partition in partitions:
                if self.owners.get(partition) == name:
                    del self.owners[partition]

    def gone(self, name):
        """Removes all partitions of a member that may not know yet; records that it still holds are not counted."""
        with self.changed:
            self.absent.add(name)
            self.released(name, self.owned(name), "gone with")

    def moves(self, *names):
        """Number of assignments and revocations of these members."""
        with self.changed:
            starts = [f"{name} {how}" for name in names for how in ("is assigned", "has revoked", "has lost")]
            return sum(start in line and not line.endswith(" []") for line in self.story for start in starts)

    def take(self, name, partition, offset):
        with self.changed:
            if name in self.absent:
                return
            if self.owners.get(partition) != name:
                self.violate(f"{name} reads {partition} at {offset}, which {self.owners.get(partition)} owns")
            following = self.read.get(partition, 0)
            least = self.committed.get(partition, 0) if partition in self.fresh else following
            if not least <= offset <= following:
                self.violate(f"{name} reads {partition} at {offset}, not {least} to {following}")
            self.fresh.discard(partition)
            self.repeated += offset < following
            self.seen += 1
            self.read[partition] = offset + 1
            self.changed.notify_all()

    def commit(self, offsets):
        with self.changed:
            self.committed.update(offsets)
            self.changed.notify_all()

    def owned(self, name):
        with self.changed:
            return {partition for partition, owner in self.owners.items() if owner == name}

    def until(self, what, holds):
        with self.changed:
            self.tell(f"waits for {what}")
            deadline = time.monotonic() + LIMIT_S
            while not holds():
                if self.wrong:
                    raise AssertionError(self.wrong[0])
                if not self.changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"gave up waiting for {what}")


class Member:
    """A member in its own thread: polls, reports to the ledger, commits, and commits before a revocation."""

    def __init__(self, scene, name, **more):
        self.ledger, self.name, self.topic = scene.ledger, name, scene.topic
        self.consumer = Consumer(settings(scene.servers, scene.protocol, scene.topic, **more))
        self.step, self.failure, self.over = None, None, False
        self.cooperates = scene.protocol in ("cooperative-sticky", "consumer")
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            self.consumer.subscribe(
                [self.topic], on_assign=self.on_assign, on_revoke=self.on_revoke, on_lost=self.on_lost
            )
            while not self.over:
                step, self.step = self.step, None
                if step:
                    step(self.consumer)
                offset = None
                for message in records(self.consumer):
                    offset = message.offset()
                    self.ledger.take(self.name, message.partition(), offset)
                if offset is not None:
                    self.commit()
        except Exception as error:
            self.failure = error
            self.ledger.tell(f"{self.name} ends by {error!r}")
        self.consumer.close()
        self.ledger.tell(f"{self.name} has closed")

    def commit(self):
        try:
            done = self.consumer.commit(asynchronous=False)
            self.ledger.commit({one.partition: one.offset for one in done if one.offset >= 0})
        except KafkaException as error:
            self.ledger.tell(f"{self.name} could not commit: {error.args[0].name()}")

    def on_assign(self, consumer, partitions):
        self.ledger.assigned(self.name, {one.partition for one in partitions})

    def on_revoke(self, consumer, partitions):
        if partitions:
            self.commit()
        self.ledger.released(self.name, {one.partition for one in partitions}, "revoked")

    def on_lost(self, consumer, partitions):
        self.ledger.released(self.name, {one.partition for one in partitions}, "lost")

    def owned(self):
        return self.ledger.owned(self.name)

    def hold(self):
        """Stops polling until the returned function is called."""
        held, go = threading.Event(), threading.Event()

        def run(consumer):
            held.set()
            go.wait()

        self.step = run
        held.wait(LIMIT_S)
        self.ledger.tell(f"{self.name} polls no more")
        return go

    def close(self):
        self.over = True
        self.thread.join(LIMIT_S)
        self.ledger.gone(self.name)


class Scene:
    """The environment of a scenario: its topic and group, their ledger, and all clients."""

    def __init__(self, servers, protocol, topic):
        self.servers, self.protocol, self.topic = servers, protocol, topic
        self.ledger, self.members, self.rounds, self.producing = Ledger(), [], 0, None
        self.admin = AdminClient({"bootstrap.servers": servers})
        self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()

    def join(self, name, **more):
        member = Member(self, name, **more)
        self.members.append(member)
        return member

    def balance(self, *members):
        def holds():
            sizes = [len(member.owned()) for member in members]
            return sum(sizes) == PARTITIONS and min(sizes) >= PARTITIONS // len(members)

        self.ledger.until(f"an even share of {[member.name for member in members]}", holds)

    def send(self, partition, *values):
        producer = Producer({"bootstrap.servers": self.servers})
        for value in values:
            producer.produce(self.topic, value.encode(), partition=partition)
        assert producer.flush(LIMIT_S) == 0

    def produce_on(self):
        self.over = threading.Event()

        def produce():
            producer = Producer({"bootstrap.servers": self.servers, "enable.idempotence": True, "linger.ms": 1})
            while True:
                for partition in range(PARTITIONS):
                    producer.produce(self.topic, b"x" * 50, partition=partition)
                self.rounds += 1
                producer.poll(0)
                if self.over.wait(0.005):
                    break
            assert producer.flush(LIMIT_S) == 0

        self.producing = threading.Thread(target=produce, daemon=True)
        self.producing.start()

    def drain(self):
        self.over.set()
        self.producing.join(LIMIT_S)
        ends = {partition: self.rounds for partition in range(PARTITIONS)}
        self.ledger.until(f"{self.rounds} records of each partition", lambda: self.ledger.read == ends)
        return f"{self.ledger.repeated} repeated"

    def reader(self, **more):
        return Consumer(settings(self.servers, self.protocol, self.topic, **more))

    def close(self):
        if self.producing:
            self.over.set()
        for member in self.members:
            member.close()


def thrown(step):
    try:
        step()
    except KafkaException as error:
        return error.args[0].name()
    return "nothing"


def records(consumer):
    """Reads messages one by one, because a batch of librdkafka may contain records of partitions that are revoked
    meanwhile. Ignores errors for a new topic, the end of a partition, and a member that did not poll for too long."""
    for number in range(BATCH):
        message = consumer.poll(0 if number else 0.1)
        if message is None:
            return
        error = message.error()
        if error is None:
            yield message
        elif error.name() not in ("UNKNOWN_TOPIC_OR_PART", "_PARTITION_EOF", "_MAX_POLL_EXCEEDED"):
            raise KafkaException(error)


def values(consumer, count):
    """The next values, at least that many, sorted."""
    found, deadline = [], time.monotonic() + LIMIT_S
    while len(found) < count:
        found += [message.value().decode() for message in records(consumer)]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{found} of {count}")
    return "".join(sorted(found))


def committed(consumer, topic, partition=0):
    return consumer.committed([TopicPartition(topic, partition)], LIMIT_S)[0].offset


def scale(on):
    on.produce_on()
    members, shares = [], []

    def settle():
        on.balance(*members)
        seen = on.ledger.seen
        on.ledger.until("records after the rebalance", lambda: on.ledger.seen > seen + PARTITIONS)
        shares.append("+".join(map(str, sorted(len(member.owned()) for member in members))))

    for number in range(5):
        members.append(on.join(f"member {number}"))
        settle()
    while len(members) > 1:
        members.pop(0).close()
        settle()
    return " ".join(shares), on.drain()


def crash(on):
    short_sessions(on, SHORT_SESSION_MS)
    on.produce_on()
    survivor = on.join("survivor")
    on.balance(survivor)
    args = [sys.executable, __file__, on.servers, on.protocol, on.topic, "member"]
    with subprocess.Popen(args, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        left = len(survivor.owned())
        child.kill()
    on.balance(survivor)
    return left, on.drain()


def short_sessions(on, session_ms):
    """With the consumer protocol the broker sets the session timeout, for each group."""
    if on.protocol != "consumer":
        return
    entry = ConfigEntry(
        "consumer.session.timeout.ms", str(session_ms), incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.GROUP, on.topic, incremental_configs=[entry])
    on.admin.incremental_alter_configs([resource])[resource].result()


def child(servers, protocol, topic):
    """A member that will be killed: prints a line at its first record, and commits nothing."""
    more = {"session.timeout.ms": SHORT_SESSION_MS}
    consumer = Consumer(settings(servers, protocol, topic, **more))
    consumer.subscribe([topic])
    values(consumer, 1)
    print("reads", flush=True)
    while True:
        consumer.poll(0.1)


def eviction(on):
    # librdkafka leaves a consumer group only at its next poll, so the session of the member expires.
    short_sessions(on, 3 * SHORT_SESSION_MS)
    on.produce_on()
    steady, slow = on.join("steady"), on.join("slow", **{"max.poll.interval.ms": 3000, "session.timeout.ms": 3000})
    on.balance(steady, slow)
    on.ledger.until("a record of each", lambda: len(on.ledger.read) == PARTITIONS)
    go = slow.hold()
    lost = len(slow.owned())
    on.ledger.gone(slow.name)
    on.balance(steady)
    go.set()
    on.balance(steady, slow)
    on.drain()
    return lost, len(slow.owned())


def restart(on):
    on.produce_on()
    first = on.join("first", **{"group.instance.id": "first"})
    second = on.join("second", **{"group.instance.id": "second"})
    on.balance(first, second)
    before, moves = first.owned(), on.ledger.moves("second")
    first.close()
    again = on.join("again", **{"group.instance.id": "first"})
    on.balance(again, second)
    kept, undisturbed = again.owned() == before, on.ledger.moves("second") == moves
    return kept, undisturbed, on.drain()


def pause(on):
    consumer = on.reader()
    consumer.subscribe([on.topic])
    on.send(2, "first")
    seen = [values(consumer, 1)]
    consumer.pause([TopicPartition(on.topic, 0)])
    on.send(0, "a", "b")
    on.send(1, "c")
    seen.append(values(consumer, 1))
    consumer.resume([TopicPartition(on.topic, 0)])
    seen.append(values(consumer, 2))
    consumer.close()
    return seen


def seek(on):
    on.send(0, "a", "b", "c")
    consumer = on.reader()
    consumer.subscribe([on.topic])
    seen = [values(consumer, 3)]
    consumer.seek(TopicPartition(on.topic, 0, 1))
    seen.append(values(consumer, 2))
    consumer.seek(TopicPartition(on.topic, 0, OFFSET_BEGINNING))
    seen.append(values(consumer, 3))
    consumer.close()
    return seen


def assign(on):
    on.send(0, "a", "b")
    first = [TopicPartition(on.topic, 0)]
    consumer = on.reader()
    consumer.assign(first)
    seen = [values(consumer, 2)]
    consumer.commit(asynchronous=False)
    consumer.close()
    on.send(0, "c")
    consumer = on.reader()
    consumer.assign(first)
    seen.append(values(consumer, 1))
    member = on.reader()
    member.subscribe([on.topic])
    seen.append(values(member, 1))
    seen.append(thrown(lambda: consumer.commit(asynchronous=False)))
    member.close()
    seen.append(thrown(lambda: consumer.commit(asynchronous=False)))
    consumer.close()
    return seen


def commits(on):
    on.send(0, "a", "b", "c", "d")
    told = []
    consumer = on.reader(on_commit=lambda error, partitions: told.append(error))
    consumer.subscribe([on.topic])
    seen = [committed(consumer, on.topic), values(consumer, 4)]
    consumer.commit(offsets=[TopicPartition(on.topic, 0, 1, "words")], asynchronous=False)
    found = consumer.committed([TopicPartition(on.topic, 0)], LIMIT_S)[0]
    seen += [found.offset, found.metadata]
    told.clear()
    consumer.commit()
    while not told:
        consumer.poll(0.1)
    seen += [told[0], committed(consumer, on.topic)]
    consumer.close()
    return seen


def automatic(on):
    on.send(0, "a", "b")
    other = on.reader()
    other.assign([TopicPartition(on.topic, 0)])
    consumer = on.reader(**{"enable.auto.commit": True, "auto.commit.interval.ms": 100})
    consumer.subscribe([on.topic])
    values(consumer, 2)
    deadline = time.monotonic() + LIMIT_S
    while committed(other, on.topic) != 2:
        consumer.poll(0.1)
        assert time.monotonic() < deadline, "no commit"
    consumer.close()
    on.send(0, "c")
    late = on.reader(**{"enable.auto.commit": True, "auto.commit.interval.ms": 600000})
    late.subscribe([on.topic])
    values(late, 1)
    seen = [2, committed(other, on.topic)]
    late.close()
    seen.append(committed(other, on.topic))
    other.close()
    return seen


def reset(on):
    on.send(0, "a", "b")
    first = TopicPartition(on.topic, 0)
    seen = []
    for policy in ("earliest", "error"):
        consumer = on.reader(**{"auto.offset.reset": policy})
        consumer.subscribe([on.topic])
        seen.append(thrown(lambda: seen.append(values(consumer, 1))))
        consumer.close()
    consumer = on.reader(**{"auto.offset.reset": "latest", "enable.partition.eof": True})
    consumer.assign([first])
    # Records that arrive after the end of the partition was reported are read.
    deadline = time.monotonic() + LIMIT_S
    while (event := consumer.poll(0.1)) is None:
        assert time.monotonic() < deadline, "no end"
    seen.append(event.error().name())
    on.send(0, "c")
    seen.append(values(consumer, 1))
    consumer.close()
    consumer = on.reader(**{"auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(on.topic, 0, 1000)])
    seen.append(values(consumer, 3))
    consumer.close()
    return seen


def administration(on):
    member = on.join("member", **{"client.id": "me"})
    on.balance(member)
    on.send(0, "a", "b")
    on.ledger.until("a commit", lambda: on.ledger.committed.get(0) == 2)
    group, first = on.topic, TopicPartition(on.topic, 0, 1)
    offsets = lambda: [  # noqa: E731
        one.offset
        for one in on.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
        .result()
        .topic_partitions
        if one.partition == 0
    ]
    alter = lambda: on.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [first])])[group]  # noqa: E731
    delete = lambda: on.admin.delete_consumer_groups([group])[group]  # noqa: E731
    listed = lambda: [one.state.name for one in on.admin.list_consumer_groups().result().valid if one.group_id == group]  # noqa: E731
    found = on.admin.describe_consumer_groups([group])[group].result()
    seen = [listed(), found.state.name, found.partition_assignor, [one.client_id for one in found.members]]
    seen += [offsets(), altered(alter()), thrown(delete().result)]
    member.close()
    found = on.admin.describe_consumer_groups([group])[group].result()
    seen += [found.state.name, len(found.members), altered(alter()), offsets()]
    seen += [thrown(delete().result), listed(), thrown(delete().result)]
    return seen


def altered(future):
    """The error of the first partition, which is where librdkafka reports it."""
    try:
        error = future.result().topic_partitions[0].error
        return error.name() if error else "nothing"
    except KafkaException as problem:
        return problem.args[0].name()


def endure(on):
    """Runs until stdin has a line, and prints a line after each hundred records; checks that all are committed and none
    is read twice."""
    on.produce_on()
    members = [on.join(f"member {number}", **{"group.instance.id": str(number)}) for number in range(3)]
    on.balance(*members)
    names = [member.name for member in members]
    moves = on.ledger.moves(*names)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
    told = 0
    while not over.is_set():
        on.ledger.until("a hundred records", lambda: over.is_set() or on.ledger.seen >= told + 100)
        told = on.ledger.seen
        print(told, flush=True)
    return on.drain(), on.ledger.moves(*names) - moves


SCENARIOS = (
    scale,
    crash,
    eviction,
    restart,
    pause,
    seek,
    assign,
    commits,
    automatic,
    reset,
    administration,
    endure,
)


def main(servers, protocol, prefix, *names):
    if names == ("member",):
        child(servers, protocol, prefix)
    outcomes, threads = {}, []

    def play(scenario):
        on = Scene(servers, protocol, f"{prefix}-{scenario.__name__}")
        try:
            outcomes[scenario.__name__] = scenario(on)
        except Exception:
            outcomes[scenario.__name__] = "\n".join([traceback.format_exc(), *on.ledger.story])
        on.close()

    for scenario in SCENARIOS:
        if scenario.__name__ in names:
            threads.append(threading.Thread(target=play, args=(scenario,)))
            threads[-1].start()
    for thread in threads:
        thread.join()
    print(json.dumps({name: outcomes[name] for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
