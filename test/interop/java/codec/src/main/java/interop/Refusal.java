package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;

/** Kafka's response to a request whose handler has thrown an error. */
final class Refusal {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Refusal() {
    }

    /** The body of the response in hex; null if Kafka sends none. */
    static JsonNode of(JsonNode command) {
        short version = (short) command.get("version").asInt();
        ByteBuffer body = ByteBuffer.wrap(HexFormat.of().parseHex(command.get("hex").asText()));
        AbstractRequest request = AbstractRequest.parseRequest(
            ApiKeys.forId(command.get("key").asInt()), version, new ByteBufferAccessor(body)).request;
        Errors error = Errors.forCode((short) command.get("code").asInt());
        AbstractResponse response = request.getErrorResponse(0, error.exception(command.get("message").textValue()));
        return JSON.createObjectNode().put("hex", response == null ? null : hex(response, version));
    }

    private static String hex(AbstractResponse response, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(response.data(), version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
