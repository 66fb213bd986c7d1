package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Base64;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/** Random messages in the JSON of Kafka's converters, generated from the schema of one version. */
final class Generator {
    private static final String[] WORDS = {"", "a", "orders", "größe", "主题", "\uD83D\uDE00", "\u0000", "x".repeat(127),
        "y".repeat(130), "é".repeat(200)};
    private final Random random;

    Generator(Random random) {
        this.random = random;
    }

    JsonNode struct(Schema schema) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields) {
                TaggedFields tagged = (TaggedFields) field.def.type;
                tagged.fields().values().forEach(one -> {
                    if (random.nextBoolean()) {
                        set(node, one);
                    }
                });
            } else {
                set(node, field.def);
            }
        }
        return node;
    }

    private void set(ObjectNode node, Field field) {
        JsonNode value = field.name.endsWith("error_code") ? new IntNode(errorCode()) : value(field.type);
        node.set(camelCase(field.name), value);
    }

    private int errorCode() {
        Errors[] all = Errors.values();
        return all[random.nextInt(all.length)].code();
    }

    private JsonNode value(Type type) {
        if (type.isNullable() && random.nextInt(4) == 0) {
            return NullNode.getInstance();
        }
        if (type.isArray()) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            Type element = type.arrayElementType().orElseThrow();
            for (int left = random.nextInt(4); left > 0; left--) {
                array.add(value(element));
            }
            return array;
        }
        return type instanceof Schema ? struct((Schema) type) : primitive(type.toString());
    }

    private JsonNode primitive(String type) {
        switch (type) {
            case "BOOLEAN":
                return JsonNodeFactory.instance.booleanNode(random.nextBoolean());
            case "INT8":
                return new IntNode((byte) random.nextInt());
            case "INT16":
                return new IntNode((short) random.nextInt());
            case "UINT16":
                return new IntNode(random.nextInt() & 0xffff);
            case "INT32":
                return new IntNode(random.nextInt());
            case "UINT32":
                return new LongNode(random.nextInt() & 0xffff_ffffL);
            case "INT64":
                return new LongNode(random.nextLong() >> random.nextInt(64));
            case "FLOAT64":
                return new DoubleNode(random.nextGaussian());
            case "UUID":
                return new TextNode(new Uuid(random.nextLong(), random.nextLong()).toString());
            default:
                return variable(type);
        }
    }

    private JsonNode variable(String type) {
        if (type.endsWith("STRING")) {
            return new TextNode(WORDS[random.nextInt(WORDS.length)] + WORDS[random.nextInt(WORDS.length)]);
        }
        if (type.endsWith("BYTES") || type.endsWith("RECORDS")) {
            byte[] bytes = new byte[random.nextInt(8) == 0 ? 20_000 : random.nextInt(200)];
            random.nextBytes(bytes);
            return new TextNode(Base64.getEncoder().encodeToString(bytes));
        }
        throw new IllegalArgumentException("no generator for " + type);
    }

    private static String camelCase(String name) {
        StringBuilder camel = new StringBuilder();
        for (String part : name.split("_")) {
            camel.append(camel.length() == 0 ? part : Character.toUpperCase(part.charAt(0)) + part.substring(1));
        }
        return camel.toString();
    }

    /** The same tree with all longs as text, because JavaScript's JSON would round them. */
    static JsonNode exact(JsonNode node) {
        if (node.isObject()) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            node.fields().forEachRemaining(entry -> copy.set(entry.getKey(), exact(entry.getValue())));
            return copy;
        }
        if (node.isArray()) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode();
            node.forEach(element -> copy.add(exact(element)));
            return copy;
        }
        return node.isLong() ? new TextNode(node.asText()) : node;
    }
}
