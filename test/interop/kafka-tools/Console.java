import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools and Java consumers in one process: reads a JSON command a line from stdin, writes a
 * JSON result a line to stdout. Runs from source: `java -cp JARS Console.java`.
 */
public final class Console {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long LIMIT_SECONDS = 120;

    private final Map<String, Member> members = new HashMap<>();

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        Console console = new Console();
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = orders.readLine()) != null;) {
            Map<String, Object> answer;
            try {
                answer = console.obey(JSON.readTree(line));
            } catch (Throwable e) {
                answer = Map.of("failed", String.valueOf(e));
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        System.exit(0);
    }

    private Map<String, Object> obey(JsonNode order) throws Exception {
        String name = order.path("name").asText();
        switch (order.get("do").asText()) {
            case "tool":
                return tool(order.get("class").asText(), texts(order.get("args")).toArray(new String[0]));
            case "join":
                members.put(name, new Member(order));
                return Map.of();
            case "read":
                members.get(name).ask(Console::readAndCommit);
                return Map.of();
            case "leave":
                members.remove(name).close();
                return Map.of();
            default:
                throw new IllegalArgumentException("no such order: " + order);
        }
    }

    /** The output and exit code of a tool. Output after a call of the exit procedure is dropped. */
    private static Map<String, Object> tool(String name, String[] args) throws Exception {
        Output out = new Output();
        Output err = new Output();
        PrintStream stdout = System.out;
        PrintStream stderr = System.err;
        int[] code = {0};
        boolean[] ended = {false};
        Exit.setExitProcedure((status, message) -> {
            if (!ended[0]) {
                code[0] = status;
                ended[0] = true;
                out.end();
                err.end();
            }
            throw new IllegalStateException("the tool has ended");
        });
        try {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (java.lang.reflect.InvocationTargetException e) {
            if (!ended[0]) {
                code[0] = 1;
                e.getCause().printStackTrace();
            }
        } finally {
            System.setOut(stdout);
            System.setErr(stderr);
        }
        return Map.of("stdout", out.text(), "stderr", err.text(), "code", code[0]);
    }

    /** Reads to the end of every partition and commits. The group may have an assignment before the consumer does. */
    private static void readAndCommit(KafkaConsumer<byte[], byte[]> consumer) {
        while (consumer.assignment().isEmpty()) {
            consumer.poll(Duration.ofMillis(50));
        }
        while (consumer.endOffsets(consumer.assignment()).entrySet().stream()
            .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            consumer.poll(Duration.ofMillis(50));
        }
        consumer.commitSync();
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    /** Drops output after the end of the tool. */
    private static final class Output extends ByteArrayOutputStream {
        private int length = -1;

        synchronized void end() {
            length = count;
        }

        synchronized String text() {
            return new String(buf, 0, length < 0 ? count : length, StandardCharsets.UTF_8);
        }
    }

    /** A consumer that polls in its own thread, and runs commands between polls. */
    private static final class Member {
        private final BlockingQueue<Consumer<KafkaConsumer<byte[], byte[]>>> asked = new LinkedBlockingQueue<>();
        private final CompletableFuture<Void> end = new CompletableFuture<>();
        private volatile boolean isOver;

        Member(JsonNode order) {
            Map<String, Object> settings = new HashMap<>();
            order.get("settings").properties().forEach(one -> settings.put(one.getKey(), one.getValue().asText()));
            KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            if (order.has("topics")) {
                consumer.subscribe(texts(order.get("topics")));
            } else if (order.has("pattern")) {
                consumer.subscribe(Pattern.compile(order.get("pattern").asText()));
            } else {
                consumer.subscribe(new SubscriptionPattern(order.get("regex").asText()));
            }
            Thread thread = new Thread(() -> poll(consumer));
            thread.setDaemon(true);
            thread.start();
        }

        private void poll(KafkaConsumer<byte[], byte[]> consumer) {
            try (consumer) {
                while (!isOver) {
                    consumer.poll(Duration.ofMillis(50));
                    for (Consumer<KafkaConsumer<byte[], byte[]>> one; (one = asked.poll()) != null;) {
                        one.accept(consumer);
                    }
                }
            } catch (Throwable e) {
                end.completeExceptionally(e);
            }
            end.complete(null);
        }

        void ask(Consumer<KafkaConsumer<byte[], byte[]>> act) throws Exception {
            CompletableFuture<Void> done = new CompletableFuture<>();
            asked.add(consumer -> {
                act.accept(consumer);
                done.complete(null);
            });
            CompletableFuture.anyOf(done, end).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }

        void close() throws Exception {
            isOver = true;
            end.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
    }
}
