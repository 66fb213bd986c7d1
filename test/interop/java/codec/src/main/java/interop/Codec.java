package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.message.ApiMessageType;

/**
 * Reads a JSON command a line from stdin, writes a JSON result a line to stdout.
 * apis: key, name, versions and header versions of every API.
 * generate: from a seed, a random frame (header and body) of an API, version and kind, in hex and as JSON.
 * roundtrip: a frame in hex, decoded by Kafka's classes and encoded again.
 * refuse: Kafka's response to a request whose handler throws an error with that code and message.
 */
public final class Codec {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Codec() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            answers.println(answer(JSON.readTree(line)));
            answers.flush();
        }
    }

    private static JsonNode answer(JsonNode command) {
        try {
            switch (command.get("op").asText()) {
                case "apis":
                    return apis();
                case "generate":
                    return frame(command).generate(command.get("seed").asLong(), command.path("unknownTags").asBoolean());
                case "roundtrip":
                    return frame(command).roundtrip(command.get("hex").asText());
                case "refuse":
                    return Refusal.of(command);
                default:
                    throw new IllegalArgumentException("no such op");
            }
        } catch (Exception e) {
            return JSON.createObjectNode().put("error", e.toString());
        }
    }

    private static FrameClasses frame(JsonNode command) {
        ApiMessageType type = ApiMessageType.fromApiKey((short) command.get("key").asInt());
        return new FrameClasses(type, (short) command.get("version").asInt(),
            "request".equals(command.get("kind").asText()));
    }

    private static JsonNode apis() {
        ObjectNode all = JSON.createObjectNode();
        for (ApiMessageType type : ApiMessageType.values()) {
            ObjectNode api = all.putObject(type.name).put("key", type.apiKey())
                .put("first", type.lowestSupportedVersion()).put("last", type.highestSupportedVersion(false));
            for (short v = type.lowestSupportedVersion(); v <= type.highestSupportedVersion(false); v++) {
                api.withArray("requestHeaders").add(type.requestHeaderVersion(v));
                api.withArray("responseHeaders").add(type.responseHeaderVersion(v));
            }
        }
        return all;
    }
}
