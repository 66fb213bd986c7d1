package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;

/** A request or response of an API at one version, header and body, by Kafka's generated classes. */
final class FrameClasses {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int UNKNOWN_TAG = 4_000;
    private final ApiMessageType type;
    private final short version;
    private final short headerVersion;
    private final boolean request;

    FrameClasses(ApiMessageType type, short version, boolean request) {
        this.type = type;
        this.version = version;
        this.request = request;
        this.headerVersion = request ? type.requestHeaderVersion(version) : type.responseHeaderVersion(version);
    }

    JsonNode generate(long seed, boolean unknownTags) throws Exception {
        Generator generator = new Generator(new Random(seed * 0x9E3779B97F4A7C15L));
        ObjectNode header = (ObjectNode) generator.struct(headerSchema());
        if (request) {
            header.put("requestApiKey", type.apiKey()).put("requestApiVersion", version);
        }
        JsonNode body = generator.struct((request ? type.requestSchemas() : type.responseSchemas())[version]);
        Message headerData = fromJson(emptyHeader(), header, headerVersion);
        Message bodyData = fromJson(emptyBody(), body, version);
        if (unknownTags) {
            addUnknown(headerData, headerVersion >= (request ? 2 : 1));
            addUnknown(bodyData, flexible());
        }
        ObjectNode answer = JSON.createObjectNode().put("hex", hex(headerData, bodyData));
        answer.set("header", Generator.exact(header));
        answer.set("body", Generator.exact(body));
        return answer;
    }

    JsonNode roundtrip(String hex) throws Exception {
        ByteBuffer frame = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
        ByteBufferAccessor reader = new ByteBufferAccessor(frame);
        Message header = emptyHeader();
        header.read(reader, headerVersion);
        ApiMessage body = emptyBody();
        body.read(reader, version);
        ObjectNode answer = JSON.createObjectNode().put("hex", hex(header, body)).put("left", frame.remaining());
        answer.set("body", Generator.exact(toJson(body)));
        return answer;
    }

    private String hex(Message header, Message body) {
        return hex(header, headerVersion) + hex(body, version);
    }

    private static String hex(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private boolean flexible() {
        return type.requestHeaderVersion(version) >= 2;
    }

    private static void addUnknown(Message message, boolean flexible) {
        if (flexible) {
            message.unknownTaggedFields().add(new RawTaggedField(UNKNOWN_TAG, new byte[] {1, 2, 3}));
            message.unknownTaggedFields().add(new RawTaggedField(UNKNOWN_TAG + 1, new byte[0]));
        }
    }

    private Message emptyHeader() {
        return request ? new RequestHeaderData() : new ResponseHeaderData();
    }

    private ApiMessage emptyBody() {
        return request ? type.newRequest() : type.newResponse();
    }

    private Schema headerSchema() {
        return (request ? RequestHeaderData.SCHEMAS : ResponseHeaderData.SCHEMAS)[headerVersion];
    }

    private static Class<?> converter(Message message) throws ClassNotFoundException {
        return Class.forName(message.getClass().getName() + "JsonConverter");
    }

    private static Message fromJson(Message kind, JsonNode json, short version) throws Exception {
        return (Message) converter(kind).getMethod("read", JsonNode.class, short.class).invoke(null, json, version);
    }

    private JsonNode toJson(Message message) throws Exception {
        return (JsonNode) converter(message).getMethod("write", message.getClass(), short.class)
            .invoke(null, message, version);
    }
}
