package interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * A member in a process of its own, which can be killed. It commits nothing, and the ledger does not count its records.
 */
final class Child implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);
    private final Ledger ledger;
    private final Process process;
    private volatile String told = "";

    Child(Ledger ledger, String servers, String protocol, String topic, int sessionMs) throws IOException {
        this.ledger = ledger;
        String java = System.getProperty("java.home") + "/bin/java";
        process = new ProcessBuilder(java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", System.getProperty("java.class.path"), "interop.Main",
            "member", servers, protocol, topic, String.valueOf(sessionMs)).redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
        Thread listener = new Thread(this::listen, "the other process");
        listener.setDaemon(true);
        listener.start();
    }

    private void listen() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                told = line;
                ledger.note("the other process " + line);
            }
        } catch (IOException e) {
            ledger.note("the other process says no more: " + e.getMessage());
        }
    }

    /** The last line that the process has printed. */
    String told() {
        return told;
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        ledger.note("the other process is dead");
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }

    /** The code of the process: member TOPIC SESSION_MS; prints its partitions. */
    static void run(String servers, Protocol protocol, List<String> args) {
        Map<String, Object> settings = new HashMap<>(protocol.settings());
        settings.putAll(Map.of("bootstrap.servers", servers, "group.id", args.get(0)));
        settings.computeIfPresent("session.timeout.ms", (name, usual) -> args.get(1));
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(settings)) {
            consumer.subscribe(List.of(args.get(0)));
            for (boolean silent = true;;) {
                if (!consumer.poll(POLL).isEmpty() && silent) {
                    System.out.println("reads " + consumer.assignment());
                    silent = false;
                }
            }
        }
    }
}
